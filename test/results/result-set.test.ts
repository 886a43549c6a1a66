import { type AsyncResult, ResultSet } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

function setWorld() {
  return newWorld((app) => ({
    add: app.task('add', (x: number, y: number) => x + y),
    fail: app.task('fail', (): number => {
      throw new RangeError('broken');
    }),
  }));
}

describe('ResultSet', () => {
  it('holds each result once, in the order in which they were added', async () => {
    const { app, tasks } = setWorld();
    const [first, second] = [await tasks.add.delay(1, 1), await tasks.add.delay(2, 2)];
    const set = new ResultSet([first, second, first]);
    expect(set.results.map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(set.add(app.result(first.id)).length).toBe(2);
    expect(set.discard(first).discard(first).length).toBe(1);
    expect(() => set.remove(first)).toThrow(/is no member/);
    expect(set.remove(second.id).update([first]).length).toBe(1);
    expect(set.clear().length).toBe(0);
    expect(() => set.add('an id' as never)).toThrow(/'an id' given/);
  });

  it('tells of all of them', async () => {
    const { world, tasks } = setWorld();
    const set = new ResultSet([await tasks.add.delay(1, 1), await tasks.add.applyAsync([2, 2], { countdown: 60 })]);
    await world.run();
    expect([await set.ready(), await set.waiting(), await set.successful(), await set.completedCount()]).toEqual([
      false,
      true,
      false,
      1,
    ]);
    await world.advance(60);
    expect([await set.ready(), await set.successful(), await set.failed()]).toEqual([true, true, false]);
    expect(await set.join()).toEqual([2, 4]);
    set.add(await tasks.fail.delay());
    await world.run();
    expect([await set.ready(), await set.successful(), await set.failed(), await set.completedCount()]).toEqual([
      true,
      false,
      true,
      2,
    ]);
    await expect(set.get()).rejects.toMatchObject({ name: 'RangeError', message: 'broken' });
    expect(await set.join({ propagate: false })).toEqual([2, 4, expect.objectContaining({ message: 'broken' })]);
  });

  it('waits for all together no longer than its timeout', async () => {
    const { world, tasks } = setWorld();
    const late = [10, 20, 30].map((countdown) => tasks.add.applyAsync([1, 1], { countdown }));
    const set = new ResultSet(await Promise.all(late));
    const startedMs = world.clock.nowMs();
    const joined = set.join({ timeout: 15 }).catch((error: unknown) => error);
    await world.advance(60);
    expect(await joined).toMatchObject({ code: 'TIMEOUT' });
    const again = set.join({ timeout: 15 });
    await world.advance(0);
    expect(await again).toEqual([2, 2, 2]);
    expect(world.clock.nowMs() - startedMs).toBe(60_000);
  });

  it('revokes and forgets all', async () => {
    const { world, tasks } = setWorld();
    const set = new ResultSet([await tasks.add.applyAsync([1, 1], { countdown: 60 })]);
    await set.revoke();
    await world.advance(120);
    expect(await Promise.all(set.results.map((result) => result.state()))).toEqual(['REVOKED']);
    await set.forget();
    expect(await set.results[0]?.state()).toBe('PENDING');
  });
});

describe('what followed from a task', () => {
  it('is collected level by level, each once, with what it followed from', async () => {
    const { world, tasks, app } = newWorld((app) => ({
      add: app.task('add', (x: number, y: number) => x + y),
    }));
    const { add } = tasks;
    const result = await add.applyAsync([1, 1], { link: [add.s(10), add.s(20).link(add.s(100))] });
    await world.drain();
    const values: unknown[] = [];
    for await (const [, value] of result.collect()) values.push(value);
    expect(values).toEqual([2, 12, 22, 122]);
    const pairs: (readonly [string | undefined, string])[] = [];
    for await (const [parent, node] of app.result(result.id).iterdeps()) pairs.push([parent?.id, node.id]);
    expect(pairs.map(([parent]) => parent)).toEqual([undefined, result.id, result.id, pairs[2]?.[1]]);
  });

  it('is not known of a task that is not finished', async () => {
    const { world, tasks } = setWorld();
    const { add } = tasks;
    const result = await add.applyAsync([1, 1], { link: add.s(1).set({ countdown: 60 }) });
    await world.run();
    const read = async (intermediate: boolean): Promise<AsyncResult[]> => {
      const nodes: AsyncResult[] = [];
      for await (const [, node] of result.iterdeps({ intermediate })) nodes.push(node);
      return nodes;
    };
    await expect(read(false)).rejects.toMatchObject({ code: 'INCOMPLETE_STREAM' });
    expect(await read(true)).toHaveLength(2);
    await world.advance(60);
    expect(await read(false)).toHaveLength(2);
  });
});
