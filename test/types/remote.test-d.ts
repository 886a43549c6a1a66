import { type AsyncResult, Celeriac, chain, chord, enqueue, group, type GroupResult, type RemoteTask } from 'celeriac';
import { describe, expectTypeOf, it } from 'vitest';

const app = new Celeriac('types', { queues: { default: {}, celery: { external: true } } });
const add = app.remote<(x: number, y: number) => number>('proj.add', { queue: 'celery' });
const fetchPage = app.remote<(url: string) => Promise<{ body: string }>>('proj.fetch', { queue: 'celery' });
const anything = app.remote('proj.any', { queue: 'celery' });
const double = app.task('double', (x: number) => 2 * x);

describe('tasks that run elsewhere', () => {
  it('have the type of their function, written by hand', () => {
    expectTypeOf(add).toEqualTypeOf<RemoteTask<[x: number, y: number], number>>();
    expectTypeOf(add.delay(1, 2)).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(fetchPage.applyAsync(['x'])).resolves.toEqualTypeOf<AsyncResult<{ body: string }>>();
    expectTypeOf(anything.delay(1, 'two', [3])).resolves.toEqualTypeOf<AsyncResult>();
    // @ts-expect-error an argument has another type
    void (() => add.delay(1, '2'));
    // @ts-expect-error an argument is missing
    void (() => add.applyAsync([1]));
  });

  it('cannot be called, here or now', () => {
    // @ts-expect-error there is no function here
    void (() => add(1, 2));
    // @ts-expect-error nor can it be run here
    void (() => add.apply([1, 2]));
  });

  it('are sent by enqueue, as a task and by type', () => {
    expectTypeOf(enqueue(add, [1, 2])).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(enqueue(double, [1])).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(enqueue<typeof fetchPage>('proj.fetch', ['x'])).resolves.toEqualTypeOf<
      AsyncResult<{ body: string }>
    >();
    // @ts-expect-error an argument has another type
    void (() => enqueue(add, [1, '2']));
  });

  it('fit into canvas like any other', () => {
    expectTypeOf(chain(double.s(1), add.s(2)).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(group([add.s(1, 1), double.s(2)]).delay()).resolves.toExtend<GroupResult>();
    void (() => chord([add.s(1, 1), double.s(2)], app.remote<(all: readonly number[]) => string>('proj.list').s()));
    // @ts-expect-error the step before gives a number
    void (() => chain(double.s(1), fetchPage.s()));
  });
});
