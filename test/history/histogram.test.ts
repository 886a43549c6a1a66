/** Histograms and counts of statistics: sums do not depend on the order, and percentiles are right to 5 %. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { addCounts, type Counts, countsOf, totalOf } from '../../lib/history/counts.ts';
import { addInto, count, type Histogram, percentile } from '../../lib/history/histogram.ts';
import { historyEntry, historyEntries } from '../support/history-entries.ts';

// A month: no run and no wait is longer.
const MONTH_MS = 30 * 86_400_000;
const durations = fc.array(
  fc.oneof(
    fc.nat(20),
    fc.nat(60_000),
    fc.nat(MONTH_MS),
    fc.nat(200).map((power) => Math.round(1.1 ** (power % 220))),
  ),
  { minLength: 1, maxLength: 60 },
);

function histogramOf(times: readonly number[]): Histogram {
  const histogram: Histogram = new Map();
  for (const ms of times) count(histogram, ms);
  return histogram;
}

function sumOf(...all: readonly Histogram[]): Histogram {
  const sum: Histogram = new Map();
  for (const each of all) addInto(sum, each);
  return sum;
}

const sorted = <K, V>(map: ReadonlyMap<K, V>): (readonly [K, V])[] =>
  [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));

/** By name, whatever the order in which they were counted. */
function comparable(counts: Counts): unknown {
  return sorted(counts).map(([task, { states, wait, run }]) => [task, sorted(states), sorted(wait), sorted(run)]);
}

describe('a histogram', () => {
  it('of two times together is the sum of both, in any order and any grouping', () => {
    fc.assert(
      fc.property(durations, durations, durations, (one, two, three) => {
        const whole = sorted(histogramOf([...one, ...two, ...three]));
        const [first, second, third] = [histogramOf(one), histogramOf(two), histogramOf(three)];
        expect(sorted(sumOf(first, second, third))).toEqual(whole);
        expect(sorted(sumOf(third, first, second))).toEqual(whole);
        expect(sorted(sumOf(first, sumOf(second, third)))).toEqual(whole);
        expect(sorted(sumOf(sumOf(first, second), third))).toEqual(whole);
      }),
    );
  });

  it('tells a percentile that is 5 % beside the true one at most', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(0, 0.01, 0.5, 0.95, 0.99, 1), (times, share) => {
        const inOrder = times.toSorted((left, right) => left - right);
        const exact = inOrder[Math.max(1, Math.ceil(share * times.length)) - 1] ?? Number.NaN;
        const told = percentile(histogramOf(times), share) ?? Number.NaN;
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(0.05 * exact);
      }),
    );
  });

  it('of nothing has none', () => {
    expect(percentile(new Map(), 0.5)).toBeUndefined();
  });
});

describe('counts', () => {
  it('of two parts together are those of the whole, in any order', () => {
    fc.assert(
      fc.property(historyEntries, historyEntries, (one, two) => {
        const [forth, back]: [Counts, Counts] = [countsOf(one), countsOf(two)];
        addCounts(forth, countsOf(two));
        addCounts(back, countsOf(one));
        const whole = countsOf([...one, ...two]);
        expect(comparable(forth)).toEqual(comparable(whole));
        expect(comparable(back)).toEqual(comparable(whole));
        expect(totalOf(whole)).toBe(one.length + two.length);
      }),
    );
  });

  it('of one that never ran have no times', () => {
    fc.assert(
      fc.property(historyEntry, ({ startedMs: _startedMs, dueMs: _dueMs, ...entry }) => {
        const [counts] = countsOf([entry]).values();
        expect([counts?.wait.size, counts?.run.size]).toEqual([0, 0]);
      }),
    );
  });
});
