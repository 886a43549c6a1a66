/** The way of a message out: to a queue with an exact delay, or to the timers. Nothing else sends. */
import { attemptNumber } from '../wire/attempt-number.ts';
import { EnqueueFailed, type EnqueueOutcome, MessageTooLarge, OperationalError } from '../base/errors.ts';
import { DYNAMODB_MAX_ITEM_BYTES, PAYLOAD_RESERVE_SECONDS, SQS_MAX_DELAY_SECONDS } from '../base/limits.ts';
import { errorText } from '../base/error-text.ts';
import { packMessage } from '../wire/encode-message.ts';
import { largePayloadsOf } from '../options/large-payloads.ts';
import type { Blobs } from '../ports/blobs.ts';
import { allStoredFirst } from './payloads.ts';
import type { EncodeOptions } from '../wire/json.ts';
import type { Message } from '../wire/message.ts';
import type { Broker, OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import type { Clock } from '../base/time.ts';
import type { MessageSpan } from '../ports/telemetry.ts';
import type { Timer, Timers } from '../ports/timers.ts';
import { checkBounds } from '../wire/message-bounds.ts';
import { isPassing } from '../base/passing.ts';
import { celeryQueueName } from '../wire/queue-name.ts';
import type { RetryPolicy, Settings } from '../options/settings.ts';
import { deduplicationIdOf, groupIdOf } from '../base/sqs-text.ts';
import { nextSequence } from '../ports/timer-order.ts';
import { type StoredTimer, wakeUpsOf } from '../ports/wake-up.ts';
import { isFifo, requireQueue } from '../options/declared-queue.ts';

export interface PublishPorts {
  readonly broker: Broker;
  readonly timers: Timers;
  readonly clock: Clock;
  /** Where what is too large for a message goes. */
  readonly blobs?: Blobs | undefined;
}

/** A message with its queue and time, encoded and checked, not yet sent. */
export interface Prepared {
  readonly id: string;
  readonly attempt: number;
  /** When it may arrive, milliseconds since the epoch; null for now. */
  readonly dueMs: number | null;
  readonly outgoing: OutgoingMessage;
  /** Of a FIFO queue: its order among what is due at the same time, once it is on its way. */
  readonly sequence?: string;
  /** Of its sending, where the app has telemetry. */
  readonly span?: MessageSpan | undefined;
}

// Room for the keys, numbers and names beside the body in a timer's item.
const TIMER_OVERHEAD_BYTES = 2048;

/**
 * @param options `asPython` for what came in a message and is sent on, NaN included.
 * @throws NotSerializable, MessageTooLarge, QueueNotFound, InvalidOption
 */
export function prepare(message: Message, settings: Settings, options: EncodeOptions = {}): Prepared {
  const queue = requireQueue(message.queue, settings);
  checkBounds(message);
  const fifo = isFifo(queue, settings);
  // Python's retries go where this says.
  const { text: body, payload } = packMessage(message, {
    ...options,
    routingKey: celeryQueueName(queue, fifo),
    packing: largePayloadsOf(settings),
    inPlace: settings.queues[queue]?.external === true,
  });
  const { groupId, token } = message.celeriac;
  return {
    id: message.id,
    attempt: attemptNumber(message),
    dueMs: message.etaMs,
    outgoing: {
      queue,
      body,
      ...(payload && { payload }),
      ...(fifo
        ? {
            groupId: groupIdOf(groupId ?? message.task),
            // One attempt is one message: a repeated send within five minutes is dropped by SQS itself.
            // Deferred copies count their hops, or SQS would drop them as repetitions.
            deduplicationId: deduplicationIdOf(
              `${message.id}-${message.retries}-${message.celeriac.hops ?? 0}-${message.celeriac.unknown ?? 0}${typeof token === 'string' ? `-${token}` : ''}`,
            ),
          }
        : groupId === undefined
          ? {}
          : { groupId: groupIdOf(groupId) }),
    },
  };
}

/** Sends what is due within SQS's longest delay and stores the rest, and all that FIFO queues would have to delay, as timers. Reports on each, in order. */
export async function dispatch(
  items: readonly Prepared[],
  ports: PublishPorts,
  settings: Settings,
): Promise<SendOutcome[]> {
  const nowMs = ports.clock.nowMs();
  const outcomes: SendOutcome[] = Array.from({ length: items.length });
  const sends: { index: number; message: OutgoingMessage }[] = [];
  const timers: { index: number; timer: Timer }[] = [];
  const fail = (index: number, error: unknown): void => void (outcomes[index] = refusedOutcome(error));
  const stored = await allStoredFirst(items, ports, fail);
  for (const [index, item] of stored.entries()) {
    if (item === undefined) continue;
    const delaySeconds = delaySecondsOf(item, nowMs);
    if (needsTimer(item, delaySeconds, settings))
      timers.push({ index, timer: timerOf(withSequence(item, ports.clock, settings)) });
    else sends.push({ index, message: delaySeconds > 0 ? { ...item.outgoing, delaySeconds } : item.outgoing });
  }
  // Each for itself: that one way is closed says nothing about what went the other.
  await Promise.all([
    sends.length === 0
      ? undefined
      : ports.broker.send(sends.map(({ message }) => message)).then(
          (sent) => {
            for (const [position, { index }] of sends.entries()) outcomes[index] = sent[position] ?? unknownOutcome();
          },
          (error: unknown) => {
            for (const { index } of sends) outcomes[index] = refusedOutcome(error);
          },
        ),
    timers.length === 0 ? undefined : storeTimers(timers, ports, outcomes).then((stored) => wakeUpFor(stored, ports)),
  ]);
  return outcomes;
}

/** One that the store refuses for good is not its neighbours' fault: each is asked alone then. */
async function storeTimers(
  timers: readonly { readonly index: number; readonly timer: Timer }[],
  ports: PublishPorts,
  outcomes: SendOutcome[],
): Promise<StoredTimer[]> {
  try {
    const parts = await ports.timers.put(timers.map(({ timer }) => timer));
    for (const { index, timer } of timers) outcomes[index] = { ok: true, messageId: timer.id };
    return timers.map(({ timer }, position) => ({ timer, part: parts[position] ?? 0 }));
  } catch (error) {
    const stored: StoredTimer[] = [];
    if (timers.length > 1 && isOfOne(error))
      for (const each of timers) stored.push(...(await storeTimers([each], ports, outcomes)));
    else for (const { index } of timers) outcomes[index] = refusedOutcome(error);
    return stored;
  }
}

/** Sees to it that those of FIFO queues that are due soon are sent on time. */
async function wakeUpFor(timers: readonly StoredTimer[], ports: PublishPorts): Promise<void> {
  const ordered = timers.filter(({ timer }) => timer.sequence !== undefined);
  const wakeUps = wakeUpsOf(ordered, ports.clock.nowMs());
  if (wakeUps.length === 0) return;
  // What is stored will run: the minute's sweep finds it too, only later. To report a failure would be wrong.
  await ports.broker.send(wakeUps).catch(() => undefined);
}

/** Sent again, an item keeps its order: its first sending may have stored it. */
function withSequence(item: Prepared, clock: Clock, settings: Settings): Prepared {
  const ordered = isFifo(item.outgoing.queue, settings) && item.sequence === undefined;
  return ordered ? { ...item, sequence: nextSequence(clock) } : item;
}

/** Refused for what one of them is. No region, no right, no table: a thousand would be refused a thousand times, one after another. */
function isOfOne(error: unknown): boolean {
  return !isPassing(error) && !(OperationalError.is(error) && !OF_ONE.has(errorText((error as Error).cause).name));
}

// Of DynamoDB: something of an item is not allowed.
const OF_ONE = new Set(['ValidationException', 'ItemCollectionSizeLimitExceededException']);

/** Nothing is known about what was asked for, and sending twice is harmless: ids are fixed. */
function refusedOutcome(error: unknown): SendOutcome {
  const known = OperationalError.is(error) ? error.cause : undefined;
  // The name that the service's own error has, as in the broker's reports.
  const { name: code } = errorText(known ?? error);
  return { ok: false, code, message: errorText(error).message, retryable: isPassing(error), cause: error };
}

function delaySecondsOf({ dueMs }: Prepared, nowMs: number): number {
  return dueMs === null ? 0 : Math.max(0, Math.ceil((dueMs - nowMs) / 1000));
}

function needsTimer(item: Prepared, delaySeconds: number, settings: Settings): boolean {
  if (delaySeconds > SQS_MAX_DELAY_SECONDS) return true;
  // A FIFO queue takes no delay for a single message.
  return delaySeconds > 0 && isFifo(item.outgoing.queue, settings);
}

/** @throws MessageTooLarge when a far ETA's message does not fit a DynamoDB item. */
export function checkTimerSize(item: Prepared, nowMs: number, settings: Settings): void {
  refuseLatePayload(item, nowMs, settings);
  if (goesByTimer(item, nowMs, settings))
    refuseLargeTimer(item, `a delay of over ${SQS_MAX_DELAY_SECONDS} s is stored in DynamoDB`);
}

function refuseLargeTimer({ id, outgoing }: Prepared, why: string): void {
  const bytes = outgoing.body.length + TIMER_OVERHEAD_BYTES;
  if (bytes <= DYNAMODB_MAX_ITEM_BYTES) return;
  throw new MessageTooLarge(
    `The message of task id ${id} has ${bytes} bytes; ${why}, which takes ${DYNAMODB_MAX_ITEM_BYTES} bytes. Set the app's option largePayloads, or pass a reference instead of the data.`,
  );
}

/** Its payload would be gone before its task can begin, or before its dead letter is looked at. */
function refuseLatePayload({ id, dueMs, outgoing }: Prepared, nowMs: number, settings: Settings): void {
  const { keepSeconds = Infinity } = (outgoing.payload && largePayloadsOf(settings)) ?? {};
  const farthestSeconds = keepSeconds - PAYLOAD_RESERVE_SECONDS;
  if (dueMs === null || dueMs - nowMs <= farthestSeconds * 1000) return;
  throw new MessageTooLarge(
    `The arguments of task id ${id} are stored for ${keepSeconds} s, and it is due in ${Math.ceil((dueMs - nowMs) / 1000)} s; up to ${farthestSeconds} s are allowed, so that they are still there when its message has waited and its dead letter is looked at. Set largePayloads.keep to more, or pass a reference instead of the data.`,
  );
}

/** Whether it is stored as a timer, and not sent to its queue. */
export function goesByTimer(item: Prepared, nowMs: number, settings: Settings): boolean {
  return needsTimer(item, delaySecondsOf(item, nowMs), settings);
}

/**
 * A timer for a message whenever it is due, and the message as it is to be sent beside it.
 *
 * @throws MessageTooLarge
 */
export function timerFor(
  item: Prepared,
  clock: Clock,
  settings: Settings,
): { readonly timer: Timer; readonly prepared: Prepared } {
  refuseLargeTimer(item, 'the outbox stores it in DynamoDB');
  const prepared = withSequence(item, clock, settings);
  return { prepared, timer: timerOf({ ...prepared, dueMs: item.dueMs ?? clock.nowMs() }) };
}

function timerOf(item: Prepared): Timer {
  const { id, attempt, dueMs, outgoing, sequence } = item;
  return { id, attempt, dueMs: dueMs ?? 0, message: outgoing, ...(sequence === undefined ? {} : { sequence }) };
}

function unknownOutcome(): SendOutcome {
  return { ok: false, code: 'NoOutcome', message: 'the broker did not report on this message', retryable: true };
}

/**
 * Dispatches and tries what failed again, with Celery's publish retry policy.
 *
 * @throws EnqueueFailed naming every id that was not sent.
 */
export async function publish(
  items: readonly Prepared[],
  ports: PublishPorts,
  settings: Settings,
  policy: Required<RetryPolicy> | null = settings.retryPolicy,
): Promise<void> {
  const final: SendOutcome[] = Array.from({ length: items.length });
  let open = items.map((item, index) => ({ item: withSequence(item, ports.clock, settings), index }));
  for (let attempt = 0; open.length > 0; attempt += 1) {
    const outcomes = await dispatch(
      open.map(({ item }) => item),
      ports,
      settings,
    );
    for (const [position, { index }] of open.entries()) final[index] = outcomes[position] ?? unknownOutcome();
    open = open.filter(({ index }) => {
      const outcome = final[index];
      return outcome !== undefined && !outcome.ok && outcome.retryable && !isTimedOut(outcome.cause);
    });
    if (open.length === 0 || policy === null || attempt >= policy.maxRetries) break;
    const waitSeconds = Math.min(policy.intervalMax, policy.intervalStart + attempt * policy.intervalStep);
    if (waitSeconds > 0) await ports.clock.sleep(waitSeconds * 1000);
  }
  const failed = final.filter((outcome) => !outcome.ok).length;
  if (failed > 0) throw failure(items, final, failed);
}

/** The time of the whole call is over: trying again now is what it was to end. */
function isTimedOut(cause: unknown): boolean {
  return OperationalError.is(cause) && (cause as OperationalError).timedOut;
}

function failure(items: readonly Prepared[], final: readonly SendOutcome[], failed: number): EnqueueFailed {
  const outcomes = items.map((item, index): EnqueueOutcome => {
    const outcome = final[index] ?? unknownOutcome();
    return outcome.ok
      ? { ok: true, id: item.id }
      : { ok: false, id: item.id, code: outcome.code, message: outcome.message, retryable: outcome.retryable };
  });
  const first = outcomes.find((outcome) => !outcome.ok);
  const detail = first && !first.ok ? ` First: task id ${first.id}: ${first.code}: ${first.message}` : '';
  const cause = final.find((outcome) => !outcome.ok && outcome.cause !== undefined);
  return new EnqueueFailed(
    `${failed} of ${items.length} messages were not sent; error.outcomes tells which. Sending the same task ids again is safe.${detail}`,
    outcomes,
    cause === undefined || cause.ok ? undefined : { cause: cause.cause },
  );
}
