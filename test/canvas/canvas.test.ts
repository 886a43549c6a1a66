/** Every construct, run by workers in virtual time and eagerly, with the same outcome. */
import { type AnySignature, Celeriac, chain, chord, group } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { send, type Sent } from '../support/canvas-world.ts';

function newTasks() {
  const app = new Celeriac('canvas');
  const runs: string[] = [];
  const note = <T>(name: string, value: T): T => {
    runs.push(name);
    return value;
  };
  return {
    app,
    runs,
    add: app.task('add', (x: number, y: number) => note('add', x + y)),
    mul: app.task('mul', (x: number, y: number) => note('mul', x * y)),
    sum: app.task('sum', (values: number[]) =>
      note(
        'sum',
        values.reduce((total, value) => total + value, 0),
      ),
    ),
    list: app.task('list', (values: unknown[]) => note('list', values)),
    echo: app.task('echo', (value: unknown) => note('echo', value)),
  };
}
type Tasks = ReturnType<typeof newTasks>;

const CASES: [string, (tasks: Tasks) => AnySignature, unknown][] = [
  ['a chain', ({ add, mul }) => chain(add.s(1, 2), mul.s(10), add.s(1)), 31],
  ['a chain with an immutable step', ({ add }) => chain(add.s(1, 2), add.si(5, 5)), 10],
  ['a chain of chains', ({ add }) => chain(chain(add.s(1, 1), add.s(1)), chain(add.s(1), add.s(1))), 5],
  ['a chain of one', ({ add }) => chain(add.s(1, 1)), 2],
  ['a group', ({ add }) => group(add.s(1, 1), add.s(2, 2)), [2, 4]],
  ['a group of an array', ({ add }) => group([1, 2, 3].map((value) => add.s(value, 1))), [2, 3, 4]],
  ['a group of nothing', ({ add }) => group([] as ReturnType<typeof add.s>[]), []],
  ['a group in a group', ({ add }) => group(add.s(1, 1), group(add.s(2, 2), add.s(3, 3)), add.s(4, 4)), [2, 4, 6, 8]],
  ['a group of chains', ({ add }) => group(chain(add.s(1, 1), add.s(1)), add.s(5, 5)), [3, 10]],
  ['a chain ending in a group', ({ add }) => chain(add.s(1, 1), group(add.s(10), add.s(20))), [12, 22]],
  ['a group before a task is a chord', ({ add, sum }) => chain(group(add.s(1, 1), add.s(2, 2)), sum.s()), 6],
  ['a chord', ({ add, sum }) => chord([add.s(1, 1), add.s(2, 2)], sum.s()), 6],
  ['a chord of one', ({ add, sum }) => chord([add.s(1, 1)], sum.s()), 2],
  ['a chord of nothing', ({ sum, add }) => chord([] as ReturnType<typeof add.s>[], sum.s()), 0],
  [
    'a chord whose body is a chain',
    ({ add, sum, mul }) => chord([add.s(1, 1), add.s(2, 2)], chain(sum.s(), mul.s(10))),
    60,
  ],
  [
    'a chord whose body is a group',
    ({ add, sum, list }) => chord([add.s(1, 1), add.s(2, 2)], group(sum.s(), list.s())),
    [6, [2, 4]],
  ],
  ['a chord in a chain', ({ add, sum, mul }) => chain(add.s(1, 1), group(add.s(1), add.s(2)), sum.s(), mul.s(10)), 70],
  ['a chord of chords', ({ add, sum }) => chord([chord([add.s(1, 1), add.s(2, 2)], sum.s()), add.s(1, 1)], sum.s()), 8],
  ['a chord whose header has chains', ({ add, sum }) => chord([chain(add.s(1, 1), add.s(1)), add.s(1, 1)], sum.s()), 5],
  [
    'a chord whose body is a chord',
    ({ add, sum, list }) => chord([add.s(1, 1), add.s(2, 2)], chord([sum.s(), sum.s()], list.s())),
    [6, 6],
  ],
  [
    'a chord with a chain that ends in a group',
    ({ add, list }) => chord([chain(add.s(1, 1), group(add.s(1), add.s(2))), add.s(1, 1)], list.s()),
    [[3, 4], 2],
  ],
  [
    'a group with a chain that ends in a group',
    ({ add }) => group(chain(add.s(1, 1), group(add.s(1), add.s(2))), add.s(1, 1)),
    [[3, 4], 2],
  ],
  ['map', ({ echo }) => echo.map([1, 'two', null]), [1, 'two', null]],
  [
    'starmap',
    ({ add }) =>
      add.starmap([
        [1, 2],
        [3, 4],
      ]),
    [3, 7],
  ],
  [
    'chunks',
    ({ add }) =>
      add.chunks(
        [
          [1, 1],
          [2, 2],
          [3, 3],
        ],
        2,
      ),
    [[2, 4], [6]],
  ],
  ['map in a chord', ({ echo, list }) => chord([echo.map([1, 2]), echo.s(3)], list.s()), [[1, 2], 3]],
  [
    'a chain of chords',
    ({ add, sum }) => chain(group(add.s(1, 1), add.s(2, 2)), sum.s(), group(add.s(1), add.s(2)), sum.s()),
    15,
  ],
];

describe('canvas', () => {
  it.each(CASES)('%s, by workers', async (_name, build, expected) => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    const result = await send(build(tasks));
    await world.drain();
    expect(await result.get({ timeout: 1 })).toEqual(expected);
    expect(world.broker.nextVisibleMs()).toBeUndefined();
    expect(world.deadLetters()).toEqual([]);
  });

  it.each(CASES)('%s, eagerly', async (_name, build, expected) => {
    const tasks = newTasks();
    const sig = build(tasks) as unknown as { apply(): Promise<Sent> };
    expect(await (await sig.apply()).get()).toEqual(expected);
  });

  it.each(CASES)('%s, every message delivered twice', async (_name, build, expected) => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    const send_ = world.broker.send.bind(world.broker);
    world.broker.send = async (items) => {
      await send_(items);
      return send_(items);
    };
    const result = await send(build(tasks));
    await world.drain();
    const counted = tasks.runs.length;
    expect(await result.get({ timeout: 1 })).toEqual(expected);
    const once = newTasks();
    const other = new World(once.app);
    await send(build(once));
    await other.drain();
    expect(counted).toBe(once.runs.length);
  });
});
