/** How an attempt ended, as it is written down: its document, what follows, and that both fit an item. Pure but for ids. */
import { checkRetry } from '#deployed/worker/settle-followers';
import { errorLine, errorText, shownText } from '../base/error-text.ts';
import { MessageTooLarge, ResultTooLarge, TaskRejectedError } from '../base/errors.ts';
import { encodeJson } from '../wire/json.ts';
import { DYNAMODB_MAX_ITEM_BYTES, MAX_PAYLOAD_BYTES, MAX_RECORDED_CHILDREN } from '../base/limits.ts';
import type { Message } from '../wire/message.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { type ExtendedFields, writeDocument, writeException } from '../wire/result-document.ts';
import { FAILURE, IGNORED, REJECTED, RETRY, REVOKED, SUCCESS } from '../base/states.ts';
import { followerIds, hasFollowers, postsWebhook } from './followers.ts';
import type { Attempt } from './attempt.ts';
import type { EndDecision } from './decide.ts';
import { type Committed, readSettlement, type Settlement, writeSettlement } from './committed.ts';

/** A decision that is written down: a message that is given back leaves nothing. */
type Outcome = Exclude<EndDecision, { readonly kind: 'requeue' }>;

/** `null` in the header defers to the task's own setting. */
export function ignoresResult(message: Message, definition: TaskDefinition): boolean {
  // A chord needs the results of its header, whatever each task says.
  return message.embed.chord === null && (message.ignoreResult ?? definition.options.ignoreResult);
}

/**
 * A result that cannot be stored, or a retry that cannot be sent, is a failure of the task: told, not looped. Whatever
 * is thrown here is thrown again by every delivery.
 */
export async function writeOutcome(
  attempt: Attempt,
  decision: Outcome,
): Promise<{ record: Committed; decision: Outcome }> {
  try {
    const settlement = asStored(await settlementOf(attempt, decision));
    return { record: checkedSize(describe(attempt, decision, settlement), attempt), decision };
  } catch (error) {
    // Of a failure only what surrounds its error can be at fault.
    const failure: Outcome = decision.kind === 'fail' ? decision : { kind: 'fail', error, expected: false };
    return { record: minimalFailure(attempt, failure.error), decision: failure };
  }
}

/** The error and the ids alone: some kilobytes, whatever the task did. */
export function minimalFailure(attempt: Attempt, error: unknown): Committed {
  return describe(attempt, { kind: 'fail', error, expected: false }, {}, true);
}

async function settlementOf(attempt: Attempt, decision: Outcome): Promise<Settlement> {
  const { message, definition, worker } = attempt;
  if (decision.kind === 'success') {
    const isAsked = hasFollowers(message) || postsWebhook(message, worker.app);
    return ignoresResult(message, definition) && isAsked ? { value: decision.value ?? null } : {};
  }
  if (decision.kind === 'retry') {
    const atMs = worker.ports.clock.nowMs();
    const retry = { dueMs: decision.dueMs, overrides: decision.overrides, atMs };
    // Throws now what would otherwise make every settling fail.
    await checkRetry(message, retry, worker);
    return { retry };
  }
  if (decision.kind === 'reject') {
    return {
      deadLetter: {
        reason: shownText(decision.reason),
        error: errorLine(decision.error),
        deliveries: attempt.deliveries,
      },
    };
  }
  return {};
}

const STATUS = {
  success: SUCCESS,
  retry: RETRY,
  reject: REJECTED,
  ignore: IGNORED,
  revoke: REVOKED,
  fail: FAILURE,
} as const;

