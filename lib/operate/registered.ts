/** The tasks that a service's workers know. Pure. */
import { byBytes } from '../base/ids.ts';
import type { AppManifest, Environment } from '../options/manifest.ts';

/** A task; its limits are known where its code is. */
export interface RegisteredTask {
  readonly name: string;
  readonly queue: string;
  /** As in `100/m`. */
  readonly rateLimit?: string;
  /** How many of it, or of a key of it, may run at the same time. */
  readonly concurrency?: number;
  readonly oneInstance?: true;
  /** Seconds. */
  readonly timeLimit?: number;
}

/** @param manifest of the app's code; undefined: names are those that the service has told. */
export function registeredTasks(
  { taskQueues, defaultQueue }: Pick<Environment, 'taskQueues' | 'defaultQueue'>,
  manifest: AppManifest | undefined,
  taskNames: readonly string[] = [],
): RegisteredTask[] {
  const tasks =
    manifest === undefined
      ? taskNames.map((name) => ({ name, queue: taskQueues[name] ?? defaultQueue }))
      : Object.entries(manifest.tasks).map(([name, task]) => ({
          name,
          queue: task.queue,
          ...(task.rateLimit === undefined ? {} : { rateLimit: task.rateLimit }),
          ...(task.concurrency === undefined ? {} : { concurrency: task.concurrency }),
          ...(task.oneInstance === undefined ? {} : { oneInstance: task.oneInstance }),
          ...(task.timeLimitSeconds === undefined ? {} : { timeLimit: task.timeLimitSeconds }),
        }));
  return tasks.toSorted((left, right) => byBytes(left.name, right.name));
}
