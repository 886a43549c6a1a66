/** How long things took, counted so that counts of two times can be added: percentiles are right to 5 %. Pure. */

// A class is this much wider than the one below: what lies in it differs from its middle by less than 5 %.
const GROWTH = 1.1;
const MIDDLE = (2 * GROWTH) / (1 + GROWTH);

/** How many there are of each class; class 0 is below a millisecond. */
export type Histogram = Map<number, number>;

/** The class of a duration in milliseconds. */
function classOf(ms: number): number {
  return ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / Math.log(GROWTH));
}

export function count(histogram: Histogram, ms: number): void {
  const index = classOf(ms);
  histogram.set(index, (histogram.get(index) ?? 0) + 1);
}

export function addInto(sum: Histogram, other: Histogram): void {
  for (const [index, times] of other) sum.set(index, (sum.get(index) ?? 0) + times);
}

/** Milliseconds that this share, from 0 to 1, took at most; undefined where there are none. */
export function percentile(histogram: Histogram, share: number): number | undefined {
  const classes = [...histogram].toSorted(([left], [right]) => left - right);
  const total = classes.reduce((sum, [, times]) => sum + times, 0);
  let left = Math.max(1, Math.ceil(share * total));
  for (const [index, times] of classes) {
    left -= times;
    if (left <= 0) return index === 0 ? 0 : GROWTH ** (index - 1) * MIDDLE;
  }
  return undefined;
}
