/**
 * Tasks that do not run beside themselves: programs of a stream of their own, and what must be true of them. What a worker
 * asks of its store is noted where it asks; whose lease lives is told by when invocations began, not by what workers make of it.
 */
import type { TaskContext, TaskOptions } from 'celeriac';
import type { World } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import { taskLockKey } from '../../../lib/ports/slot-keys.ts';
import type { SlotsWrite } from '../../../lib/ports/slots.ts';
import { CURRENT_INVOCATION, type SimulatedInvocation } from '../../../lib/testing/simulated-invocation.ts';
import { AFTERMATH_MS } from './check-time.ts';
import { lineOf, LINES } from './flow.ts';
import type { Ledger } from './ledger.ts';
import type { Behaviour, Leaf, Program, Tree } from './program.ts';
import { over } from './refusals.ts';

/** `alone` and `brief` are left out, `again` comes again, `turns` waits for its turn; `brief` keeps others away for a while only. */
export const INSTANCE_NAMES = ['alone', 'brief', 'again', 'turns'] as const;
export type InstanceName = (typeof INSTANCE_NAMES)[number];

const BRIEF_SECONDS = 20;
// Of an invocation of the world.
const INVOCATION_MS = 300_000;
// A lease may outlive its invocation, for clocks that differ.
const MARGIN_MS = 2000;
// Of programs, and of ticks.
const LONGEST_RUN_MS = 60_000;

export const INSTANCE_TICKS = { alone: 'aloneTick', turns: 'turnsTick' } as const;

const key = (...args: unknown[]): string => lineOf(args.at(-2) as string);

// A store that takes its time leaves a run half of it.
const TIME_LIMIT_SECONDS = 120;
const LONGEST_SECONDS = 55;
/** Of their own: long runs keep no workers from the others. */
export const INSTANCE_QUEUE = 'apart';
const common = { queue: INSTANCE_QUEUE, timeLimit: TIME_LIMIT_SECONDS };

export const INSTANCE_OPTIONS: Readonly<
  Record<InstanceName, Pick<TaskOptions, 'oneInstance' | 'queue' | 'timeLimit'>>
> = {
  alone: { ...common, oneInstance: { key } },
  brief: { ...common, oneInstance: { key, timeout: BRIEF_SECONDS } },
  again: { ...common, oneInstance: { key, onSkip: 'retry' } },
  turns: { ...common, oneInstance: { key, whenLocked: 'wait' } },
};

/** What becomes of a call of a task that is left out. */
export const LEFT_OUT: ReadonlyMap<string, 'ignored' | 'retry'> = new Map([
  ['alone', 'ignored'],
  ['brief', 'ignored'],
  ['again', 'retry'],
]);

// Where several are sent at the same time.
const CLUSTERS = 16;

/** By the number of the program after which they are sent. */
export function instancePrograms(random: Random, programs: number): ReadonlyMap<number, readonly Program[]> {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  const planned = new Map<number, Program[]>();
  if (programs === 0) return planned;
  for (let cluster = 0; cluster < CLUSTERS; cluster += 1) {
    const at = int(programs);
    const task = INSTANCE_NAMES[int(INSTANCE_NAMES.length)] ?? 'alone';
    const beside = planned.get(at) ?? [];
    planned.set(at, beside);
    for (let count = 2 + int(4); count > 0; count -= 1) beside.push(instanceProgram(`i${cluster}-${count}`, task, int));
  }
  return planned;
}

function instanceProgram(name: string, task: InstanceName, int: (limit: number) => number): Program {
  let leaves = 0;
  const leaf = (of: Leaf['task'], behaviour: Behaviour): Leaf => ({
    type: 'leaf',
    key: `${name}.${(leaves += 1 + int(LINES))}`,
    behaviour,
    task: of,
    ...(int(2) === 0 ? { countdown: 1 + int(60) } : {}),
  });
  const one = leaf(task, instanceBehaviour(task, int));
  const trees: readonly Tree[] = [one, one, one, { type: 'chain', steps: [one, leaf('leaf', { kind: 'ok' })] }];
  return { name, tree: trees[int(trees.length)] ?? one, explicitIds: int(4) > 0, link: int(5) === 0 };
}

