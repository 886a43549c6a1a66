/** What every log line must have as fields, besides its text: those who look for a task look for its id in a field. */
import type { Logger } from 'celeriac';
import { afterEach, expect } from 'vitest';

type Fields = Readonly<Record<string, unknown>>;

const SUBJECTS: readonly (readonly [RegExp, (...found: readonly string[]) => Fields])[] = [
  // Named with its caller, whose id the line bears.
  [/^Error link (.+?) of .+?\[(.+?)\] failed/, (task, taskId) => ({ task, taskId })],
  [/^Task (.+?)\[(.+?)\](?! is a member of a chord)/, (task, taskId) => ({ task, taskId })],
  [/^(?:before|after|on)\w+ of (.+?)\[(.+?)\] failed/i, (task, taskId) => ({ task, taskId })],
  [/^Queue '(.+?)' has no lanes: .* of task (\S+) changes/, (queue, task) => ({ queue, task })],
  [/^The key of task (.+?)\[(.+?)\] is not free/, (task, taskId) => ({ task, taskId })],
  [/^Task \S+ waits for a slot of (.+) and was not sent/, (key) => ({ key })],
  [/^The repair timer of (\S+) stays/, (taskId) => ({ taskId })],
  [/^Timer of task (\S+) was not/, (taskId) => ({ taskId })],
  [/^Sweep: (\d+) timers sent, (\d+) failed/, (sent, failed) => ({ sent: Number(sent), failed: Number(failed) })],
  [/^Schedule entry '(.+?)' /, (entry) => ({ entry })],
  [/^The rule of schedule entry '(.+?)'/, (entry) => ({ entry })],
];

/** Lines whose text does not say what they are about, and the field that does. */
const NAMED: readonly (readonly [RegExp, string])[] = [
  [/^Message \S+ (?:could not|cannot)/, 'queue'],
  [/^Message \S+: its visibility/, 'queue'],
  [/^Whether running tasks were revoked/, 'queue'],
  [/^The slot of \S+ was not given back/, 'key'],
];

/** What is wrong with a line; undefined where nothing is. */
export function faultOfLine(message: string, fields: Fields = {}): string | undefined {
  for (const [pattern, wanted] of SUBJECTS) {
    const [found, ...groups] = pattern.exec(message) ?? [];
    if (found === undefined) continue;
    for (const [name, value] of Object.entries(wanted(...groups)))
      if (fields[name] !== value) return `'${message}' has no field ${name}: '${String(value)}'`;
    return undefined;
  }
  for (const [pattern, name] of NAMED)
    if (pattern.test(message) && typeof fields[name] !== 'string') return `'${message}' has no field ${name}`;
  return undefined;
}

const faults: string[] = [];

afterEach(() => {
  expect(faults.splice(0)).toEqual([]);
});

/** The same logger; a line that names its subject in its text alone fails the test that it was written in. */
export function checkedLines(logger?: Logger): Logger {
  return {
    log: (level, message, fields) => {
      const fault = faultOfLine(message, fields);
      if (fault !== undefined) faults.push(fault);
      logger?.log(level, message, fields);
    },
  };
}
