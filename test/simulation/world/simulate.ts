/** One run from one seed: a world under faults, a load, and the checkers. */
import type { Duration } from 'celeriac';
import { type FaultKind, type Faults, World, type WorldOptions } from 'celeriac/testing';

import { MIN_FIFO_RECORD_SECONDS, MIN_RECORD_SECONDS } from '../../../lib/base/limits.ts';
import type { Random } from '../../../lib/base/time.ts';
import { seededRandom } from '../../../lib/testing/seeded.ts';
import type { memoryAdapters } from '../../../lib/testing/world-ports.ts';
import { Checker, PUNCTUAL_MS } from './check.ts';
import { lettersOf, WorldChecker } from './check-world.ts';
import { checkEnds, checkFifo, checkLateness } from './check-time.ts';
import { checkHistory } from './check-history.ts';
import { Edits } from './edits.ts';
import { Ledger, type Violation } from './ledger.ts';
import { newLoad } from './load.ts';
import { drawFlow, withoutTimers } from './flow.ts';
import { FlowWorld } from './flow-world.ts';
import { Generator, leavesOf } from './program.ts';
import { outage } from './outage.ts';
import { refusing } from './refusals.ts';
import { Sender } from './sender.ts';
import { terminations } from './terminations.ts';
import { STARTS_MS } from './ticks.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Programs sent. Default 60. */
  readonly programs?: number;
  readonly faults?: Faults;
  /** Breaks something, to show that a checker sees it. */
  readonly sabotage?: (world: World) => void;
  /** Breaks what workers ask of their services. */
  readonly wrapPorts?: NonNullable<WorldOptions['wrapPorts']>;
  /** Senders and workers that die as programs want it, hours of retries: see `Generator`. Default true, without faults false. */
  readonly wide?: boolean;
  /** Its tasks have limits, which are drawn. Default false. */
  readonly flow?: boolean;
  /** Its history is kept, and compared. Default false. */
  readonly history?: boolean;
  /** Default: drawn. */
  readonly resultExpiresSeconds?: number;
  /** How far clocks may differ before an early run is one. Default: the faults' own skew. */
  readonly toleratedSkewSeconds?: number;
  /** Programs whose running tasks are revoked with `terminate`. Default: some in every fourth seed, where it is wide. */
  readonly terminations?: number;
  /** Adapters to run over, which tell the ledger what really happens. Default: memory's. */
  readonly over?: (ledger: Ledger) => typeof memoryAdapters;
}

