/** A task that does not run beside itself, in a world of faults: what must hold of it, told by what broke it. */
import { Celeriac, currentTask, silentLogger } from 'celeriac';
import { type Faults, World } from 'celeriac/testing';
import fc from 'fast-check';

import { taskLockKey } from '../../lib/ports/slot-keys.ts';
import { seededRandom } from '../../lib/testing/seeded.ts';
import { CURRENT_INVOCATION } from '../../lib/testing/simulated-invocation.ts';

export interface InstanceWalk {
  readonly seed: number;
  readonly tasks: number;
  readonly keys: number;
  readonly whenLocked: 'skip' | 'wait';
}

export const INSTANCE_WALKS: fc.Arbitrary<InstanceWalk> = fc.record({
  seed: fc.nat(),
  tasks: fc.integer({ min: 3, max: 15 }),
  keys: fc.integer({ min: 1, max: 2 }),
  whenLocked: fc.constantFrom('skip' as const, 'wait' as const),
});

interface Running {
  readonly id: string;
  readonly key: number;
  readonly untilMs: number;
  readonly isDead: () => boolean;
}

const INVOCATION_SECONDS = 60;
const LONGEST_LEASE_MS = (INVOCATION_SECONDS + 6) * 1000;
const FAULTS: Faults = {
  duplicate: 0.1,
  reorder: 0.2,
  error: 0.03,
  lostResponse: 0.03,
  partialFailure: 0.03,
  crash: 0.02,
  freeze: 0.01,
  killBeforeCommit: 0.03,
  throttledBatch: 0.05,
  clockSkewSeconds: 1,
};

/** @returns complaints. */
export async function instanceWalk({ seed, tasks, keys, whenLocked }: InstanceWalk): Promise<string[]> {
  const random = seededRandom(seed);
  const draw = (count: number): number => Math.floor(random.next() * count);
  const app = new Celeriac('instances', { logger: silentLogger });
  const complaints: string[] = [];
  const running = new Set<Running>();
  const task = app.task(
    'work',
    { oneInstance: { whenLocked, key: (key: number) => `key ${key}` }, maxDeliveries: 100, maxRetries: null },
    async (key: number, seconds: number, retries: number) => {
      const context = currentTask();
      const { id } = context.request;
      const invocation = CURRENT_INVOCATION.getStore();
      const untilMs = world.clock.nowMs() + context.remainingTime() * 1000;
      const run: Running = { id, key, untilMs, isDead: () => invocation?.dead === true };
      for (const other of running)
        if (other.key === key && !other.isDead() && other.untilMs > world.clock.nowMs())
          complaints.push(`task ${id} starts beside ${other.id} of key ${key}`);
      running.add(run);
      try {
        await world.clock.sleep(seconds * 1000);
        if (context.request.retries < retries) context.retry({ countdown: 1 });
        return id;
      } finally {
        running.delete(run);
      }
    },
  );
  using world = new World(app, { seed, faults: FAULTS, invocation: INVOCATION_SECONDS, maxReceiveCount: 1000 });
  const ids: string[] = [];
  for (let n = 0; n < tasks; n += 1) {
    const { id } = await task.delay(draw(keys), 1 + draw(15), draw(4) === 0 ? 1 : 0);
    ids.push(id);
    await world.advance(draw(20));
  }
  await world.drain('30d');
  const records = new Map(world.backend.all().map((record) => [record.id, record]));
  for (const id of ids) {
    const record = records.get(id);
    // A store that takes its time leaves a run less than it needs.
    const ended = record?.status === 'SUCCESS' || record?.meta?.includes('TIME_LIMIT_EXCEEDED') === true;
    const skipped = whenLocked === 'skip' && record?.status === 'IGNORED' && record.meta?.includes('"locked"') === true;
    const keptAwayMs = skipped ? untilOf(record?.meta) - (record?.finishedMs ?? 0) : 0;
    // Only by one whose invocation can still run, by clocks that differ.
    if (Math.abs(keptAwayMs) > LONGEST_LEASE_MS)
      complaints.push(`task ${id} was left out until ${keptAwayMs} ms later`);
    if (!ended && !skipped) complaints.push(`task ${id} ended as ${record?.status}: ${record?.meta}`);
  }
  return [...complaints, ...(await leftovers(world, keys))];
}

/** Of `{ skipped, by, until }`. */
function untilOf(meta: string | undefined): number {
  const { result } = JSON.parse(meta ?? '{}') as { readonly result?: { readonly until?: string } };
  return Date.parse(result?.until ?? '');
}

async function leftovers(world: World, keys: number): Promise<string[]> {
  const complaints: string[] = [];
  for (let key = 0; key < keys; key += 1) {
    const slots = await world.ports.slots?.read(taskLockKey(`work#key ${key}`));
    const live = [...(slots?.holders ?? [])].filter(([, { leaseMs }]) => leaseMs >= world.clock.nowMs());
    for (const [holder] of live) complaints.push(`the lock of key ${key} is held by ${holder}`);
    if (slots?.line !== undefined) complaints.push(`somebody waits for key ${key}`);
  }
  return complaints;
}
