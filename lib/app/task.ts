/** A task as users hold it: a plain function with `.delay` and its kin. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { chunksOf, mapOf } from '../canvas/build.ts';
import type { CanvasSignature, GroupSignature, UntypedOptions } from '../producer/canvas-types.ts';
import { fluent } from '../producer/fluent.ts';
import { integerIn, shown } from '../base/checks.ts';
import { InvalidSignature } from '../base/errors.ts';
import { directContext } from '../task/task-context.ts';
import type { TaskContext } from '../task/context.ts';
import type { Message } from '../wire/message.ts';
import type { App } from '../producer/app.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { AsyncResult } from '../results/result.ts';
import type { CheckedTypes } from '../base/serializable.ts';
import { givenArguments, type Signature, signature } from '../wire/signature.ts';
import { toSignatureOptions } from '../options/signature-options.ts';

/** What `enqueue<typeof add>('math.add', ...)` needs of a task's type; it holds no code. */
export interface TaskTypes<A extends readonly unknown[] = readonly unknown[], R = unknown, N extends string = string> {
  /** Types only: never set at run time. */
  readonly '~task'?: { readonly args: A; readonly result: R; readonly name: N };
}

/** The name of a task's type: a literal, or `string` where the compiler has not seen it. */
export type TaskName<T> = T extends { readonly '~task'?: { readonly name: infer N extends string } } ? N : string;

/** The arguments of a task's type, as a tuple. */
export type TaskArguments<T> = T extends { readonly '~task'?: { readonly args: infer A extends readonly unknown[] } }
  ? A
  : never;
/** What a task's type returns, awaited. */
export type TaskResult<T> = T extends { readonly '~task'?: { readonly result: infer R } } ? R : never;

/** What can be sent with arguments: a task of ours, or one that runs elsewhere. */
export interface Sendable<A extends readonly unknown[], R> extends TaskTypes<A, R> {
  readonly taskName: string;
  applyAsync(args: A, options?: ApplyOptions): Promise<AsyncResult<R>>;
}

/** The last arguments of a task: when it runs, those that its parent gives come before them. */
export type PartialArguments<A extends readonly unknown[]> = A extends readonly [unknown, ...infer Rest]
  ? A | PartialArguments<Rest>
  : number extends A['length']
    ? A
    : A extends readonly []
      ? A
      : A extends readonly [unknown?, ...infer Rest]
        ? A | PartialArguments<Rest>
        : A;

/** `A`: its arguments. `R`: what its function returns. `N`: its name. */
export interface Task<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  N extends string = string,
> extends TaskTypes<A, Awaited<R>, N> {
  /** A plain call: no queue, no message. */
  (...args: A): R;
  /** Its name on the wire, by which workers and Celery find it. */
  readonly taskName: N;
  /**
   * Sends it with these arguments, and resolves when SQS has taken the message: a worker runs it later.
   *
   * @example
   * ```ts
   * const result = await add.delay(2, 2);
   * await result.get({ timeout: '10s' }); // 4
   * ```
   * @throws InvalidArguments, NotSerializable, QueueNotFound, MessageTooLarge, MissingEnvironment, each before anything
   * is sent; EnqueueFailed when SQS did not take it.
   */
  delay(...args: A): Promise<AsyncResult<Awaited<R>>>;
  /**
   * Sends it with options of the call.
   *
   * @example
   * ```ts
   * await add.applyAsync([2, 2], { countdown: '3h', expires: '1d', queue: 'mail' });
   * ```
   * @throws InvalidOption, and what `delay` throws.
   */
  applyAsync(args: A, options?: ApplyOptions): Promise<AsyncResult<Awaited<R>>>;
  /**
   * Runs it here and now, retries included, as a worker would. Nothing is sent; the result holds the outcome from the
   * start, and no table has it.
   */
  apply(args: A, options?: ApplyOptions): Promise<AsyncResult<Awaited<R>>>;
  /**
   * The call written down, to be sent later or put into a chain, a group or a chord: Celery's signature. A parent's
   * result is put before these arguments.
   *
   * @example
   * ```ts
   * await chain(add.s(2, 2), add.s(10)).delay(); // 14
   * ```
   */
  s<P extends PartialArguments<A>>(...args: P): CanvasSignature<Awaited<R>, OpenArguments<A, P>>;
  /** Like `s`, immutable: a parent's result is left out, whatever it is. All arguments are given here. */
  si(...args: A): CanvasSignature<Awaited<R>>;
  /** Like `s`, with options after which the compiler cannot know what is open: `immutable: true`, or `kwargs`. */
  signature<P extends PartialArguments<A>>(args: P, options: UntypedOptions): CanvasSignature<Awaited<R>>;
  /** Like `s`, with options of the call. */
  signature<P extends PartialArguments<A>>(
    args: P,
    options?: ApplyOptions & { readonly immutable?: boolean },
  ): CanvasSignature<Awaited<R>, OpenArguments<A, P>>;
  /** Runs it with each item, one after another, in one message: a list of results. `.delay()` sends it. */
  map(items: readonly ItemOf<A>[]): CanvasSignature<Awaited<R>[]>;
  /** Like `map`, with a list of arguments for each call. */
  starmap(items: readonly Readonly<A>[]): CanvasSignature<Awaited<R>[]>;
  /**
   * A group of starmaps of at most `size` calls each: one message for each chunk.
   *
   * @throws InvalidOption, InvalidSignature
   */
  chunks(items: readonly Readonly<A>[], size: number): GroupSignature<Awaited<R>[][]>;
}

