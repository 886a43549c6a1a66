/** Links, options, arguments and stamps of signatures put together, and what a task can see of where it stands. */
import { type AnySignature, chain, chord, currentTask, group, type GroupResult, signature } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { type CanvasTasks, canvasWorld, send, type TaskRun, unordered } from '../support/canvas-world.ts';
import { newWorld } from '../support/worlds.ts';

const argsOf = (runs: readonly TaskRun[]): unknown[] => runs.map((run) => run.args);
/** Loosely typed: what is put together here is about options, not about types. */
const loose = (sig: AnySignature) =>
  sig as AnySignature & {
    delay(...args: readonly unknown[]): ReturnType<typeof send>;
    apply(args?: readonly unknown[]): ReturnType<typeof send>;
    applyAsync(args: readonly unknown[], options: object): ReturnType<typeof send>;
    set(options: object): AnySignature;
    link(sig: AnySignature): AnySignature;
    linkError(sig: AnySignature): AnySignature;
    onError(sig: AnySignature): AnySignature;
    stamp(stamps: object): AnySignature;
  };

describe('link', () => {
  it('is called with the result before its own arguments; immutable ones with their own alone; all of them', async () => {
    const { world, tasks, of } = canvasWorld();
    const sig = tasks.echo.s(1).link(tasks.tell.s()).link(tasks.tell.s('more')).link(tasks.tell.si('own'));
    await send(sig);
    await tasks.echo.applyAsync([2], { link: tasks.tell.s('by call') });
    await world.drain();
    expect(unordered(argsOf(of('tell')))).toEqual(unordered([[1], [1, 'more'], [2, 'by call'], ['own']]));
  });

  it('is called when all retries are over, once', async () => {
    const { world, tasks, of } = canvasWorld();
    await send(tasks.flaky.s('value').link(tasks.tell.s()).linkError(tasks.tell.s('error')));
    await world.drain();
    expect(of('flaky').length).toBe(3);
    expect(argsOf(of('tell'))).toEqual([['value']]);
  });

  it('linkError and onError are called with the id of the failed task, and link is not', async () => {
    const { world, tasks, of } = canvasWorld();
    const failed = await send(
      tasks.fail.s().link(tasks.echo.s()).linkError(tasks.tell.s('a')).onError(tasks.tell.si('b')),
    );
    await world.drain();
    expect(argsOf(of('tell'))).toEqual([[failed.id, 'a'], ['b']]);
    expect(of('echo')).toEqual([]);
  });

  it.each<[string, (tasks: CanvasTasks) => AnySignature, unknown]>([
    ['a chain', ({ tell, list }) => chain(tell.s(), list.s('last')), [['told', 'last']]],
    [
      'a group',
      ({ list }) => group(list.s('a'), list.s('b')),
      [
        [1, 'a'],
        [1, 'b'],
      ],
    ],
    ['a chord', ({ echo, list }) => chord([echo.s(), echo.si(2)], list.s()), [[[1, 2]]]],
    ['map', ({ list }) => list.map([5]), [[5]]],
  ])('to %s', async (_name, build, expected) => {
    const { world, tasks, of } = canvasWorld();
    await send(tasks.echo.s(1).link(build(tasks)));
    await world.drain();
    expect(argsOf([...of('list'), ...of('celery.map')])).toEqual(expected);
    const failing = canvasWorld();
    await send(failing.tasks.fail.s().linkError(build(failing.tasks)));
    await failing.world.drain();
    expect([...failing.of('list'), ...failing.of('celery.map')].length).toBe((expected as unknown[]).length);
  });
});

