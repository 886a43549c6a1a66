/** Functions that run in a world: each in an invocation of its own, ended at its deadline as Lambda ends it. */
import type { Clock } from '../base/time.ts';
import type { FaultPlan } from './faults.ts';
import type { SimulatedInvocation } from './simulated-invocation.ts';
import { forgetWorkOf } from './real-work.ts';

export class Invocations {
  readonly #clock: Clock;
  readonly #plan: FaultPlan;
  readonly #running = new Map<Promise<void>, SimulatedInvocation | undefined>();
  readonly #queues = new Map<string, number>();
  /** Raised whenever one ends. */
  changes = 0;
  /** Ends the watch over real work. */
  watch: (() => void) | undefined;

  constructor(clock: Clock, plan: FaultPlan) {
    this.#clock = clock;
    this.#plan = plan;
  }

  /** How many run for a queue, dead ones until their deadline among them. */
  of(queue: string): number {
    return this.#queues.get(queue) ?? 0;
  }

  /** Whether any runs that is not dead: the dead ones only wait for their deadline. */
  get alive(): boolean {
    for (const invocation of this.#running.values()) if (invocation?.dead !== true) return true;
    return false;
  }

  /** Those that are not dead. */
  running(): SimulatedInvocation[] {
    return [...this.#running.values()].filter(
      (invocation) => invocation !== undefined && !invocation.dead,
    ) as SimulatedInvocation[];
  }

  unwatchWhenIdle(): void {
    if (!this.alive) this.unwatch();
  }

  unwatch(): void {
    this.watch?.();
    this.watch = undefined;
  }

  /** Runs a function, and hands its answer on unless its deadline comes first: then whatever it still does goes unheard. */
  start<R>(deadlineMs: number, run: () => Promise<R>, answer: (response: R) => void, queue = ''): void {
    const invocation = this.#plan.newInvocation();
    invocation.queue = queue;
    const work = this.#plan.runInvocation(invocation, run);
    let over = false;
    const killed = new Promise<undefined>((resolve) => {
      const cancel = this.#clock.schedule(deadlineMs - this.#clock.nowMs(), () => {
        over = true;
        resolve(undefined);
      });
      work.then(cancel, cancel);
    });
    const ended = Promise.race([work, killed]).then((response) => {
      if (!over && !invocation.dead && response !== undefined) answer(response);
    });
    this.#queues.set(queue, this.of(queue) + 1);
    const counted = ended.finally(() => this.#queues.set(queue, this.of(queue) - 1));
    this.track(counted, invocation);
  }

  /** Something under way that time should wait for. */
  track(work: Promise<unknown>, invocation?: SimulatedInvocation): void {
    const tracked: Promise<void> = work
      // An invocation that throws is a failed one: its messages come back.
      .catch(() => {})
      .then(() => {
        this.changes += 1;
        this.#running.delete(tracked);
        if (invocation !== undefined) forgetWorkOf(invocation);
      });
    this.#running.set(tracked, invocation);
  }

  /** Resolves when any has ended. */
  async any(): Promise<void> {
    await Promise.race(this.#running.keys());
  }
}
