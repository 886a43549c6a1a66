/**
 * The backstop: what came to the lost queue was received again and again and never handled (a bundle that crashes on
 * load, a service that did not answer for hours). It is the last station: no code of the user's runs here, nothing is
 * read but the envelope, since the body may be what stopped every worker, and every message leaves.
 *
 *   1. FAILURE is recorded where the task has no final state, and the message goes to its queue's dead-letter queue.
 *   2. It goes back to its queue once, marked: a worker settles what follows (links, chains, chords), and runs nothing.
 *   3. Should it come here a second time, it is let go.
 */
import { fromRule } from '../wire/rule-message.ts';
import { decodeHeaders } from '../wire/decode-message.ts';
import { readOuterEnvelope } from '../wire/envelope.ts';
import { withHeaders } from '../wire/write-envelope.ts';
import { errorLine } from '../base/error-text.ts';
import { type CeleriacError, EnqueueFailed, InvalidMessage, WorkerLostError } from '../base/errors.ts';
import { FAILED_DELIVERY_FIRST_SECONDS, LOST_QUEUE_RECEIVES, SQS_MAX_MESSAGE_BYTES } from '../base/limits.ts';
import { CELERIAC_HEADER, type CeleriacHeader, type Message } from '../wire/message.ts';
import type { ConcludeOutcome } from '../ports/backend.ts';
import { readDocument } from '../wire/result-document.ts';
import { FAILURE } from '../base/states.ts';
import { ACK, type Disposition } from './attempt.ts';
import { announcedBy } from './announced-next.ts';
import { announceEnd } from './hooks.ts';
import { conclude } from './conclude.ts';
import { concludeRequest } from './conclude-request.ts';
import { deadLetter, sendDeadLetters } from './dead-letter.ts';
import type { Delivery } from '../ports/delivery.ts';
import { endUnreadable } from './unreadable.ts';
import { PUMP_TASK } from '../canvas/own-tasks.ts';
import { isFifo } from '../options/declared-queue.ts';
import { ownQueueName } from '../wire/queue-name.ts';
import type { Worker } from './worker.ts';

const LONGEST_WAIT_SECONDS = 3600;

/** Why a message is here. */
interface Loss {
  /** Of the dead letter, as the deliveries are. */
  readonly reason: string;
  readonly deliveries: number;
  readonly error: CeleriacError;
}

export function concludeLost(delivery: Delivery, worker: Worker): Promise<Disposition> {
  const { receiveCount: deliveries } = delivery;
  return endUnhandled(delivery, worker, { reason: 'worker lost', deliveries, error: lostError() });
}

/**
 * A stored message that its queue will never take (the queue is gone since a deployment, say) goes the same way.
 *
 * @throws what passes: then the message has to be kept.
 */
export function concludeUnsent(delivery: Delivery, worker: Worker, why: string): Promise<Disposition> {
  const error = new EnqueueFailed(
    `The message was stored until it was due, and its queue does not take it: ${why}`,
    [],
  );
  return endUnhandled(delivery, worker, { reason: 'cannot be sent', deliveries: 0, error });
}

async function endUnhandled(delivery: Delivery, worker: Worker, loss: Loss): Promise<Disposition> {
  let message: Message;
  try {
    message = fromRule(decodeHeaders(delivery.body));
  } catch (error) {
    const origin = { ...delivery, queue: originOf(delivery, '', worker) };
    await endUnreadable(origin, worker, error, {
      reason: InvalidMessage.is(error) ? 'invalid message' : loss.reason,
      deliveries: loss.deliveries,
      lastTry: delivery.receiveCount >= LOST_QUEUE_RECEIVES,
    });
    return ACK;
  }
  const queue = originOf(delivery, message.queue, worker);
  // It has no end that anybody would read, and those that wait for a slot would wait for ever.
  if (message.task === PUMP_TASK) return sendLook(delivery, queue, worker);
  const origin = { ...delivery, queue };
  const { lost } = message.celeriac;
  const outcome = await recordOrGiveUp({ ...message, queue }, delivery, worker, loss);
  if (outcome?.kind === 'busy')
    return { kind: 'keep', seconds: Math.ceil((outcome.leaseMs - worker.ports.clock.nowMs()) / 1000) + 1 };
  // A newer attempt has its own message.
  if (outcome?.kind === 'older') return ACK;
  // A task that has ended before goes to a worker first: all that is missing may be what follows.
  const isReported =
    lost === 'told' || (lost === undefined && outcome?.kind === 'finished' && !endedHere(outcome, loss));
  const { reason, deliveries, error } = loss;
  const cause = { reason, deliveries, error: errorLine(error) };
  if (!isReported) await sendDeadLetters([deadLetter(origin, cause, message, worker)], worker.ports);
  if (lost === undefined) await sendBack(message, origin, isReported ? 'again' : 'told', worker);
  return ACK;
}

/** Undefined where no state can be written: the dead letter is what is left. */
async function recordOrGiveUp(
  message: Message,
  delivery: Delivery,
  worker: Worker,
  loss: Loss,
): Promise<ConcludeOutcome | undefined> {
  try {
    const outcome = await recordLost(message, delivery, worker, loss);
    const next = outcome?.kind === 'finished' ? announcedBy(outcome.record, message) : undefined;
    // The retry that was announced could not be sent, not the second time either.
    if (next === undefined || message.celeriac.lost === undefined) return outcome;
    return await recordLost(next, delivery, worker, loss);
  } catch (error) {
    if (delivery.receiveCount < LOST_QUEUE_RECEIVES) throw error;
    worker.ports.logger.log(
      'error',
      `Task ${message.task}[${message.id}] is lost without a state: ${errorLine(error)}`,
      {
        task: message.task,
        taskId: message.id,
      },
    );
    return undefined;
  }
}

