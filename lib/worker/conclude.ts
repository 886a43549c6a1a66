import { errorLine } from '../base/error-text.ts';
import type { Message } from '../wire/message.ts';
import { writeException } from '../wire/result-document.ts';
import { ACK, type Disposition } from './attempt.ts';
import type { Delivery } from '../ports/delivery.ts';
import { recordExpiresAtSeconds } from './record-expiry.ts';
import { committedOf, type Settlement, writeSettlement } from './committed.ts';
import { settle } from './settle.ts';
import type { Worker } from './worker.ts';

/** A final state for a message that is not run: expired, revoked, unknown, lost. */
export async function conclude(
  message: Message,
  delivery: Delivery,
  status: string,
  error: unknown,
  worker: Worker,
  deadLetterReason?: string,
): Promise<Disposition> {
  const { clock, backend, logger } = worker.ports;
  const nowMs = clock.nowMs();
  const settlement: Settlement =
    deadLetterReason === undefined
      ? {}
      : {
          deadLetter: {
            reason: deadLetterReason,
            error: errorLine(error),
            deliveries: delivery.receiveCount,
          },
        };
  const meta = writeException(status, error, {
    children: [],
    dateDone: new Date(nowMs).toISOString(),
    taskId: message.id,
    parentId: message.parentId,
    groupId: message.groupId,
  });
  const stored = writeSettlement(settlement);
  const [outcome] = await backend.conclude([
    {
      id: message.id,
      attempt: message.retries,
      nowMs,
      status,
      name: message.task,
      queue: message.queue,
      meta,
      ...(stored === undefined ? {} : { settlement: stored }),
      expiresAtSeconds: recordExpiresAtSeconds(nowMs, worker.producer.settings.resultExpiresSeconds),
    },
  ]);
  if (outcome === undefined || outcome.kind === 'older') return ACK;
  if (outcome.kind === 'busy') return { kind: 'keep', seconds: Math.ceil((outcome.leaseMs - nowMs) / 1000) + 1 };
  const committed = outcome.kind === 'finished' ? committedOf(outcome.record) : { status, meta, settlement };
  if (outcome.kind === 'concluded') {
    logger.log(
      deadLetterReason === undefined ? 'info' : 'error',
      `Task ${message.task}[${message.id}] ${status}: ${errorLine(error)}`,
      { task: message.task, taskId: message.id, queue: message.queue },
    );
  }
  await settle(message, delivery, committed, worker);
  return ACK;
}
