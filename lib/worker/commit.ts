/** Writes down how an attempt ended, then settles it. The commit comes first: what is not committed may run again. */
import { CeleriacError, ResultTooLarge, TaskRejectedError } from '../errors.ts';
import { DYNAMODB_MAX_ITEM_BYTES, MAX_RECORDED_CHILDREN } from '../limits.ts';
import { encodeJson } from '../json.ts';
import type { Message } from '../message.ts';
import { checkTimerSize } from '../publish.ts';
import type { TaskDefinition } from '../registry.ts';
import { type ExtendedFields, writeDocument, writeException } from '../result-document.ts';
import { FAILURE, IGNORED, REJECTED, RETRY, SUCCESS } from '../states.ts';
import type { Clock } from '../ports.ts';
import { fieldsOf, logEnd } from './attempt-log.ts';
import { decideEnd, type EndDecision, type Ending } from './decide.ts';
import type { Delivery } from './delivery.ts';
import { runHooks } from './hooks.ts';
import { followerIds } from './children.ts';
import { type Committed, hasFollowers, retryMessage, settle, type Settlement, writeSettlement } from './settle.ts';
import type { Worker } from './worker.ts';

/** Whether SQS may delete the message. `keep` leaves it, visible again after `seconds` or after the queue's own timeout. */
export type Disposition = { readonly kind: 'ack' } | { readonly kind: 'keep'; readonly seconds?: number };

export const ACK: Disposition = { kind: 'ack' };

/** One delivery that may run, or ran. */
export interface Attempt {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly definition: TaskDefinition;
  /** Absent for idempotent tasks, which claim nothing. */
  readonly owner: string | undefined;
  readonly deliveries: number;
  readonly worker: Worker;
  /** Ids of what the run sent. */
  readonly children?: readonly string[];
}

/** A decision that is written down: a message that is given back leaves nothing. */
type Outcome = Exclude<EndDecision, { readonly kind: 'requeue' }>;

/** `null` in the header defers to the task's own setting. */
export function ignoresResult(message: Message, definition: TaskDefinition): boolean {
  // A chord needs the results of its header, whatever each task says.
  return message.embed.chord === null && (message.ignoreResult ?? definition.options.ignoreResult);
}

export async function endRun(
  attempt: Attempt,
  ending: Ending,
  args: readonly unknown[],
  startMs: number,
): Promise<Disposition> {
  const { message, definition, worker } = attempt;
  const { clock, random } = worker.ports;
  const decision = decideEnd({
    ending,
    options: definition.options,
    retries: message.retries,
    deliveries: attempt.deliveries,
    nowMs: clock.nowMs(),
    random,
  });
  if (decision.kind === 'requeue') return requeue(attempt, decision.reason);
  const { record, decision: written } = writeOutcome(attempt, decision);
  return commitAndSettle(attempt, record, async () => {
    logEnd(attempt, written, startMs);
    await runHooks(attempt, written, args);
  });
}

/** The attempt will not run (again): FAILURE with `error`, and a dead letter with `reason`. */
export async function endLost(attempt: Attempt, error: Error, reason: string): Promise<Disposition> {
  const record = describe(
    attempt,
    { kind: 'fail', error, expected: false },
    { deadLetter: { reason, error: `${error.name}: ${error.message}`, deliveries: attempt.deliveries } },
  );
  attempt.worker.ports.logger.log(
    'error',
    `Task ${attempt.message.task}[${attempt.message.id}] lost: ${error.message}`,
    fieldsOf(attempt),
  );
  return commitAndSettle(attempt, record);
}

async function requeue(attempt: Attempt, reason: string): Promise<Disposition> {
  const { message, worker, owner } = attempt;
  worker.ports.logger.log(
    'info',
    `Task ${message.task}[${message.id}] reject requeue=True: ${reason}`,
    fieldsOf(attempt),
  );
  if (owner !== undefined) await worker.ports.backend.release({ id: message.id, attempt: message.retries, owner });
  return { kind: 'keep', seconds: 0 };
}

/** A result that cannot be stored, or a retry that cannot be sent, is a failure of the task: told, not looped. */
function writeOutcome(attempt: Attempt, decision: Outcome): { record: Committed; decision: Outcome } {
  try {
    return { record: describe(attempt, decision, settlementOf(attempt, decision)), decision };
  } catch (error) {
    if (!CeleriacError.is(error)) throw error;
    const failure: Outcome = { kind: 'fail', error, expected: false };
    return { record: describe(attempt, failure, {}), decision: failure };
  }
}

function settlementOf(attempt: Attempt, decision: Outcome): Settlement {
  const { message, definition, worker } = attempt;
  if (decision.kind === 'success') {
    return ignoresResult(message, definition) && hasFollowers(message) ? { value: decision.value ?? null } : {};
  }
  if (decision.kind === 'retry') {
    const retry = { dueMs: decision.dueMs, overrides: decision.overrides };
    // Throws now what would otherwise make every settling fail.
    const prepared = retryMessage(message, retry, worker.producer);
    checkTimerSize(prepared, worker.ports.clock.nowMs(), worker.producer.settings);
    return { retry };
  }
  if (decision.kind === 'reject') {
    const error = decision.error instanceof Error ? `${decision.error.name}: ${decision.error.message}` : '';
    return { deadLetter: { reason: decision.reason, error, deliveries: attempt.deliveries } };
  }
  return {};
}

const STATUS = { success: SUCCESS, retry: RETRY, reject: REJECTED, ignore: IGNORED, fail: FAILURE } as const;