function lostError(): WorkerLostError {
  return new WorkerLostError(
    'No worker ever handled the message: its function crashed on load, timed out, was stopped or could not reach its services each time SQS delivered it. Its log tells more.',
  );
}

async function recordLost(
  message: Message,
  delivery: Delivery,
  worker: Worker,
  { error }: Loss,
): Promise<ConcludeOutcome | undefined> {
  const { backend, logger } = worker.ports;
  const { id, task, queue } = message;
  const request = concludeRequest(message, FAILURE, { error }, worker);
  const [outcome] = await backend.conclude([request]);
  if (outcome?.kind === 'concluded')
    logger.log('error', `Task ${task}[${id}] ${FAILURE}: ${errorLine(error)}`, { task, taskId: id, queue });
  // A worker that settles it may write it too; there may be none that loads.
  if (outcome !== undefined) await worker.history?.noteConcluded(request, outcome, delivery, message);
  return outcome;
}

/** By an earlier delivery of this message, which may have died before its dead letter was sent. */
function endedHere({ record }: Extract<ConcludeOutcome, { kind: 'finished' }>, { error }: Loss): boolean {
  if (record.status !== FAILURE || record.meta === undefined || record.settlement !== undefined) return false;
  const { result } = readDocument(record.meta);
  return (result as { readonly exc_type?: unknown } | null)?.exc_type === error.name;
}

async function sendBack(
  { id, task }: Message,
  origin: Delivery,
  lost: NonNullable<CeleriacHeader['lost']>,
  worker: Worker,
): Promise<void> {
  const { ports } = worker;
  const say = (why: string): void =>
    ports.logger.log('error', `Task ${task}[${id}] is lost, and nobody tells what follows: ${why}`, {
      task,
      taskId: id,
    });
  const body = markedAs(lost, origin.body);
  if (body.length > SQS_MAX_MESSAGE_BYTES) return say('its message has no room for a mark');
  let refusal = '';
  for (const queue of tellingQueues(origin.queue, worker)) {
    const [outcome] = await ports.broker.send([
      {
        queue,
        body,
        ...(origin.groupId === undefined ? {} : { groupId: origin.groupId }),
        // FIFO alone reads it.
        deduplicationId: `${origin.messageId}-lost`,
      },
    ]);
    if (outcome === undefined || outcome.ok) return;
    refusal = `${outcome.code}: ${outcome.message}`;
    if (outcome.retryable && origin.receiveCount < LOST_QUEUE_RECEIVES)
      throw new Error(`The message was not sent back to queue '${queue}': ${refusal}`);
  }
  say(refusal);
}

/** Its own first. Nothing of it runs, so that where that one takes nothing any of the service's workers can do it. */
function tellingQueues(own: string, { app: { settings } }: Worker): readonly string[] {
  const others = [settings.defaultQueue, ...Object.keys(settings.queues)];
  const other = others.find(
    (name) => name !== own && settings.queues[name]?.external !== true && !isFifo(name, settings),
  );
  return other === undefined ? [own] : [own, other];
}

async function sendLook(
  { body, groupId, messageId }: Delivery,
  queue: string,
  { ports }: Worker,
): Promise<Disposition> {
  const [outcome] = await ports.broker.send([
    { queue, body, ...(groupId === undefined ? {} : { groupId }), deduplicationId: `${messageId}-again` },
  ]);
  if (outcome?.ok === false && outcome.retryable) throw new Error(`It was not sent again: ${outcome.code}`);
  return ACK;
}

function markedAs(lost: NonNullable<CeleriacHeader['lost']>, body: string): string {
  const outer = readOuterEnvelope(body);
  // As it was read, wherever its sender had it.
  const { celeriac } = decodeHeaders(body);
  return withHeaders(outer, { ...outer.headers, [CELERIAC_HEADER]: { ...celeriac, lost } });
}

/** For a worker: what comes from the lost queue has ended, and is settled; nothing of it runs. */
export async function settleLost(
  message: Message,
  lost: NonNullable<CeleriacHeader['lost']>,
  delivery: Delivery,
  worker: Worker,
): Promise<Disposition> {
  // Where it was recorded none of the app's code runs.
  if (lost === 'told' && worker.app.signals !== undefined) await announceEnd(message, FAILURE, lostError(), worker);
  return conclude(message, delivery, FAILURE, lostError(), worker);
}

/** Never throws: it comes back, ever more slowly. Only a dead-letter queue that takes nothing keeps a message here. */
export function afterLostError({ receiveCount }: Delivery): Promise<Disposition> {
  const seconds = FAILED_DELIVERY_FIRST_SECONDS * 2 ** Math.min(20, Math.max(0, receiveCount - 1));
  return Promise.resolve({ kind: 'keep', seconds: Math.min(LONGEST_WAIT_SECONDS, seconds) });
}

/** SQS says which queue's redrive policy moved it; the message names its queue too; the default queue is the last resort. */
function originOf(delivery: Delivery, routingKey: string, worker: Worker): string {
  const { queues, defaultQueue } = worker.app.settings;
  // The routing key names it as Celery does.
  const candidates = [delivery.lostFrom, ownQueueName(routingKey, queues)];
  return candidates.find((name) => name !== undefined && Object.hasOwn(queues, name)) ?? defaultQueue;
}
