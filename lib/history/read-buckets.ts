/** Buckets of statistics, unpacked. */
import { errorLine } from '../base/error-text.ts';
import { MAX_STATS_BUCKETS } from '../base/limits.ts';
import type { StatsEvery } from '../ports/history.ts';
import { type Counts, unpackCounts } from './counts.ts';
import type { ReadPorts } from './read.ts';

export interface Bucket {
  /** When it begins, milliseconds since the epoch. */
  readonly startMs: number;
  readonly counts: Counts;
}

/** Those that begin in this time, in order. */
export async function readBuckets(
  every: StatsEvery,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  { history, logger }: ReadPorts,
): Promise<Bucket[]> {
  if (fromMs >= untilMs) return [];
  const stored = await history.buckets({ every, fromMs, untilMs, limit: MAX_STATS_BUCKETS });
  return stored.flatMap(({ startMs, data }) => {
    try {
      return [{ startMs, counts: unpackCounts(data) }];
    } catch (error) {
      logger.log('warn', `Statistics of ${new Date(startMs).toISOString()} cannot be read: ${errorLine(error)}`);
      return [];
    }
  });
}
