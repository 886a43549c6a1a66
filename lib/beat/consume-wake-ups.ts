/** The service's wake-up queue: timers of FIFO queues are due, and are sent now. */
import { errorMessage } from '../base/error-text.ts';
import { CLOCK_SKEW_SECONDS, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { Settings } from '../options/settings.ts';
import type { Ports } from '../ports/ports.ts';
import { readWakeUp, WAKE_QUEUE, type WakeUp } from '../ports/wake-up.ts';
import type { BatchResponse, Delivery } from '../ports/delivery.ts';
import { pausedQueues, pausesNow } from './paused.ts';
import { sweepTimers } from './sweep.ts';

// SQS or DynamoDB did not answer well: soon again, a few times; then the minute's sweep takes over.
const AGAIN_SECONDS = 2;
const MAX_RECEIVES = 5;

export async function consumeWakeUps(
  deliveries: readonly Delivery[],
  settings: Settings,
  ports: Ports,
): Promise<BatchResponse> {
  const wakeUps = deliveries.flatMap(({ body }) => readWakeUp(body) ?? []);
  if (wakeUps.length === 0 || (await sendDue(wakeUps, settings, ports))) return { batchItemFailures: [] };
  const again = deliveries.filter(({ receiveCount }) => receiveCount < MAX_RECEIVES);
  await Promise.allSettled(
    again.map(({ receipt }) => ports.broker.changeVisibility(WAKE_QUEUE, receipt, AGAIN_SECONDS)),
  );
  return { batchItemFailures: again.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/** False where something was left that may be sent later. */
async function sendDue(wakeUps: readonly WakeUp[], settings: Settings, ports: Ports): Promise<boolean> {
  const nowMs = ports.clock.nowMs();
  const dueMs = Math.min(Math.max(...wakeUps.map((wakeUp) => wakeUp.dueMs)), nowMs + SWEEP_HORIZON_SECONDS * 1000);
  const earlyMs = dueMs - nowMs;
  // The sender's clock is ahead of ours. What is earlier than that gets a new wake-up from the sweep.
  if (earlyMs > 0 && earlyMs <= CLOCK_SKEW_SECONDS * 1000) await ports.clock.sleep(earlyMs);
  try {
    const parts = [...new Set(wakeUps.flatMap((wakeUp) => wakeUp.parts))];
    const untilMs = Math.max(ports.clock.nowMs(), dueMs);
    const paused = pausedQueues(await pausesNow(ports), settings);
    const { failed, refused } = await sweepTimers({ untilMs, parts, paused }, settings, ports);
    return failed === refused;
  } catch (error) {
    ports.logger.log('error', `The sweep of a wake-up failed: ${errorMessage(error)}`);
    return false;
  }
}
