/** Names of tasks that a service's workers know, where its code is not at hand. */
import { didYouMean } from '../base/nearest.ts';
import { UsageError } from './failures.ts';
import type { Service } from './service.ts';

/** @throws UsageError for a name that no worker knows */
export function checkKnown(name: string, { app, taskNames = [], environment, hasCode }: Service): void {
  // With its code at hand the app itself checks. A queue of somebody else's workers has names of theirs.
  if (hasCode || taskNames.length === 0 || taskNames.includes(name) || environment.externalQueues.length > 0) return;
  throw new UsageError(
    `No worker of '${app.name}' knows a task named '${name}'.${didYouMean(name, taskNames)} See them all: celeriac inspect registered`,
  );
}

/** Of a task that other tasks may stand for only its code says by which key. @throws UsageError */
export function checkUnmarked(name: string, { environment, hasCode }: Service): void {
  if (hasCode || environment.markedTasks?.includes(name) !== true) return;
  throw new UsageError(
    `Task '${name}' is unique, throttled or debounced, and its code says by which key: give it, --app <path of the module>.`,
  );
}