function instanceBehaviour(task: InstanceName, int: (limit: number) => number): Behaviour {
  const slow: Behaviour = { kind: 'slow', seconds: 1 + int(LONGEST_SECONDS) };
  // Its retries are those of who is left out.
  const others: readonly Behaviour[] =
    task === 'again'
      ? [{ kind: 'ok' }, slow]
      : [
          { kind: 'ok' },
          { kind: 'fail' },
          { kind: 'requeue' },
          { kind: 'die', times: 1 + int(3) },
          { kind: 'retry', times: 1 + int(3), seconds: 1 + int(20), own: true },
        ];
  return int(3) > 0 ? slow : (others[int(others.length)] ?? slow);
}

interface Hold {
  readonly line: string;
  readonly id: string;
  readonly attempt: number;
  readonly invocation: SimulatedInvocation | undefined;
  /** No later its lease ends. */
  readonly leaseMs: number;
}

/** Of one holder of a line, as workers asked for it. */
interface Asked {
  readonly holder: string;
  readonly key: string;
  readonly fromMs: number;
  /** When it is known to hold no longer. */
  untilMs: number;
}

/** Somebody was left out. */
interface LeftOut {
  readonly id: string;
  readonly fromMs: number;
  readonly atMs: number;
  readonly meta: string;
}

type Violate = (rule: string, what: string, id?: string) => void;

export class Instances {
  readonly #violate: Violate;
  readonly #isOver: (id: string, attempt: number) => boolean;
  readonly #began = new WeakMap<SimulatedInvocation, number>();
  readonly #running = new Set<Hold>();
  /** By invocation and attempt: when it first asked for its lock. */
  readonly #wanted = new WeakMap<SimulatedInvocation, Map<string, number>>();
  /** By task id. */
  readonly #asked = new Map<string, Asked[]>();
  readonly #leftOut: LeftOut[] = [];
  readonly #lines = new Set<string>();
  nowMs: () => number = () => 0;
  /** How far clocks may differ. */
  slackMs = 0;

  /** @param isOver whether an outcome of the attempt stands */
  constructor(violate: Violate, isOver: (id: string, attempt: number) => boolean) {
    this.#violate = violate;
    this.#isOver = isOver;
  }

  /** Notes when invocations begin. */
  begin({ faults, clock }: World): void {
    this.nowMs = () => clock.nowMs();
    const newInvocation = faults.newInvocation.bind(faults);
    faults.newInvocation = () => {
      const invocation = newInvocation();
      this.#began.set(invocation, clock.nowMs());
      return invocation;
    };
  }

  /** A run of a task, from its first line to its last. */
  during<R>(self: TaskContext, name: InstanceName, line: string, run: () => R): R {
    const { id, retries: attempt } = self.request;
    const hold = this.#begins(`${self.request.task}#${line}`, name, id, attempt);
    const ended = (): void => void this.#running.delete(hold);
    let come: R | undefined;
    try {
      come = run();
      return come;
    } finally {
      if (come instanceof Promise) come.then(ended, ended);
      else ended();
    }
  }

