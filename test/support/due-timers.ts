import type { Timer, Timers } from 'celeriac';

/** All timers that are due by then, part by part. */
export async function dueTimers(timers: Pick<Timers, 'eachDue'>, untilMs: number): Promise<Timer[]> {
  const found = new Map<number, Timer[]>();
  await timers.eachDue({ untilMs, limit: 1000 }, (page, part) => {
    found.set(part, [...(found.get(part) ?? []), ...page]);
    return Promise.resolve();
  });
  return [...found].toSorted(([left], [right]) => left - right).flatMap(([, some]) => some);
}
