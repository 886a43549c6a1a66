/** One invocation in a world: it has a clock of its own, it may be dead, and it may have real work under way. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RealWork {
  readonly type: string;
  readonly resource: object;
  /** The task's context, or the invocation itself when its worker does it. */
  readonly owner: object;
  readonly sinceMs: number;
}

export class SimulatedInvocation {
  readonly skewMs: number;
  dead = false;
  /** What it consumes; empty for a sweeper. */
  queue = '';
  /** Real work that it began and that has not ended, by async id. */
  readonly work: Map<number, RealWork> = new Map<number, RealWork>();
  /** Who within it waits on the world's clock, and how many times over: a task's context, or the invocation itself. */
  readonly asleep: Map<object, number> = new Map<object, number>();
  /** Raised whenever a loop of this library lets others run: long work of its own that gets on. */
  turns = 0;
  /** Real milliseconds that the world has waited for it without knowing what for. */
  readonly waitedMs: { perhaps: number; nothing: number } = { perhaps: 0, nothing: 0 };

  constructor(skewMs: number) {
    this.skewMs = skewMs;
  }

  takeTurn(): void {
    this.turns += 1;
  }

  /** `owner` waits on the world's clock from now on, until the returned function is called. */
  fallAsleep(owner: object): () => void {
    this.asleep.set(owner, (this.asleep.get(owner) ?? 0) + 1);
    return () => {
      const left = (this.asleep.get(owner) ?? 1) - 1;
      if (left > 0) this.asleep.set(owner, left);
      else this.asleep.delete(owner);
    };
  }
}

export const CURRENT_INVOCATION: AsyncLocalStorage<SimulatedInvocation> = new AsyncLocalStorage<SimulatedInvocation>();
