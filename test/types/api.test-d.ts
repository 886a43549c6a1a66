import {
  type AsyncResult,
  Celeriac,
  enqueue,
  enqueueMany,
  type Signature,
  type Task,
  type TaskContext,
  type TaskName,
  type TaskOptions,
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
    expectTypeOf(app.register(CreateUser)).toEqualTypeOf<Task<[name: string], { name: string }, 'users.create'>>();
  });

  it('a name by type is the name of the task', () => {
    expectTypeOf(add).toEqualTypeOf<Task<[x: number, y: number], number, 'math.add'>>();
    expectTypeOf<TaskName<typeof add>>().toEqualTypeOf<'math.add'>();
    expectTypeOf(add).toExtend<Task<[x: number, y: number], number>>();
    // @ts-expect-error not its name
    void (() => enqueue<typeof add>('math.ad', [1, 2]));
    class Charge extends app.Task<[id: string], void> {
      static override readonly taskName = 'orders.charge';
      override run(_id: string): void {}
    }
    const charge = app.register(Charge);
    void (() => enqueue<typeof charge>('orders.charge', ['1']));
    // @ts-expect-error not its name
    void (() => enqueue<typeof charge>('orders.chrage', ['1']));
    const remote = app.remote<(x: number) => number, 'proj.double'>('proj.double');
    void (() => enqueue<typeof remote>('proj.double', [1]));
    // @ts-expect-error not its name
    void (() => enqueue<typeof remote>('proj.doubel', [1]));
    // Names that the compiler cannot know are taken as they are.
    const named = app.task(function unnamed(x: number) {
      return x;
    });
    void (() => enqueue<typeof named>('unnamed', [1]));
    const old = add as Task<[x: number, y: number], number>;
    void (() => enqueue<typeof old>('anything', [1, 2]));
  });

  it('options are checked', () => {
    // @ts-expect-error no such option
    void (() => app.task('x', { maxRetry: 1 }, () => 1));
    // @ts-expect-error no such unit
    void (() => app.task('x', { timeLimit: '5 min' }, () => 1));
  });

  it('class options: with their type, in bases and in what extends them', () => {
    abstract class Base extends app.Task<[name: string], string> {
      static override readonly abstract = true;
      static override readonly options: TaskOptions = { retryBackoffMax: '5m' };
    }
    class Greet extends Base {
      static override readonly taskName = 'greet';
      static override readonly options: TaskOptions = { trackStarted: true };
      override run(name: string): string {
        return name;
      }
    }
    class Alone extends app.Task<[], void> {
      static override readonly options = { timeLimit: '5m' } satisfies TaskOptions;
      override run(): void {}
    }
    expectTypeOf(app.register(Greet)).toEqualTypeOf<Task<[name: string], string, 'greet'>>();
    expectTypeOf(app.register(Alone)).toEqualTypeOf<Task<[], void>>();
  });
});

describe('parameters are inferred', () => {
  const common: TaskOptions = { maxRetries: 1 };
  it('with defaults', () => {
    const task = app.task('defaults', (a = 1, b: string = 'x', { c } = { c: true }) => `${a}${b}${c}`);
    expectTypeOf(task).toEqualTypeOf<Task<[a?: number, b?: string, { c: boolean }?], string, 'defaults'>>();
    expectTypeOf(app.task('options', common, (a = 1) => a)).toEqualTypeOf<Task<[a?: number], number, 'options'>>();
    expectTypeOf(app.task({ trackStarted: true }, (a = 1) => a)).toEqualTypeOf<Task<[a?: number], number>>();
    void (() => task.delay());
    // @ts-expect-error another type
    void (() => task.delay('1'));
  });

  it('optional and rest', () => {
    const task = app.task('mixed', (a: string, b?: number, ...rest: boolean[]) => [a, b, rest] as const);
    expectTypeOf(task).parameters.toEqualTypeOf<[a: string, b?: number, ...rest: boolean[]]>();
    expectTypeOf(app.task('rest', (...all: Date[]) => all)).parameters.toEqualTypeOf<Date[]>();
    expectTypeOf(app.task('none', () => {})).toEqualTypeOf<Task<[], void, 'none'>>();
  });

  it('of bound tasks: those after self have types of their own', () => {
    const task = app.task('bound', { bind: true, maxRetries: 2 }, async (self, url: string, limit: number = 10) => {
      expectTypeOf(self).toEqualTypeOf<TaskContext>();
      return url.slice(limit);
    });
    expectTypeOf(task).toEqualTypeOf<Task<[url: string, limit?: number], Promise<string>, 'bound'>>();
    expectTypeOf(app.task('self', { bind: true }, (self) => self.request.id)).parameters.toEqualTypeOf<[]>();
    expectTypeOf(app.task({ bind: true }, (self, x: number) => `${x}${self.request.id}`)).toEqualTypeOf<
      Task<[x: number], string>
    >();
    // @ts-expect-error its type cannot be inferred, and is not guessed
    app.task('x', { bind: true }, (_self, limit = 10) => limit);
    // @ts-expect-error its first parameter is the context
    app.task('x', { bind: true }, (url: string) => url);
    // @ts-expect-error nothing says what it is
    app.task('x', (value) => value);
  });

  it('generic functions and overloads', () => {
    expectTypeOf(app.task('same', <T>(value: T): T => value)).toEqualTypeOf<Task<[value: unknown], unknown, 'same'>>();
    function pick(value: string): number;
    function pick(value: number): string;
    function pick(value: unknown): unknown {
      return value;
    }
    // As with any function type that is inferred from overloads: the last one.
    expectTypeOf(app.task('pick', pick)).toEqualTypeOf<Task<[value: number], string, 'pick'>>();
  });

  it('inside of generic functions', () => {
    const counted = <A extends unknown[], R>(name: string, run: (...args: A) => R) =>
      app.task(name, (...args: A) => run(...args));
    expectTypeOf(counted('x', (a: number, b?: string) => `${a}${b}`)).toEqualTypeOf<
      Task<[a: number, b?: string], string>
    >();
    const saved = <T extends { readonly id: string }>(name: string, save: (item: T) => Promise<void>) => {
      const task = app.task(name, { maxRetries: 1 }, async (item: T) => save(item));
      void (async (item: T) => task.delay(item));
      return task;
    };
    expectTypeOf(saved('save', async (_item: { id: string; size: number }) => {})).parameters.toEqualTypeOf<
      [item: { id: string; size: number }]
    >();
  });
});
