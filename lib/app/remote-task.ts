/** Tasks that run elsewhere, in Python's Celery say: sent by name, with types given by hand. */
import type { Duration } from '../base/duration.ts';
import { NotRegistered } from '../base/errors.ts';
import type { App } from '../producer/app.ts';
import { requireExternal } from '../options/declared-queue.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { refuseUnknownKeys } from '../base/checks.ts';
import { createTask, type Task, type TaskMethods } from './task.ts';
import { checkedTaskName, resolveTaskOptions } from '../options/task-options.ts';

/** How a task that runs elsewhere is sent, where the call says nothing else. */
export interface RemoteTaskOptions {
  /** An external queue, which the task's workers consume. Default: what `routes` say. */
  readonly queue?: string;
  /** 0 to 9. SQS has none; Celery's workers see it. Default 0. */
  readonly priority?: number;
  /** Not started after this long. Default: never. */
  readonly expires?: Duration;
}

/** Everything that a task has but its function. */
export type RemoteTask<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  N extends string = string,
> = Omit<Task<A, R, N>, 'apply'>;

const KEYS: ReadonlySet<string> = new Set<keyof RemoteTaskOptions>(['queue', 'priority', 'expires']);

/** @throws InvalidOption, AlreadyRegistered */
export function remoteTask(
  app: App,
  name: string,
  options: RemoteTaskOptions,
  declaredAt: string,
  methods: TaskMethods,
): RemoteTask {
  const checked = checkedTaskName(name);
  refuseUnknownKeys(options, KEYS, `options of remote task '${checked}'`);
  if (options.queue !== undefined) requireExternal(checked, options.queue, app.settings);
  const definition: TaskDefinition = {
    name: checked,
    options: resolveTaskOptions(checked, options, app.settings),
    hooks: {},
    arity: 0,
    declaredAt,
    run: () => {
      throw new NotRegistered(`Task '${checked}' runs elsewhere; there is no function to call. Send it with delay().`);
    },
  };
  app.registry.addRemote(definition);
  return createTask(definition, app, methods);
}
