/** Places in the lines of rate limits, taken together by what runs side by side. */
import type { Clock } from '../base/time.ts';
import type { RateLine, RateRequest, Rates } from '../ports/rates.ts';
import { batched } from './batcher.ts';

/** Places that one of a batch asked for, among those that were taken together. */
export interface Reserved {
  readonly line: RateLine;
  /** The first of them, from 0. */
  readonly index: number;
  readonly count: number;
}

/** Tasks of a batch that stand before the same limit take their places in one write, in the batch's order. */
export function sharingPlaces(
  rates: () => Rates,
  clock: Clock,
): (request: RateRequest) => Promise<Reserved | undefined> {
  let asked = 0;
  const reserve = batched(
    clock,
    Infinity,
    () => String((asked += 1)),
    (items: readonly RateRequest[]) => reserveTogether(items, rates()),
  );
  return async (request) => {
    const outcome = await reserve(request);
    if ('error' in outcome) throw outcome.error;
    return outcome.reserved;
  };
}

/** What fails for one limit says nothing of the others, which are not asked twice. */
type ReserveOutcome = { readonly reserved: Reserved | undefined } | { readonly error: unknown };

async function reserveTogether(items: readonly RateRequest[], rates: Rates): Promise<ReserveOutcome[]> {
  const byLine = new Map<string, { readonly request: RateRequest; count: number }>();
  const places = items.map((request) => {
    const name = `${request.paceMicros} ${request.key}`;
    const line = byLine.get(name) ?? { request, count: 0 };
    byLine.set(name, line);
    const index = line.count;
    line.count += request.count;
    return { name, index };
  });
  const lines = new Map<string, ReserveOutcome>();
  await Promise.all(
    [...byLine].map(async ([name, { request, count }]) => {
      try {
        const line = await rates.reserve({ ...request, count });
        lines.set(name, { reserved: line === undefined ? undefined : { line, index: 0, count } });
      } catch (error) {
        lines.set(name, { error });
      }
    }),
  );
  return places.map(({ name, index }) => {
    const outcome = lines.get(name) as ReserveOutcome;
    if ('error' in outcome || outcome.reserved === undefined) return outcome;
    return { reserved: { ...outcome.reserved, index } };
  });
}
