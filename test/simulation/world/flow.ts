/** Flow control of a simulation's tasks, and what must be true of it whatever else goes on. */
import type { TaskOptions } from 'celeriac';

import type { Random } from '../../../lib/base/time.ts';
import type { Ledger, Run } from './ledger.ts';
import type { Leaf, TaskName } from './program.ts';

type Limited = Extract<TaskName, 'leaf' | 'once' | 'late' | 'ordered'>;

type Limits = Pick<TaskOptions, 'rateLimit'>;

interface Limit {
  /** Starts in a minute. */
  readonly perMinute: number;
  readonly burst: number;
}

/** What tasks are limited to, and by which keys. */
export interface Flow {
  readonly limits: ReadonlyMap<Limited, Limit>;
  readonly options: Readonly<Partial<Record<Limited, Limits>>>;
}

const NAMES: readonly Limited[] = ['leaf', 'once', 'late', 'ordered'];
const PER_MINUTE = [6, 20, 60] as const;
const BURST = [1, 1, 5] as const;
const KEYS = 2;

/** At least one task has a limit. */
export function drawFlow(random: Random): Flow {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  const always = int(NAMES.length);
  const limits = new Map<Limited, Limit>();
  for (const [index, name] of NAMES.entries())
    if (index === always || int(2) === 0)
      limits.set(name, { perMinute: PER_MINUTE[int(PER_MINUTE.length)] ?? 60, burst: BURST[int(BURST.length)] ?? 1 });
  const options = Object.fromEntries(
    [...limits].map(([name, { perMinute, burst }]): [string, Limits] => [
      name,
      { rateLimit: { limit: `${perMinute}/m`, burst, key: (...args: unknown[]) => lineOf(args.at(-2) as string) } },
    ]),
  );
  return { limits, options };
}

/** Which line the task of a program's leaf stands in. */
function lineOf(leafKey: string): string {
  return `line ${Number(leafKey.split('.')[1]) % KEYS}`;
}

const MINUTE_MS = 60_000;
// A slot may pass by its grace, which grows each time that it was too late for one; the clocks of two workers differ.
const GRACE_MS = 10_000 * 4 ** 2;

/** Never more starts than the limit and the burst allow; what is delivered again has started before. */
export function checkRates(ledger: Ledger, flow: Flow, leaves: ReadonlyMap<string, Leaf>, skewMs: number): void {
  const lines = new Map<string, { readonly limit: Limit; readonly starts: Run[] }>();
  const seen = new Set<string>();
  for (const run of ledger.runs) {
    const task = leaves.get(run.key)?.task;
    const limit = flow.limits.get(task as Limited);
    const attempt = `${run.id}/${run.attempt}`;
    if (limit === undefined || seen.has(attempt)) continue;
    seen.add(attempt);
    const name = `${task} ${lineOf(run.key)}`;
    const line = lines.get(name) ?? { limit, starts: [] };
    line.starts.push(run);
    lines.set(name, line);
  }
  for (const [name, { limit, starts }] of lines) {
    const allowed = Math.ceil((limit.perMinute * (MINUTE_MS + GRACE_MS + skewMs)) / MINUTE_MS) + limit.burst;
    for (const [index, { atMs, id }] of starts.entries()) {
      const last = starts[index + allowed];
      if (last !== undefined && last.atMs - atMs < MINUTE_MS) {
        ledger.violate('no more than its rate', `${name}: more than ${allowed} starts in a minute`, id);
        break;
      }
    }
  }
}
