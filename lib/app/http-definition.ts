/** An HTTP task as the registry holds it: a task like any other, whose run is a request. */
import { taskKeysIn } from '#deployed/options/known-keys';
import { durationSeconds } from '../base/duration.ts';
import { DEFAULT_HTTP_TIMEOUT_SECONDS, HTTP_TASK_MARGIN_SECONDS } from '../base/limits.ts';
import type { HttpTaskTarget } from '../options/http-options.ts';
import { checkedTaskName, resolveTaskOptions, type TaskOptions } from '../options/task-options.ts';
import type { App } from '../producer/app.ts';
import type { TaskContext } from '../task/context.ts';
import type { TaskDefinition, TaskHooks } from '../task/registry.ts';
import { hooksOf } from '../task/task-hooks.ts';

/** What `app.http()` takes: where it sends to, and the options of any task. `P`: its argument. */
export interface HttpTaskOptions<P = unknown>
  extends HttpTaskTarget<P>, Omit<TaskOptions, 'bind' | 'params'>, TaskHooks {
  /** Longer than `timeout`. Default: `timeout` and 5 s. */
  readonly timeLimit?: TaskOptions['timeLimit'] & {};
  /** Default true: 1, 2, 4... s, unless the answer says when (`Retry-After`). */
  readonly retryBackoff?: boolean | number;
}

/** One request. */
export type RunHttp = (
  app: App,
  name: string,
  options: HttpTaskOptions<never>,
  context: TaskContext,
  args: readonly unknown[],
) => Promise<unknown>;

/** @throws InvalidOption */
export function httpDefinition(
  app: App,
  name: string,
  options: HttpTaskOptions<never>,
  declaredAt: string,
  run: RunHttp,
): TaskDefinition {
  const seconds = durationSeconds(options.timeout ?? DEFAULT_HTTP_TIMEOUT_SECONDS, `timeout of task '${name}'`);
  // A request ends before its task is cut off, and the function is made for that.
  const defaults: TaskOptions = { retryBackoff: true, timeLimit: seconds + HTTP_TASK_MARGIN_SECONDS };
  return {
    name: checkedTaskName(name),
    options: resolveTaskOptions(name, { ...defaults, ...taskKeysIn(options) }, app.settings),
    hooks: hooksOf(options),
    arity: 1,
    declaredAt,
    run: (context, args) => run(app, name, options, context, args),
  };
}
