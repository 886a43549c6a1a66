/** Class-based tasks: `class CreateUser extends app.Task<[string], User> { ... }`. */
import { currentTask, maybeCurrentTask, type TaskContext } from './context.ts';
import { shown } from '../base/checks.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import type { TaskHooks } from './registry.ts';
import type { TaskOptions } from '../options/task-options.ts';

/**
 * Base of class-based tasks. Statics are the task's options and are inherited; instance methods are its
 * body and Celery's handlers. One instance serves every run, so keep run state in local variables.
 */
export abstract class TaskBase<A extends readonly unknown[] = readonly unknown[], R = unknown> implements TaskHooks {
  /** Name on the wire. Default: the class's name. Never inherited. */
  static readonly taskName: string | undefined = undefined;
  /** true for a base that only lends to others; it cannot be registered. Never inherited. */
  static readonly abstract: boolean | undefined = undefined;
  /**
   * Task options; a subclass's are laid over those of its bases. With their type written down, since a property has none
   * to infer from: `static override readonly options: TaskOptions = { retryBackoffMax: '5m' }`.
   */
  static readonly options: TaskOptions = {};

  /**
   * The task itself. The same instance runs every message of the process, also several at a time: keep state of a run
   * in local variables.
   */
  abstract run(...args: A): R;

  /** Context of the current run. */
  get self(): TaskContext {
    return currentTask();
  }

  /** The current run's request: the same as `self.request`. @throws ImproperlyConfigured outside of a run */
  get request(): TaskContext['request'] {
    return currentTask().request;
  }

  /**
   * Ends this attempt; another one follows. Options are those of `TaskContext.retry`, and it always throws.
   *
   * @throws Retry; when no retry is left `exc`, or MaxRetriesExceededError without one; ImproperlyConfigured outside of
   * a run
   */
  retry(options?: Parameters<TaskContext['retry']>[0]): never {
    const context = maybeCurrentTask();
    if (context === undefined) throw new ImproperlyConfigured('retry() was called outside of a run.');
    return context.retry({ ...options, throw: true } as never) as never;
  }

  beforeStart?(id: string, args: readonly unknown[]): unknown;
  onSuccess?(value: unknown, id: string, args: readonly unknown[]): unknown;
  onRetry?(error: unknown, id: string, args: readonly unknown[]): unknown;
  onFailure?(error: unknown, id: string, args: readonly unknown[]): unknown;
  afterReturn?(state: string, value: unknown, id: string, args: readonly unknown[]): unknown;
}

/** What `app.register()` takes: a class that extends `app.Task`, made without arguments. */
export interface TaskClass<A extends readonly unknown[] = readonly unknown[], R = unknown, N extends string = string> {
  new (): TaskBase<A, R>;
  /** Name on the wire. Default: the class's name. */
  readonly taskName?: N | undefined;
  /** true for a base that only lends to others. Never inherited. */
  readonly abstract?: boolean | undefined;
  /** Task options; a subclass's are laid over those of its bases. */
  readonly options?: TaskOptions;
}

export interface ClassFacts {
  readonly name: string;
  readonly options: TaskOptions;
}

/** @throws ImproperlyConfigured for abstract and unnamed classes, and for what is no class. */
export function factsOfClass(taskClass: unknown): ClassFacts {
  if (typeof taskClass !== 'function' || typeof taskClass.prototype !== 'object') {
    const given = typeof taskClass === 'function' ? `the function ${taskClass.name}` : shown(taskClass);
    throw new ImproperlyConfigured(
      `register(): ${given} given. Give a class such as \`class CreateUser extends app.Task<[name: string], User> { override run(name: string) { ... } }\`; a function is declared with app.task().`,
    );
  }
  if (Object.hasOwn(taskClass, 'abstract') && (taskClass as unknown as TaskClass).abstract === true) {
    throw new ImproperlyConfigured(`Task class ${taskClass.name} is abstract: register the classes that extend it.`);
  }
  const own = Object.hasOwn(taskClass, 'taskName') ? (taskClass as unknown as TaskClass).taskName : undefined;
  const name = own ?? taskClass.name;
  if (name === '') throw new ImproperlyConfigured('A task class has no name. Give it `static taskName`.');
  let options: TaskOptions = {};
  for (const ancestor of lineage(taskClass)) {
    if (Object.hasOwn(ancestor, 'options')) options = { ...options, ...(ancestor as unknown as TaskClass).options };
  }
  return { name, options };
}

/** The one instance of a task class. @throws ImproperlyConfigured where it has no run(). */
export function instanceOf<A extends readonly unknown[], R>(taskClass: TaskClass<A, R>): TaskBase<A, R> {
  const instance = new taskClass();
  if (typeof (instance as { readonly run?: unknown }).run === 'function') return instance;
  throw new ImproperlyConfigured(
    `Task class ${taskClass.name} has no method run(). Give it one, as in \`override run(name: string) { ... }\`, or register the classes that extend it and mark it \`static override readonly abstract = true\`.`,
  );
}

function lineage(taskClass: Function): Function[] {
  const chain: Function[] = [];
  for (
    let current: unknown = taskClass;
    typeof current === 'function' && current !== Function.prototype;
    current = Object.getPrototypeOf(current)
  ) {
    chain.unshift(current as Function);
  }
  return chain;
}