  #begins(line: string, name: InstanceName, id: string, attempt: number): Hold {
    const nowMs = this.nowMs();
    this.#lines.add(line);
    const invocation = CURRENT_INVOCATION.getStore();
    const deadlineMs = (invocation && (this.#began.get(invocation) ?? nowMs)) ?? nowMs;
    const wantedMs = invocation && this.#wanted.get(invocation)?.get(`${id}#${attempt}`);
    if (wantedMs === undefined)
      this.#violate('no run without its lock', `${id} of attempt ${attempt} runs, and asked for none`, id);
    const timeoutMs = name === 'brief' ? BRIEF_SECONDS * 1000 : Infinity;
    const leaseMs = Math.min(deadlineMs + INVOCATION_MS, (wantedMs ?? nowMs) + timeoutMs) - this.slackMs;
    const hold: Hold = { line, id, attempt, invocation, leaseMs };
    const lives = (each: Hold): boolean => each.invocation?.dead !== true && each.leaseMs > nowMs;
    for (const other of this.#running)
      if (other.line === line && lives(other) && lives(hold) && !this.#isOver(other.id, other.attempt))
        this.#violate('not beside itself', `${id} begins beside ${other.id}, ${line}, at ${nowMs}`, id);
    this.#running.add(hold);
    return hold;
  }

  /** Between a worker and its services. */
  watch(ports: Ports): Ports {
    const { slots, backend } = ports;
    if (slots === undefined) return ports;
    return {
      ...ports,
      slots: over(slots, {
        write: async (write) => {
          const noted = this.#noteWrite(write);
          const ends = noted.map(({ untilMs }) => untilMs);
          const outcome = await slots.write(write).finally(() => {
            // What was taken away while it was on its way may have been another entry of the same name, before it.
            for (const [index, each] of noted.entries()) Object.assign(each, { untilMs: ends[index] });
          });
          // What failed by its condition has given nobody anything.
          if (outcome.done) this.#noteRemoved(write);
          else for (const each of noted) Object.assign(each, { untilMs: -Infinity });
          return outcome;
        },
      }),
      backend: over(backend, {
        conclude: (requests) => {
          for (const { id, status, meta } of requests)
            if (status === 'IGNORED') this.#leftOut.push({ id, meta, fromMs: this.#beganMs(), atMs: this.nowMs() });
          return backend.conclude(requests);
        },
      }),
    };
  }

  #beganMs(): number {
    const invocation = CURRENT_INVOCATION.getStore();
    return (invocation && this.#began.get(invocation)) ?? this.nowMs();
  }

  #noteWrite({ key: item, put }: SlotsWrite): Asked[] {
    const nowMs = this.nowMs();
    const invocation = CURRENT_INVOCATION.getStore();
    const noted: Asked[] = [];
    for (const [holder, { leaseMs, by }] of put ?? []) {
      const id = holder.slice(0, holder.lastIndexOf('#'));
      const isGrant = by.startsWith('grant/');
      const asked: Asked = {
        holder,
        key: item,
        fromMs: nowMs,
        untilMs: this.slackMs + Math.min(leaseMs, isGrant ? Infinity : this.#beganMs() + INVOCATION_MS + MARGIN_MS),
      };
      noted.push(asked);
      this.#asked.set(id, [...(this.#asked.get(id) ?? []), asked]);
      if (invocation === undefined || isGrant) continue;
      const wanted = this.#wanted.get(invocation) ?? new Map<string, number>();
      if (!wanted.has(holder)) wanted.set(holder, nowMs);
      this.#wanted.set(invocation, wanted);
    }
    return noted;
  }

  #noteRemoved({ key: item, remove = [] }: SlotsWrite): void {
    for (const holder of remove)
      for (const asked of this.#asked.get(holder.slice(0, holder.lastIndexOf('#'))) ?? [])
        if (asked.holder === holder && asked.key === item) asked.untilMs = Math.min(asked.untilMs, this.nowMs());
  }

  /** Who was left out was left out by somebody that held its lock meanwhile; at rest nobody holds, and nobody waits. */
  async check({ ports, clock }: World): Promise<void> {
    for (const { id, meta, fromMs, atMs } of this.#leftOut) {
      const { result } = JSON.parse(meta) as { readonly result?: { readonly skipped?: string; readonly by?: string } };
      if (result?.skipped !== 'locked') continue;
      const { by = '' } = result;
      const held = (this.#asked.get(by) ?? []).some((each) => each.fromMs <= atMs && each.untilMs >= fromMs);
      if (!held || by === id)
        this.#violate('who is left out is left out by somebody', `${id} by ${by}, at ${atMs}`, id);
    }
    for (const line of this.#lines) {
      const stands = await ports.slots?.read(taskLockKey(line));
      for (const [holder, { leaseMs }] of stands?.holders ?? [])
        if (leaseMs >= clock.nowMs()) this.#violate('no key is held for ever', `${line} by ${holder}`);
      if (stands?.line !== undefined) this.#violate('no key is held for ever', `somebody waits for ${line}`);
    }
  }
}

/** What holds up tasks of a line is what runs there before: they end as soon as all of it may have run. */
export function checkTurns(
  leaves: readonly Leaf[],
  { facts, ticks, violate }: Pick<Ledger, 'facts' | 'ticks'> & { readonly violate: Violate },
  faultsEndMs: number,
): void {
  const own = leaves.filter(({ task }) => (INSTANCE_NAMES as readonly string[]).includes(task));
  const ids = [
    ...own.map(({ key: name }) => facts.idOf(name) ?? name),
    ...ticks.filter(({ entry }) => entry === 'turns').map(({ id }) => id),
  ];
  const longestMs = ids.length * LONGEST_RUN_MS + 2 * AFTERMATH_MS;
  for (const id of ids) {
    const end = facts.end(id);
    const readyMs = Math.max(facts.dueMs(id, end?.attempt ?? 0) ?? 0, faultsEndMs);
    if (end?.atMs !== undefined && end.atMs - readyMs > longestMs)
      violate('no key is held for ever', `${id} ended ${end.atMs - readyMs} ms after the last fault`, id);
  }
}
