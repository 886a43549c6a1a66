/**
 * FIFO queues take no delay for a single message. Where a timer of one is near, a tiny message with the exact
 * delay goes to the service's wake-up queue, a standard one: what receives it sends the timers that are due.
 */
import { SQS_MAX_DELAY_SECONDS, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { OutgoingMessage } from './broker.ts';
import type { Timer } from './timers.ts';

/** Name under which brokers know the service's wake-up queue. */
export const WAKE_QUEUE = '__wake__';

export interface WakeUp {
  /** Parts of the store in which timers are due, as its sender says. */
  readonly parts: readonly number[];
  /** When the last of them is due, milliseconds since the epoch. */
  readonly dueMs: number;
}

/** A timer, and the part of the store that it lies in. */
export interface StoredTimer {
  readonly timer: Timer;
  readonly part: number;
}

/** One message for each second in which any of these timers is due within the sweeper's horizon; the sweeps see to the rest. */
export function wakeUpsOf(timers: readonly StoredTimer[], nowMs: number): OutgoingMessage[] {
  const seconds = new Map<number, { parts: Set<number>; dueMs: number }>();
  for (const { timer, part } of timers) {
    // A second at least: a timer that was due on its way here is due by then, too.
    const delaySeconds = Math.max(1, Math.ceil((timer.dueMs - nowMs) / 1000));
    if (delaySeconds > SWEEP_HORIZON_SECONDS) continue;
    const second = seconds.get(delaySeconds) ?? { parts: new Set(), dueMs: 0 };
    seconds.set(delaySeconds, second);
    second.parts.add(part);
    second.dueMs = Math.max(second.dueMs, timer.dueMs);
  }
  return [...seconds].map(([delaySeconds, second]) => ({
    queue: WAKE_QUEUE,
    body: JSON.stringify({ due: second.dueMs, shards: [...second.parts] }),
    delaySeconds: Math.min(SQS_MAX_DELAY_SECONDS, delaySeconds),
  }));
}

/** undefined for what is no wake-up. */
export function readWakeUp(body: string): WakeUp | undefined {
  try {
    const read = JSON.parse(body) as { readonly due?: unknown; readonly shards?: unknown } | null;
    if (typeof read?.due !== 'number' || !Array.isArray(read.shards)) return undefined;
    return { dueMs: read.due, parts: read.shards.filter((part) => Number.isSafeInteger(part)) as number[] };
  } catch {
    return undefined;
  }
}
