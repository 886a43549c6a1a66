import {
  type AsyncResult,
  Celeriac,
  enqueue,
  enqueueMany,
  type Signature,
  type Task,
  type TaskContext,
} from 'celeriac';
import { describe, expectTypeOf, it } from 'vitest';

const app = new Celeriac('types');
const add = app.task('math.add', (x: number, y: number) => x + y);
const crawl = app.task('web.crawl', { bind: true }, async (self, url: string) => ({ url, id: self.request.id }));
const optional = app.task('optional', (name: string, greeting?: string) => `${greeting ?? 'hello'} ${name}`);

describe('tasks', () => {
  it('are callable with their own types', () => {
    expectTypeOf(add(1, 2)).toEqualTypeOf<number>();
    expectTypeOf(crawl('x')).resolves.toEqualTypeOf<{ url: string; id: string }>();
    // @ts-expect-error an argument is missing
    void (() => add(1));
    // @ts-expect-error an argument has another type
    void (() => add(1, '2'));
  });

  it('a bound task takes its context first, its callers do not give it', () => {
    expectTypeOf(crawl).toExtend<Task<[url: string], Promise<{ url: string; id: string }>>>();
    app.task('inferred', { bind: true }, (self) => {
      expectTypeOf(self).toEqualTypeOf<TaskContext>();
    });
  });

  it('send what they take and give what they return, awaited', () => {
    expectTypeOf(add.delay(1, 2)).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(crawl.delay('x')).resolves.toEqualTypeOf<AsyncResult<{ url: string; id: string }>>();
    expectTypeOf(add.applyAsync([1, 2], { countdown: '5m', expires: new Date() })).resolves.toEqualTypeOf<
      AsyncResult<number>
    >();
    expectTypeOf(optional.delay('ada')).resolves.toEqualTypeOf<AsyncResult<string>>();
    // @ts-expect-error the second argument is missing
    void (() => add.applyAsync([1]));
    // @ts-expect-error no such option
    void (() => add.applyAsync([1, 2], { countdwn: 5 }));
    // @ts-expect-error no such unit
    void (() => add.applyAsync([1, 2], { countdown: '5 minutes' }));
  });

  it('enqueue by task, and by name with a type-only import', () => {
    expectTypeOf(enqueue(add, [1, 2])).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(enqueue<typeof add>('math.add', [1, 2])).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(enqueue('proj.tasks.add', [1, 'any'])).resolves.toEqualTypeOf<AsyncResult>();
    // @ts-expect-error an argument has another type
    void (() => enqueue(add, [1, '2']));
    // @ts-expect-error an argument has another type
    void (() => enqueue<typeof add>('math.add', ['1', 2]));
  });

  it('signatures take the last arguments, or all', () => {
    expectTypeOf(add.s(1, 2)).toExtend<Signature<number>>();
    expectTypeOf(add.s(2)).toExtend<Signature<number>>();
    expectTypeOf(enqueueMany([add.s(1, 2)])).resolves.toEqualTypeOf<AsyncResult<number>[]>();
    // @ts-expect-error immutable: all arguments
    void (() => add.si(1));
    // @ts-expect-error not a suffix of the arguments
    void (() => add.s('x'));
  });

  it('class tasks', () => {
    class CreateUser extends app.Task<[name: string], { name: string }> {
      static override readonly taskName = 'users.create';
      override run(name: string): { name: string } {
        return { name };
      }
    }
    expectTypeOf(app.register(CreateUser)).toEqualTypeOf<Task<[name: string], { name: string }>>();
  });

  it('options are checked', () => {
    // @ts-expect-error no such option
    void (() => app.task('x', { maxRetry: 1 }, () => 1));
    // @ts-expect-error no such unit
    void (() => app.task('x', { timeLimit: '5 min' }, () => 1));
  });
});