export function describe(attempt: Attempt, decision: Outcome, settlement: Settlement, minimal = false): Committed {
  const { message, definition, worker } = attempt;
  const status = STATUS[decision.kind];
  // Who runs it here has its result all the same, as in Celery.
  const ignored = worker.app.eager === undefined && ignoresResult(message, definition);
  const base = {
    children: minimal ? [] : childrenOf(attempt, status),
    dateDone: decision.kind === 'retry' ? null : new Date(worker.ports.clock.nowMs()).toISOString(),
    taskId: message.id,
    parentId: message.parentId,
    groupId: message.groupId,
    ...(minimal ? {} : extendedOf(attempt)),
  };
  if (decision.kind === 'ignore') return { status, meta: undefined, settlement };
  if (decision.kind === 'success') {
    // Written even when it is ignored: a result that is no JSON is an error for the tasks that follow.
    const meta = writeDocument({ ...base, status, result: decision.value, traceback: null });
    return { status, meta: ignored ? undefined : meta, settlement };
  }
  const error = decision.kind === 'reject' ? rejection(decision) : decision.error;
  const hidden =
    ignored &&
    // Who revoked it looks whether that was heard, as of a task that had not begun.
    decision.kind !== 'revoke' &&
    (decision.kind === 'retry' || !definition.options.storeErrorsEvenIfIgnored);
  return { status, meta: hidden ? undefined : writeException(status, error, base), settlement };
}

// What a result document shall not be filled with.
const MAX_EXTENDED_BYTES = 32_768;

/** Celery's `result_extended`. */
function extendedOf({ message, worker }: Attempt): { readonly extended?: ExtendedFields } {
  const { settings } = worker.app;
  if (!settings.resultExtended) return {};
  const { task: name, args, kwargs, queue, retries } = message;
  const bytes = Buffer.byteLength(encodeJson([args, kwargs], 'arguments', { asPython: true }));
  const given = bytes > MAX_EXTENDED_BYTES ? {} : { args, kwargs };
  return { extended: { name, ...given, worker: `${queue}@${settings.name}`, retries, queue } };
}

/** Celery's form: `[[id, parent], members]`. What the run sent, then what its outcome starts. */
function childrenOf({ message, worker, children = [] }: Attempt, status: string): readonly unknown[] {
  // Error links are called for failures, not for what is rejected or revoked.
  const follow = status === SUCCESS || status === FAILURE;
  const ids = [...children, ...(follow ? followerIds(message, status === SUCCESS, worker.app) : [])];
  return ids.slice(0, MAX_RECORDED_CHILDREN).map((id) => [[id, null], null]);
}

/** Readers get an error of their own kind; `Reject` is what tasks throw. */
function rejection(decision: Extract<EndDecision, { kind: 'reject' }>): Error {
  const error = new TaskRejectedError(decision.reason, { cause: decision.error });
  const { stack } = errorText(decision.error);
  if (stack !== null) error.stack = stack;
  return error;
}

// Our own attributes on the same item.
const RECORD_OVERHEAD_BYTES = 4096;

/** @throws ResultTooLarge, MessageTooLarge */
function checkedSize(record: Committed, { message, worker }: Attempt): Committed {
  const { meta, settlement } = record;
  const follows = Buffer.byteLength(writeSettlement(settlement) ?? '');
  const { codec, largePayloads } = worker.app.settings;
  // What is encrypted is stored in base64: four bytes for three.
  const growth = codec === undefined ? 1 : 4 / 3;
  const bytes = Math.ceil((Buffer.byteLength(meta ?? '') + follows) * growth) + RECORD_OVERHEAD_BYTES;
  const most = largePayloads && largePayloads.storeAboveBytes !== null ? MAX_PAYLOAD_BYTES : DYNAMODB_MAX_ITEM_BYTES;
  if (bytes <= most) return record;
  const subject = `${message.task}[${message.id}] takes ${bytes} bytes; ${most === MAX_PAYLOAD_BYTES ? 'largePayloads' : 'DynamoDB'} stores ${most}.`;
  if (settlement.retry !== undefined)
    throw new MessageTooLarge(
      `The retry of ${subject} New arguments are stored until it is sent: pass a reference to the data instead.`,
    );
  throw new ResultTooLarge(
    'value' in settlement
      ? `The result of ${subject} ignoreResult does not help where a link, a chain or a chord needs the result. Store it elsewhere and return a reference.`
      : `The result of ${subject} Store it elsewhere and return a reference, or set ignoreResult.`,
  );
}

/** As a later delivery reads it: what was written once is never asked again what it is (a `toJSON` may answer otherwise). */
function asStored(settlement: Settlement): Settlement {
  return readSettlement(writeSettlement(settlement));
}
