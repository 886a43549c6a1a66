/**
 * FIFO queues take no delay for a single message. Where a timer of one is near, a tiny message with the exact
 * delay goes to the service's wake-up queue, a standard one: what receives it sends the timers that are due.
 */
import { SQS_MAX_DELAY_SECONDS, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { OutgoingMessage } from './broker.ts';
import type { Timer } from './timers.ts';
import { timerShard } from './timer-order.ts';

/** Name under which brokers know the service's wake-up queue. */
export const WAKE_QUEUE = '__wake__';

export interface WakeUp {
  /** Shards in which timers are due. */
  readonly shards: readonly number[];
  /** When the last of them is due, milliseconds since the epoch. */
  readonly dueMs: number;
}

/** One message for each second in which any of these timers is due within the sweeper's horizon; the sweeps see to the rest. */
export function wakeUpsOf(timers: readonly Timer[], nowMs: number, shards: number): OutgoingMessage[] {
  const seconds = new Map<number, { shards: Set<number>; dueMs: number }>();
  for (const timer of timers) {
    // A second at least: a timer that was due on its way here is due by then, too.
    const delaySeconds = Math.max(1, Math.ceil((timer.dueMs - nowMs) / 1000));
    if (delaySeconds > SWEEP_HORIZON_SECONDS) continue;
    const second = seconds.get(delaySeconds) ?? { shards: new Set(), dueMs: 0 };
    seconds.set(delaySeconds, second);
    second.shards.add(timerShard(timer, shards));
    second.dueMs = Math.max(second.dueMs, timer.dueMs);
  }
  return [...seconds].map(([delaySeconds, second]) => ({
    queue: WAKE_QUEUE,
    body: JSON.stringify({ due: second.dueMs, shards: [...second.shards] }),
    delaySeconds: Math.min(SQS_MAX_DELAY_SECONDS, delaySeconds),
  }));
}

/** undefined for what is no wake-up. */
export function readWakeUp(body: string, shards: number): WakeUp | undefined {
  try {
    const read = JSON.parse(body) as { readonly due?: unknown; readonly shards?: unknown } | null;
    if (typeof read?.due !== 'number' || !Array.isArray(read.shards)) return undefined;
    return { dueMs: read.due, shards: read.shards.filter((shard) => isShard(shard, shards)) };
  } catch {
    return undefined;
  }
}

function isShard(value: unknown, shards: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < shards;
}
