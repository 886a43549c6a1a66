/** A message that cannot be read may still say whose it is: then its sender is told, instead of waiting for ever. */
import { readOuterEnvelope } from '../wire/envelope.ts';
import { InvalidMessage } from '../base/errors.ts';
import { isObject } from '../wire/fields.ts';
import { CELERIAC_HEADER, PAYLOAD_FIELD } from '../wire/message.ts';
import { readPointer } from '../wire/packing.ts';
import { errorLine } from '../base/error-text.ts';
import { MAX_RETRIES, MAX_TASK_ID_CHARACTERS, MAX_TASK_NAME_CHARACTERS } from '../base/limits.ts';
import { isName } from '../wire/message-bounds.ts';
import { isPassing } from '../base/passing.ts';
import { FAILURE } from '../base/states.ts';
import type { Delivery } from '../ports/delivery.ts';
import { type Concluded, concludeRequest } from './conclude-request.ts';
import { deadLetter, type DeadLetterCause, sendDeadLetters } from './dead-letter.ts';
import { announceRejected } from './hooks.ts';
import type { Worker } from './worker.ts';

interface Unreadable extends Omit<DeadLetterCause, 'error'> {
  /** What passes is not waited for any more: the dead letter is what is left. */
  readonly lastTry: boolean;
}

/**
 * Records FAILURE where the id can be read and the task has no final state, and dead-letters the message: at once and
 * with its bytes untouched, so that it never blocks its batch.
 *
 * @throws what passes.
 */
export async function endUnreadable(
  delivery: Delivery,
  worker: Worker,
  given: unknown,
  { reason, deliveries, lastTry }: Unreadable,
): Promise<void> {
  const { ports } = worker;
  const error = elsewhere(delivery, worker) ?? given;
  const named = namedIn(delivery);
  if (named !== undefined) {
    try {
      const request = concludeRequest(named, FAILURE, { error }, worker);
      const [outcome] = await ports.backend.conclude([request]);
      if (outcome !== undefined) await worker.history?.noteConcluded(request, outcome, delivery);
    } catch (refusal) {
      if (isPassing(refusal) && !lastTry) throw refusal;
      const { id, task } = named;
      // The dead letter is what is left.
      ports.logger.log('error', `Task ${task}[${id}] has no state: ${errorLine(refusal)}`, { task, taskId: id });
    }
  }
  const cause = { reason, error: errorLine(error), ...(deliveries === undefined ? {} : { deliveries }) };
  await sendDeadLetters([deadLetter(delivery, cause, named, worker)], ports);
  const { task, id } = named ?? {};
  await announceRejected({ task, id, queue: delivery.queue, reason, error }, worker);
}

/** An app without the option reads no store: its reason is another than that the body is none. */
function elsewhere({ body }: Delivery, { app }: Worker): InvalidMessage | undefined {
  if (app.settings.largePayloads !== undefined) return undefined;
  try {
    const own = readOuterEnvelope(body).headers[CELERIAC_HEADER];
    return isObject(own) && readPointer(own[PAYLOAD_FIELD]) !== undefined
      ? new InvalidMessage(
          "The body of the message is stored elsewhere, and this app has no option largePayloads to read it: give it the sender's.",
        )
      : undefined;
  } catch {
    return undefined;
  }
}

/** Untrusted. Protocol 2 alone: protocol 1 has its id in the body, which is what could not be read. */
function namedIn({ body, queue }: Delivery): Concluded | undefined {
  try {
    const { id, task, retries } = readOuterEnvelope(body).headers;
    if (!isName(id, MAX_TASK_ID_CHARACTERS) || !isName(task, MAX_TASK_NAME_CHARACTERS)) return undefined;
    const attempt = Number.isSafeInteger(retries) ? Math.min(MAX_RETRIES, Math.max(0, retries as number)) : 0;
    return { id, task, queue, retries: attempt };
  } catch {
    return undefined;
  }
}
