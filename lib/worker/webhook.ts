/**
 * What follows from the end of a task with a webhook: a task of the library's own, which posts it. It is sent as links are, so that
 * a crash loses none, and under an id that each settling gives it again, so that it runs once.
 */
import { WEBHOOK_TASK } from '../canvas/own-tasks.ts';
import { cut, errorLine } from '../base/error-text.ts';
import { derivedId } from '../base/ids.ts';
import { MAX_HTTP_REASON_CHARACTERS, MAX_WEBHOOK_BYTES } from '../base/limits.ts';
import { FAILURE, REJECTED, REVOKED, SUCCESS } from '../base/states.ts';
import { queueOfLane } from '../options/declared-queue.ts';
import type { WebhookEvent, WebhookOptions, WebhookOutcome, WebhookState } from '../options/webhook-options.ts';
import type { App } from '../producer/app.ts';
import { decodeTyped } from '../wire/json-typed.ts';
import type { Message } from '../wire/message.ts';
import { type ExceptionDocument, isExceptionDocument, readDocument } from '../wire/result-document.ts';
import { signature } from '../wire/signature.ts';
import type { Committed } from './committed.ts';
import { type FollowingStep, step } from './followers.ts';

const TYPES: Readonly<Record<string, WebhookEvent['type']>> = {
  [SUCCESS]: 'task.succeeded',
  [FAILURE]: 'task.failed',
  [REVOKED]: 'task.revoked',
  [REJECTED]: 'task.rejected',
};

/** Undefined where this end is not told. */
export function webhookStep(message: Message, committed: Committed, app: App): FollowingStep | undefined {
  const options = app.registry.find(message.task)?.options.webhook;
  const { status } = committed;
  const type = TYPES[status];
  const told: readonly string[] | undefined = options?.on;
  if (options === undefined || type === undefined || told?.includes(status) === false) return undefined;
  const data = bounded(outcomeOf(message, committed, options));
  const to = addressOf(options, data, message.args);
  if (to === undefined) return undefined;
  const timestamp = new Date(committed.ended?.atMs ?? app.clock.nowMs()).toISOString();
  const event: WebhookEvent = { type, timestamp, data };
  // Named after the end: a task that is run anew ends anew.
  const id = derivedId(`${message.id}:webhook:${message.retries}:${status}`);
  const queue = queueOfLane(message.queue, app.settings);
  return step(signature(WEBHOOK_TASK, { args: [message.task, to, event], options: { task_id: id, queue } }), id, {
    args: [],
  });
}

/** Where to: the declared address is asked for when it is posted. */
export type WebhookAddress = { readonly url?: string } | { readonly error: string };

function addressOf(
  { url }: WebhookOptions,
  data: WebhookOutcome,
  args: readonly unknown[],
): WebhookAddress | undefined {
  if (typeof url !== 'function') return {};
  try {
    const given: unknown = url(data, args);
    return given === undefined || given === null ? undefined : { url: typeof given === 'string' ? given : '' };
  } catch (error) {
    // The task has ended: what its address throws is told by the webhook's own task.
    return { error: errorLine(error) };
  }
}

function outcomeOf(
  { task, id, retries }: Message,
  { status, meta, settlement }: Committed,
  { payload }: WebhookOptions,
): WebhookOutcome {
  const plain = { task, id, state: status as WebhookState, retries };
  if (payload === 'state') return plain;
  if ('value' in settlement) return { ...plain, result: decodeTyped(settlement.value) };
  const document = meta === undefined ? undefined : readDocument(meta);
  if (document === undefined) return plain;
  if (status === SUCCESS) return { ...plain, result: document.result };
  if (!isExceptionDocument(document) || document.result === null) return plain;
  const { exc_type: type, exc_message: parts } = document.result as ExceptionDocument;
  const message = cut([parts].flat().map(String).join(' '), MAX_HTTP_REASON_CHARACTERS);
  return { ...plain, error: { type, message } };
}

function bounded(data: WebhookOutcome): WebhookOutcome {
  if (Buffer.byteLength(JSON.stringify(data)) <= MAX_WEBHOOK_BYTES) return data;
  const { result: _result, ...rest } = data;
  return { ...rest, resultOmitted: true };
}
