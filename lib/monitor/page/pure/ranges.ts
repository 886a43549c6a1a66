/** How far back the overview looks, as its address says. Pure. */
import type { OverviewAnswer } from '../../answers.ts';

export type Range = OverviewAnswer['range'];

export const RANGES: readonly { readonly value: Range; readonly text: string }[] = [
  { value: '1h', text: '1 h' },
  { value: '6h', text: '6 h' },
  { value: '1d', text: '24 h' },
  { value: '7d', text: '7 d' },
];

/** @param search of an address; what is no range is an hour */
export function rangeIn(search: string): Range {
  const given = new URLSearchParams(search).get('range');
  return RANGES.find(({ value }) => value === given)?.value ?? '1h';
}
