/** Flow control of a simulation's tasks, and what must be true of it whatever else goes on. */
import type { TaskOptions } from 'celeriac';

import type { Random } from '../../../lib/base/time.ts';
import type { Hold, Ledger, Run } from './ledger.ts';
import type { Leaf, Program, TaskName } from './program.ts';

type Limited = Extract<TaskName, 'leaf' | 'once' | 'late' | 'ordered'>;

type Limits = Pick<TaskOptions, 'rateLimit' | 'concurrency'>;

interface Rate {
  /** Starts in a minute. */
  readonly perMinute: number;
  readonly burst: number;
}

/** What a task is limited to, in each of its lines. */
interface Limit {
  readonly rate?: Rate;
  /** Runs at the same time. */
  readonly concurrency?: number;
}

/** What tasks are limited to. */
export interface Flow {
  readonly limits: ReadonlyMap<string, Limit>;
  readonly options: Readonly<Partial<Record<Limited, Limits>>>;
}

const NAMES: readonly Limited[] = ['leaf', 'once', 'late', 'ordered'];
const PER_MINUTE = [6, 20, 60] as const;
const BURST = [1, 1, 5] as const;
const CONCURRENCY = [1, 1, 2, 5] as const;
/** Lines of each task. */
export const LINES = 2;

/** At least one task has a limit. */
export function drawFlow(random: Random): Flow {
  const of = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T;
  const always = of(NAMES);
  const limits = new Map<Limited, Limit>();
  for (const name of NAMES) {
    const isRated = of([true, false]);
    const isCounted = of([true, false]);
    const limit = {
      ...(isRated ? { rate: { perMinute: of(PER_MINUTE), burst: of(BURST) } } : {}),
      ...(isCounted || (!isRated && name === always) ? { concurrency: of(CONCURRENCY) } : {}),
    };
    if (Object.keys(limit).length > 0) limits.set(name, limit);
  }
  return { limits, options: Object.fromEntries([...limits].map(([name, limit]) => [name, optionsOf(limit)])) };
}

function optionsOf({ rate, concurrency }: Limit): Limits {
  const key = (...args: unknown[]): string => lineOf(args.at(-2) as string);
  return {
    ...(rate && { rateLimit: { limit: `${rate.perMinute}/m`, burst: rate.burst, key } }),
    ...(concurrency !== undefined && { concurrency: { limit: concurrency, key } }),
  };
}

/** Which line the task of a program's leaf stands in. */
export function lineOf(leafKey: string): string {
  return `line ${Number(leafKey.split('.')[1]) % LINES}`;
}

/** A slot that is far makes a timer of a message: of such a one nothing tells what follows where its queue refuses it. */
export function withoutTimers({ refused, ...program }: Program): Program {
  return refused === undefined || refused.refusal.at === 'send' ? program : { ...program, refused };
}

const MINUTE_MS = 60_000;
// A slot may pass by its grace, and is taken a second before it comes; the clocks of two workers differ. What was late before
// starts beside the line, half as often as the limit says.
const GRACE_MS = 10_000 + 1000;

/** Starts in a minute at most. */
export function mostStarts({ perMinute, burst }: Rate, skewMs: number): number {
  return Math.ceil((perMinute * (1.5 * MINUTE_MS + GRACE_MS + skewMs)) / MINUTE_MS) + burst + 1;
}

/** Never more starts than the limit and the burst allow; what is delivered again has started before. */
export function checkRates(ledger: Ledger, flow: Flow, leaves: readonly Leaf[], skewMs: number): void {
  const byKey = new Map(leaves.map((leaf) => [leaf.key, leaf]));
  const lines = new Map<string, { readonly rate: Rate; readonly starts: Run[] }>();
  const seen = new Set<string>();
  for (const run of ledger.runs) {
    const task = byKey.get(run.key)?.task ?? '';
    const rate = flow.limits.get(task)?.rate;
    const attempt = `${run.id}/${run.attempt}`;
    if (rate === undefined || seen.has(attempt)) continue;
    seen.add(attempt);
    const name = `${task} ${lineOf(run.key)}`;
    const line = lines.get(name) ?? { rate, starts: [] };
    line.starts.push(run);
    lines.set(name, line);
  }
  for (const [name, { rate, starts }] of lines) {
    const allowed = mostStarts(rate, skewMs);
    for (const [index, { atMs, id }] of starts.entries()) {
      const last = starts[index + allowed];
      if (last !== undefined && last.atMs - atMs < MINUTE_MS) {
        ledger.violate('no more than its rate', `${name}: more than ${allowed} starts in a minute`, id);
        break;
      }
    }
  }
}

/** Never more functions of one line run at the same time than its limit says. */
export function checkConcurrency(ledger: Ledger, flow: Flow, leaves: readonly Leaf[]): void {
  const lines = new Map<string, { readonly limit: number; readonly holds: (readonly [Hold, string])[] }>();
  for (const { key, task } of leaves) {
    const limit = flow.limits.get(task)?.concurrency;
    if (limit === undefined) continue;
    const id = ledger.facts.idOf(key) ?? key;
    const line = lines.get(`${task} ${lineOf(key)}`) ?? { limit, holds: [] };
    for (const hold of ledger.holdsOf(id)) line.holds.push([hold, id]);
    lines.set(`${task} ${lineOf(key)}`, line);
  }
  for (const [name, { limit, holds }] of lines) {
    for (const [{ from }, id] of holds) {
      const atOnce = holds.filter(([each]) => each.from <= from && from < each.until);
      if (atOnce.length <= limit) continue;
      ledger.violate('no more at once', `${name}: ${atOnce.map(([, each]) => each).join(', ')}`, id);
      break;
    }
  }
}
