import { AsyncResource } from 'node:async_hooks';

import type { Clock } from '../base/time.ts';
import { realTurn } from './real-time.ts';

interface Alarm {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #alarms = new Map<number, Alarm>();
  /** What `sleep` does when set and not undefined: the world moves time for a test that waits. */
  onSleep: ((ms: number) => Promise<void> | undefined) | undefined;
  /** Told when code begins to wait by `sleep`; what it returns is called when it wakes. */
  onAsleep: (() => () => void) | undefined;
  /** Told when code lets all others run. */
  onTurn: (() => void) | undefined;

  /** Stands at `startMs`, milliseconds since the epoch. */
  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const moved = this.onSleep?.(ms);
    if (moved !== undefined) return moved;
    if (signal?.aborted === true) return;
    const awake = this.onAsleep?.();
    let aborted: (() => void) | undefined;
    try {
      await new Promise<void>((resolve) => {
        const cancel = this.schedule(ms, resolve);
        aborted = () => {
          cancel();
          resolve();
        };
        signal?.addEventListener('abort', aborted);
      });
    } finally {
      if (aborted !== undefined) signal?.removeEventListener('abort', aborted);
      awake?.();
    }
  }

  schedule(ms: number, callback: () => void): () => void {
    const order = (this.#order += 1);
    // As Date tells it: whole milliseconds.
    const dueMs = this.#nowMs + Math.ceil(Math.max(0, ms));
    // Within the invocation that set it, as a real timer fires.
    this.#alarms.set(order, { dueMs, order, fire: AsyncResource.bind(callback, 'ALARM') });
    return () => {
      this.#alarms.delete(order);
    };
  }

  nextTurn(): Promise<void> {
    this.onTurn?.();
    return realTurn();
  }

  /** When the next alarm is due, or undefined. */
  nextMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#alarms.values()) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }

  /** Moves to `ms` and fires what is due, earliest first. Never moves back. */
  moveTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
    const due = [...this.#alarms.values()]
      .filter((alarm) => alarm.dueMs <= this.#nowMs)
      .toSorted((left, right) => left.dueMs - right.dueMs || left.order - right.order);
    for (const alarm of due) {
      if (this.#alarms.delete(alarm.order)) alarm.fire();
    }
  }
}
