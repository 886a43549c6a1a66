/** Timers that their queue will never take end their tasks: a state, a dead letter, and what follows is told. */
import { errorLine } from '../base/error-text.ts';
import { LOST_QUEUE_RECEIVES, REFUSED_TIMER_SECONDS } from '../base/limits.ts';
import type { Ports } from '../ports/ports.ts';
import type { Timer } from '../ports/timers.ts';
import type { App } from '../producer/app.ts';
import { concludeUnsent } from '../worker/lost.ts';
import type { Delivery } from '../ports/delivery.ts';
import { createWorker } from '../worker/worker.ts';
import type { EndRefused } from './sweep.ts';

// What one timer may take of the sweeper's time.
const LONGEST_MS = 10_000;

export function endRefused(app: App, ports: Ports): EndRefused {
  return async (timer, why) => {
    const nowMs = ports.clock.nowMs();
    const worker = createWorker(app, ports, { deadlineMs: nowMs + LONGEST_MS, requestId: `timer ${timer.id}` });
    try {
      const { kind } = await concludeUnsent(deliveryOf(timer, app, nowMs), worker, why);
      // Ended without its history, it is ended again by the next sweep.
      return kind === 'ack' && ((await worker.history?.write()) ?? []).length === 0;
    } catch (error) {
      ports.logger.log('error', `Timer of task ${timer.id} was not given up: ${errorLine(error)}`, {
        taskId: timer.id,
      });
      return false;
    }
  };
}

/** As if it had come to the lost queue; long after it was due it leaves without a state, if none can be written. */
function deliveryOf({ id, attempt, dueMs, message }: Timer, { settings }: App, nowMs: number): Delivery {
  const { queue, body, groupId } = message;
  return {
    messageId: `${id}-${attempt}`,
    receipt: '',
    body,
    queue: Object.hasOwn(settings.queues, queue) ? queue : settings.defaultQueue,
    receiveCount: nowMs - dueMs < 2 * REFUSED_TIMER_SECONDS * 1000 ? 1 : LOST_QUEUE_RECEIVES,
    ...(groupId === undefined ? {} : { groupId }),
  };
}
