/**
 * What no step has taken for its own: an error of a port, or of ours. What passes is tried again; all else has the task
 * end with that reason, after a few receives, since SQS would bring it back for days.
 */
import { fromRule } from '../wire/rule-message.ts';
import { decodeHeaders, decodeMessage } from '../wire/decode-message.ts';
import { errorLine, errorText, isOf } from '../base/error-text.ts';
import { FAILED_DELIVERY_FIRST_SECONDS, FAILED_DELIVERY_LONGEST_SECONDS, REFUSED_RECEIVES } from '../base/limits.ts';
import { attemptNumber } from '../wire/attempt-number.ts';
import type { Message } from '../wire/message.ts';
import { isPassing, OutcomeRefused } from '../base/passing.ts';
import { FAILURE } from '../base/states.ts';
import { ACK, deliveriesOf, type Disposition } from './attempt.ts';
import { announcedBy } from './announced-next.ts';
import { conclude } from './conclude.ts';
import { deadLetter, sendDeadLetters } from './dead-letter.ts';
import { openMessage } from '../producer/payloads.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Worker } from './worker.ts';
import { unlessRefused } from './windows.ts';

/** Never throws. */
export async function afterError(delivery: Delivery, worker: Worker, error: unknown): Promise<Disposition> {
  const deliveries = countOf(delivery);
  const again: Disposition = { kind: 'keep', seconds: againSeconds(deliveries) };
  const refused = isOf(error, OutcomeRefused);
  if (isPassing(error) || (!refused && deliveries < REFUSED_RECEIVES)) return again;
  try {
    return await giveUp(delivery, worker, refused ? (error as OutcomeRefused).cause : error);
  } catch (second) {
    worker.ports.logger.log('error', `Message ${delivery.messageId} could not be given up: ${errorLine(second)}`, {
      queue: delivery.queue,
      stack: errorText(second).stack ?? undefined,
    });
    return again;
  }
}

/** Those before it was sent on count too: it would wait for a slot and be refused in turns for ever. */
function countOf(delivery: Delivery): number {
  try {
    return deliveriesOf(decodeHeaders(delivery.body), delivery);
  } catch {
    return delivery.receiveCount;
  }
}

/** Not after the queue's whole timeout, and ever more slowly: a receive more is a receive less until the lost queue. */
export function againSeconds(deliveries: number): number {
  return Math.min(FAILED_DELIVERY_LONGEST_SECONDS, FAILED_DELIVERY_FIRST_SECONDS * 2 ** Math.max(0, deliveries - 1));
}

const REASON = 'cannot be handled';

async function giveUp(delivery: Delivery, worker: Worker, error: unknown): Promise<Disposition> {
  let message: Message | undefined;
  try {
    message = { ...fromRule(await read(delivery, worker)), queue: delivery.queue };
    return await conclude(await nextOf(message, worker), delivery, FAILURE, error, worker, REASON);
  } catch (second) {
    if (isPassing(second)) throw second;
    // No state can be written, or what stands cannot be settled: the message and the reason are kept at least.
    const cause = { reason: REASON, error: errorLine(error) };
    await sendDeadLetters([deadLetter(delivery, cause, message, worker)], worker.ports);
    return ACK;
  }
}

async function read({ body }: Delivery, { app, ports }: Worker): Promise<Message> {
  return app.settings.largePayloads === undefined ? decodeMessage(body) : openMessage(body, app.settings, ports);
}

/** A retry that stands and cannot be sent: the attempt that it announced is the one that fails. */
async function nextOf(message: Message, { ports }: Worker): Promise<Message> {
  // What may not be read may still be written.
  const [record] = (await unlessRefused(() => ports.backend.get([message.id], ports.clock.nowMs()))) ?? [];
  return (record?.committed === attemptNumber(message) ? announcedBy(record, message) : undefined) ?? message;
}