describe('links of', () => {
  it('a chain: link is called by its last task, linkError by whichever fails', async () => {
    const { app, world, tasks, of } = canvasWorld();
    const { echo, list, fail, tell } = tasks;
    await send(chain(echo.s(1), list.s()).link(tell.s('good')).linkError(tell.s('bad')));
    await world.drain();
    expect(argsOf(of('tell'))).toEqual([[[1], 'good']]);
    await send(loose(chain(echo.s(1), fail.s().set({ taskId: 'second' }), list.s() as never)).linkError(tell.s('bad')));
    await world.drain();
    expect(argsOf(of('tell').slice(1))).toEqual([['second', 'bad']]);
    expect(await app.result('second').state()).toBe('FAILURE');
  });

  it('a group: link is called by its first task, as an immutable clone; linkError by each that fails', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, fail, tell } = tasks;
    await send(loose(group(echo.s(1), echo.s(2))).link(tell.s('own')));
    await world.drain();
    expect(argsOf(of('tell'))).toEqual([['own']]);
    await send(loose(group(echo.s(1).link(tell.s('kept')), echo.s(2))).link(chain(echo.s('first'), tell.s('second'))));
    await world.drain();
    expect(unordered(argsOf(of('tell').slice(1)))).toEqual(
      unordered([
        [1, 'kept'],
        ['first', 'second'],
      ]),
    );
    const failed = (await send(loose(group(fail.s(), echo.s(1), fail.s())).linkError(tell.s()))) as GroupResult;
    await world.drain();
    expect(unordered(argsOf(of('tell').slice(3)))).toEqual(unordered([[failed.memberIds[0]], [failed.memberIds[2]]]));
  });

  it('a chord: both belong to its body; members have their own', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, fail, list, tell } = tasks;
    const good = await send(
      chord([echo.s(1).link(tell.s('member'))], list.s())
        .link(tell.s('body'))
        .linkError(tell.s('no')),
    );
    await world.drain();
    expect(argsOf(of('tell'))).toEqual([
      [1, 'member'],
      [[[1]], 'body'],
    ]);
    expect(await good.get()).toEqual([[1]]);
    const bad = await send(
      chord([fail.s().linkError(tell.s('member'))] as never, list.s())
        .link(tell.s('no'))
        .linkError(tell.s('body')),
    );
    await world.drain();
    const [header] = (bad.parent as GroupResult).memberIds;
    expect(argsOf(of('tell').slice(2))).toEqual([
      [header, 'member'],
      [bad.id, 'body'],
    ]);
  });

  it('a chord in a chain: they stay with the body that it had', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, list, tell } = tasks;
    const linked = chord([echo.s(1)], list.s('body'))
      .link(tell.s())
      .set({ taskId: 'inner' });
    const result = await send(chain(linked, echo.si('last') as never));
    await world.drain();
    expect(argsOf(of('tell'))).toEqual([[[[1], 'body']]]);
    expect(of('list')[0]?.request.id).toBe('inner');
    expect(await result.get()).toBe('last');
  });
});

describe('options of', () => {
  const START = Date.UTC(2030, 0, 1);
  const timed = (tasks: CanvasWorldTimes): unknown =>
    tasks.runs.map(({ name, seconds, queue }) => [name, seconds, queue]);
  interface CanvasWorldTimes {
    readonly runs: { name: string; seconds: number; queue: string }[];
  }
  const newTimes = () => {
    const runs: CanvasWorldTimes['runs'] = [];
    const { app, world, tasks } = newWorld(
      (celeriac) => {
        const note = (..._args: readonly unknown[]): number => {
          const { task, deliveryInfo } = currentTask().request;
          runs.push({ name: task, seconds: (world.clock.nowMs() - START) / 1000, queue: deliveryInfo.queue });
          return 1;
        };
        return {
          a: celeriac.task('a', note),
          b: celeriac.task('b', note),
          c: celeriac.task('c', (_values: unknown) => note()),
        };
      },
      { queues: { default: {}, mail: {} } },
    );
    return { app, world, tasks, runs };
  };

  it.each<[string, (tasks: ReturnType<typeof newTimes>['tasks']) => AnySignature, unknown]>([
    [
      'a chain: countdown and queue are those of its first task',
      ({ a, c }) => chain(a.s(), c.s()),
      [
        ['a', 60, 'mail'],
        ['c', 60, 'default'],
      ],
    ],
    [
      'a group: applied to each member',
      ({ a, b }) => group(a.s(), b.s().set({ countdown: 30 })),
      [
        ['b', 30, 'mail'],
        ['a', 60, 'mail'],
      ],
    ],
    [
      "a chord: of header and body; countdown is the header's",
      ({ a, c }) => chord([a.s()], c.s()),
      [
        ['a', 60, 'mail'],
        ['c', 60, 'mail'],
      ],
    ],
    [
      'a chord with a chain: of what it starts with',
      ({ a, b, c }) => chord([chain(a.s(), b.si())], chain(c.s(), b.si())),
      [
        ['a', 60, 'mail'],
        ['b', 60, 'default'],
        ['c', 60, 'mail'],
        ['b', 60, 'default'],
      ],
    ],
    [
      'a group in a chain',
      ({ a, b, c }) => chain(group(a.s(), b.s()), c.s()),
      [
        ['a', 60, 'mail'],
        ['b', 60, 'mail'],
        ['c', 60, 'mail'],
      ],
    ],
    ['map: of its message', ({ a }) => a.map([1]), [['celery.map', 60, 'mail']]],
  ])('%s', async (_name, build, expected) => {
    const options = { countdown: 60, queue: 'mail' };
    for (const sent of ['set', 'apply'] as const) {
      const times = newTimes();
      const sig = loose(build(times.tasks));
      if (sent === 'set') await send(sig.set(options));
      else await sig.applyAsync([], options);
      await times.world.drain();
      expect(timed(times)).toEqual(expected);
    }
  });

  it('a chord in a chain do not reach what follows it', async () => {
    const times = newTimes();
    const { a, b, c } = times.tasks;
    await send(chain(loose(chord([a.s()], c.s())).set({ queue: 'mail', countdown: 10 }), b.si() as never));
    await times.world.drain();
    expect(timed(times)).toEqual([
      ['a', 10, 'mail'],
      ['c', 10, 'mail'],
      ['b', 10, 'default'],
    ]);
  });
});

