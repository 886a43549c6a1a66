/** Schedule entries as JSON data that can be kept in a repository and loaded at a deployment. */
import { shown } from '../base/checks.ts';
import { errorText } from '../base/error-text.ts';
import { InvalidSchedule } from '../base/errors.ts';
import type { BeatEntry } from './entry.ts';
import { readSignature } from '../wire/signature.ts';
import type { StoredSchedule } from './schedule-view.ts';

/** Entries by name. JSON data: `JSON.stringify` and back changes nothing. */
export type Fixture = Readonly<Record<string, BeatEntry>>;

export function fixtureOf(entries: readonly StoredSchedule[]): Fixture {
  return Object.fromEntries(
    entries.map((entry) => [
      entry.name,
      {
        task: entry.task,
        schedule: entry.schedule,
        enabled: entry.enabled,
        oneOff: entry.oneOff,
        ...(entry.startTime === null ? {} : { startTime: entry.startTime.toISOString() }),
        ...(entry.expires === null ? {} : { expires: entry.expires.toISOString() }),
        catchUp: entry.catchUp,
        ...(entry.startingDeadline === null ? {} : { startingDeadline: entry.startingDeadline }),
        ...(entry.customTask ? { customTask: true } : {}),
        ...(entry.description === '' ? {} : { description: entry.description }),
      },
    ]),
  );
}

/** @throws InvalidSchedule where it is no fixture; each entry is checked when it is stored. */
export function readFixture(fixture: Fixture | string): Fixture {
  const data: unknown = typeof fixture === 'string' ? parse(fixture) : fixture;
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new InvalidSchedule('A fixture is an object of entries by name, as dump() returns it.');
  return Object.fromEntries(
    Object.entries(data as Readonly<Record<string, Record<string, unknown> | null>>).map(([name, entry]) => {
      if (typeof entry !== 'object' || entry === null)
        throw new InvalidSchedule(`entry '${name}' of the fixture: ${shown(entry)} given; an object is allowed.`);
      const task = typeof entry['task'] === 'object' ? readSignature(entry['task']) : entry['task'];
      if (task === undefined) throw new InvalidSchedule(`entry '${name}' of the fixture has no task.`);
      return [name, { ...entry, task } as BeatEntry];
    }),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidSchedule(`The fixture is no JSON: ${errorText(error).message}`, {
      cause: error,
    });
  }
}