function describe(attempt: Attempt, decision: Outcome, settlement: Settlement): Committed {
  const { message, definition, worker } = attempt;
  const status = STATUS[decision.kind];
  const ignored = ignoresResult(message, definition);
  const base = {
    children: childrenOf(attempt, status),
    dateDone: decision.kind === 'retry' ? null : new Date(worker.ports.clock.nowMs()).toISOString(),
    taskId: message.id,
    parentId: message.parentId,
    groupId: message.groupId,
    ...extendedOf(attempt),
  };
  if (decision.kind === 'ignore') return { status, meta: undefined, settlement };
  if (decision.kind === 'success') {
    // Written even when it is ignored: a result that is no JSON is an error for the tasks that follow.
    const meta = writeDocument({ ...base, status, result: decision.value, traceback: null });
    if (ignored) return { status, meta: undefined, settlement };
    checkSize(meta, message);
    return { status, meta, settlement };
  }
  const error = decision.kind === 'reject' ? rejection(decision) : decision.error;
  const hidden = ignored && (decision.kind === 'retry' || !definition.options.storeErrorsEvenIfIgnored);
  return { status, meta: hidden ? undefined : writeException(status, error, base), settlement };
}

// What a result document shall not be filled with.
const MAX_EXTENDED_BYTES = 32_768;

/** Celery's `result_extended`. */
function extendedOf({ message, worker }: Attempt): { readonly extended?: ExtendedFields } {
  const { settings } = worker.producer;
  if (!settings.resultExtended) return {};
  const { task: name, args, kwargs, queue, retries } = message;
  const bytes = Buffer.byteLength(encodeJson([args, kwargs], 'arguments', { asPython: true }));
  const given = bytes > MAX_EXTENDED_BYTES ? {} : { args, kwargs };
  return { extended: { name, ...given, worker: `${queue}@${settings.name}`, retries, queue } };
}

/** Celery's form: `[[id, parent], members]`. What the run sent, then what its outcome starts. */
function childrenOf({ message, worker, children = [] }: Attempt, status: string): readonly unknown[] {
  const ids = [...children, ...(status === RETRY ? [] : followerIds(message, status === SUCCESS, worker.producer))];
  return ids.slice(0, MAX_RECORDED_CHILDREN).map((id) => [[id, null], null]);
}

/** Readers get an error of their own kind; `Reject` is what tasks throw. */
function rejection(decision: Extract<EndDecision, { kind: 'reject' }>): Error {
  const error = new TaskRejectedError(decision.reason, { cause: decision.error });
  if (decision.error instanceof Error && decision.error.stack !== undefined) error.stack = decision.error.stack;
  return error;
}

// Our own attributes on the same item.
const RECORD_OVERHEAD_BYTES = 4096;

function checkSize(meta: string, message: Message): void {
  const bytes = Buffer.byteLength(meta) + RECORD_OVERHEAD_BYTES;
  if (bytes <= DYNAMODB_MAX_ITEM_BYTES) return;
  throw new ResultTooLarge(
    `The result of ${message.task}[${message.id}] takes ${bytes} bytes; DynamoDB stores ${DYNAMODB_MAX_ITEM_BYTES}. Store it elsewhere and return a reference, or set ignoreResult.`,
  );
}

async function commitAndSettle(
  attempt: Attempt,
  committed: Committed,
  afterCommit?: () => Promise<void>,
): Promise<Disposition> {
  const { message, delivery, worker, owner } = attempt;
  const { clock } = worker.ports;
  if (owner !== undefined) {
    const settlement = writeSettlement(committed.settlement);
    const ours = await worker.commit({
      id: message.id,
      attempt: message.retries,
      owner,
      nowMs: clock.nowMs(),
      status: committed.status,
      final: committed.status !== RETRY,
      ...(committed.meta === undefined ? { ignored: true } : { meta: committed.meta }),
      ...(settlement === undefined ? {} : { settlement }),
      expiresAtSeconds: expiresAtSeconds(clock, worker, committed),
    });
    if (!ours) {
      // Another delivery took over while this one was thought dead. Its message is the same one: not ours to delete.
      worker.ports.logger.log(
        'warn',
        `Task ${message.task}[${message.id}]: another delivery took over; this outcome is dropped`,
        fieldsOf(attempt),
      );
      return { kind: 'keep' };
    }
  } else if (committed.meta !== undefined) {
    await concludeIdempotent(attempt, committed);
  }
  // Celery's handlers see an outcome that stands.
  await afterCommit?.();
  await settle(message, delivery, committed, worker.producer, worker.ports);
  return ACK;
}

/** A waiting retry outlives `resultExpires`, or its record would be gone when it comes back. */
function expiresAtSeconds(clock: Clock, worker: Worker, committed: Committed): number {
  const dueMs = Math.max(clock.nowMs(), committed.settlement.retry?.dueMs ?? 0);
  return Math.floor(dueMs / 1000) + worker.producer.settings.resultExpiresSeconds;
}

/** Idempotent tasks claim nothing; what readers may see is written once, at the end. */
async function concludeIdempotent(attempt: Attempt, committed: Committed): Promise<void> {
  // A retry's state would need a second write for each attempt; `idempotent` promises none.
  if (committed.meta === undefined || committed.status === RETRY) return;
  const { message, worker } = attempt;
  const { clock, backend } = worker.ports;
  await backend.conclude([
    {
      id: message.id,
      attempt: message.retries,
      nowMs: clock.nowMs(),
      status: committed.status,
      name: message.task,
      queue: message.queue,
      meta: committed.meta,
      expiresAtSeconds: expiresAtSeconds(clock, worker, committed),
    },
  ]);
}
