/** A message that cannot be read may still say whose it is: then its sender is told, instead of waiting for ever. */
import { readOuterEnvelope } from '../wire/envelope.ts';
import { errorLine } from '../base/error-text.ts';
import { MAX_RETRIES, MAX_TASK_ID_CHARACTERS, MAX_TASK_NAME_CHARACTERS } from '../base/limits.ts';
import { isName } from '../wire/message-bounds.ts';
import { isPassing } from '../base/passing.ts';
import { writeException } from '../wire/result-document.ts';
import { FAILURE } from '../base/states.ts';
import type { Delivery } from '../ports/delivery.ts';
import { recordExpiresAtSeconds } from './record-expiry.ts';
import type { Worker } from './worker.ts';

interface Named {
  readonly id: string;
  readonly task: string;
  readonly attempt: number;
}

/**
 * Records FAILURE where the id can be read and the task has no final state; gives what the dead letter may name.
 *
 * @throws what passes.
 */
export async function recordUnreadable(
  delivery: Delivery,
  worker: Worker,
  error: unknown,
): Promise<{ readonly task_id?: string; readonly task?: string }> {
  const named = namedIn(delivery.body);
  if (named === undefined) return {};
  const { id, task, attempt } = named;
  const { ports, producer } = worker;
  const nowMs = ports.clock.nowMs();
  const dateDone = new Date(nowMs).toISOString();
  try {
    await ports.backend.conclude([
      {
        id,
        attempt,
        nowMs,
        status: FAILURE,
        name: task,
        queue: delivery.queue,
        meta: writeException(FAILURE, error, { children: [], dateDone, taskId: id }),
        expiresAtSeconds: recordExpiresAtSeconds(nowMs, producer.settings.resultExpiresSeconds),
      },
    ]);
  } catch (refusal) {
    if (isPassing(refusal)) throw refusal;
    // The dead letter is what is left.
    ports.logger.log('error', `Task ${task}[${id}] has no state: ${errorLine(refusal)}`, { task, taskId: id });
  }
  return { task_id: id, task };
}

/** Untrusted. Protocol 2 alone: protocol 1 has its id in the body, which is what could not be read. */
function namedIn(body: string): Named | undefined {
  try {
    const { id, task, retries } = readOuterEnvelope(body).headers;
    if (!isName(id, MAX_TASK_ID_CHARACTERS) || !isName(task, MAX_TASK_NAME_CHARACTERS)) return undefined;
    const attempt = Number.isSafeInteger(retries) ? Math.min(MAX_RETRIES, Math.max(0, retries as number)) : 0;
    return { id, task, attempt };
  } catch {
    return undefined;
  }
}
