/**
 * `npm run simulate -- --seeds 1000 --faults all`: many seeds, on two processes. `--adapters aws` runs them over the AWS
 * adapters, with what goes wrong request by request; `--flow` gives tasks limits, and adds programs of everything else in flow control; `--history` keeps and compares their history. `--parts` runs tasks that go on in parts, and nothing else. `SEED=17 npm run simulate` runs one again, exactly. A violation is printed with its seed, the fewest programs that still show it, and what happened to the task.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import type { FaultKind, Faults } from 'celeriac/testing';

import { simulateParts } from './parts/simulate-parts.ts';
import { overAws, overCalmAws } from './wire/over-aws.ts';
import { ALL_FAULTS, simulate, type SimulationOptions, type SimulationReport } from './world/simulate.ts';

const FAULTS: Readonly<Record<string, Faults>> = {
  all: ALL_FAULTS,
  none: {},
  many: Object.fromEntries(
    Object.entries(ALL_FAULTS).map(([kind, chance]) => [kind, kind === 'clockSkewSeconds' ? chance : 5 * chance]),
  ),
};
const SHOWN = 5;

interface Summary {
  seeds: number;
  tasks: number;
  runs: number;
  ticks: number;
  faults: Partial<Record<FaultKind, number>>;
  failed: number[];
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    faults: { type: 'string', default: 'all' },
    adapters: { type: 'string', default: 'memory' },
    flow: { type: 'boolean', default: false },
    history: { type: 'boolean', default: false },
    parts: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});
const faults = FAULTS[values.faults];
if (faults === undefined)
  throw new Error(`--faults: '${values.faults}' given; ${Object.keys(FAULTS).join(', ')} are allowed.`);
const ADAPTERS: Readonly<Record<string, Pick<SimulationOptions, 'over'>>> = {
  memory: {},
  aws: { over: values.faults === 'none' ? overCalmAws : overAws() },
};
const adapters = ADAPTERS[values.adapters];
if (adapters === undefined)
  throw new Error(`--adapters: '${values.adapters}' given; ${Object.keys(ADAPTERS).join(', ')} are allowed.`);

function add(summary: Summary, report: SimulationReport): void {
  summary.seeds += 1;
  summary.tasks += report.tasks;
  summary.runs += report.runs;
  summary.ticks += report.ticks;
  for (const [kind, count] of Object.entries(report.faults) as [FaultKind, number][])
    summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
  if (report.violations.length > 0) summary.failed.push(report.seed);
}

function merge(into: Summary, other: Summary): void {
  into.seeds += other.seeds;
  into.tasks += other.tasks;
  into.runs += other.runs;
  into.ticks += other.ticks;
  for (const [kind, count] of Object.entries(other.faults) as [FaultKind, number][])
    into.faults[kind] = (into.faults[kind] ?? 0) + count;
  into.failed.push(...other.failed);
}

/** What was asked for beyond the usual. */
function streams(): readonly string[] {
  return (['flow', 'history', 'parts'] as const).filter((name) => values[name]).map((name) => `--${name}`);
}

const empty = (): Summary => ({ seeds: 0, tasks: 0, runs: 0, ticks: 0, faults: {}, failed: [] });

/** The world that was asked for. */
function run(seed: number, programs?: number): Promise<SimulationReport> {
  const common = { seed, faults: faults ?? {}, ...(programs === undefined ? {} : { programs }) };
  if (values.parts) return simulateParts({ ...common, aws: values.adapters === 'aws' });
  return simulate({ ...common, flow: values.flow, history: values.history, ...adapters });
}

async function runSeeds(first: number, count: number, step: number): Promise<Summary> {
  const summary = empty();
  for (let seed = first; seed < first + count * step; seed += step) add(summary, await run(seed));
  return summary;
}

/** The fewest programs with which the seed still fails: that trace is the shortest to read. */
async function explain(seed: number): Promise<void> {
  for (let programs = 1; programs <= 60; programs += 1) {
    const report = await run(seed, programs);
    if (report.violations.length === 0) continue;
    console.log(
      `\nseed ${seed}, ${programs} programs (SEED=${seed} npm run simulate -- --faults ${values.faults} --adapters ${values.adapters}${streams()
        .map((name) => ` ${name}`)
        .join('')})`,
    );
    for (const { rule, what } of report.violations.slice(0, SHOWN)) console.log(`  ${rule}: ${what}`);
    return;
  }
}

function inChildren(seeds: number): Promise<Summary> {
  const width = Math.max(1, Math.min(availableParallelism(), 8));
  const total = empty();
  const children = Array.from({ length: width }, (_, index) => {
    const count = Math.ceil((seeds - index) / width);
    const args = [
      '--child',
      '--from',
      String(Number(values.from) + index),
      '--step',
      String(width),
      '--seeds',
      String(count),
      '--faults',
      values.faults,
      '--adapters',
      values.adapters,
      ...streams(),
    ];
    return new Promise<void>((resolve, reject) => {
      const child = fork(import.meta.filename, args, { execArgv: ['--conditions=@celeriac/source'] });
      child.on('message', (summary) => merge(total, summary as Summary));
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a child ended with ${code}`))));
    });
  });
  return Promise.all(children).then(() => total);
}

const started = performance.now();
const single = process.env['SEED'];
if (values.child) {
  process.send?.(await runSeeds(Number(values.from), Number(values.seeds), Number(values.step)));
} else {
  const summary = single === undefined ? await inChildren(Number(values.seeds)) : await runSeeds(Number(single), 1, 1);
  const injected = Object.entries(summary.faults).map(([kind, count]) => `${kind} ${count.toLocaleString('en')}`);
  console.log(
    `seeds ${summary.seeds.toLocaleString('en')}, tasks ${summary.tasks.toLocaleString('en')}, ticks ${summary.ticks.toLocaleString('en')}, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  console.log(`faults: ${injected.join(', ')}`);
  console.log(
    `violations: ${summary.failed.length === 0 ? '0' : `in seeds ${summary.failed.toSorted((left, right) => left - right).join(', ')}`}`,
  );
  for (const seed of summary.failed.slice(0, SHOWN)) await explain(seed);
  process.exitCode = summary.failed.length === 0 ? 0 : 1;
}
