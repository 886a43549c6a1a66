/** One run from one seed: a world under faults, a load, and the checkers. */
import type { AsyncResult, GroupResult } from 'celeriac';
import { type FaultKind, type Faults, World } from 'celeriac/testing';

import { seededRandom } from '../../../lib/testing/seeded.ts';
import { Checker, type Sent } from './check.ts';
import { WorldChecker } from './check-world.ts';
import { Ledger, type Violation } from './ledger.ts';
import { newLoad } from './load.ts';
import { Generator } from './program.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Programs sent. Default 60. */
  readonly programs?: number;
  readonly faults?: Faults;
  /** Breaks something, to show that a checker sees it. */
  readonly sabotage?: (world: World) => void;
  /** How far clocks may differ before an early run is one. Default: the faults' own skew. */
  readonly toleratedSkewSeconds?: number;
}

export interface SimulationReport {
  readonly seed: number;
  /** Tasks that have a record. */
  readonly tasks: number;
  readonly runs: number;
  readonly ticks: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly violations: readonly Violation[];
}

export const ALL_FAULTS: Faults = {
  duplicate: 0.03,
  reorder: 0.1,
  error: 0.01,
  lostResponse: 0.01,
  partialFailure: 0.01,
  crash: 0.004,
  killBeforeCommit: 0.01,
  freeze: 0.001,
  clockSkewSeconds: 2,
  throttledBatch: 0.01,
  doubledRule: 0.1,
  lateRule: 0.1,
  skippedRule: 0.05,
  doubledSweep: 0.2,
};

const START_MS = Date.UTC(2030, 2, 31, 0, 30);
// Programs are sent within this time, which has the change to summer time in Berlin in it.
const SENDING_MS = 3_600_000;

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, programs = 60, faults = ALL_FAULTS } = options;
  const ledger = new Ledger();
  const load = newLoad(ledger);
  const world = new World(load.app, { seed, start: START_MS, faults, patienceMs: 0 });
  options.sabotage?.(world);
  ledger.watch(world);
  load.attach(world.clock);
  load.deploy(world);
  const generator = new Generator(seededRandom(seed + 7));
  const sent: Sent[] = [];
  for (let index = 0; index < programs; index += 1) {
    const program = generator.program(`p${index}`);
    const atMs = world.clock.nowMs();
    const sig = load.build(program) as unknown as { delay(): Promise<AsyncResult | GroupResult> };
    const result = await sig.delay();
    const memberIds = 'memberIds' in result ? result.memberIds : [result.id];
    sent.push({ program, resultIds: memberIds, atMs });
    if (program.revoke) await load.app.result(result.id).revoke();
    await world.advance(Math.round(SENDING_MS / programs) / 1000);
  }
  const endMs = world.clock.nowMs();
  await comeToRest(world);
  const punctual = Object.keys(faults).length === 0;
  const read = (ids: readonly string[]): ReturnType<World['backend']['get']> =>
    world.backend.get(ids, world.clock.nowMs());
  const checker = new Checker(read, ledger, options.toleratedSkewSeconds ?? faults.clockSkewSeconds ?? 0, punctual);
  await checker.check(sent);
  const rest = new WorldChecker(world, ledger, checker.records);
  await rest.ticks(START_MS, endMs, punctual);
  rest.rest();
  return {
    seed,
    tasks: ledger.ids.length,
    runs: ledger.runs.length,
    ticks: ledger.ticks.length,
    faults: world.faults.counts,
    violations: ledger.violations,
  };
}

/** Until nothing happens any more: faults go on, and are off for the very last. */
async function comeToRest(world: World): Promise<void> {
  // A sweep that failed at the end is made up for, and a tick whose worker died comes back (after the queue's
  // visibility timeout), before the entries are switched off: then nothing on its way would run.
  world.faults.on = false;
  await world.advance('20m');
  for (const { name } of world.app.manifest().beat) await world.app.schedules.disable(name);
  world.faults.on = true;
  await world.drain('3d');
  world.faults.on = false;
  await world.drain('3d');
}
