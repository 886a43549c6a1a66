/** The queues of an app, with every default written down. */
import { checkDefaultQueue, checkQueues } from '#deployed/options/check-queues';
import { durationSeconds } from '../base/duration.ts';
import { ESM_MAX_BATCH_SIZE } from '../base/limits.ts';
import { batchConcurrencyFor } from './at-once.ts';
import type { Lane, QueueManifest } from './manifest.ts';
import { laneName, type QueueOptions } from './queue-options.ts';

/** @param batchConcurrency the app's. @throws InvalidOption */
export function resolveQueues(
  queues: Readonly<Record<string, QueueOptions>>,
  batchConcurrency: number,
): Record<string, QueueManifest> {
  checkQueues(queues, batchConcurrency);
  const resolved: Record<string, QueueManifest> = {};
  for (const [name, options] of Object.entries(queues)) {
    const { priorities = [0], defaultPriority = 0 } = options;
    const steps = priorities.toSorted((one, other) => one - other);
    const own = steps.findLast((step) => step <= defaultPriority);
    const lanes = steps.map((step): Lane => [step, step === own ? name : laneName(name, step)]);
    // Before its lanes.
    resolved[name] = { fifo: false };
    for (const [index, [step, queue]] of lanes.entries()) {
      const { concurrency: all } = options;
      // What does not divide goes to the most urgent.
      const concurrency =
        typeof all === 'number' ? Math.floor((all + lanes.length - 1 - index) / lanes.length) : all?.[step];
      resolved[queue] = {
        ...resolveQueue(options, concurrency, batchConcurrency),
        ...(queue === name ? {} : { laneOf: name, defaultPriority: step }),
      };
    }
    if (lanes.length > 1) Object.assign(resolved[name], { lanes }, defaultPriority > 0 && { defaultPriority });
  }
  return resolved;
}

function resolveQueue(
  options: QueueOptions,
  concurrency: number | undefined,
  appBatchConcurrency: number,
): QueueManifest {
  const { fifo = false, batchSize, batchWindow, external, worker } = options;
  const windowSeconds = batchWindow === undefined ? 0 : durationSeconds(batchWindow, 'batchWindow');
  const whole = Math.min(batchSize ?? ESM_MAX_BATCH_SIZE, ESM_MAX_BATCH_SIZE);
  const most = Math.min(options.batchConcurrency ?? appBatchConcurrency, batchSize ?? ESM_MAX_BATCH_SIZE);
  const each = concurrency === undefined ? most : batchConcurrencyFor(concurrency, most);
  return {
    fifo,
    ...(concurrency === undefined ? {} : { concurrency }),
    // An invocation that may run its whole batch at once need not be told.
    ...((concurrency === undefined && each === whole) || external === true ? {} : { batchConcurrency: each }),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(windowSeconds > 0 ? { batchWindowSeconds: windowSeconds } : {}),
    ...(external === true ? { external } : {}),
    ...(worker === 'process' ? { worker } : {}),
  };
}

/** @throws InvalidOption */
export function resolveDefaultQueue(
  given: string | undefined,
  queues: Readonly<Record<string, QueueManifest>>,
): string {
  const names = Object.keys(queues);
  const own = names.filter((name) => queues[name]?.external !== true);
  // An app without workers only sends, to Python say: a queue of theirs is where all goes.
  const candidates = own.length === 0 ? names : own;
  const chosen =
    given ??
    ['default', ...(own.length === 0 ? ['celery'] : []), ...candidates].find((name) => candidates.includes(name)) ??
    '';
  checkDefaultQueue(chosen, names, own);
  return chosen;
}
