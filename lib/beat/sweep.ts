/**
 * The sweeper: every minute it sends the timers due within its horizon, each with its exact remaining
 * delay, then deletes them. Sends before deletes: a crash between the two makes a duplicate, which the
 * claim absorbs, never a loss.
 */
import { SQS_MAX_BATCH_ENTRIES, SWEEP_HORIZON_SECONDS } from '../limits.ts';
import type { OutgoingMessage, Ports, Timer } from '../ports.ts';

export interface SweepOptions {
  /** Default 120 s: two periods. */
  readonly horizonSeconds?: number;
  /** Until when the sweeper may wait for timers of FIFO queues, which take no delay. Default: it does not wait. */
  readonly holdUntilMs?: number;
}

export interface SweepReport {
  readonly sent: number;
  /** Timers that the broker refused; they stay and the next sweep tries again. */
  readonly failed: number;
}

// One page of a shard: bounds memory, and a crash repeats at most this many sends.
const PAGE = 100;

export async function sweep(ports: Ports, options: SweepOptions = {}): Promise<SweepReport> {
  const untilMs = ports.clock.nowMs() + (options.horizonSeconds ?? SWEEP_HORIZON_SECONDS) * 1000;
  const reports = await Promise.all(
    Array.from({ length: ports.timers.shards }, (_, shard) =>
      sweepShard(shard, untilMs, options.holdUntilMs ?? 0, ports),
    ),
  );
  const total = reports.reduce(
    (sum, report) => ({ sent: sum.sent + report.sent, failed: sum.failed + report.failed }),
    { sent: 0, failed: 0 },
  );
  if (total.sent > 0 || total.failed > 0)
    ports.logger.log(total.failed > 0 ? 'error' : 'info', `Sweep: ${total.sent} timers sent, ${total.failed} failed`, {
      ...total,
    });
  return total;
}

async function sweepShard(shard: number, untilMs: number, holdUntilMs: number, ports: Ports): Promise<SweepReport> {
  let sent = 0;
  let failed = 0;
  const held: Timer[] = [];
  for (;;) {
    // What failed or is held stays at the head of the range: ask for that many more.
    const limit = PAGE + failed + held.length;
    const page = (await ports.timers.due(shard, untilMs, limit)).slice(failed + held.length);
    const ready: Timer[] = [];
    for (const timer of page) (mustWait(timer, ports) ? held : ready).push(timer);
    const report = await sendTimers(ready, ports);
    sent += report.sent;
    failed += report.failed;
    if (page.length < PAGE) break;
  }
  for (const timer of held) {
    if (timer.dueMs > holdUntilMs) break;
    await ports.clock.sleep(timer.dueMs - ports.clock.nowMs());
    const report = await sendTimers([timer], ports);
    sent += report.sent;
    failed += report.failed;
  }
  return { sent, failed };
}

function mustWait(timer: Timer, ports: Ports): boolean {
  return ports.broker.isFifo(timer.message.queue) && timer.dueMs > ports.clock.nowMs();
}

async function sendTimers(timers: readonly Timer[], ports: Ports): Promise<SweepReport> {
  let sent = 0;
  for (let start = 0; start < timers.length; start += SQS_MAX_BATCH_ENTRIES) {
    const chunk = timers.slice(start, start + SQS_MAX_BATCH_ENTRIES);
    const outcomes = await ports.broker.send(chunk.map((timer) => messageOf(timer, ports)));
    const done = chunk.filter((_, index) => outcomes[index]?.ok === true);
    for (const [index, outcome] of outcomes.entries()) {
      if (!outcome.ok)
        ports.logger.log(
          'error',
          `Timer of task ${chunk[index]?.id} was not sent: ${outcome.code}: ${outcome.message}`,
          { taskId: chunk[index]?.id },
        );
    }
    if (done.length > 0) await ports.timers.remove(done);
    sent += done.length;
  }
  return { sent, failed: timers.length - sent };
}

function messageOf(timer: Timer, ports: Ports): OutgoingMessage {
  const delaySeconds = Math.max(0, Math.ceil((timer.dueMs - ports.clock.nowMs()) / 1000));
  return delaySeconds > 0 && !ports.broker.isFifo(timer.message.queue)
    ? { ...timer.message, delaySeconds }
    : timer.message;
}
