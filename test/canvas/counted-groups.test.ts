/** Who counts the members of a group: for a chord always the workers, for a plain group whoever sends it says so. */
import {
  type AnySignature,
  Celeriac,
  chain,
  chord,
  group,
  GroupResult,
  type Signature,
  signature,
  silentLogger,
} from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { canvasWorld, send } from '../support/canvas-world.ts';

const NOBODY = { done: 0, failed: [] };
const asData = (sig: AnySignature): AnySignature => signature(JSON.parse(JSON.stringify(sig)) as Signature);

async function sendGroup(sig: AnySignature): Promise<GroupResult> {
  const result = await send(sig);
  if (!(result instanceof GroupResult)) throw new Error('no group');
  return result;
}

/** Counts the reads of results, in requests and in members. */
function watchReads({ backend }: World): { requests: number; members: number } {
  const reads = { requests: 0, members: 0 };
  const get = backend.get.bind(backend);
  backend.get = (ids, nowMs) => {
    reads.requests += 1;
    reads.members += ids.length;
    return get(ids, nowMs);
  };
  return reads;
}

describe('a plain group', () => {
  it('is counted by nobody, and its members are told to count nothing', async () => {
    const { world, tasks } = canvasWorld();
    const marks: unknown[] = [];
    world.groups.mark = (given) => {
      marks.push(...given);
      return Promise.reject(new Error('a member was counted'));
    };
    const result = await sendGroup(group([tasks.echo.s(1), tasks.fail.s(), tasks.echo.s(2)]));
    await world.drain();
    expect(marks).toEqual([]);
    expect(await result.progress()).toEqual({ total: 3, done: 3, failed: 1 });
    expect(await result.join({ propagate: false })).toMatchObject([1, { name: 'RangeError' }, 2]);
  });

  it('is counted where its sender asks for it, in whatever way it is sent', async () => {
    const { world, tasks } = canvasWorld();
    const members = [tasks.echo.s(1), tasks.fail.s()];
    const counted = group(members, { count: true });
    const trees: readonly AnySignature[] = [
      counted,
      asData(counted),
      chain(tasks.echo.s(0), group([tasks.echo.si(1), tasks.fail.si()], { count: true })),
      asData(chain(tasks.echo.s(0), group([tasks.echo.si(1), tasks.fail.si()], { count: true }))),
      counted.set({ countdown: 5 }),
      counted.skew(),
    ];
    for (const tree of trees) {
      const result = await sendGroup(tree);
      await world.drain();
      expect(await world.groups.count(result.id)).toMatchObject({ done: 2, failed: [1] });
      expect(await result.progress()).toEqual({ total: 2, done: 2, failed: 1 });
    }
  });

  it('at the end of a chain is counted by nobody, as elsewhere', async () => {
    const { world, tasks } = canvasWorld();
    const result = await sendGroup(chain(tasks.echo.s(0), group([tasks.echo.si(1), tasks.echo.si(2)])));
    await world.drain();
    expect(await world.groups.count(result.id)).toMatchObject(NOBODY);
    expect(await result.join()).toEqual([1, 2]);
  });

  it('saved, it is read as it was sent', async () => {
    const { app, world, tasks } = canvasWorld();
    for (const count of [true, false]) {
      const result = await sendGroup(group([tasks.echo.s(1), tasks.fail.s()], { count }));
      await result.save();
      await world.drain();
      const found = await app.groupResult(result.id);
      const reads = watchReads(world);
      expect(await found?.progress()).toEqual({ total: 2, done: 2, failed: 1 });
      expect(reads.members).toBe(count ? 0 : 2);
    }
  });

  it('an ignored result is a success', async () => {
    const { world, app } = canvasWorld();
    const quiet = app.task('quiet', { ignoreResult: true }, () => 1);
    const result = await sendGroup(group([quiet.s(), quiet.s()]));
    await world.drain();
    expect([await result.progress(), await result.successful(), await result.join()]).toEqual([
      { total: 2, done: 2, failed: 0 },
      true,
      [undefined, undefined],
    ]);
  });
});

