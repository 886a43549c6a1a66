/**
 * The backstop: what came to the lost queue was received again and again and never handled (a bundle
 * that crashes on load, say). Each gets a final state, is settled, and goes to its queue's dead-letter
 * queue with the reason.
 */
import { CeleriacError, WorkerLostError } from '../errors.ts';
import { fromRule } from '../beat/tick.ts';
import { decodeMessage } from '../decode-message.ts';
import type { Message } from '../message.ts';
import { FAILURE } from '../states.ts';
import { ACK, type Disposition } from './commit.ts';
import { conclude } from './conclude.ts';
import type { Delivery } from './delivery.ts';
import { letterFor, sendLetters } from './dead-letter.ts';
import type { Worker } from './worker.ts';

export async function concludeLost(delivery: Delivery, worker: Worker): Promise<Disposition> {
  let message: Message;
  try {
    message = fromRule(decodeMessage(delivery.body));
  } catch (error) {
    if (!CeleriacError.is(error)) throw error;
    const origin = { ...delivery, queue: originOf(delivery, '', worker) };
    await sendLetters([letterFor(origin, { reason: 'invalid message', error: error.message })], worker.ports);
    return ACK;
  }
  const queue = originOf(delivery, message.queue, worker);
  const error = new WorkerLostError(
    'No worker ever handled the message: its function crashed on load, timed out or was stopped each time SQS delivered it. Its log tells more.',
  );
  return conclude({ ...message, queue }, { ...delivery, queue }, FAILURE, error, worker, 'worker lost');
}

/** SQS says which queue's redrive policy moved it; the message names its queue too; the default queue is the last resort. */
function originOf(delivery: Delivery, routingKey: string, worker: Worker): string {
  const { queues, defaultQueue } = worker.producer.settings;
  const candidates = [delivery.lostFrom, routingKey];
  return candidates.find((name) => name !== undefined && Object.hasOwn(queues, name)) ?? defaultQueue;
}
