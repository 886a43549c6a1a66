import type { Clock } from '../ports.ts';

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
  /** Waits that code asked for by `sleep`; guards set by `schedule` do not count. */
  sleepers = 0;
  /** What `sleep` does when set and not undefined: the world moves time for a test that waits. */
  onSleep: ((ms: number) => Promise<void> | undefined) | undefined;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const moved = this.onSleep?.(ms);
    if (moved !== undefined) return moved;
    this.sleepers += 1;
    try {
      await new Promise<void>((resolve) => {
        const cancel = this.schedule(ms, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          resolve();
        });
      });
    } finally {
      this.sleepers -= 1;
    }
  }

  schedule(ms: number, callback: () => void): () => void {
    const order = (this.#order += 1);
    this.#alarms.set(order, { dueMs: this.#nowMs + Math.max(0, ms), order, fire: callback });
    return () => {
      this.#alarms.delete(order);
    };
  }

  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
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
