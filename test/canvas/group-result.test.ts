/** GroupResult: counts, waiting, results in order and as they come; and large headers, whose results the body reads itself. */
import { type AnySignature, chain, chord, group, type GroupOptions, GroupResult } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { delayAndCopy } from '../support/canvas-crash.ts';
import { type CanvasTasks, canvasWorld, expectEnded, send } from '../support/canvas-world.ts';
import { newWorld } from '../support/worlds.ts';

const echoes = ({ echo }: CanvasTasks, size: number): AnySignature[] =>
  Array.from({ length: size }, (_, index) => echo.s(index));
const numbers = (size: number): number[] => Array.from({ length: size }, (_, index) => index);

async function sendGroup(members: readonly AnySignature[], options: GroupOptions = {}): Promise<GroupResult> {
  const result = await send(group(members, options));
  if (!(result instanceof GroupResult)) throw new Error('no group');
  return result;
}

describe('how far it is', () => {
  it.each([true, false])('tells who is done, and who of them failed; count: %s', async (count) => {
    const { world, tasks } = canvasWorld();
    const { echo, fail, reject, ignore } = tasks;
    const later = echo.s(3).set({ countdown: 60 });
    const result = await sendGroup([echo.s(1), fail.s(), later, reject.s(), ignore.s()], { count });
    const seen = async (): Promise<unknown> => ({
      total: result.total,
      length: result.length,
      progress: await result.progress(),
      completed: await result.completedCount(),
      failedCount: await result.failedCount(),
      flags: [await result.waiting(), await result.ready(), await result.successful(), await result.failed()],
    });
    const base = { total: 5, length: 5 };
    const flags = [true, false, false, false];
    expect(await seen()).toEqual({
      ...base,
      progress: { total: 5, done: 0, failed: 0 },
      completed: 0,
      failedCount: 0,
      flags,
    });
    await world.run();
    const some = { total: 5, done: 4, failed: 3 };
    expect(await seen()).toEqual({
      ...base,
      progress: some,
      completed: 1,
      failedCount: 3,
      flags: [true, false, false, true],
    });
    await world.advance('2m');
    const all = { total: 5, done: 5, failed: 3 };
    expect(await seen()).toEqual({
      ...base,
      progress: all,
      completed: 2,
      failedCount: 3,
      flags: [false, true, false, true],
    });
  });

  it('a group whose members succeed is successful; an empty one is, from the start', async () => {
    const { world, tasks } = canvasWorld();
    const [result, empty] = [await sendGroup(echoes(tasks, 3)), await sendGroup([])];
    expect([await empty.ready(), await empty.successful(), await empty.join()]).toEqual([true, true, []]);
    for await (const _ of empty.iterate()) throw new Error('nothing is in it');
    await world.drain();
    expect([await result.successful(), await result.failed()]).toEqual([true, false]);
  });

  it('count: true: is read from the counts: 200 members in four parts, and no member', async () => {
    const { world, tasks } = canvasWorld();
    const result = await sendGroup(echoes(tasks, 200), { count: true });
    await world.drain();
    world.backend.get = () => Promise.reject(new Error('a member was read'));
    expect(await result.progress()).toEqual({ total: 200, done: 200, failed: 0 });
    expect([await result.ready(), await result.successful()]).toEqual([true, true]);
  });
});

