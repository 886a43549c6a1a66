/** When an entry is due, as frozen plain data: it is stored, put into manifests and shown. `nextDueMs` gives it meaning. */

/** What a fixed time that the clock jumps over does: run at the end of the gap, or not that day. */
export type DstPolicy = 'shift' | 'skip';

/** Celery's crontab. Fields are in Celery's grammar and are ANDed; day of week 0 to 6 from Sunday. */
export interface CrontabSchedule {
  /** Tells the kinds of schedules apart. */
  readonly type: 'crontab';
  /** 0 to 59. */
  readonly minute: string;
  /** 0 to 23. */
  readonly hour: string;
  /** 1 to 31. */
  readonly dayOfMonth: string;
  /** 1 to 12. */
  readonly monthOfYear: string;
  /** 0 to 6, from Sunday. */
  readonly dayOfWeek: string;
  /** IANA zone. Absent: the app's. */
  readonly timezone?: string;
  /** What a fixed time in the gap does when clocks are put forward. */
  readonly dst: DstPolicy;
}

/** Celery's `schedule(run_every, relative)`: what `every()` gives. */
export interface IntervalSchedule {
  /** Tells the kinds of schedules apart. */
  readonly type: 'interval';
  /** From one tick to the next, 1 s at least, in whole milliseconds. */
  readonly seconds: number;
  /** Due times are rounded down to the interval's own unit: day, hour, minute or second. */
  readonly relative: boolean;
  /** IANA zone of the rounding. Absent: the app's. */
  readonly timezone?: string;
}

export const SOLAR_EVENTS = [
  'dawn_astronomical',
  'dawn_nautical',
  'dawn_civil',
  'sunrise',
  'solar_noon',
  'sunset',
  'dusk_civil',
  'dusk_nautical',
  'dusk_astronomical',
] as const;
/** What `solar()` can wait for: Celery's names. */
export type SolarEvent = (typeof SOLAR_EVENTS)[number];

/** Celery's `solar`: at each event of the sun of one kind, at a place. */
export interface SolarSchedule {
  /** Tells the kinds of schedules apart. */
  readonly type: 'solar';
  /** Which event. */
  readonly event: SolarEvent;
  /** Degrees, north positive. */
  readonly latitude: number;
  /** Degrees, east positive. */
  readonly longitude: number;
}

/** django-celery-beat's `clocked`: one tick, at one instant. */
export interface ClockedSchedule {
  /** Tells the kinds of schedules apart. */
  readonly type: 'clocked';
  /** The one instant, ISO 8601 in UTC. */
  readonly at: string;
}

/** When an entry is due: what `crontab()`, `every()`, `solar()` and `clocked()` give. */
export type Schedule = CrontabSchedule | IntervalSchedule | SolarSchedule | ClockedSchedule;

/** The schedule with its zone filled in, so that it means the same wherever it is read. */
export function inZone<S extends Schedule>(schedule: S, timezone: string): S {
  const zoned = schedule.type === 'crontab' || schedule.type === 'interval';
  return zoned && schedule.timezone === undefined ? Object.freeze<S>({ ...schedule, timezone }) : schedule;
}
