/** When the entries of the load must fire, told without the library's calendar: by the clock changes of 2030. */

/** Each run begins a while before one of these. */
export const STARTS_MS = [
  // Berlin: 02:00 becomes 03:00 at 01:00 UTC; 03:00 becomes 02:00 at 01:00 UTC.
  Date.UTC(2030, 2, 31, 0, 20),
  Date.UTC(2030, 9, 27, 0, 20),
  // New York: 02:00 becomes 03:00 at 07:00 UTC; 02:00 becomes 01:00 at 06:00 UTC.
  Date.UTC(2030, 2, 10, 6, 20),
  Date.UTC(2030, 10, 3, 5, 20),
] as const;

const MINUTE_MS = 60_000;

/** Seconds of those that count from when they were first seen. */
const EVERY: Readonly<Record<string, number>> = { heart: 20, turns: 50 };

/** Minutes of each hour at which an entry fires: zones are whole hours from UTC. */
const MINUTES: Readonly<Record<string, (minute: number) => boolean>> = {
  rule: (minute) => minute % 7 === 0,
  berlin: (minute) => minute % 5 === 0,
  newYork: (minute) => minute === 10 || minute === 40,
  alone: () => true,
};

/** Entries at a fixed time: once at the end of a gap, once (the first time) in a fold. */
const FIXED: Readonly<Record<string, readonly number[]>> = {
  // 02:30 in Berlin.
  berlinFixed: [Date.UTC(2030, 2, 31, 1, 0), Date.UTC(2030, 9, 27, 0, 30)],
  // 01:30 and 02:30 in New York, on the days of the runs; their winter is five hours behind, their summer four.
  newYorkFixed: [Date.UTC(2030, 2, 10, 6, 30), Date.UTC(2030, 9, 27, 5, 30), Date.UTC(2030, 10, 3, 5, 30)],
  newYorkGap: [Date.UTC(2030, 2, 10, 7, 0), Date.UTC(2030, 9, 27, 6, 30), Date.UTC(2030, 10, 3, 7, 30)],
};

/** Ticks after `fromMs` and before `toMs`. */
export function ticksOf(name: string, fromMs: number, toMs: number, anchorMs: number): number[] {
  const times: number[] = [];
  const within = (ms: number): void => void (ms > fromMs && ms < toMs && times.push(ms));
  const seconds = EVERY[name];
  if (seconds !== undefined) {
    for (let ms = anchorMs + seconds * 1000; ms < toMs; ms += seconds * 1000) within(ms);
    return times;
  }
  const fixed = FIXED[name];
  if (fixed !== undefined) {
    for (const ms of fixed) within(ms);
    return times;
  }
  const minutes = MINUTES[name];
  if (minutes === undefined) throw new Error(`Nobody told when '${name}' fires.`);
  for (let ms = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS; ms < toMs; ms += MINUTE_MS)
    if (minutes(new Date(ms).getUTCMinutes())) within(ms);
  return times;
}
