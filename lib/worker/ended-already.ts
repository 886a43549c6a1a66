/**
 * A message that is about to wait, and whose attempt has ended: another message of it has run. Only its record tells, which
 * is not kept for ever, so that it is asked for before each long wait and not after.
 */
import { attemptNumber } from '../wire/attempt-number.ts';
import { DYNAMODB_MAX_BATCH_GETS } from '../base/limits.ts';
import { refusalOf } from '../ports/claims.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import { ACK, type Disposition } from './attempt.ts';
import { batched } from './batcher.ts';
import { settleEnded } from './ended-next.ts';
import type { Worker } from './worker.ts';

type Read = (id: string) => Promise<TaskRecord | undefined>;

const READS = new WeakMap<Worker, Read>();

/** Those of a batch share a read. */
function readOf(worker: Worker): Read {
  const { backend, clock } = worker.ports;
  const read =
    READS.get(worker) ??
    batched(
      clock,
      DYNAMODB_MAX_BATCH_GETS,
      (id: string) => id,
      (ids: readonly string[]) => backend.get(ids, clock.nowMs()),
    );
  READS.set(worker, read);
  return read;
}

/** Settles again what has ended, as the claim of such a message would. @returns undefined where nothing says that it has. */
export async function settleIfEnded(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  worker: Worker,
): Promise<Disposition | undefined> {
  // Without a claim there is no record.
  if (definition.options.idempotent) return undefined;
  const record = await readOf(worker)(message.id);
  const refusal = record && refusalOf(record, attemptNumber(message), worker.ports.clock.nowMs(), false);
  if (refusal?.kind !== 'finished' && refusal?.kind !== 'older') return undefined;
  await settleEnded(message, delivery, refusal.record, worker, refusal.kind === 'finished');
  return ACK;
}
