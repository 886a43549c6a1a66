/**
 * Once a minute the sweeper makes counts of what ended: of each minute that has been over for a while, and of its hour and
 * day. Every bucket is made anew of all it stands for, and a bucket that counts more is never replaced by one that counts
 * less: two sweepers at once, or one that dies in between, count nothing twice and lose nothing.
 *
 *   1. Minutes in order: bucket of the minute, of its hour, of its day, and then how far this is.
 *   2. Minutes that were written to late: the same, and then their note is taken away, unless they were noted again.
 */
import { errorLine } from '../base/error-text.ts';
import {
  MAX_LATE_MINUTES,
  ROLL_UP_AFTER_SECONDS,
  ROLL_UP_FIRST_SECONDS,
  ROLL_UP_LONGEST_MS,
  STATS_RETENTION_SECONDS,
} from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import type { StatsEvery } from '../ports/history.ts';
import { addCounts, type Counts, countsOf, packCounts, totalOf } from './counts.ts';
import { type FailureCounts, mergeCounts } from '../notify/counts.ts';
import type { Notifying } from '../ports/notices.ts';
import { noteDeploy } from './deploys.ts';
import { type Budget, DAY_MS, HOUR_MS, MINUTE_MS, minutesOf, type ReadPorts, startOf } from './read.ts';
import { readBuckets } from './read-buckets.ts';
import { keepFailures, tellDue } from './tell-due.ts';

export interface RollPorts extends ReadPorts {
  readonly clock: Clock;
  /** Who is told of failures; absent where nobody is. */
  readonly notify?: (() => Promise<Notifying>) | undefined;
}

/** What one sweep rolled up. */
export interface RollUpReport {
  /** Minutes in which something ended. */
  readonly minutes: number;
  /** Minutes that were rolled up again. */
  readonly late: number;
}

// So much is read at a time, and so far may the note of how far this is lie behind where nothing ends.
const STEP_MS = 10 * MINUTE_MS;
// Where nothing ended, an outage is passed over by the hour.
const LONGEST_STEP_MS = HOUR_MS;

/**
 * Never throws: the sweep has done its work, and the next one does this.
 *
 * @param version of the code that runs: where it is another one than before, that is noted
 */
export async function rollUp(ports: RollPorts, version?: string): Promise<RollUpReport> {
  try {
    const notifying = await ports.notify?.();
    const failures: FailureCounts[] = [];
    const { untilMs, ...report } = await rollUpAll({ ...ports, notifying, failures }, version);
    if (notifying !== undefined && (await tellDue({ untilMs, counts: mergeCounts(failures) }, notifying, ports)))
      await ports.history.rolled(untilMs);
    return report;
  } catch (error) {
    ports.logger.log('error', `The history was not rolled up: ${errorLine(error)}`);
    return { minutes: 0, late: 0 };
  }
}

interface Rolling extends RollPorts {
  readonly notifying: Notifying | undefined;
  /** Gathers those of the minutes that are rolled up now. */
  readonly failures: FailureCounts[];
}

async function rollUpAll(
  ports: Rolling,
  version: string | undefined,
): Promise<RollUpReport & { readonly untilMs: number }> {
  const { history, clock } = ports;
  const startMs = clock.nowMs();
  const endMs = startOf(startMs - ROLL_UP_AFTER_SECONDS * 1000, MINUTE_MS);
  const state = await history.rollState(MAX_LATE_MINUTES);
  if (version !== undefined) await noteDeploy(version, ports);
  let fromMs = state.untilMs ?? startOf(endMs - ROLL_UP_FIRST_SECONDS * 1000, MINUTE_MS);
  let minutes = 0;
  let stepMs = STEP_MS;
  while (fromMs < endMs && clock.nowMs() < startMs + ROLL_UP_LONGEST_MS) {
    const untilMs = Math.min(endMs, fromMs + stepMs);
    const found = await rollRange(fromMs, untilMs, ports);
    // Where nothing ended, what was read is read again for nothing but a query: a write each minute would cost more.
    if (found > 0 || untilMs - fromMs >= STEP_MS || state.untilMs === undefined) await history.rolled(untilMs);
    minutes += found;
    stepMs = found > 0 ? STEP_MS : Math.min(LONGEST_STEP_MS, 2 * stepMs);
    fromMs = untilMs;
  }
  let late = 0;
  for (const minute of state.late) {
    // Not rolled up yet: it will be, with all that was written.
    if (minute.startMs >= fromMs) continue;
    // Who wrote it late has told it.
    await rollRange(minute.startMs, minute.startMs + MINUTE_MS, { ...ports, failures: [] });
    await history.clearLate(minute);
    late += 1;
  }
  return { minutes, late, untilMs: fromMs };
}

/** @returns minutes in which something ended */
async function rollRange(fromMs: number, untilMs: number, ports: Rolling): Promise<number> {
  const { notifying, failures, logger } = ports;
  const budget: Budget = { queries: Infinity, reachedMs: untilMs };
  const starts: number[] = [];
  for await (const { startMs, entries } of minutesOf({ fromMs, untilMs }, budget, ports)) {
    if (entries.length === 0) continue;
    await store('minute', startMs, countsOf(entries), ports);
    if (notifying !== undefined) failures.push(await keepFailures(startMs, entries, notifying.notices, logger));
    starts.push(startMs);
  }
  // The finer ones come first: whoever writes last has read what all others have written before.
  for (const hourMs of new Set(starts.map((ms) => startOf(ms, HOUR_MS))))
    await store('hour', hourMs, await summed('minute', hourMs, HOUR_MS, ports), ports);
  for (const dayMs of new Set(starts.map((ms) => startOf(ms, DAY_MS))))
    await store('day', dayMs, await summed('hour', dayMs, DAY_MS, ports), ports);
  return starts.length;
}

async function summed(of: StatsEvery, fromMs: number, lengthMs: number, ports: RollPorts): Promise<Counts> {
  const sum: Counts = new Map();
  for (const { counts } of await readBuckets(of, { fromMs, untilMs: fromMs + lengthMs }, ports)) addCounts(sum, counts);
  return sum;
}

async function store(every: StatsEvery, startMs: number, counts: Counts, { history }: RollPorts): Promise<void> {
  const expiresAtSeconds = Math.ceil(startMs / 1000) + STATS_RETENTION_SECONDS[every];
  await history.putBucket({ every, startMs, count: totalOf(counts), data: packCounts(counts), expiresAtSeconds });
}
