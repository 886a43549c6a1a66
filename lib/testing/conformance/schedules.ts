/** What every store of schedule entries must do. Cases share one store and keep to names and times of their own. */
import { deepEqual, equal } from 'node:assert/strict';

import type { DueMark, ScheduleItem, Schedules } from '../../ports.ts';
import type { ConformanceCase } from './case.ts';
import { schedulesRefusals } from './refusals.ts';

const NOW = 1_900_000_000_000;

export function schedulesConformance(schedules: Schedules): ConformanceCase[] {
  const item = (
    name: string,
    revision: number,
    nextDueMs: number | null,
    document = `{"name":"${name}"}`,
  ): ScheduleItem => ({
    name,
    revision,
    nextDueMs,
    document,
  });
  const allDue = async (fromMs: number, untilMs: number): Promise<DueMark[]> =>
    (await schedules.due(untilMs, 1000)).filter((mark) => mark.dueMs >= fromMs);
  return [
    ...schedulesRefusals(schedules),
    {
      name: 'reads what was written, in the order asked for, and nothing for unknown names',
      async run() {
        const [one, two] = [item('read-1', 1, NOW), item('read ä/2#3', 1, null, '{"text":"\u2028 ü"}')];
        equal(await schedules.write(one), true);
        equal(await schedules.write(two), true);
        deepEqual(await schedules.read(['read ä/2#3', 'unknown', 'read-1', 'read-1']), [two, undefined, one, one]);
        deepEqual(await schedules.read([]), []);
      },
    },
    {
      name: 'reads more entries than one request returns',
      async run() {
        const items = Array.from({ length: 130 }, (_, index) =>
          item(`many-${String(index).padStart(3, '0')}`, 1, null),
        );
        await Promise.all(items.map((each) => schedules.write(each)));
        deepEqual(await schedules.read(items.map((each) => each.name)), items);
      },
    },
    {
      name: 'a write takes only where the revision is the next one',
      async run() {
        equal(await schedules.write(item('revision', 1, null)), true);
        equal(await schedules.write(item('revision', 1, null, '{"other":1}')), false);
        equal(await schedules.write(item('revision', 3, null)), false);
        equal(await schedules.write(item('revision', 2, NOW, '{"second":1}')), true);
        equal(await schedules.write(item('revision-none', 2, null)), false);
        deepEqual(await schedules.read(['revision', 'revision-none']), [
          item('revision', 2, NOW, '{"second":1}'),
          undefined,
        ]);
      },
    },
    {
      name: 'of writers at the same time one wins',
      async run() {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, index) => schedules.write(item('race', 1, null, `{"writer":${index}}`))),
        );
        equal(outcomes.filter((outcome) => outcome).length, 1);
      },
    },
    {
      name: 'marks come earliest first, page by page, and only what is due',
      async run() {
        const base = NOW + 1_000_000;
        const names = ['due-c', 'due-a', 'due-b', 'due-d'];
        const times = [base + 2, base, base, base + 10];
        for (const [index, name] of names.entries()) await schedules.write(item(name, 1, times[index] ?? 0));
        deepEqual(await allDue(base, base + 9), [
          { name: 'due-a', dueMs: base },
          { name: 'due-b', dueMs: base },
          { name: 'due-c', dueMs: base + 2 },
        ]);
        const second = await schedules.due(base + 9, 1, { name: 'due-a', dueMs: base });
        deepEqual(second, [{ name: 'due-b', dueMs: base }]);
        deepEqual(await schedules.due(base + 9, 10, { name: 'due-c', dueMs: base + 2 }), []);
      },
    },
    {
      name: 'a mark stays until it is dropped, whatever becomes of its entry',
      async run() {
        const base = NOW + 2_000_000;
        await schedules.write(item('mark', 1, base));
        await schedules.write(item('mark', 2, base + 5));
        const both = [
          { name: 'mark', dueMs: base },
          { name: 'mark', dueMs: base + 5 },
        ];
        deepEqual(await allDue(base, base + 9), both);
        equal(await schedules.remove('mark', 2), true);
        deepEqual(await allDue(base, base + 9), both);
        await schedules.dropMarks(both.slice(0, 1));
        await schedules.dropMarks(both.slice(0, 1));
        deepEqual(await allDue(base, base + 9), both.slice(1));
        await schedules.dropMarks([]);
      },
    },
    {
      name: 'removes one revision; what is gone is gone',
      async run() {
        await schedules.write(item('gone', 1, null));
        await schedules.write(item('gone', 2, null));
        equal(await schedules.remove('gone', 1), false);
        equal(await schedules.remove('gone', 2), true);
        equal(await schedules.remove('gone', 2), true);
        deepEqual(await schedules.read(['gone']), [undefined]);
        equal(await schedules.write(item('gone', 1, null)), true);
      },
    },
    {
      name: 'lists by name, page by page',
      async run() {
        for (const name of ['list-b', 'list-a', 'list-c']) await schedules.write(item(name, 1, null));
        const names = async (after: string, limit: number): Promise<string[]> =>
          (await schedules.list(after, limit)).map((each) => each.name);
        deepEqual(await names('list-', 2), ['list-a', 'list-b']);
        deepEqual((await names('list-b', 1000)).slice(0, 1), ['list-c']);
        equal((await schedules.list(undefined, 2)).length, 2);
      },
    },
  ];
}
