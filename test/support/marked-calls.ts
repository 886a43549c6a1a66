/** Random calls of unique and debounced tasks by callers that die, freeze and lose answers, and what must hold of them. */
import { type AsyncResult, Celeriac, silentLogger } from 'celeriac';
import { type Faults, World } from 'celeriac/testing';
import fc from 'fast-check';
import { expect } from 'vitest';

const FAULTS: Faults = {
  duplicate: 0.1,
  reorder: 0.2,
  error: 0.04,
  lostResponse: 0.04,
  partialFailure: 0.03,
  crash: 0.03,
  freeze: 0.02,
  clockSkewSeconds: 1,
};
// Each of these may come once in a chain of calls, redeliveries and freezes.
const LONGEST_DELAY_SECONDS = 7200;

const common = {
  seed: fc.nat(),
  fifo: fc.boolean(),
  faulty: fc.boolean(),
};

export interface Case {
  readonly seed: number;
  readonly fifo: boolean;
  readonly faulty: boolean;
  readonly calls: readonly { readonly key: number; readonly pauseSeconds: number }[];
}

export interface UniqueCase extends Case {
  readonly until: 'started' | 'finished';
}

export interface DebouncedCase extends Case {
  readonly maxWait: number | undefined;
}

const callsWith = (...pauses: number[]): fc.Arbitrary<Case['calls']> =>
  fc.array(fc.record({ key: fc.constantFrom(0, 0, 0, 1), pauseSeconds: fc.constantFrom(0, 0, 0, ...pauses) }), {
    minLength: 2,
    maxLength: 14,
  });

export const UNIQUE: fc.Arbitrary<UniqueCase> = fc.record({
  ...common,
  until: fc.constantFrom('started' as const, 'finished' as const),
  calls: callsWith(1, 20, 35, 35, 400),
});
export const DEBOUNCED: fc.Arbitrary<DebouncedCase> = fc.record({
  ...common,
  maxWait: fc.constantFrom(undefined, 15),
  calls: callsWith(1, 4, 9, 11, 40, 1000),
});

/** A call by a process of its own. */
interface Made {
  readonly n: number;
  readonly key: number;
  /** Places in the order of all beginnings and answers. */
  readonly began: number;
  answered: number;
  answeredMs: number;
  id: string | undefined;
  duplicate: boolean;
}

/** Makes the calls, each beside whatever the ones before it still do, and gives those that were answered. */
async function makeCalls(
  world: World,
  { calls, faulty }: Case,
  call: (key: number, n: number) => Promise<AsyncResult>,
): Promise<readonly Made[]> {
  world.faults.on = faulty;
  const made: Made[] = [];
  let order = 0;
  for (const [n, { key, pauseSeconds }] of calls.entries()) {
    const one: Made = { n, key, began: (order += 1), answered: 0, answeredMs: 0, id: undefined, duplicate: false };
    made.push(one);
    const invocation = world.faults.newInvocation();
    void world.faults.runInvocation(invocation, () =>
      call(key, n).then(
        ({ id, duplicate }) =>
          Object.assign(one, { id, duplicate, answered: (order += 1), answeredMs: world.clock.nowMs() }),
        () => undefined,
      ),
    );
    if (pauseSeconds > 0) await world.advance(pauseSeconds);
    else for (let turn = world.faults.draw(12); turn > 0; turn -= 1) await world.clock.nextTurn();
  }
  // Until whoever stood still has gone on.
  await world.advance(LONGEST_DELAY_SECONDS);
  world.faults.on = false;
  await world.advance(LONGEST_DELAY_SECONDS);
  await world.drain();
  return made.filter(({ id }) => id !== undefined);
}

function appOf(name: string, { fifo }: Case): Celeriac {
  const retryPolicy = { maxRetries: 1, intervalStart: 0 };
  return new Celeriac(name, { queues: { default: { fifo } }, logger: silentLogger, retryPolicy });
}

function worldOf(app: Celeriac, { seed }: Case): World {
  const world = new World(app, { seed, faults: FAULTS, maxReceiveCount: 1000 });
  // Callers wait as workers do, until the test moves time.
  world.clock.onSleep = () => undefined;
  return world;
}