describe('ids', () => {
  it.each<[string, (tasks: CanvasTasks) => AnySignature]>([
    ['of a chain', ({ echo, list }) => loose(chain(echo.s(1), list.s())).set({ taskId: 'mine' })],
    ['of its last step', ({ echo, list }) => chain(echo.s(1), list.s().set({ taskId: 'mine' }))],
    ['of a chord', ({ echo, list }) => chord([echo.s(1)], list.s()).set({ taskId: 'mine' })],
    ['of its body', ({ echo, list }) => chord([echo.s(1)], list.s().set({ taskId: 'mine' }))],
    [
      'of the body of the chord at the end',
      ({ echo, list }) => chain(echo.s(1), chord([echo.s()], list.s().set({ taskId: 'mine' })) as never),
    ],
    [
      'of the end of a chain in a chain',
      ({ echo, list }) => chain(echo.s(1), loose(chain(echo.s(), list.s())).set({ taskId: 'mine' }) as never),
    ],
  ])('that were given are kept: %s', async (_name, build) => {
    const { app, world, tasks, of } = canvasWorld();
    const result = await send(build(tasks));
    expect(result.id).toBe('mine');
    const inGroup = (await send(group([build(tasks), tasks.echo.s(2)]))) as GroupResult;
    expect(inGroup.memberIds[0]).toBe('mine');
    await world.drain();
    expect(of('list').map(({ request }) => request.id)).toEqual(['mine']);
    expect(await app.result('mine').get()).toEqual(await inGroup.results[0]?.get());
    expect(await inGroup.ready()).toBe(true);
  });

  it('that are given again run once, and whoever waits this time is told', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, list, tell } = tasks;
    const steps = () => [echo.s(1).set({ taskId: 'a' }), list.s().set({ taskId: 'b' })] as const;
    await send(chain(...steps()));
    await world.drain();
    const longer = await send(chain(...steps(), echo.s().set({ taskId: 'c' }) as never));
    await send(chain(...steps()).link(tell.s()));
    const counted = await send(chord([chain(...steps()), echo.s(2)] as never, list.s('all')));
    await world.drain();
    expect(await longer.get({ timeout: 0 })).toEqual([1]);
    expect(argsOf(of('tell'))).toEqual([[[1]]]);
    expect(await counted.get({ timeout: 0 })).toEqual([[[1], 2], 'all']);
    expect(argsOf(of('list'))).toEqual([[1], [[[1], 2], 'all']]);
  });

  it('one that is given when it is sent comes before all others', async () => {
    const { world, tasks, of } = canvasWorld();
    const sig = chain(tasks.echo.s(1), chord([tasks.echo.s()], tasks.list.s().set({ taskId: 'other' })) as never);
    const result = await loose(sig).applyAsync([], { taskId: 'mine' });
    await world.drain();
    expect([result.id, of('list')[0]?.request.id]).toEqual(['mine', 'mine']);
    expect(await result.get()).toEqual([[1]]);
  });
});

describe('arguments given when it is sent', () => {
  it.each<[string, (tasks: CanvasTasks) => AnySignature, unknown]>([
    ['a task', ({ list }) => list.s('own'), ['given', 'own']],
    ['an immutable task', ({ list }) => list.si('own'), ['own']],
    ['a chain: to its first', ({ list }) => chain(list.s('a'), list.s('b')), [['given', 'a'], 'b']],
    ['a chain with an immutable first', ({ list }) => chain(list.si('a'), list.s('b')), [['a'], 'b']],
    [
      'a group: to each',
      ({ list }) => group(list.s('a'), list.si('b'), chain(list.s('c'), list.s('d'))),
      [['given', 'a'], ['b'], [['given', 'c'], 'd']],
    ],
    [
      'a chord: to each of its header',
      ({ list }) => chord([list.s('a'), list.s('b')], list.s('c')),
      [
        [
          ['given', 'a'],
          ['given', 'b'],
        ],
        'c',
      ],
    ],
    [
      'a chord that goes on',
      ({ list }) => chain(group(list.s('a')), list.s('b') as never, list.s('c') as never),
      [[[['given', 'a']], 'b'], 'c'],
    ],
  ])('%s', async (_name, build, expected) => {
    const { world, tasks } = canvasWorld();
    const sig = loose(build(tasks));
    const result = await sig.delay('given');
    await world.drain();
    expect(await result.get({ timeout: 0 })).toEqual(expected);
    expect(await (await sig.apply(['given'])).get()).toEqual(expected);
    // What a step before gives comes in the same place.
    const chained = await send(chain(tasks.echo.s('given'), sig as never));
    await world.drain();
    expect(await chained.get({ timeout: 0 })).toEqual(expected);
  });
});

it('a signature by name goes to its route and queue, and takes part in all of it', async () => {
  const { world, of } = canvasWorld({ routes: { 'mail.*': 'mail' } });
  const mail = (value: number): AnySignature => signature('mail.send', { args: [value] });
  const result = await send(chord([mail(1), mail(2)], signature('list')));
  await world.drain();
  expect(await result.get()).toEqual([[1, 2]]);
  expect(of('mail.send').map(({ request }) => request.deliveryInfo.queue)).toEqual(['mail', 'mail']);
});
