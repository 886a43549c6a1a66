import { metricFields } from '#deployed/worker/metric-fields';
import { passOn } from '#deployed/worker/pass-on';
import { announceEnd } from '#deployed/worker/hooks';
import { errorLine } from '../base/error-text.ts';
import { IGNORED } from '../base/states.ts';
import type { Message } from '../wire/message.ts';
import { ACK, deliveriesOf, type Disposition } from './attempt.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Settlement } from './committed.ts';
import { concludeRequest } from './conclude-request.ts';
import { settleEnded } from './ended-next.ts';
import { settle } from './settle.ts';
import type { Worker } from './worker.ts';

/**
 * A final state for a message that is not run: expired, revoked, unknown, lost, left out.
 *
 * @param document what readers see, where that is not the error
 */
export async function conclude(
  message: Message,
  delivery: Delivery,
  status: string,
  error: unknown,
  worker: Worker,
  deadLetterReason?: string,
  document?: string,
): Promise<Disposition> {
  const { backend, logger } = worker.ports;
  const settlement: Settlement =
    deadLetterReason === undefined
      ? {}
      : {
          deadLetter: {
            reason: deadLetterReason,
            error: errorLine(error),
            deliveries: deliveriesOf(message, delivery),
          },
        };
  const request = concludeRequest(
    message,
    status,
    document === undefined ? { error } : { meta: document },
    worker,
    settlement,
  );
  const { nowMs, meta } = request;
  const [outcome] = await backend.conclude([request]);
  if (outcome === undefined) return ACK;
  if (outcome.kind === 'busy') return { kind: 'keep', seconds: Math.ceil((outcome.leaseMs - nowMs) / 1000) + 1 };
  // Nobody runs it any more: a slot that it had is the next one's.
  if (message.celeriac.slots !== undefined) await passOn(message, worker);
  if (outcome.kind !== 'concluded') {
    await settleEnded(message, delivery, outcome.record, worker, outcome.kind === 'finished');
    return ACK;
  }
  logger.log(
    // Left out of what its caller asked for: somebody may want to know.
    deadLetterReason !== undefined ? 'error' : status === IGNORED ? 'warn' : 'info',
    `Task ${message.task}[${message.id}] ${status}: ${errorLine(error)}`,
    {
      task: message.task,
      taskId: message.id,
      queue: message.queue,
      ...(worker.app.settings.metrics && (await metricFields({ message, delivery, state: status }, worker))),
    },
  );
  if (worker.app.signals !== undefined) await announceEnd(message, status, error, worker);
  await settle(message, delivery, { status, meta, settlement, ended: { atMs: nowMs } }, worker);
  return ACK;
}
