/** Everything that a simulation under flow control has beyond another one: its programs, its callers, and what is checked. */
import type { World } from 'celeriac/testing';

import type { Ports } from '../../../lib/ports/ports.ts';
import { seededRandom } from '../../../lib/testing/seeded.ts';
import { Callers, type Call, plannedCalls } from './callers.ts';
import { CHANGED_TASK, changedPrograms, Changes, plannedChanges } from './changes.ts';
import type { Checker } from './check.ts';
import { checkMarked, checkProbes } from './check-marked.ts';
import { checkConcurrency, checkRates, type Flow } from './flow.ts';
import { Guards } from './guards.ts';
import { checkTurns, INSTANCE_NAMES, INSTANCE_QUEUE, instancePrograms, LEFT_OUT } from './instances.ts';
import { FLOW_SERVICES, outage } from './outage.ts';
import { checkLaneProbe, checkLanes, LANE_TASK, laneProbe, lanePrograms } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import type { Load } from './load.ts';
import type { Leaf, Program } from './program.ts';

// Streams of their own: programs without them stay as they are.
const INSTANCE_STREAM = 2203;
const CALLER_STREAM = 2207;
const TOKEN_STREAM = 2213;
const LANE_STREAM = 2221;
const CHANGE_STREAM = 2237;
const OPERATOR_STREAM = 2239;
const GUARD_STREAM = 2243;
const OUTAGE_STREAM = 2251;

export interface FlowSettings {
  readonly flow: Flow;
  readonly seed: number;
  readonly programs: number;
  /** How long programs are sent. */
  readonly sendingMs: number;
  /** How far clocks may differ. */
  readonly slackMs: number;
  /** Nothing goes wrong. */
  readonly punctual: boolean;
}

export class FlowWorld {
  readonly #ledger: Ledger;
  readonly #load: Load;
  readonly #settings: FlowSettings;
  readonly #changes = new Changes();
  readonly #guards: Guards;
  #callers: Callers | undefined;
  /** One of its stores answers no worker for some minutes. */
  #outage: ((ports: Ports) => Ports) | undefined;
  #planned: readonly ReadonlyMap<number, readonly Program[]>[] = [];
  #probes: readonly Call[] = [];
  #laneProbes: Awaited<ReturnType<typeof laneProbe>> = [];

  /** Before there is a world. */
  constructor(ledger: Ledger, load: Load, settings: FlowSettings) {
    this.#ledger = ledger;
    this.#load = load;
    this.#settings = settings;
    this.#guards = new Guards(load.app, ledger, INSTANCE_QUEUE);
    this.#guards.punctual = settings.punctual;
    ledger.facts.heldUp = new Set([...settings.flow.limits.keys(), ...INSTANCE_NAMES, LANE_TASK, CHANGED_TASK]);
    ledger.facts.leftOut = LEFT_OUT;
    ledger.instances.slackMs = settings.slackMs;
  }

  /** Between a worker and its services. */
  watch(ports: Ports): Ports {
    return this.#changes.watch(this.#ledger.instances.watch(this.#outage?.(ports) ?? ports));
  }

  begin(world: World): void {
    const { seed, programs, sendingMs, punctual } = this.#settings;
    this.#ledger.instances.begin(world);
    const startMs = world.clock.nowMs();
    if (!punctual)
      this.#outage = outage(seededRandom(seed + OUTAGE_STREAM), startMs, sendingMs, () => world, FLOW_SERVICES);
    const changes = plannedChanges(seededRandom(seed + CHANGE_STREAM), sendingMs);
    this.#planned = [
      instancePrograms(seededRandom(seed + INSTANCE_STREAM), programs),
      lanePrograms(seededRandom(seed + LANE_STREAM), programs),
      changedPrograms(changes, programs, sendingMs),
    ];
    this.#callers = new Callers(world, this.#load.call, seededRandom(seed + TOKEN_STREAM));
    this.#callers.calm = punctual;
    this.#callers.plan(plannedCalls(seededRandom(seed + CALLER_STREAM), sendingMs));
    this.#changes.plan(world, changes, seededRandom(seed + OPERATOR_STREAM));
    this.#guards.plan(world, seededRandom(seed + GUARD_STREAM), sendingMs);
  }

  /** What is sent beside a program. */
  beside(index: number): readonly Program[] {
    return this.#planned.flatMap((each) => each.get(index) ?? []);
  }

  /** When all is at rest, and nothing is in the way any more. */
  async probe(world: World, send: (program: Program) => Promise<void>): Promise<void> {
    this.#probes = (await this.#callers?.probe()) ?? [];
    this.#laneProbes = await laneProbe({ clock: world.clock, advance: (seconds) => world.advance(seconds) }, send);
    await world.drain('1d');
  }

  /** Tasks that wait for others of theirs. */
  isHeldUp(id: string): boolean {
    return id.startsWith('g') || this.#ledger.ticks.some((tick) => tick.entry === 'turns' && tick.id === id);
  }

  async check(world: World, leaves: readonly Leaf[], checker: Checker, faultsEndMs: number): Promise<void> {
    const ledger = this.#ledger;
    const { flow, slackMs, punctual } = this.#settings;
    const { facts, ticks, laneRuns } = ledger;
    const violate = ledger.violate.bind(ledger);
    checkRates(ledger, flow, leaves, slackMs);
    checkConcurrency(ledger, flow, leaves);
    const calls = this.#callers?.calls ?? [];
    for (const { id, behaviour } of calls)
      if (facts.sends(id) !== undefined) checker.single({ behaviour, task: 'leaf' }, id);
    checkMarked(ledger, calls, { slackMs, faultsEndMs, punctual });
    checkProbes(ledger, this.#probes);
    await ledger.instances.check(world);
    checkTurns(leaves, { facts, ticks, violate }, faultsEndMs);
    checkLanes({ laneRuns, violate });
    checkLaneProbe(ledger, this.#laneProbes);
    this.#changes.check(ledger, slackMs);
    await this.#guards.check(world, slackMs);
  }
}