describe('join', () => {
  it('waits, and gives the results in the order of the members', async () => {
    const { tasks } = canvasWorld();
    const members = [3, 1, 2].map((value) => tasks.echo.s(value).set({ countdown: value * 10 }));
    const result = await sendGroup(members);
    expect(await result.join({ timeout: 60 })).toEqual([3, 1, 2]);
    expect(await result.get()).toEqual([3, 1, 2]);
    expect(await Promise.all(result.results.map((member) => member.get()))).toEqual([3, 1, 2]);
  });

  it('gives up after its timeout, and says how many are missing', async () => {
    const { world, tasks } = canvasWorld();
    const { echo } = tasks;
    const result = await sendGroup([echo.s(1), echo.s(2).set({ countdown: 60 }), echo.s(3).set({ countdown: 60 })]);
    const startMs = world.clock.nowMs();
    let looks = 0;
    const waiting = result.join({ timeout: 10, interval: 2, onInterval: () => (looks += 1) });
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError', message: /2 of 3 members/ });
    expect(world.clock.nowMs() - startMs).toBe(10_000);
    expect(looks).toBe(5);
    await expect(result.join({ timeout: 0 })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it("throws a failed member's own error at once, wherever it stands, and waits for nobody", async () => {
    const { world, tasks } = canvasWorld();
    const result = await sendGroup([
      ...numbers(150).map((index) => tasks.echo.s(index).set({ countdown: '1h' })),
      tasks.fail.s(),
    ]);
    const startMs = world.clock.nowMs();
    await expect(result.join()).rejects.toMatchObject({ name: 'RangeError', message: 'broken' });
    expect(world.clock.nowMs() - startMs).toBeLessThan(2000);
  });

  it('propagate: false gives errors in the place of results, when all have ended', async () => {
    const { tasks } = canvasWorld();
    const { echo, fail, reject } = tasks;
    const result = await sendGroup([fail.s(), echo.s(1).set({ countdown: 60 }), reject.s()]);
    expect(await result.join({ propagate: false })).toMatchObject([
      { name: 'RangeError' },
      1,
      { name: 'TaskRejectedError' },
    ]);
  });

  it('a member without a result gives undefined: ignored, or Ignore raised', async () => {
    const { tasks } = canvasWorld();
    const { echo, silent, ignore } = tasks;
    const result = await sendGroup([echo.s(1), silent.s(2), ignore.s()]);
    expect(await result.join({ timeout: 5 })).toEqual([1, undefined, undefined]);
    const seen: unknown[] = [];
    for await (const { index, value } of result.iterate({ timeout: 5 })) seen.push([index, value]);
    expect(seen).toEqual([
      [0, 1],
      [1, undefined],
      [2, undefined],
    ]);
  });

  it('says that a result has expired instead of waiting for it', async () => {
    const { world, tasks } = canvasWorld({ resultExpires: '10m' });
    const result = await sendGroup(echoes(tasks, 2), { count: true });
    await world.drain();
    await world.advance('4h');
    await expect(result.join()).rejects.toMatchObject({ name: 'InvalidResult', message: /expired/ });
    expect(await result.join({ propagate: false })).toMatchObject([
      { name: 'InvalidResult' },
      { name: 'InvalidResult' },
    ]);
    await expect(result.iterate().next()).rejects.toMatchObject({ name: 'InvalidResult' });
  });

  it('where nobody counts, a result that has expired is as one that has not come', async () => {
    const { world, tasks } = canvasWorld({ resultExpires: '10m' });
    const result = await sendGroup(echoes(tasks, 2));
    await world.drain();
    await world.advance('4h');
    const waiting = result.join({ timeout: 5 });
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError', message: /2 of 2 members .* have expired/ });
  });

  it.each([35, 200, 600])('%i members, whatever order they end in', async (size) => {
    const { world, tasks } = canvasWorld();
    let late = 0;
    delayAndCopy(world, () => ({ delaySeconds: (late = (late * 7 + 3) % 61), copies: [] }));
    const result = await sendGroup(echoes(tasks, size));
    expect(await result.join({ timeout: '1h' })).toEqual(numbers(size));
  });
});

describe('iterate', () => {
  it('gives results as they finish', async () => {
    const { world, tasks } = canvasWorld();
    const members = [30, 10, 20, 40].map((seconds) => tasks.echo.s(seconds).set({ countdown: seconds }));
    const result = await sendGroup(members);
    const startMs = world.clock.nowMs();
    const seen: number[][] = [];
    for await (const { index, value } of result.iterate({ interval: 1 }))
      seen.push([index, value as number, Math.round((world.clock.nowMs() - startMs) / 1000)]);
    expect(seen).toEqual([
      [1, 10, 10],
      [2, 20, 20],
      [0, 30, 30],
      [3, 40, 40],
    ]);
  });

  it('in the order of their end also when all have ended before', async () => {
    const { world, tasks } = canvasWorld();
    const result = await sendGroup([30, 10, 20].map((seconds) => tasks.echo.s(seconds).set({ countdown: seconds })));
    await world.drain();
    const seen: unknown[] = [];
    for await (const { value } of result.iterate()) seen.push(value);
    expect(seen).toEqual([10, 20, 30]);
  });

  it('throws where it comes to a failed member; propagate: false gives its error; gives up after its timeout', async () => {
    const { tasks } = canvasWorld();
    const { echo, fail } = tasks;
    const result = await sendGroup([echo.s(1).set({ countdown: 60 }), fail.s().set({ countdown: 20 }), echo.s(3)]);
    const iterator = result.iterate();
    expect(await iterator.next()).toMatchObject({ value: { index: 2, value: 3 } });
    await expect(iterator.next()).rejects.toMatchObject({ name: 'RangeError' });
    const seen: unknown[] = [];
    const waiting = (async () => {
      for await (const item of result.iterate({ propagate: false, timeout: 5 })) seen.push(item);
    })();
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError', message: /1 of 3 members/ });
    expect(seen).toMatchObject([
      { index: 2, value: 3 },
      { index: 1, value: { name: 'RangeError' } },
    ]);
  });
});

describe('the rest of it', () => {
  it.each([true, false])('revoke stops what has not started, and the group completes; count: %s', async (count) => {
    const { world, tasks, of } = canvasWorld();
    const members = numbers(40).map((index) => tasks.echo.s(index).set({ countdown: index < 5 ? 0 : 60 }));
    const result = await sendGroup(members, { count });
    await world.run();
    await result.revoke();
    await world.drain();
    expect(of('echo').length).toBe(5);
    expect(await result.progress()).toEqual({ total: 40, done: 40, failed: 35 });
    await expect(result.join()).rejects.toMatchObject({ name: 'TaskRevokedError' });
  });

  it("revoking a chord's header resolves the chord", async () => {
    const { world, tasks } = canvasWorld();
    const whole = chord(
      [tasks.echo.s(1).set({ countdown: 60 }), tasks.echo.s(2).set({ countdown: 60 })],
      tasks.list.s(),
    );
    const result = await send(whole);
    await (result.parent as GroupResult).revoke();
    await world.drain();
    await expectEnded(world, whole, result);
    await expect(result.get()).rejects.toMatchObject({ name: 'ChordError', message: /TaskRevokedError/ });
  });

  it.each([true, false])('forget deletes results and counts; count: %s', async (count) => {
    const { world, tasks } = canvasWorld();
    const result = await sendGroup(echoes(tasks, 70), { count });
    await world.drain();
    expect(await result.progress()).toEqual({ total: 70, done: 70, failed: 0 });
    await result.save();
    await result.forget();
    expect(world.backend.all().filter(({ id }) => result.memberIds.includes(id))).toEqual([]);
    expect(await result.progress()).toEqual({ total: 70, done: 0, failed: 0 });
  });

  it('save, and app.groupResult in another process', async () => {
    const { app, world, tasks } = canvasWorld();
    const result = await sendGroup([tasks.echo.s(1), tasks.echo.s(2).set({ taskId: 'second' })]);
    expect(await app.groupResult(result.id)).toBe(undefined);
    await result.save('1h');
    await world.run();
    const found = await app.groupResult<[number, number]>(result.id);
    expect(found?.memberIds).toEqual([result.memberIds[0], 'second']);
    expect(await found?.join()).toEqual([1, 2]);
    await world.advance('2h');
    expect(await app.groupResult(result.id)).toBe(undefined);
    expect(await app.groupResult('unknown')).toBe(undefined);
  });

  it('run eagerly it has the same methods', async () => {
    const { tasks } = canvasWorld();
    const { echo, fail } = tasks;
    const result = (await (
      group(echo.s(1), fail.s()) as unknown as { apply(): Promise<GroupResult> }
    ).apply()) as GroupResult;
    expect(await result.progress()).toEqual({ total: 2, done: 2, failed: 1 });
    const seen: unknown[] = [];
    for await (const { index, value } of result.iterate({ propagate: false })) seen.push([index, value]);
    expect(seen).toMatchObject([
      [0, 1],
      [1, { name: 'RangeError' }],
    ]);
    await expect(result.join()).rejects.toMatchObject({ name: 'RangeError' });
    await result.revoke();
    await result.forget();
    expect(await result.join({ propagate: false })).toMatchObject([1, { name: 'RangeError' }]);
  });
});

describe('results handed to a body', () => {
  it.each([
    [200, 'in the message'],
    [600, 'by reference'],
  ])('of %i members, %s, in order', async (size, how) => {
    const { world, tasks, of } = canvasWorld();
    let [late, longest] = [0, 0];
    delayAndCopy(world, ({ body }) => {
      longest = Math.max(longest, body.length);
      return { delaySeconds: (late = (late * 7 + 3) % 61), copies: [] };
    });
    const whole = chord(echoes(tasks, size) as never, tasks.list.s('mine'));
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    expect(await result.get()).toEqual([numbers(size), 'mine']);
    expect(of('list')[0]?.request.args).toEqual([numbers(size), 'mine']);
    expect(longest > 2500).toBe(how === 'in the message');
  });

  it.each([
    ['of text', 'x'.repeat(70_000)],
    // Three bytes a character: counted in characters it would seem to fit a message, and would not.
    ['of another alphabet', '語'.repeat(60_000)],
  ])('by reference where they are over 200 KB: %s', async (_name, text) => {
    const { world, tasks } = newWorld((app) => ({
      large: app.task('large', (_index: number) => text),
      lengths: app.task('lengths', (values: string[]) => values.map((value) => value.length)),
    }));
    const sizes: number[] = [];
    delayAndCopy(world, ({ body }) => (sizes.push(body.length), { delaySeconds: 0, copies: [] }));
    const header = numbers(3).map((index) => tasks.large.s(index));
    const result = await chord(
      header,
      chord([tasks.lengths.s(), tasks.lengths.s()], tasks.lengths.s() as never),
    ).delay();
    await world.drain();
    expect(await result.get({ timeout: 0 })).toEqual([3, 3]);
    expect(Math.max(...sizes)).toBeLessThan(5000);
  });

  it.each([3, 600])(
    'that have expired meanwhile make the body a ChordError, and its error links run: %i',
    async (size) => {
      const { world, tasks, of } = canvasWorld({ resultExpires: '1h' });
      const header = [...echoes(tasks, size - 1), tasks.echo.s(1).set({ countdown: '4h' })];
      const whole = chord(header as never, tasks.list.s().linkError(tasks.tell.s()));
      const result = await send(whole);
      await world.drain();
      await expect(result.get()).rejects.toMatchObject({ name: 'ChordError', message: /Raise resultExpires/ });
      expect(of('list')).toEqual([]);
      expect(of('tell').map((run) => run.args)).toEqual([[result.id]]);
    },
  );

  it.each([3, 600])('to a body that is retried, with the same arguments and with others: %i', async (size) => {
    const seen: unknown[] = [];
    const { world, tasks } = newWorld((app) => ({
      one: app.task('one', (value: number) => value),
      body: app.task('body', { bind: true }, (self, values: readonly number[], more: string): unknown => {
        seen.push([values.length, more]);
        if (self.request.retries === 0) throw self.retry({ countdown: 1 });
        if (self.request.retries === 1) throw self.retry({ countdown: 1, args: [values.slice(0, 2), 'other'] });
        return values;
      }),
    }));
    const result = await chord(
      numbers(size).map((value) => tasks.one.s(value)),
      tasks.body.s('mine'),
    ).delay();
    await world.drain();
    expect(await result.get()).toEqual([0, 1]);
    expect(seen).toEqual([
      [size, 'mine'],
      [size, 'mine'],
      [2, 'other'],
    ]);
  });

  it('with policy settled, expired ones are told as such', async () => {
    const { world, tasks } = canvasWorld({ resultExpires: '1h' });
    const header = [tasks.echo.s(1), tasks.echo.s(2).set({ countdown: '4h' })];
    const result = await send(chord(header, tasks.list.s(), { policy: 'settled' }));
    await world.drain();
    expect(await result.get()).toMatchObject([[{ status: 'EXPIRED' }, { status: 'SUCCESS', value: 2 }]]);
  });

  it('of nobody: an empty header calls the body with []', async () => {
    const { world, tasks, of } = canvasWorld();
    const results = [
      await send(chord([], tasks.list.s('x'))),
      await send(chain(tasks.echo.s(1), group([]) as never, tasks.list.s() as never)),
    ];
    await world.drain();
    expect(await Promise.all(results.map((result) => result.get({ timeout: 0 })))).toEqual([[[], 'x'], [[]]]);
    expect(of('list').length).toBe(2);
  });
});
