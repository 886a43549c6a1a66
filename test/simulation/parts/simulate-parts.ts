/** One run of tasks in parts from one seed: a world under faults, jobs, and the checkers. */
import { World, type WorldOptions } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import type { Backend, TaskRecord } from '../../../lib/ports/backend.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import { recordOf } from '../../../lib/aws/dynamodb-record.ts';
import { seededRandom } from '../../../lib/testing/seeded.ts';
import type { memoryAdapters } from '../../../lib/testing/world-ports.ts';
import { RESULTS_TABLE } from '../../support/fake-services/services.ts';
import { awsAdapters } from '../../support/fake-services/world-adapters.ts';
import { FLOW_SERVICES, outage } from '../world/outage.ts';
import { ALL_FAULTS, type SimulationOptions, type SimulationReport } from '../world/simulate.ts';
import { PartChecker, type SentPlan } from './check-parts.ts';
import { drawPlans, INVOCATION_SECONDS, type PartPlan } from './jobs.ts';
import { PartLedger } from './part-ledger.ts';
import { type PartLoad, partLoad } from './part-load.ts';

export interface PartSimulation extends Pick<
  SimulationOptions,
  'seed' | 'programs' | 'faults' | 'sabotage' | 'wrapPorts'
> {
  /** Over the AWS adapters. Default false. */
  readonly aws?: boolean;
}

const SENDING_MS = 3_600_000;
// Chance that the commit of a part gets no answer.
const LOST = 0.1;
// Chance that a request takes a moment.
const SLOW = 0.05;
// More dead workers than any job has: its own count is to end it.
const MAX_RECEIVE_COUNT = 1000;

export async function simulateParts(options: PartSimulation): Promise<SimulationReport> {
  const { seed, programs = 40, faults = ALL_FAULTS, wrapPorts } = options;
  const punctual = Object.keys(faults).length === 0;
  const ledger = new PartLedger();
  const skewMs = 2000 * (faults.clockSkewSeconds ?? 0);
  Object.assign(ledger, { slackMs: skewMs, invocationMs: INVOCATION_SECONDS * 1000, nowMs: () => world.clock.nowMs() });
  const load = partLoad(ledger);
  const startMs = Date.parse('2030-03-01T00:00:00Z');
  const outages = [seed + 11, seed + 13].map((each, index) =>
    outage(seededRandom(each), startMs, SENDING_MS, () => world, index === 0 ? undefined : FLOW_SERVICES),
  );
  const deaf = losingAnswers(seededRandom(seed + 17), () => world);
  const settings: WorldOptions = {
    seed,
    start: startMs,
    faults,
    patienceMs: 0,
    invocation: INVOCATION_SECONDS,
    maxReceiveCount: MAX_RECEIVE_COUNT,
    wrapPorts: (ports, invocation) => {
      const broken = wrapPorts?.(ports, invocation) ?? ports;
      return punctual ? broken : [deaf, ...outages].reduce((sum, out) => out(sum), broken);
    },
  };
  const world: World = new World(load.app, settings, options.aws === true ? overAws(ledger, punctual) : undefined);
  options.sabotage?.(world);
  load.world = world;
  watch(world, ledger, options.aws !== true);
  const sent: SentPlan[] = [];
  for (const plan of drawPlans(seededRandom(seed + 7), programs)) {
    sent.push({ plan, atMs: world.clock.nowMs() });
    await calmly(world, () => (load.build(plan) as unknown as { delay(): Promise<unknown> }).delay());
    revokeLater(world, plan);
    await world.advance(Math.round(SENDING_MS / programs / 1000));
  }
  await world.drain('6h');
  await redrive(world, load, sent);
  await world.drain('6h');
  world.faults.on = false;
  await world.drain('60d');
  new PartChecker(ledger, load, punctual).check(sent);
  if (world.backend.all().some(({ finishedMs }) => finishedMs === undefined))
    ledger.violate('every task ends', 'a record is open');
  return {
    seed,
    tasks: world.backend.all().length,
    runs: ledger.runs.length,
    ticks: 0,
    told: 0,
    faults: world.faults.counts,
    violations: ledger.violations,
  };
}

/** The commit of a part stands, and nobody hears of it: far more often than of others. */
function losingAnswers(random: Random, world: () => World): (ports: Ports) => Ports {
  return ({ backend, ...ports }) => {
    const commit: Backend['commit'] = async (requests) => {
      const outcome = await backend.commit(requests);
      const isPart = requests.some(({ final, checkpoint }) => !final && checkpoint !== undefined);
      if (!isPart || !world().faults.on || random.next() >= LOST) return outcome;
      throw Object.assign(new Error('the answer was lost'), { name: 'TimeoutError' });
    };
    return {
      ...ports,
      backend: new Proxy(backend, {
        get: (of, key) => {
          const value: unknown = key === 'commit' ? commit : Reflect.get(of, key);
          return typeof value === 'function' ? (value.bind(of) as unknown) : value;
        },
      }),
    };
  };
}

/** What callers do is not what is looked at here. */
async function calmly<R>({ faults }: World, run: () => Promise<R>): Promise<R> {
  const { on } = faults;
  faults.on = false;
  try {
    return await run();
  } finally {
    faults.on = on;
  }
}

function revokeLater(world: World, { revoke, jobs: [job] }: PartPlan): void {
  if (revoke === undefined || job === undefined) return;
  const { after, terminate } = revoke;
  world.clock.schedule(after * 1000, () => {
    void calmly(world, () => world.app.control.revoke(job.key, { terminate }));
  });
}

/** What was put aside goes on, where nothing waits for it that has heard of its failure. */
async function redrive(world: World, { redriven }: PartLoad, sent: readonly SentPlan[]): Promise<void> {
  const ids = sent.filter(({ plan }) => plan.kind === 'one').flatMap(({ plan }) => plan.jobs.map(({ key }) => key));
  for (const id of ids) redriven.add(id);
  await calmly(world, () => world.app.deadLetters.redrive({ id: ids }));
}

function overAws(ledger: PartLedger, punctual: boolean): typeof memoryAdapters {
  return awsAdapters({
    slow: punctual ? 0 : SLOW,
    onWrite: ({ table, before, after }) => {
      if (table !== RESULTS_TABLE || after === undefined || !('status' in after)) return;
      ledger.wrote(before === undefined ? undefined : recordOf(before), recordOf(after));
    },
  });
}

const WRITES = ['claim', 'commit', 'release', 'update', 'conclude', 'revoke', 'reopen'] as const;

function watch({ backend, faults }: World, ledger: PartLedger, isMemory: boolean): void {
  const newInvocation = faults.newInvocation.bind(faults);
  faults.newInvocation = () => {
    const invocation = newInvocation();
    ledger.invocationBegins(invocation);
    return invocation;
  };
  if (!isMemory) return;
  for (const name of WRITES) {
    const call = (backend[name] as (...args: unknown[]) => unknown).bind(backend);
    Object.assign(backend, {
      [name]: (...args: unknown[]) => {
        const before = new Map(backend.all().map((record) => [record.id, record]));
        const answer = call(...args);
        for (const after of backend.all()) tell(ledger, before.get(after.id), after);
        return answer;
      },
    });
  }
}

function tell(ledger: PartLedger, before: TaskRecord | undefined, after: TaskRecord): void {
  if (
    before === undefined ||
    Object.entries(after).some(([field, value]) => before[field as keyof TaskRecord] !== value)
  )
    ledger.wrote(before, after);
}
