/**
 * Time zones by the platform's own database (Intl): stretches of constant offset, found once per zone and
 * year. Everything about DST follows from them: a gap and a fold are what lies between two stretches.
 */
import { checkZone } from './check-zone.ts';

/** A stretch of time with one offset; neighbours may have the same one. */
export interface Segment {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Local time minus UTC. */
  readonly offsetMs: number;
}

const DAY_MS = 86_400_000;
// Two changes within a day do not exist in the time zone database after 1970.
const SAMPLE_MS = DAY_MS;
const FORMAT = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;
/** Segments that may overlap in local time: a fold at a year's end touches two, a third is safety. */
const OVERLAPPING = 3;

export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #years = new Map<number, readonly Segment[]>();

  /** @throws RangeError for a zone that the platform's database does not have. */
  constructor(name: string) {
    this.name = name;
    this.#format = formatOf(name);
  }

  /** The stretch that holds an instant. */
  segmentAt(instantMs: number): Segment {
    const segments = this.#yearOf(instantMs);
    const found = segments.find((segment) => instantMs < segment.untilMs) ?? segments.at(-1);
    if (found === undefined) throw new RangeError(`no offset of ${this.name} at ${instantMs}`);
    return found;
  }

  /** The latest local time that any clock of the zone showed before the stretch began. */
  shownBefore(segment: Segment): number {
    let latest = Number.NEGATIVE_INFINITY;
    let fromMs = segment.fromMs;
    for (let count = 0; count < OVERLAPPING; count += 1) {
      const previous = this.segmentAt(fromMs - 1);
      latest = Math.max(latest, previous.untilMs + previous.offsetMs);
      fromMs = previous.fromMs;
    }
    return latest;
  }

  /**
   * The first instant from `fromMs` on at which the zone's clocks show a local time that lies before them;
   * where they jump over it, the instant of the jump.
   */
  instantOf(localMs: number, fromMs: number): number {
    let segment = this.segmentAt(fromMs);
    for (;;) {
      const instantMs = Math.max(localMs - segment.offsetMs, segment.fromMs);
      if (instantMs < segment.untilMs) return instantMs;
      segment = this.segmentAt(segment.untilMs);
    }
  }

  #yearOf(instantMs: number): readonly Segment[] {
    const year = new Date(instantMs).getUTCFullYear();
    let segments = this.#years.get(year);
    if (segments === undefined) {
      segments = this.#segments(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
      this.#years.set(year, segments);
    }
    return segments;
  }

  #segments(startMs: number, endMs: number): Segment[] {
    const segments: Segment[] = [];
    let fromMs = startMs;
    let offsetMs = this.#offsetAt(startMs);
    for (let sampleMs = startMs; sampleMs < endMs; sampleMs += SAMPLE_MS) {
      const nextMs = Math.min(sampleMs + SAMPLE_MS, endMs - 1000);
      const nextOffset = this.#offsetAt(nextMs);
      if (nextOffset === offsetMs) continue;
      const changeMs = this.#changeBetween(sampleMs, nextMs, offsetMs);
      segments.push({ fromMs, untilMs: changeMs, offsetMs });
      fromMs = changeMs;
      offsetMs = nextOffset;
    }
    segments.push({ fromMs, untilMs: endMs, offsetMs });
    return segments;
  }

  /** First second with another offset than `offsetMs`. */
  #changeBetween(beforeMs: number, afterMs: number, offsetMs: number): number {
    let [low, high] = [beforeMs, afterMs];
    while (high - low > 1000) {
      const middle = low + Math.floor((high - low) / 2000) * 1000;
      if (this.#offsetAt(middle) === offsetMs) low = middle;
      else high = middle;
    }
    return high;
  }

  #offsetAt(instantMs: number): number {
    const [, month, day, year, hour, minute, second] = (FORMAT.exec(this.#format.format(instantMs)) ?? []).map(Number);
    const localMs = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
    return localMs - Math.floor(instantMs / 1000) * 1000;
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

const ZONES = new Map<string, Zone>();

/** @throws InvalidSchedule for a zone that the platform's database does not have. */
export function zoneOf(name: string): Zone {
  let zone = ZONES.get(name);
  if (zone === undefined) {
    checkZone(name);
    zone = new Zone(name);
    ZONES.set(name, zone);
  }
  return zone;
}