interface Effect {
  readonly key: number;
  readonly beganMs: number;
  endedMs: number;
}

export async function uniqueHolds(given: UniqueCase): Promise<void> {
  const app = appOf('unique', given);
  const effects = new Map<string, Effect>();
  const task = app.task(
    'work',
    {
      bind: true,
      unique: { key: (key: number) => `key ${key}`, ttl: '30d', until: given.until },
      maxDeliveries: 100,
    },
    async (self, key: number, _n: number) => {
      const { id } = self.request;
      const effect = effects.get(id) ?? { key, beganMs: world.clock.nowMs(), endedMs: 0 };
      effects.set(id, effect);
      // As long as a late copy of the message of another one of its key may take.
      await world.clock.sleep(30_000);
      effect.endedMs = Math.max(effect.endedMs, world.clock.nowMs());
      return id;
    },
  );
  using world = worldOf(app, given);
  const answered = await makeCalls(world, given, (key, n) => task.applyAsync([key, n], { groupKey: `group-${n}` }));
  const records = new Map(world.backend.all().map((record) => [record.id, record]));
  for (const { id, key } of answered) {
    const { status, meta } = records.get(id ?? '') ?? {};
    // A worker that stands still after its claim may have no time left for its task.
    if (given.faulty && meta?.includes('TimeLimitExceeded') === true) expect(status).toBe('FAILURE');
    else expect(status).toBe('SUCCESS');
    expect(effects.get(id ?? '')?.key).toBe(key);
  }
  if (given.until === 'finished') {
    const all = [...effects.values()].toSorted((left, right) => left.beganMs - right.beganMs);
    for (const [index, { key, endedMs }] of all.entries())
      for (const later of all.slice(index + 1))
        if (later.key === key) expect(later.beganMs).toBeGreaterThanOrEqual(endedMs);
  }
  // Of one process that tells its callers so one is the first.
  for (const id of new Set(answered.map((call) => call.id)))
    expect(answered.filter((call) => call.id === id && !call.duplicate).length).toBeLessThanOrEqual(1);
  for (const key of [0, 1]) {
    // A caller that has died may have left a mark: the next one sends for it, and the one after that finds nothing.
    const next = await task.delay(key, -1);
    await world.drain();
    expect(await next.get()).toBe(next.id);
    expect((await task.delay(key, -2)).duplicate).toBe(false);
    await world.drain();
  }
}

interface Run {
  readonly key: number;
  readonly n: number;
  readonly ms: number;
}

export async function debounceHolds(given: DebouncedCase): Promise<void> {
  const { maxWait } = given;
  const app = appOf('debounce', given);
  const runs = new Map<string, Run>();
  const task = app.task(
    'work',
    {
      bind: true,
      debounce: { key: (key: number) => `key ${key}`, wait: 10, ...(maxWait === undefined ? {} : { maxWait }) },
      maxDeliveries: 100,
    },
    (self, key: number, n: number) => {
      const { id } = self.request;
      const before = runs.get(id);
      // However often it is delivered.
      if (before !== undefined) expect(before.n).toBe(n);
      runs.set(id, before ?? { key, n, ms: world.clock.nowMs() });
      return Promise.resolve(n);
    },
  );
  using world = worldOf(app, given);
  const answered = await makeCalls(world, given, (key, n) => task.applyAsync([key, n], { groupKey: `group-${key}` }));
  const slackMs = (given.faulty ? LONGEST_DELAY_SECONDS : 3) * 1000;
  for (const call of answered) {
    const run = runs.get(call.id ?? '');
    expect(run).toMatchObject({ key: call.key });
    if (run === undefined) continue;
    // Of calls that came one after another the last counts.
    const later = answered.filter(({ id, began }) => id === call.id && began > call.answered);
    if (later.length > 0) expect(run.n).not.toBe(call.n);
    // And none that came when it had run.
    if (!given.faulty) expect(run.ms).toBeGreaterThanOrEqual(call.answeredMs);
    if (maxWait !== undefined) expect(run.ms - call.answeredMs).toBeLessThan(maxWait * 1000 + slackMs);
  }
  for (const key of [0, 1]) {
    const next = await task.delay(key, 1000 + key);
    await world.drain();
    expect(await next.get()).toBe(1000 + key);
  }
}
