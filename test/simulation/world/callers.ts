/**
 * Whoever calls tasks that stand for a key: processes that die or stand still between any two requests. Drawn from streams
 * of their own; what each was told, and when, is noted.
 */
import type { AsyncResult, TaskOptions } from 'celeriac';
import type { World } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import { CURRENT_INVOCATION, type SimulatedInvocation } from '../../../lib/testing/simulated-invocation.ts';
import type { Behaviour } from './program.ts';

export const MARKED_NAMES = ['unique', 'started', 'throttled', 'debounced', 'bounded'] as const;
export type MarkedName = (typeof MARKED_NAMES)[number];

export const UNIQUE_SECONDS = 7200;
export const THROTTLE_SECONDS = 180;
export const WAIT_SECONDS = 20;
export const MAX_WAIT_SECONDS = 45;

const QUEUE = 'apart';
const TIME_LIMIT_SECONDS = 120;
const common = { queue: QUEUE, timeLimit: TIME_LIMIT_SECONDS };
const key = (line: string): string => line;
const ttl = UNIQUE_SECONDS;

export const MARKED_OPTIONS: Readonly<
  Record<MarkedName, Pick<TaskOptions, 'unique' | 'throttle' | 'debounce' | 'queue' | 'timeLimit'>>
> = {
  unique: { ...common, unique: { key, ttl } },
  started: { ...common, unique: { key, until: 'started', ttl } },
  throttled: { ...common, throttle: { key, per: THROTTLE_SECONDS } },
  debounced: { ...common, debounce: { key, wait: WAIT_SECONDS } },
  bounded: { ...common, debounce: { key, wait: WAIT_SECONDS, maxWait: MAX_WAIT_SECONDS } },
};

/** A call that is to be made. */
interface Planned {
  readonly name: MarkedName;
  readonly line: string;
  readonly behaviour: Behaviour;
  readonly afterMs: number;
  readonly countdown: number;
  /** Its caller ends, or stands still, before or after its so manyth request. */
  readonly doom?: { readonly at: number; readonly after: boolean; readonly stillMs: number | undefined };
}

/** A call that was made. Times come with their places in the order of everything that was noted. */
export interface Call extends Planned {
  /** Of its arguments, and the id that it gives its task. */
  readonly id: string;
  readonly began: number;
  readonly beganMs: number;
  /** Of the last that it is known to have done. */
  last: number;
  lastMs: number;
  /** What it was told. */
  told?: { readonly id: string; readonly duplicate: boolean; readonly at: number; readonly atMs: number };
}

const BURSTS = 14;
const LINES = 2;
const PAUSES_MS = [0, 0, 0, 120, 1000, 5000, 12_000, 19_000, 21_000, 40_000, 170_000, 190_000];
const LONGEST_STILL_MS = 600_000;
const MOST_REQUESTS = 4;
const LONGEST_SECONDS = 40;
// Chance that a token's worker ends in the middle.
const TOKEN_DEATH = 0.1;

/** @param withinMs when the last burst begins */
export function plannedCalls(random: Random, withinMs: number): readonly Planned[] {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  const behaviours = new Map<string, Behaviour>();
  const drawn = (): Behaviour => {
    const slow: Behaviour = { kind: 'slow', seconds: 1 + int(LONGEST_SECONDS) };
    const all: readonly Behaviour[] = [
      slow,
      slow,
      { kind: 'ok' },
      { kind: 'fail' },
      { kind: 'requeue' },
      { kind: 'die', times: 1 + int(2) },
      { kind: 'retry', times: 1 + int(3), seconds: 1 + int(20), own: true },
    ];
    return all[int(all.length)] ?? slow;
  };
  const planned: Planned[] = [];
  for (let burst = 0; burst < BURSTS; burst += 1) {
    const name = MARKED_NAMES[int(MARKED_NAMES.length)] ?? 'unique';
    const line = `${name} ${int(LINES)}`;
    // Whichever of its calls is the one that runs, it does the same.
    const behaviour = behaviours.get(line) ?? drawn();
    behaviours.set(line, behaviour);
    let afterMs = int(withinMs);
    for (let count = 2 + int(5); count > 0; count -= 1) {
      const isDoomed = int(2) === 0;
      const stillMs = int(2) === 0 ? undefined : int(LONGEST_STILL_MS);
      const doom = { at: int(MOST_REQUESTS), after: int(2) === 0, stillMs };
      const countdown = 'debounce' in MARKED_OPTIONS[name] || int(3) > 0 ? 0 : int(60);
      planned.push({ name, line, behaviour, afterMs, countdown, ...(isDoomed ? { doom } : {}) });
      afterMs += PAUSES_MS[int(PAUSES_MS.length)] ?? 0;
    }
  }
  return planned;
}