describe('what asking costs', () => {
  it('progress: each member until it has ended, then never again', async () => {
    const { world, tasks } = canvasWorld();
    const late = tasks.echo.s(0).set({ countdown: 60 });
    const result = await sendGroup(group([...Array.from({ length: 99 }, (_, index) => tasks.echo.s(index)), late]));
    const reads = watchReads(world);
    await result.progress();
    expect(reads).toEqual({ requests: 2, members: 100 });
    await world.run();
    await result.progress();
    expect(reads).toEqual({ requests: 4, members: 200 });
    expect(await result.completedCount()).toBe(99);
    expect(reads).toEqual({ requests: 5, members: 201 });
    await world.drain();
    expect([await result.ready(), await result.successful(), await result.failed()]).toEqual([true, true, false]);
    expect(reads).toEqual({ requests: 6, members: 202 });
  });

  it('join: one request each time, as long as members are open; a failure of any is found', async () => {
    const { world, tasks } = canvasWorld();
    const members = Array.from({ length: 1000 }, (_, index) => tasks.echo.s(index).set({ countdown: 3600 }));
    const result = await sendGroup(group(members));
    const reads = watchReads(world);
    await expect(result.join({ timeout: 10, interval: 1 })).rejects.toMatchObject({ message: /1000 of 1000/ });
    expect(reads).toEqual({ requests: 11, members: 11 * 64 });

    const failing = await sendGroup(group([...members, tasks.fail.s()]));
    await expect(failing.join({ timeout: 30, interval: 1 })).rejects.toMatchObject({ name: 'RangeError' });
    await world.drain();
    const before = reads.requests;
    expect(await result.join({ timeout: 1 })).toHaveLength(1000);
    // Once to find that all have ended, once for what they have returned.
    expect(reads.requests - before).toBe(32);
  });

  it('iterate gives each as it ends', async () => {
    const { tasks } = canvasWorld();
    const slow = tasks.echo.s('slow').set({ countdown: 30 });
    const result = await sendGroup(group([slow, tasks.echo.s('quick')]));
    const seen: unknown[] = [];
    for await (const item of result.iterate({ timeout: 60 })) seen.push(item);
    expect(seen).toEqual([
      { index: 1, value: 'quick' },
      { index: 0, value: 'slow' },
    ]);
  });
});

it('a chord counts its header, whatever was said of the group that it was made of', async () => {
  for (const count of [true, false]) {
    const { world, tasks } = canvasWorld();
    const header = group([tasks.echo.s(1), tasks.echo.s(2)], { count });
    for (const whole of [chord(header, tasks.list.s()), chain(header, tasks.list.s())]) {
      const result = await send(whole);
      await world.drain();
      const { parent } = result;
      if (!(parent instanceof GroupResult)) throw new Error('no header');
      expect(await world.groups.count(parent.id)).toMatchObject({ done: 2 });
      world.backend.get = () => Promise.reject(new Error('a member was read'));
      expect(await parent.progress()).toEqual({ total: 2, done: 2, failed: 0 });
      Reflect.deleteProperty(world.backend, 'get');
    }
  }
});

describe('options', () => {
  const { tasks } = canvasWorld();
  const members = [tasks.echo.s(1)];

  it.each([
    [{ cuont: true }, "group(): options: 'cuont' is no option. Allowed are count. Did you mean 'count'?"],
    [{ count: 1 }, 'group(): count: 1 given; true or false is allowed.'],
    ['count', "group(): 'count' given as options; an object such as { count: true } is allowed."],
  ])('%j is refused', (options, message) => {
    expect(() => group(members, options as never)).toThrow(message);
  });

  it('a count is refused where members run in Python, before anything is sent', async () => {
    const app = new Celeriac('mixed', { queues: { default: {}, celery: { external: true } }, logger: silentLogger });
    const theirs = app.remote<(value: number) => number>('proj.echo', { queue: 'celery' });
    const world = new World(app);
    const sig = group([theirs.s(1)], { count: true });
    await expect(sig.delay()).rejects.toThrow('group(): count: true given for members of external queues');
    expect(world.broker.peekAll('celery')).toEqual([]);
    expect(await (await group([theirs.s(1)]).delay()).progress()).toEqual({ total: 1, done: 0, failed: 0 });
  });
});
