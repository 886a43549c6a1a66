/** A message that came too early, or whose task is not known yet: it goes on, and arrives again later. */
import { MessageTooLarge, NotRegistered } from '../base/errors.ts';
import {
  SQS_MAX_DELAY_SECONDS,
  SQS_MAX_VISIBILITY_SECONDS,
  UNKNOWN_TASK_DEFERRALS,
  UNKNOWN_TASK_FIRST_DELAY_SECONDS,
} from '../base/limits.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { CeleriacHeader, Message } from '../wire/message.ts';
import { checkTimerSize, prepare, type Prepared, publish } from '../producer/publish.ts';
import { FAILURE } from '../base/states.ts';
import { ACK, type Disposition } from './attempt.ts';
import { conclude } from './conclude.ts';
import type { Delivery } from '../ports/delivery.ts';
import { sentOn } from './sent-on.ts';
import type { Worker } from './worker.ts';

export interface Deferral {
  readonly untilMs: number;
  readonly because: 'eta' | 'unknown' | 'rate';
  /** What its header tells when it arrives again. */
  readonly header?: CeleriacHeader;
  /** How it waits where it is, should it be too large to be sent on with what its header tells. */
  readonly inPlace?: () => Promise<Disposition>;
}

export async function defer(
  message: Message,
  delivery: Delivery,
  deferral: Deferral,
  worker: Worker,
): Promise<Disposition> {
  const unknown = deferral.because === 'unknown';
  if (unknown) {
    worker.ports.logger.log(
      'warn',
      `Task ${message.task}[${message.id}] is not registered here; deferred, a deployment may be under way`,
      { task: message.task, taskId: message.id },
    );
  }
  const copy = sentOn(message, delivery, {
    ...deferral.header,
    ...(unknown ? { unknown: (message.celeriac.unknown ?? 0) + 1 } : {}),
  });
  const { settings } = worker.app;
  const fifo = isFifo(copy.queue, settings);
  const encoded = fitting(() => prepare(copy, settings, { asPython: true }));
  if (encoded === undefined) return deferral.inPlace?.() ?? putOff(message, delivery, deferral, fifo, worker);
  const prepared: Prepared = { ...encoded.value, dueMs: deferral.untilMs };
  const fits = fitting(() => checkTimerSize(prepared, worker.ports.clock.nowMs(), settings)) !== undefined;
  if (!fits && fifo) return putOff(message, delivery, deferral, fifo, worker);
  await publish([fits ? prepared : shortened(prepared, worker)], worker.ports, settings);
  return ACK;
}

/** Undefined where something is too large. */
function fitting<R>(run: () => R): { readonly value: R } | undefined {
  try {
    return { value: run() };
  } catch (error) {
    if (!MessageTooLarge.is(error)) throw error;
    return undefined;
  }
}

/** Too large to be stored as a timer: it goes by the longest delay SQS knows, and is deferred again when it arrives. */
function shortened(prepared: Prepared, worker: Worker): Prepared {
  return { ...prepared, dueMs: worker.ports.clock.nowMs() + SQS_MAX_DELAY_SECONDS * 1000 };
}

/**
 * It fills SQS's limit as it came (plain JSON, say), and is larger when we write it: its bytes stay as they are. What it
 * can no longer count its receives count.
 */
async function putOff(
  message: Message,
  delivery: Delivery,
  { untilMs, because }: Deferral,
  fifo: boolean,
  worker: Worker,
): Promise<Disposition> {
  const seconds = Math.max(1, Math.ceil((untilMs - worker.ports.clock.nowMs()) / 1000));
  if (because === 'unknown') {
    const { receiveCount } = delivery;
    if (receiveCount > UNKNOWN_TASK_DEFERRALS)
      return conclude(message, delivery, FAILURE, new NotRegistered(message.task), worker, 'not registered');
    const wait = UNKNOWN_TASK_FIRST_DELAY_SECONDS * 2 ** Math.max(0, receiveCount - 1);
    return { kind: 'keep', seconds: Math.min(SQS_MAX_DELAY_SECONDS, wait) };
  }
  if (!fifo) {
    // What has run before is early by no more than clocks differ; its bytes cannot tell the next message that it has.
    if (delivery.receiveCount > 1 && seconds <= SQS_MAX_DELAY_SECONDS) return { kind: 'keep', seconds };
    await resend(delivery, Math.min(SQS_MAX_DELAY_SECONDS, seconds), worker);
    return ACK;
  }
  // A FIFO queue takes no delay: its group waits for it, as for any head. Longer than that it could outlive its queue's retention.
  if (seconds <= SQS_MAX_VISIBILITY_SECONDS) return { kind: 'keep', seconds };
  const error = new MessageTooLarge(
    `The message of task id ${message.id} is too large to be stored until its ETA, and a FIFO queue holds it for ${SQS_MAX_VISIBILITY_SECONDS} s at most. Pass a reference instead of the data.`,
  );
  return conclude(message, delivery, FAILURE, error, worker, 'message too large');
}

async function resend(delivery: Delivery, delaySeconds: number, { ports }: Worker): Promise<void> {
  const { queue, body, groupId } = delivery;
  const [outcome] = await ports.broker.send([
    { queue, body, delaySeconds, ...(groupId === undefined ? {} : { groupId }) },
  ]);
  if (outcome === undefined || outcome.ok) return;
  const { code, message, retryable } = outcome;
  throw Object.assign(new Error(`The message was not put off: ${code}: ${message}`), { retryable });
}
