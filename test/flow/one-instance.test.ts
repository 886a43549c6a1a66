/** Tasks that do not run beside themselves, in virtual time. */
import { Celeriac, chain, type Logger, type Signature, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { entryOf } from '../../lib/flow/one-instance.ts';
import { taskLockKey } from '../../lib/ports/slot-keys.ts';
import { INSTANCE_WALKS, instanceWalk } from './instance-walk.ts';

interface Run {
  readonly name: string;
  readonly fromMs: number;
  toMs?: number;
}

interface Single {
  readonly app: Celeriac;
  readonly world: World;
  readonly runs: Run[];
  readonly task: {
    s(name: string, seconds: number): Signature<string>;
    applyAsync(
      args: readonly [string, number],
      options?: object,
    ): Promise<{ readonly id: string; get(options?: object): Promise<unknown>; state(): Promise<string> }>;
  };
}

function single(oneInstance: TaskOptions['oneInstance'], more: TaskOptions = {}, options: WorldOptions = {}): Single {
  const app = new Celeriac('single', { logger: silentLogger });
  const runs: Run[] = [];
  const startMs = Date.parse('2030-01-01T00:00:00Z');
  const task = app.task(
    'work',
    { oneInstance: oneInstance ?? null, ...more },
    async (name: string, seconds: number) => {
      const run: Run = { name, fromMs: world.clock.nowMs() - startMs };
      runs.push(run);
      await world.clock.sleep(seconds * 1000);
      run.toMs = world.clock.nowMs() - startMs;
      return name;
    },
  );
  const world = new World(app, { start: new Date(startMs), invocation: 60, ...options });
  return { app, world, runs, task };
}

async function holdersOf({ world }: Single, key = ''): Promise<number> {
  const slots = await world.ports.slots?.read(taskLockKey(`work#${key}`));
  return slots?.holders.size ?? 0;
}

describe('skip', () => {
  it('leaves out what comes while another runs, and says because of whom', async () => {
    const one = single(true);
    using world = one.world;
    const first = await one.task.applyAsync(['a', 10]);
    await world.advance(3);
    const second = await one.task.applyAsync(['b', 10]);
    await world.advance(1);
    expect(await second.state()).toBe('IGNORED');
    expect(await second.get()).toEqual({ skipped: 'locked', by: first.id, until: '2030-01-01T00:01:02.000Z' });
    await world.drain();
    expect(await first.get()).toBe('a');
    expect(one.runs.map(({ name }) => name)).toEqual(['a']);
    expect(await holdersOf(one)).toBe(0);
    const third = await one.task.applyAsync(['c', 1]);
    await world.drain();
    expect(await third.get()).toBe('c');
  });

  it('of a batch runs one', async () => {
    const one = single(true);
    using world = one.world;
    const results = [];
    for (const name of ['a', 'b', 'c']) results.push(await one.task.applyAsync([name, 1]));
    await world.drain();
    expect(one.runs).toHaveLength(1);
    expect((await Promise.all(results.map((result) => result.state()))).toSorted()).toEqual([
      'IGNORED',
      'IGNORED',
      'SUCCESS',
    ]);
  });

  it('is a warning, once for each call that is left out', async () => {
    const lines: string[] = [];
    const log: Logger['log'] = (level, message) => {
      if (level === 'warn' || level === 'error') lines.push(`${level} ${message}`);
    };
    const one = single(true, {}, { logger: { log } });
    using world = one.world;
    const first = await one.task.applyAsync(['a', 10]);
    await world.advance(1);
    const second = await one.task.applyAsync(['b', 1], { taskId: 'twice' });
    await one.task.applyAsync(['b', 1], { taskId: 'twice' });
    await world.drain();
    expect(await second.state()).toBe('IGNORED');
    expect(lines).toEqual([
      `warn Task work[twice] IGNORED: LockNotAcquired: Task id ${first.id} runs, and has its lock until 2030-01-01T00:01:02.000Z.`,
    ]);
  });

  it('has a lock for each key', async () => {
    const one = single({ key: (name: string) => name });
    using world = one.world;
    for (const name of ['a', 'b', 'a']) await one.task.applyAsync([name, 5]);
    await world.drain();
    expect(one.runs.map(({ name }) => name).toSorted()).toEqual(['a', 'b']);
  });

  it('does not leave out a duplicate of the one that runs', async () => {
    const one = single(true);
    using world = one.world;
    const result = await one.task.applyAsync(['a', 10], { taskId: 'twice' });
    await world.advance(2);
    await one.task.applyAsync(['a', 10], { taskId: 'twice' });
    await world.drain();
    expect(await result.get()).toBe('a');
    expect(one.runs).toHaveLength(1);
    expect(await holdersOf(one)).toBe(0);
  });

  it('lets another run between two attempts, and its own retries run', async () => {
    const app = new Celeriac('retries', { logger: silentLogger });
    const ran: string[] = [];
    const task = app.task('work', { bind: true, oneInstance: true }, (self, name: string) => {
      ran.push(`${name} ${self.request.retries}`);
      if (name === 'a' && self.request.retries < 2) self.retry({ countdown: 10 });
    });
    using world = new World(app);
    await task.delay('a');
    await world.advance(5);
    await task.delay('b');
    await world.drain();
    expect(ran).toEqual(['a 0', 'b 0', 'a 1', 'a 2']);
  });

  it('takes the lock of a worker that died when its invocation has ended, and runs what it had', async () => {
    const one = single({ timeout: '2h' }, {}, { faults: { killBeforeCommit: 1 } });
    using world = one.world;
    await one.task.applyAsync(['dies', 5]);
    await world.advance(10);
    world.faults.on = false;
    const skipped = await one.task.applyAsync(['too early', 1]);
    await world.advance(1);
    expect(await skipped.state()).toBe('IGNORED');
    await world.advance(55);
    const next = await one.task.applyAsync(['next', 1]);
    await world.drain();
    expect(await next.get()).toBe('next');
    expect(one.runs.map(({ name }) => name)).toEqual(['dies', 'next', 'dies']);
  });

  it('keeps others away for no longer than its timeout', async () => {
    const one = single({ timeout: 5 });
    using world = one.world;
    await one.task.applyAsync(['a', 20]);
    await world.advance(4);
    const early = await one.task.applyAsync(['early', 1]);
    await world.advance(2);
    const late = await one.task.applyAsync(['late', 1]);
    await world.drain();
    expect([await early.state(), await late.state()]).toEqual(['IGNORED', 'SUCCESS']);
    expect(await holdersOf(one)).toBe(0);
  });

  it('ends the rest of a chain, as Ignore does', async () => {
    const one = single(true);
    using world = one.world;
    const step = one.app.task('step', (name: string) => name);
    await one.task.applyAsync(['a', 10]);
    await world.advance(1);
    const result = await chain(one.task.s('b', 1), step.s()).delay();
    await world.drain();
    await expect(result.get()).rejects.toMatchObject({ message: expect.stringContaining('no result to go on with') });
  });

  it('with onSkip: retry comes again, and fails when no retry is left', async () => {
    const one = single({ onSkip: 'retry' }, { maxRetries: 1, defaultRetryDelay: 10 });
    using world = one.world;
    await one.task.applyAsync(['a', 30]);
    await world.advance(1);
    const gone = await one.task.applyAsync(['b', 1]);
    await world.advance(18);
    const again = await one.task.applyAsync(['c', 1], { countdown: 5 });
    await world.drain();
    await expect(gone.get()).rejects.toMatchObject({ code: 'LOCK_NOT_ACQUIRED' });
    expect(await again.get()).toBe('c');
    expect(one.runs.map(({ name }) => name)).toEqual(['a', 'c']);
  });

  it('goes with a concurrency of another kind: who waits for a slot keeps nobody away', async () => {
    const one = single({ key: (name: string) => name }, { concurrency: 1 });
    using world = one.world;
    await one.task.applyAsync(['a', 10]);
    await world.advance(1);
    await one.task.applyAsync(['b', 10]);
    await world.advance(1);
    expect(await holdersOf(one, 'b')).toBe(0);
    const doubled = await one.task.applyAsync(['a', 10]);
    await world.drain();
    expect(await doubled.state()).toBe('IGNORED');
    expect(one.runs.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('of a task without a claim leaves no lock behind', async () => {
    const one = single(true, { idempotent: true });
    using world = one.world;
    await one.task.applyAsync(['a', 5]);
    await world.advance(1);
    const second = await one.task.applyAsync(['b', 5]);
    await world.drain();
    expect(await second.state()).toBe('IGNORED');
    expect(await holdersOf(one)).toBe(0);
  });
});

describe('wait', () => {
  it('shows who runs and who waits', async () => {
    const one = single({ whenLocked: 'wait', key: (name: string) => name.slice(0, 1) });
    using world = one.world;
    const sent = [];
    for (const name of ['a1', 'a2', 'a3']) {
      sent.push(await one.task.applyAsync([name, 10]));
      await world.advance(0.1);
    }
    const { active, reserved, waiting, limit } = await one.app.control.slots('work', { key: 'a' });
    expect([active.map(({ id }) => id), reserved.map(({ id }) => id), waiting, limit]).toEqual([
      [sent[0]?.id],
      [sent[1]?.id, sent[2]?.id],
      2,
      1,
    ]);
    expect(await one.app.control.slots('work', { key: 'b' })).toMatchObject({ active: [], waiting: 0 });
    await world.drain();
  });

  it('runs one after another, in order', async () => {
    const one = single({ whenLocked: 'wait' });
    using world = one.world;
    for (const name of ['a', 'b', 'c', 'd']) {
      await one.task.applyAsync([name, 10]);
      await world.advance(0.1);
    }
    await world.drain();
    expect(one.runs.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    for (const [index, run] of one.runs.slice(1).entries())
      expect(run.fromMs).toBeGreaterThanOrEqual(one.runs[index]?.toMs ?? Infinity);
    expect(await holdersOf(one)).toBe(0);
  });

  it('goes on when its worker dies', async () => {
    const one = single({ whenLocked: 'wait' }, {}, { faults: { killBeforeCommit: 1 } });
    using world = one.world;
    await one.task.applyAsync(['a', 5]);
    await world.advance(1);
    await one.task.applyAsync(['b', 5]);
    await world.advance(6);
    world.faults.on = false;
    await world.drain();
    expect(one.runs.map(({ name }) => name).toSorted()).toEqual(['a', 'a', 'b']);
  });
});

describe('what is refused', () => {
  it.each<[string, TaskOptions, string]>([
    ['no object', { oneInstance: 'yes' as never }, "oneInstance of task 'work': 'yes' given"],
    ['an unknown option', { oneInstance: { wait: true } as never }, "'wait' is no option"],
    [
      'a key that is no function',
      { oneInstance: { key: 'a' as never } },
      "key of oneInstance of task 'work': 'a' given",
    ],
    ['no timeout', { oneInstance: { timeout: 0 } }, "timeout of oneInstance of task 'work': 0 is no duration"],
    ['another word', { oneInstance: { whenLocked: 'drop' as never } }, "'skip' or 'wait' is allowed"],
    ['another end', { oneInstance: { onSkip: 'fail' as never } }, "'ignored' or 'retry' is allowed"],
    ['who waits is not left out', { oneInstance: { whenLocked: 'wait', onSkip: 'retry' } }, 'which leaves no call out'],
    ['two waits', { concurrency: 2, oneInstance: { whenLocked: 'wait' } }, 'a task waits for one thing'],
  ])('%s', (_what, options, words) => {
    const app = new Celeriac('refused', { logger: silentLogger });
    expect(() => app.task('work', options, () => 1)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(words) }),
    );
  });

  it.each([false, null, undefined])('%s is none', (oneInstance) => {
    const app = new Celeriac('none', { logger: silentLogger });
    app.task('work', { oneInstance } as TaskOptions, () => 1);
    expect(app.registry.find('work')?.options.flow).toBeUndefined();
    expect(app.manifest().tasks['work']).not.toHaveProperty('oneInstance');
  });

  it('a key that is none', async () => {
    const one = single({ key: () => '' });
    using world = one.world;
    const result = await one.task.applyAsync(['a', 1]);
    await world.drain();
    await expect(result.get()).rejects.toMatchObject({ code: 'INVALID_KEY' });
  });
});

describe('who has the lock', () => {
  const mine = { leaseMs: 100, by: 'me' };
  const slots = (...holders: readonly (readonly [string, number])[]): Parameters<typeof entryOf>[0] => ({
    holders: new Map(holders.map(([name, leaseMs]) => [name, { leaseMs, by: `of ${name}` }])),
  });
  it.each<[string, Parameters<typeof entryOf>[0], object]>([
    ['nobody', slots(), { kind: 'free', remove: [] }],
    ['another', slots(['b#0', 60]), { kind: 'locked', holder: 'b#0', leaseMs: 60 }],
    [
      'another who is dead',
      slots(['b#0', 49]),
      { kind: 'free', remove: ['b#0'], when: expect.objectContaining({ atMost: 1 }) },
    ],
    ['another delivery', slots(['a#1', 60]), { kind: 'other', leaseMs: 60 }],
    ['its attempt before, which has ended', slots(['a#0', 60]), { kind: 'free', remove: ['a#0'] }],
    ['its next attempt', slots(['a#2', 60]), { kind: 'other', leaseMs: 60 }],
    [
      'a grant of its own',
      { holders: new Map([['a#1', { leaseMs: 60, by: 'grant/x' }]]) },
      { kind: 'free', remove: [] },
    ],
    ['itself', { holders: new Map([['a#1', mine]]) }, { kind: 'own' }],
  ])('%s', (_what, given, entry) => {
    expect(entryOf(given, 'a#1', mine, 50)).toMatchObject(entry);
  });
});

// test/flow/one-instance.long.test.ts looks further.
const RUNS = 5;

it('never runs beside itself, ends all, and leaves no lock, whatever goes wrong', async () => {
  await fc.assert(
    fc.asyncProperty(INSTANCE_WALKS, async (drawn) => {
      expect(await instanceWalk(drawn)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
