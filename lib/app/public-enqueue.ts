/** `enqueue` and `enqueueMany` as free functions, on the app of the process. */
import { currentApp } from './app.ts';
import type { ApplyOptions } from '../options/apply-options.ts';
import type { ResultOf } from '../producer/canvas-types.ts';
import { InvalidOption } from '../base/errors.ts';
import type { AsyncResult } from '../results/result.ts';
import type { Signature } from '../wire/signature.ts';
import type { Sendable, Task, TaskArguments, TaskName, TaskResult } from './task.ts';

/**
 * Sends a task, or a task by name, on the current app. By name with `enqueue<typeof add>('math.add', [2, 2])` and a
 * type-only import, the caller's bundle holds none of the task's code, and its name and arguments are still checked.
 *
 * @example
 * ```ts
 * await enqueue(add, [2, 2], { countdown: '5m' });
 * await enqueue<typeof add>('math.add', [2, 2]);
 * ```
 * @throws InvalidOption, InvalidArguments, NotSerializable, QueueNotFound, MessageTooLarge, MissingEnvironment, each
 * before anything is sent; EnqueueFailed when SQS did not take it.
 */
export function enqueue<A extends readonly unknown[], R>(
  task: Sendable<A, R>,
  args: NoInfer<A>,
  options?: ApplyOptions,
): Promise<AsyncResult<R>>;
/**
 * Sends a task by name with the types of `T`, on the current app: with a type-only import of the task the caller's
 * bundle holds none of its code.
 *
 * @example
 * ```ts
 * await enqueue<typeof add>('math.add', [2, 2]);
 * ```
 * @throws what the form with a task throws; NotRegistered for a name that no worker here knows.
 */
export function enqueue<T extends { readonly '~task'?: unknown }>(
  name: TaskName<T>,
  args: TaskArguments<T>,
  options?: ApplyOptions,
): Promise<AsyncResult<TaskResult<T>>>;
/** Sends a task by name without types, on the current app: `app.send()`. @throws what the form with types throws. */
export function enqueue(name: string, args?: readonly unknown[], options?: ApplyOptions): Promise<AsyncResult>;
export async function enqueue(
  task: unknown,
  args: readonly unknown[] = [],
  options: ApplyOptions = {},
): Promise<AsyncResult> {
  if (typeof task === 'string') return currentApp().send(task, args, options);
  if (typeof task === 'function' && 'applyAsync' in task) return (task as unknown as Task).applyAsync(args, options);
  throw new InvalidOption('enqueue(): the first argument is neither a task nor the name of one.');
}

/**
 * Sends many signatures of single tasks, ten in a request; partial failures are retried.
 *
 * @example
 * ```ts
 * const results = await enqueueMany([1, 2, 3].map((n) => add.s(n, n)));
 * ```
 * @throws EnqueueFailed whose `outcomes` tell of each item, in order, when some could not be sent.
 */
export function enqueueMany<S extends readonly Signature[]>(
  signatures: S,
): Promise<AsyncResult<ResultOf<S[number]>>[]> {
  return currentApp().sendMany(signatures) as Promise<AsyncResult<ResultOf<S[number]>>[]>;
}