export type Send = (
  call: Call,
  options: { readonly taskId: string; readonly countdown?: number },
) => Promise<AsyncResult>;

export class Callers {
  readonly #world: World;
  readonly #send: Send;
  readonly #random: Random;
  readonly calls: Call[] = [];
  readonly #at = new Map<SimulatedInvocation, { readonly call: Call; requests: number }>();
  /** Nothing befalls callers, nor who runs a token. */
  calm = false;
  #order = 0;

  constructor(world: World, send: Send, random: Random) {
    this.#world = world;
    this.#send = send;
    this.#random = random;
    this.#watch();
  }

  /** Makes each call at its time, while the world's time moves. */
  plan(planned: readonly Planned[]): void {
    for (const each of planned) this.#world.clock.schedule(each.afterMs, () => void this.#call(each));
  }

  /** A last call of each line, by somebody whom nothing befalls. */
  async probe(): Promise<readonly Call[]> {
    const lines = new Map(this.calls.map((call) => [call.line, call]));
    const made: Call[] = [];
    for (const { name, line, behaviour } of lines.values())
      made.push(await this.#call({ name, line, behaviour, afterMs: 0, countdown: 0 }));
    return made;
  }

  async #call(planned: Planned): Promise<Call> {
    const { faults } = this.#world;
    const call: Call = { ...planned, id: `m${this.calls.length}.${planned.line}`, ...this.#began() };
    this.calls.push(call);
    const invocation = faults.newInvocation();
    this.#at.set(invocation, { call, requests: 0 });
    const { id: taskId, countdown } = call;
    await faults
      .runInvocation(invocation, () => this.#send(call, { taskId, ...(countdown === 0 ? {} : { countdown }) }))
      .then(
        ({ id, duplicate }) => {
          const { began: at, beganMs: atMs } = this.#began();
          Object.assign(call, { told: { id, duplicate, at, atMs }, last: at, lastMs: atMs });
        },
        // It knows that it failed, and nobody relies on it.
        () => undefined,
      );
    return call;
  }

  #began(): Pick<Call, 'began' | 'beganMs' | 'last' | 'lastMs'> {
    this.#order += 1;
    const nowMs = this.#world.clock.nowMs();
    return { began: this.#order, beganMs: nowMs, last: this.#order, lastMs: nowMs };
  }

  /** What callers ask of the true stores, and where they end. */
  #watch(): void {
    const { broker, timers, ports } = this.#world;
    const { marks } = ports;
    if (marks === undefined) return;
    for (const name of ['take', 'noteSent', 'clear', 'episode', 'open', 'join', 'noteToken', 'seal', 'close'] as const)
      this.#stand(marks, name);
    this.#stand(broker, 'send');
    this.#stand(timers, 'put');
  }

  #stand<T extends object>(port: T, name: keyof T): void {
    const run = (port[name] as (...args: unknown[]) => Promise<unknown>).bind(port);
    const stood = async (...args: unknown[]): Promise<unknown> => {
      const invocation = CURRENT_INVOCATION.getStore();
      if (invocation === undefined) return run(...args);
      const caller = this.#at.get(invocation);
      if (caller === undefined) return name === 'seal' ? this.#sealed(invocation, () => run(...args)) : run(...args);
      const doom = caller.call.doom?.at === caller.requests && this.#isDeadly ? caller.call.doom : undefined;
      caller.requests += 1;
      if (doom?.after === false) await this.#meet(invocation, doom.stillMs);
      const { began: last, beganMs: lastMs } = this.#began();
      Object.assign(caller.call, { last, lastMs });
      const answer = await run(...args);
      if (doom?.after === true) await this.#meet(invocation, doom.stillMs);
      return answer;
    };
    Object.assign(port, { [name]: stood });
  }

  async #sealed(invocation: SimulatedInvocation, run: () => Promise<unknown>): Promise<unknown> {
    const answer = await run();
    if (this.#isDeadly && this.#random.next() < TOKEN_DEATH) await this.#meet(invocation, undefined);
    return answer;
  }

  get #isDeadly(): boolean {
    return this.#world.faults.on && !this.calm;
  }

  async #meet(invocation: SimulatedInvocation, stillMs: number | undefined): Promise<void> {
    if (stillMs !== undefined) return this.#world.clock.sleep(stillMs);
    invocation.dead = true;
    return new Promise<void>(() => {});
  }
}
