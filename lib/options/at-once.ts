/**
 * How many tasks of a queue run at once. An event source bounds its workers, and a worker how many of its batch run side by
 * side: the two together keep what a queue's `concurrency` says. Pure.
 */
import { ESM_MAX_BATCH_SIZE, ESM_MAX_CONCURRENCY, ESM_MIN_CONCURRENCY } from '../base/limits.ts';
import type { QueueManifest } from './manifest.ts';

type AtOnce = Pick<QueueManifest, 'concurrency' | 'batchConcurrency' | 'batchSize'>;

/**
 * How many tasks of a batch run side by side so that `concurrency` can be reached in full, or as nearly as it can be from
 * below; of several ways the one with the fewest workers, which share what an invocation costs.
 *
 * @param most tasks of a batch at once
 */
export function batchConcurrencyFor(concurrency: number, most: number): number {
  let best = 1;
  for (let each = 2; each <= Math.min(most, concurrency / ESM_MIN_CONCURRENCY); each += 1)
    if (reached(concurrency, each) >= reached(concurrency, best)) best = each;
  return best;
}

function reached(concurrency: number, batchConcurrency: number): number {
  return batchConcurrency * Math.min(ESM_MAX_CONCURRENCY, Math.floor(concurrency / batchConcurrency));
}

/** Most workers of a queue at once: its event source's `MaximumConcurrency`. undefined for as many as Lambda starts. */
export function workersOf({ concurrency, batchConcurrency, batchSize }: AtOnce): number | undefined {
  if (concurrency === undefined) return undefined;
  const each = batchConcurrency ?? batchConcurrencyFor(concurrency, batchSize ?? ESM_MAX_BATCH_SIZE);
  return Math.min(ESM_MAX_CONCURRENCY, Math.floor(concurrency / each));
}

/**
 * Messages per invocation. What a batch has no time for is handed back, which counts as a receive: where few of it run at
 * once, a batch is no longer than what surely runs.
 *
 * @param rounds how often in an invocation the longest task surely runs, one after another
 */
export function batchSizeOf(
  { batchSize, batchConcurrency = ESM_MAX_BATCH_SIZE }: Pick<QueueManifest, 'batchSize' | 'batchConcurrency'>,
  rounds = 1,
): number {
  return batchSize ?? Math.min(ESM_MAX_BATCH_SIZE, batchConcurrency * Math.max(1, rounds));
}
