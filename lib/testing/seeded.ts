import type { Ids, Random } from '../base/time.ts';

/** Mulberry32: small, fast, the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

/** Ids that count: the same run gives the same ids. */
export function countingIds(prefix = 0): Ids {
  let count = 0;
  const head = prefix.toString(16).padStart(8, '0');
  return {
    next() {
      count += 1;
      return `${head}-0000-4000-8000-${count.toString(16).padStart(12, '0')}`;
    },
  };
}
