/** Tasks in parts in a world of faults: what must hold of them, told by what broke it. */
import { Celeriac, chord, currentTask, silentLogger } from 'celeriac';
import { type Faults, World, type WorldOptions } from 'celeriac/testing';
import fc from 'fast-check';

import { PART_CUT_SECONDS } from '../../lib/base/limits.ts';
import { seededRandom } from '../../lib/testing/seeded.ts';
import { CURRENT_INVOCATION } from '../../lib/testing/simulated-invocation.ts';

export interface PartWalk {
  readonly seed: number;
  readonly tasks: number;
  readonly how: 'alone' | 'slot' | 'chord' | 'ordered';
}

export const PART_WALKS: fc.Arbitrary<PartWalk> = fc.record({
  seed: fc.nat(),
  tasks: fc.integer({ min: 1, max: 6 }),
  how: fc.constantFrom('alone', 'slot', 'chord', 'ordered'),
});

const INVOCATION_SECONDS = 60;
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
  doubledBatch: 0.05,
  clockSkewSeconds: 1,
};

interface Running {
  readonly untilMs: number;
  readonly isDead: () => boolean;
}

/** One task, as its functions have seen it. */
interface Seen {
  /** The last step whose checkpoint was answered, or that another part has begun with. */
  stored: number;
  part: number;
  attempt: number;
  ended: boolean;
}

/** @returns complaints. */
export async function partWalk(
  { seed, tasks, how }: PartWalk,
  { faults = FAULTS, ...options }: WorldOptions = {},
): Promise<string[]> {
  const random = seededRandom(seed);
  const draw = (count: number): number => Math.floor(random.next() * count);
  const app = new Celeriac('parts', {
    logger: silentLogger,
    queues: { default: {}, ordered: { fifo: true } },
    resultExpires: '90d',
  });
  const complaints: string[] = [];
  const running = new Map<string, Set<Running>>();
  const seen = new Map<string, Seen>();

  /** That nobody else who lives runs what is `key`. */
  const alone = (key: string, what: string): (() => void) => {
    const others = running.get(key) ?? new Set<Running>();
    running.set(key, others);
    const nowMs = world.clock.nowMs();
    for (const other of others)
      if (!other.isDead() && other.untilMs > nowMs) complaints.push(`${what} runs beside another of ${key}`);
    const invocation = CURRENT_INVOCATION.getStore();
    const run: Running = {
      // What is cut off counts no more, whatever its function still does.
      untilMs: nowMs + (currentTask().remainingTime() - PART_CUT_SECONDS) * 1000,
      isDead: () => invocation?.dead === true,
    };
    others.add(run);
    return () => others.delete(run);
  };

  const task = app.task(
    'work',
    {
      bind: true,
      maxParts: 500,
      maxDeliveries: 100,
      maxRetries: null,
      queue: how === 'ordered' ? 'ordered' : 'default',
      ...(how === 'slot' ? { concurrency: 1 } : {}),
    },
    async (self, steps: number, seconds: number, says: number, retries: number) => {
      const { id, retries: attempt } = self.request;
      const mine = seen.get(id) ?? { stored: 0, part: 1, attempt: 0, ended: false };
      seen.set(id, mine);
      const done = [alone(`task ${id}`, `part ${self.part}`), ...(how === 'slot' ? [alone('the slot', id)] : [])];
      let at = (self.state ?? 0) as number;
      if (mine.ended) complaints.push(`task ${id} runs again at step ${at} after its end`);
      if (at < mine.stored) complaints.push(`task ${id} begins at step ${at}, and had stored ${mine.stored}`);
      if (self.part < mine.part) complaints.push(`task ${id} is in part ${self.part} after part ${mine.part}`);
      if (attempt < mine.attempt) complaints.push(`task ${id} is in attempt ${attempt} after attempt ${mine.attempt}`);
      Object.assign(mine, { stored: at, part: self.part, attempt });
      try {
        while (at < steps) {
          await world.clock.sleep(seconds * 1000);
          at += 1;
          if (at % says === 0) throw self.goOn(at);
          await self.checkpoint(at);
          if (CURRENT_INVOCATION.getStore()?.dead !== true) mine.stored = Math.max(mine.stored, at);
          if (attempt < retries && at === Math.floor(steps / 2)) throw self.retry({ countdown: 3 });
        }
        return id;
      } finally {
        for (const end of done) end();
      }
    },
  );
  const bodies = new Set<string>();
  const body = app.task(
    'body',
    { bind: true, maxDeliveries: 100 },
    (self, _members: unknown) => void bodies.add(self.request.id),
  );
  using world = new World(app, {
    seed,
    faults,
    invocation: INVOCATION_SECONDS,
    // Those of a FIFO group are received with those before them.
    maxReceiveCount: 1000,
    ...options,
  });
  const calls = Array.from({ length: tasks }, () => {
    // In a FIFO queue there are fewer parts.
    const steps = how === 'ordered' ? 1 + draw(8) : 1 + draw(20);
    return task.s(steps, 1 + draw(20), 2 + draw(9), draw(3) === 0 ? 1 : 0);
  });
  const ids: string[] = [];
  if (how === 'chord') await chord(calls, body.s()).delay();
  else for (const call of calls) ids.push((await call.delay()).id);
  await world.drain('60d');
  const records = world.backend.all();
  const ended =
    how === 'chord' ? records.filter(({ name }) => name === 'work') : records.filter(({ id }) => ids.includes(id));
  if (ended.length !== tasks) complaints.push(`${ended.length} of ${tasks} tasks have a record`);
  for (const { id, status, meta, checkpoint } of ended) {
    const attempts = world.backend.all().find((record) => record.id === id);
    if (status !== 'SUCCESS' && meta?.includes('TIME_LIMIT') !== true && meta?.includes('TOO_MANY') !== true)
      complaints.push(`task ${id} ended as ${status}: ${meta} ${JSON.stringify(attempts)}`);
    if (status === 'SUCCESS' && checkpoint !== undefined) complaints.push(`task ${id} has left its checkpoint`);
  }
  const all = ended.every(({ status }) => status === 'SUCCESS');
  if (how === 'chord' && all && bodies.size !== 1) complaints.push(`the body was sent as ${bodies.size} tasks`);
  if (how === 'slot') {
    const slots = await world.ports.slots?.read('slots#work#');
    for (const [holder, { leaseMs }] of slots?.holders ?? [])
      // Whoever died has left an entry, and its lease.
      if (leaseMs >= world.clock.nowMs()) complaints.push(`${holder} holds the slot`);
  }
  return complaints;
}