export interface SimulationReport {
  readonly seed: number;
  /** Tasks that have a record. */
  readonly tasks: number;
  readonly runs: number;
  readonly ticks: number;
  /** Tasks whose workers were told that they are revoked while they ran. */
  readonly told: number;
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

// Programs are sent within this time, which has a change of the clocks in it.
const SENDING_MS = 3_600_000;
// After the last was sent, by seed: hours of retries are under faults, or are on time without.
const FAULTS_GO_ON = ['3d', '30m', '6h'] as const;

// As long as anything goes on; shorter than many a task waits for another; shorter than a message may be away.
const RESULT_EXPIRES_SECONDS = [2_592_000, 2_592_000, 7200, 10] as const;

// A stream of its own: programs without it stay as they are.
const TERMINATION_STREAM = 1901;

function terminationCount({ seed, terminations: count }: SimulationOptions, wide: boolean): number {
  return count ?? (wide && seed % 4 === 3 ? 8 : 0);
}

function drawn<T>(random: Random, [first, ...others]: readonly [T, ...T[]]): T {
  return [first, ...others][Math.floor(random.next() * (others.length + 1))] ?? first;
}

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, programs = 60, faults = ALL_FAULTS, wrapPorts } = options;
  const punctual = Object.keys(faults).length === 0;
  const { wide = !punctual } = options;
  const ledger = new Ledger();
  const { resultExpiresSeconds = drawn(seededRandom(seed + 17), RESULT_EXPIRES_SECONDS) } = options;
  ledger.keptMsIn = (queue) =>
    1000 * Math.max(resultExpiresSeconds, queue === 'orders' ? MIN_FIFO_RECORD_SECONDS : MIN_RECORD_SECONDS);
  // A stream of its own: without flow control a seed stays the run that it was.
  const flow = options.flow === true ? drawFlow(seededRandom(seed + 19)) : undefined;
  const history = options.history === true ? 'all' : 'off';
  const load = newLoad(ledger, { resultExpires: resultExpiresSeconds, history, ...(flow && { flow: flow.options }) });
  const skewSeconds = options.toleratedSkewSeconds ?? faults.clockSkewSeconds ?? 0;
  const common = { seed, programs, sendingMs: SENDING_MS, slackMs: 2000 * skewSeconds, punctual };
  const controlled = flow && new FlowWorld(ledger, load, { flow, ...common });
  const startMs = STARTS_MS[seed % STARTS_MS.length] ?? STARTS_MS[0];
  const out = punctual ? undefined : outage(seededRandom(seed + 11), startMs, SENDING_MS, () => world);
  const wrap: typeof wrapPorts = (ports, invocation) => {
    const broken = wrapPorts?.(ports, invocation) ?? ports;
    // Over the AWS adapters it is the wire that refuses.
    const refused = options.over === undefined ? refusing(ledger.facts.refusals)(broken) : broken;
    const watched = ledger.witness.watch(out?.(refused) ?? refused);
    return controlled?.watch(watched) ?? watched;
  };
  const settings: WorldOptions = { seed, start: startMs, faults, patienceMs: 0, wrapPorts: wrap };
  const world: World = new World(load.app, settings, options.over?.(ledger));
  options.sabotage?.(world);
  if (options.over === undefined) ledger.watch(world);
  load.attach(world.clock);
  Object.assign(ledger.witness, { nowMs: () => world.clock.nowMs(), exact: options.over === undefined });
  load.deploy(world);
  const generator = new Generator(seededRandom(seed + 7), wide);
  const sender = new Sender(world, load, ledger);
  const edits = new Edits(world, load.app, seededRandom(seed + 13));
  const ended = terminations(seededRandom(seed + TERMINATION_STREAM), programs, terminationCount(options, wide));
  controlled?.begin(world);
  for (let index = 0; index < programs; index += 1) {
    const program = generator.program(`p${index}`);
    await sender.send(flow === undefined ? program : withoutTimers(program));
    const long = ended.get(index);
    if (long !== undefined) await sender.send(long);
    for (const each of controlled?.beside(index) ?? []) await sender.send(each);
    if (wide) await edits.step();
    await sender.advance(Math.round(SENDING_MS / programs));
  }
  await sender.advance(sender.leftMs);
  const endMs = world.clock.nowMs();
  await edits.stop();
  const faultsEndMs = await drainAll(world, FAULTS_GO_ON[seed % FAULTS_GO_ON.length] ?? '3d');
  await controlled?.probe(world, (program) => sender.send(program));
  const read = (ids: readonly string[]): ReturnType<World['backend']['get']> =>
    world.backend.get(ids, world.clock.nowMs());
  const checker = new Checker(read, ledger, skewSeconds, punctual, lettersOf(world));
  await checker.check(sender.sent);
  const rest = new WorldChecker(world, ledger, checker.ends);
  await rest.ticks(startMs, endMs, punctual);
  rest.rest();
  edits.check(ledger, 2000 * skewSeconds + PUNCTUAL_MS);
  ledger.witness.check();
  checkFifo(ledger, 'orders');
  const leaves = sender.sent.flatMap(({ program }) => leavesOf(program.tree));
  const heldUp = leaves.filter(({ task }) => ledger.facts.heldUp.has(task));
  const heldUpIds = new Set(heldUp.flatMap(({ key }) => [key, ledger.facts.idOf(key) ?? key]));
  const isHeldUp = (id: string): boolean => heldUpIds.has(id) || controlled?.isHeldUp(id) === true;
  checkLateness(ledger, faultsEndMs, 2000 * skewSeconds, isHeldUp);
  checkEnds(ledger, faultsEndMs, (id) => checker.ends.get(id)?.atMs, isHeldUp);
  await controlled?.check(world, leaves, checker, faultsEndMs);
  if (history === 'all') await checkHistory(world, ledger, checker.ends, startMs);
  return {
    seed,
    tasks: ledger.ids.length,
    runs: ledger.runs.length,
    ticks: ledger.ticks.length,
    told: ledger.facts.told.size,
    faults: world.faults.counts,
    violations: ledger.violations,
  };
}

/** Until nothing happens any more: faults go on for a while, and are off for the rest. Gives when they ended. */
async function drainAll(world: World, faultsGoOn: Duration): Promise<number> {
  // A sweep that failed at the end is made up for, and a tick whose worker died comes back (after the queue's
  // visibility timeout), before the entries are switched off: then nothing on its way would run.
  world.faults.on = false;
  await world.advance('20m');
  for (const { name } of world.app.manifest().beat) await world.app.schedules.disable(name);
  world.faults.on = true;
  await world.drain(faultsGoOn);
  const endMs = world.clock.nowMs();
  world.faults.on = false;
  await world.drain('3d');
  return endMs;
}
