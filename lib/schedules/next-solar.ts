/** When an event of the sun is next. Apart from what declares it: a worker declares schedules at its start, and computes none. */
import { getPosition, getTimes } from 'suncalc';
import type { SolarEvent, SolarSchedule } from './schedule.ts';

const DAY_MS = 86_400_000;
// Where the sun stays up or down, the next event is at most a polar summer or winter away.
const LONGEST_WAIT_DAYS = 400;
const PRECISION_MS = 100;

interface Crossing {
  /** Height of the sun's centre in degrees, without refraction; at sunrise and sunset its upper edge is on the horizon. */
  readonly degrees: number;
  readonly rising: boolean;
}

const SUNRISE_DEGREES = -0.833;

/** What each event is, as in Celery; solar noon is no crossing. */
const CROSSINGS: Readonly<Record<Exclude<SolarEvent, 'solar_noon'>, Crossing>> = {
  dawn_astronomical: { degrees: -18, rising: true },
  dawn_nautical: { degrees: -12, rising: true },
  dawn_civil: { degrees: -6, rising: true },
  sunrise: { degrees: SUNRISE_DEGREES, rising: true },
  sunset: { degrees: SUNRISE_DEGREES, rising: false },
  dusk_civil: { degrees: -6, rising: false },
  dusk_nautical: { degrees: -12, rising: false },
  dusk_astronomical: { degrees: -18, rising: false },
};

// What suncalc adds to every height below the horizon: Meeus' formula 16.4 at height zero, in degrees.
const REFRACTION_DEGREES = ((0.0002967 / Math.tan(0.00312536 / 0.08901179)) * 180) / Math.PI;

/** The first such event after an instant. Days without one (polar day and night) are passed over. */
export function nextSolarMs(schedule: SolarSchedule, afterMs: number): number | undefined {
  const shiftMs = (schedule.longitude / 360) * DAY_MS;
  const firstDay = Math.floor((afterMs + shiftMs) / DAY_MS) - 1;
  for (let day = firstDay; day <= firstDay + LONGEST_WAIT_DAYS; day += 1) {
    const dueMs = eventsOfDay(schedule, day).find((eventMs) => eventMs > afterMs);
    if (dueMs !== undefined) return dueMs;
  }
  return undefined;
}

/** The events between one midnight of the sun and the next, ascending. */
function eventsOfDay(schedule: SolarSchedule, day: number): number[] {
  const noonMs = solarNoonMs(schedule, day);
  if (schedule.event === 'solar_noon') return [wholeSecond(noonMs)];
  const crossing = CROSSINGS[schedule.event];
  const midnightMs = (solarNoonMs(schedule, day - 1) + noonMs) / 2;
  const nextMidnightMs = (noonMs + solarNoonMs(schedule, day + 1)) / 2;
  return [
    crossingMs(schedule, crossing, midnightMs, noonMs),
    crossingMs(schedule, crossing, noonMs, nextMidnightMs),
  ].flatMap((eventMs) => (eventMs === undefined ? [] : [wholeSecond(eventMs)]));
}

function solarNoonMs({ latitude, longitude }: SolarSchedule, day: number): number {
  const meanNoonMs = (day + 0.5 - longitude / 360) * DAY_MS;
  return getTimes(new Date(meanNoonMs), latitude, longitude).solarNoon.getTime();
}

/**
 * Where the sun passes a height between its highest and its lowest place, or the other way around. By
 * halving: suncalc's own times are off by hours on the days around a polar day or night.
 */
function crossingMs(schedule: SolarSchedule, crossing: Crossing, fromMs: number, untilMs: number): number | undefined {
  const above = (atMs: number): boolean =>
    getPosition(new Date(atMs), schedule.latitude, schedule.longitude).altitude - REFRACTION_DEGREES > crossing.degrees;
  if (above(fromMs) === crossing.rising || above(untilMs) !== crossing.rising) return undefined;
  let [low, high] = [fromMs, untilMs];
  while (high - low > PRECISION_MS) {
    const middle = (low + high) / 2;
    if (above(middle) === crossing.rising) high = middle;
    else low = middle;
  }
  return low;
}

function wholeSecond(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}