/** The task that a function makes. `B`: whether it takes the task's context first. */
export type TaskOf<F, B extends boolean, N extends string> = [B] extends [true]
  ? F extends (self: never, ...args: infer A) => infer R
    ? Task<A, R, N>
    : never
  : F extends (...args: infer A) => infer R
    ? Task<A, R, N>
    : never;

/** A function where it can be a task, else why not. */
export type TaskFunction<F, B extends boolean> = [B] extends [true] ? BoundFunction<F> : F & CheckedFunction<F>;

type CheckedFunction<F> = F extends (...args: infer A) => infer R
  ? CheckedTypes<A, R>
  : // Before it reads a function with defaults, the compiler asks for any function.
    Function extends F
    ? unknown
    : { readonly 'a task is made of a function': F };

type CheckedBoundFunction<F> = F extends (self: infer S, ...args: infer A) => infer R
  ? [TaskContext] extends [S]
    ? CheckedTypes<A, R>
    : { readonly "with bind: true its first parameter is the task's context": S }
  : { readonly 'a task is made of a function': F };

// From the second the compiler reads the type of `self`. It types every parameter that has no type of its own, whatever
// its default: that is told rather than guessed.
type BoundFunction<F> = (F & CheckedBoundFunction<F>) | ((self: TaskContext, ...args: WithoutType[]) => never);
interface WithoutType {
  readonly 'after self, write the types of parameters': never;
}

/** The argument of a task that can be called with one. */
type ItemOf<A extends readonly unknown[]> = A extends readonly [unknown, unknown, ...unknown[]] ? never : A[0];

/** The first arguments, which a signature leaves to its parent: each list of them that makes the call complete. */
export type OpenArguments<A extends readonly unknown[], P extends readonly unknown[]> =
  | (P extends A ? [] : never)
  | (A extends readonly [infer First, ...infer Rest]
      ? [First, ...OpenArguments<Rest, P>]
      : number extends A['length']
        ? P extends A
          ? A
          : never
        : A extends readonly []
          ? never
          : A extends readonly [(infer First)?, ...infer Rest]
            ? [First, ...OpenArguments<Rest, P>]
            : never);

export interface TaskMethods {
  applyAsync(name: string, args: readonly unknown[], options?: ApplyOptions): Promise<AsyncResult>;
  apply(name: string, args: readonly unknown[], options?: ApplyOptions): Promise<AsyncResult>;
}

export function createTask<A extends readonly unknown[], R, N extends string>(
  definition: TaskDefinition,
  app: App,
  methods: TaskMethods,
): Task<A, R, N> {
  const { name } = definition;
  const call = (...args: readonly unknown[]): unknown => definition.run(contextOfCall(definition, args, app), args);
  const write = (
    args: readonly unknown[],
    { immutable = false, ...options }: ApplyOptions & { readonly immutable?: boolean } = {},
  ): CanvasSignature =>
    withMethods(
      signature(name, {
        args,
        immutable,
        options: toSignatureOptions(options),
        ...(options.kwargs === undefined ? {} : { kwargs: options.kwargs }),
      }),
    );
  const withMethods = (sig: Signature): CanvasSignature => fluent(sig, () => app);
  return Object.freeze(
    Object.assign(call, {
      taskName: name,
      delay: (...args: readonly unknown[]) => methods.applyAsync(name, args),
      applyAsync: (args: readonly unknown[], options?: ApplyOptions) => methods.applyAsync(name, args, options),
      apply: (args: readonly unknown[], options?: ApplyOptions) => methods.apply(name, args, options),
      s: (...args: readonly unknown[]) => write(args),
      si: (...args: readonly unknown[]) => write(args, { immutable: true }),
      signature: write,
      map: (items: unknown) => withMethods(mapOf('map', write([]), listOf(items, 'map()'))),
      starmap: (items: unknown) => withMethods(mapOf('starmap', write([]), listsIn(items, 'starmap()'))),
      chunks: (items: unknown, size: number) =>
        withMethods(chunksOf(write([]), listsIn(items, 'chunks()'), integerIn(size, 1, 1_000_000, 'chunks() size'))),
    }),
  ) as unknown as Task<A, R, N>;
}

function listOf(items: unknown, what: string): readonly unknown[] {
  if (Array.isArray(items)) return items;
  throw new InvalidSignature(`${what}: ${shown(items)} given; an array of items is allowed.`);
}

function listsIn(items: unknown, what: string): readonly unknown[] {
  const list = listOf(items, what);
  const stray = list.findIndex((item) => !Array.isArray(item));
  if (stray < 0) return (list as readonly (readonly unknown[])[]).map(givenArguments);
  throw new InvalidSignature(`${what}: item ${stray} is ${shown(list[stray])}; an array of arguments is allowed.`);
}

/** A bound task called as a plain function still gets a `self`; there is no message behind it. */
function contextOfCall(definition: TaskDefinition, args: readonly unknown[], app: App): TaskContext {
  const { clock, logger, settings } = app;
  const id = app.ids.next();
  const message: Message = {
    id,
    task: definition.name,
    args,
    kwargs: {},
    embed: { callbacks: null, errbacks: null, chain: null, chord: null },
    retries: 0,
    etaMs: null,
    expiresMs: null,
    rootId: id,
    parentId: null,
    groupId: null,
    groupIndex: null,
    timeLimit: [null, null],
    ignoreResult: null,
    argsrepr: '',
    kwargsrepr: '',
    queue: '',
    priority: 0,
    shadow: null,
    origin: null,
    replyTo: null,
    replacedTaskNesting: 0,
    stampedHeaders: null,
    stamps: {},
    headers: {},
    properties: {},
    celeriac: {},
  };
  return directContext({ definition, message, clock, logger, settings });
}
