/**
 * What goes wrong on AWS, drawn from a seed: messages twice and out of order, throttled calls, lost answers,
 * workers that die or freeze between any two calls, clocks that differ.
 */
import { InvalidOption } from '../base/errors.ts';
import { once } from '../base/lazy.ts';
import { SQS_MAX_DELAY_SECONDS } from '../base/limits.ts';
import type { Clock, Random } from '../base/time.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { Settings } from '../options/settings.ts';
import type { Notifying } from '../ports/notices.ts';
import type { Ports } from '../ports/ports.ts';
import type { OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import { SimulatedInvocation, CURRENT_INVOCATION } from './simulated-invocation.ts';

/** Each a chance from 0 to 1, unless it says otherwise. What is left out does not happen. */
export interface Faults {
  /** A sent message arrives twice: the copy up to two minutes later, also after the first was deleted. */
  readonly duplicate?: number;
  /** A sent message arrives up to five seconds late, behind others. */
  readonly reorder?: number;
  /** A call fails before it did anything: a throttle, a dropped request. */
  readonly error?: number;
  /** A call did what it should, and its answer is lost. */
  readonly lostResponse?: number;
  /** One message of a batch is not taken. */
  readonly partialFailure?: number;
  /** The worker ends at a call, before or after it: killed, out of memory. */
  readonly crash?: number;
  /** The worker ends when a task has run and nothing of it is written yet. */
  readonly killBeforeCommit?: number;
  /** The worker stands still at a call for up to ten minutes, then goes on as if nothing had happened. */
  readonly freeze?: number;
  /** The clocks of two invocations differ by up to twice this, in seconds. */
  readonly clockSkewSeconds?: number;
  /** A batch is received and not run: its function is throttled, and the receive is counted all the same. */
  readonly throttledBatch?: number;
  /**
   * A batch of a standard queue is handed to a second worker too, up to five seconds later: what either of them acknowledges is
   * deleted. (`duplicate` sends a message of its own, which stays.)
   */
  readonly doubledBatch?: number;
  /** A rule fires twice. */
  readonly doubledRule?: number;
  /** A rule's firing arrives up to 50 seconds late. */
  readonly lateRule?: number;
  /** A rule does not fire. Nobody makes up for it: EventBridge is all there is. */
  readonly skippedRule?: number;
  /** A second sweeper runs at the same time. */
  readonly doubledSweep?: number;
}

/** Faults that are counted: all but the difference of clocks. */
export type FaultKind = Exclude<keyof Faults, 'clockSkewSeconds'>;

/** What has random numbers of its own. */
export interface Apart {
  /** Written for every task. */
  readonly history: Random;
  /** Read by every sweep. */
  readonly pauses: Random;
  /** Asked for failures, where somebody is told of them. */
  readonly notices: Random;
}

const KINDS: ReadonlySet<string> = new Set<keyof Faults>([
  'duplicate',
  'reorder',
  'error',
  'lostResponse',
  'partialFailure',
  'crash',
  'killBeforeCommit',
  'freeze',
  'clockSkewSeconds',
  'throttledBatch',
  'doubledBatch',
  'doubledRule',
  'lateRule',
  'skippedRule',
  'doubledSweep',
]);
const LONGEST_FREEZE_MS = 600_000;
const LATE_COPY_SECONDS = 120;
const LATE_SECONDS = 5;
/** How much later a second worker is handed the same batch. */
export const LONGEST_DOUBLE_MS = 5000;
const LATE_RULE_SECONDS = 50;

/** The faults of a world: drawn from its seed, counted, and switched by `on`. */
export class FaultPlan {
  /** How often each fault happened. */
  readonly counts: Record<FaultKind, number> = {
    duplicate: 0,
    reorder: 0,
    error: 0,
    lostResponse: 0,
    partialFailure: 0,
    crash: 0,
    killBeforeCommit: 0,
    freeze: 0,
    throttledBatch: 0,
    doubledBatch: 0,
    doubledRule: 0,
    lateRule: 0,
    skippedRule: 0,
    doubledSweep: 0,
  };
  /** Bodies of the rules' messages that were never sent. */
  readonly skipped: string[] = [];
  /** Faults happen only while it is on. */
  on = true;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #apart: Apart;

  /**
   * @param apart of what every task or every sweep asks: what is drawn for it leaves what is drawn for others as it is
   * @throws InvalidOption
   */
  constructor(faults: Faults, random: Random, apart: Apart = { history: random, pauses: random, notices: random }) {
    for (const [kind, chance] of Object.entries(faults)) {
      if (!KINDS.has(kind))
        throw new InvalidOption(`faults: '${kind}' is no fault. There are ${[...KINDS].join(', ')}.`);
      if (typeof chance !== 'number' || !(chance >= 0) || (kind !== 'clockSkewSeconds' && chance > 1))
        throw new InvalidOption(`faults: ${kind} is ${String(chance)}; a chance from 0 to 1 is allowed.`);
    }
    this.#faults = faults;
    this.#random = random;
    this.#apart = apart;
  }

  /** Draws whether a fault happens now, and counts it. Never while `on` is false. */
  hit(kind: FaultKind, apart?: keyof Apart): boolean {
    const chance = this.#faults[kind] ?? 0;
    if (!this.on || chance === 0 || this.#drawnFrom(apart).next() >= chance) return false;
    this.counts[kind] += 1;
    return true;
  }

  /** A number in [0, limit). */
  draw(limit: number, apart?: keyof Apart): number {
    return this.#drawnFrom(apart).next() * limit;
  }

  #drawnFrom(apart: keyof Apart | undefined): Random {
    return apart === undefined ? this.#random : this.#apart[apart];
  }

  /** Begins an invocation, with a clock of its own difference. */
  newInvocation(): SimulatedInvocation {
    const skew = (this.#faults.clockSkewSeconds ?? 0) * 1000;
    return new SimulatedInvocation(skew === 0 ? 0 : Math.round((this.#random.next() * 2 - 1) * skew));
  }

  /** What becomes of the firings of rules. */
  firings(messages: readonly OutgoingMessage[]): OutgoingMessage[] {
    return messages.flatMap((message) => {
      if (this.hit('skippedRule')) {
        this.skipped.push(message.body);
        return [];
      }
      const fired = this.hit('lateRule')
        ? { ...message, delaySeconds: Math.ceil(this.draw(LATE_RULE_SECONDS)) }
        : message;
      return this.hit('doubledRule') ? [fired, fired] : [fired];
    });
  }

  /** Whether the code that asks runs within an invocation. */
  get inInvocation(): boolean {
    return CURRENT_INVOCATION.getStore() !== undefined;
  }

  /** Runs an invocation: every port call within it, the tasks' own too, knows it. */
  runInvocation<R>(invocation: SimulatedInvocation, run: () => R): R {
    return CURRENT_INVOCATION.run(invocation, run);
  }
}

/** The same ports, with everything that can go wrong on the way to them. */
export function faultyPorts(ports: Ports, plan: FaultPlan, settings: Settings): Ports {
  const clock = skewed(ports.clock);
  const wrap = <T extends object>(port: T, kill?: string): T => wrapped(port, plan, ports.clock, { kill });
  return {
    ...ports,
    clock,
    broker: wrap(
      new Proxy(ports.broker, {
        get: (target, key) => {
          if (key === 'send')
            return (items: readonly OutgoingMessage[]) => sendWithFaults(items, target, plan, settings);
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
    ),
    backend: wrap(ports.backend, 'commit'),
    timers: wrap(ports.timers),
    schedules: wrap(ports.schedules),
    groups: wrap(ports.groups),
    ...(ports.blobs === undefined ? {} : { blobs: wrap(ports.blobs) }),
    ...(ports.celeryGroups === undefined ? {} : { celeryGroups: wrap(ports.celeryGroups) }),
    ...(ports.marks === undefined ? {} : { marks: wrap(ports.marks) }),
    ...(ports.locks === undefined ? {} : { locks: wrap(ports.locks) }),
    ...(ports.pauses === undefined ? {} : { pauses: wrapped(ports.pauses, plan, ports.clock, { apart: 'pauses' }) }),
    ...(ports.rates === undefined ? {} : { rates: wrap(ports.rates) }),
    ...(ports.slots === undefined ? {} : { slots: wrap(ports.slots) }),
    ...(ports.history === undefined
      ? {}
      : { history: wrapped(ports.history, plan, ports.clock, { apart: 'history' }) }),
    ...(ports.notify === undefined ? {} : { notify: faultyNotify(ports.notify, plan, ports.clock) }),
    ...(ports.deadLetters === undefined ? {} : { deadLetters: wrap(ports.deadLetters) }),
  };
}

function faultyNotify(notify: () => Promise<Notifying>, plan: FaultPlan, clock: Clock): () => Promise<Notifying> {
  return once(async () => {
    const { notices, notifier, ...rest } = await notify();
    const wrap = <T extends object>(port: T): T => wrapped(port, plan, clock, { apart: 'notices' });
    return { ...rest, notices: wrap(notices), notifier: notifier && wrap(notifier) };
  });
}

/** The clock of the invocation that asks. */
export function skewed(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs() + (CURRENT_INVOCATION.getStore()?.skewMs ?? 0),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    schedule: (ms, callback) => clock.schedule(ms, callback),
    nextTurn: () => clock.nextTurn(),
  };
}

/** What is dead answers nothing. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

interface Wrapping {
  /** Its method before which a worker is killed. */
  readonly kill?: string | undefined;
  /** Its faults are drawn by themselves. */
  readonly apart?: keyof Apart;
}

function wrapped<T extends object>(port: T, plan: FaultPlan, clock: Clock, { kill, apart }: Wrapping): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const call = value as (...args: readonly unknown[]) => Promise<unknown>;
      return (...args: readonly unknown[]) =>
        callWithFaults(() => call.apply(target, args as unknown[]), plan, clock, { commits: key === kill, apart });
    },
  });
}

async function callWithFaults<R>(
  run: () => Promise<R>,
  plan: FaultPlan,
  clock: Clock,
  { commits, apart }: { readonly commits: boolean; readonly apart: keyof Apart | undefined },
): Promise<R> {
  const invocation = CURRENT_INVOCATION.getStore();
  // Outside of an invocation a test is talking to its world.
  if (invocation === undefined) return run();
  if (invocation.dead) return never();
  if (plan.hit('crash', apart) || (commits && plan.hit('killBeforeCommit'))) {
    invocation.dead = true;
    return never();
  }
  if (plan.hit('freeze', apart)) await clock.sleep(Math.round(plan.draw(LONGEST_FREEZE_MS, apart)));
  if (plan.hit('error', apart)) throw passing('ThrottlingException', 'fault: throttled');
  const result = await run();
  if (plan.hit('crash', apart)) {
    invocation.dead = true;
    return never();
  }
  if (plan.hit('lostResponse', apart)) throw passing('TimeoutError', 'fault: the answer was lost');
  return result;
}

/** Named as the SDK names them: what has no such name does not pass, and is not tried again. */
function passing(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** SQS at its worst within its promises: at least once, in any order, and not all of a batch. */
async function sendWithFaults(
  items: readonly OutgoingMessage[],
  broker: Ports['broker'],
  plan: FaultPlan,
  settings: Settings,
): Promise<SendOutcome[]> {
  const outcomes: SendOutcome[] = [];
  for (const item of items) {
    if (plan.hit('partialFailure')) {
      outcomes.push({ ok: false, code: 'InternalError', message: 'fault: not taken', retryable: true });
      continue;
    }
    const plain = !isFifo(item.queue, settings) && item.deadLetter !== true;
    const late = plain && plan.hit('reorder') ? Math.ceil(plan.draw(LATE_SECONDS)) : 0;
    const [outcome] = await broker.send([delayed(item, late)]);
    outcomes.push(outcome ?? { ok: false, code: 'NoOutcome', message: 'no outcome', retryable: true });
    if (plain && plan.hit('duplicate')) await broker.send([delayed(item, Math.ceil(plan.draw(LATE_COPY_SECONDS)))]);
  }
  return outcomes;
}

function delayed(item: OutgoingMessage, seconds: number): OutgoingMessage {
  if (seconds === 0) return item;
  return { ...item, delaySeconds: Math.min(SQS_MAX_DELAY_SECONDS, (item.delaySeconds ?? 0) + seconds) };
}
