/** What every store of schedule entries must do. Cases share one store and keep to names and times of their own. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import type { DueEntry, ScheduleItem, Schedules } from '../../ports/schedules.ts';
import type { ConformanceCase } from './case.ts';
import { schedulesRefusals } from './refusals.ts';

const NOW = 1_900_000_000_000;
const LARGE = JSON.stringify('x'.repeat(300_000));

/** What every store of schedule entries must do, as cases. They share one store. */
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
  const write = async (one: ScheduleItem): Promise<boolean> => (await schedules.write([one]))[0] === true;
  const visitDue = async (
    fromMs: number,
    untilMs: number,
    limit: number,
    isDone: (found: DueEntry) => boolean,
  ): Promise<{ readonly found: DueEntry[]; readonly largest: number }> => {
    // Where an answer is lost, whoever calls the port calls it again.
    const seen = new Map<string, DueEntry>();
    let largest = 0;
    await schedules.eachDue(untilMs, limit, (due) => {
      largest = Math.max(largest, due.length);
      for (const found of due) seen.set(`${found.dueMs}#${found.name}`, found);
      return Promise.resolve(due.filter((found) => found.dueMs >= fromMs && isDone(found)));
    });
    return { found: [...seen.values()].filter(({ dueMs }) => dueMs >= fromMs), largest };
  };
  const allDue = async (fromMs: number, untilMs: number): Promise<Pick<DueEntry, 'name' | 'dueMs'>[]> =>
    (await visitDue(fromMs, untilMs, 1000, () => false)).found.map(({ name, dueMs }) => ({ name, dueMs }));
  return [
    ...schedulesRefusals(schedules),
    {
      name: 'reads what was written, in the order asked for, and nothing for unknown names',
      async run() {
        const [one, two] = [item('read-1', 1, NOW), item('read ä/2#3', 1, null, '{"text":"\u2028 ü"}')];
        equal(await write(one), true);
        equal(await write(two), true);
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
        await Promise.all(items.map((each) => write(each)));
        deepEqual(await schedules.read(items.map((each) => each.name)), items);
      },
    },
    {
      name: 'a write takes only where the revision is the next one',
      async run() {
        equal(await write(item('revision', 1, null)), true);
        equal(await write(item('revision', 1, null, '{"other":1}')), false);
        equal(await write(item('revision', 3, null)), false);
        equal(await write(item('revision', 2, NOW, '{"second":1}')), true);
        equal(await write(item('revision-none', 2, null)), false);
        deepEqual(await schedules.read(['revision', 'revision-none']), [
          item('revision', 2, NOW, '{"second":1}'),
          undefined,
        ]);
      },
    },
    {
      name: 'many writes in one call, each under its own condition: made, changed, refused',
      async run() {
        // More than one request takes, with a large one among them.
        const made = Array.from({ length: 60 }, (_, index) =>
          item(
            `batch-${index}`,
            1,
            index % 2 === 0 ? NOW + 3_000_000 + index : null,
            index === 7 ? LARGE : `{"n":${index}}`,
          ),
        );
        deepEqual(
          await schedules.write(made.slice(0, 30)),
          made.slice(0, 30).map(() => true),
        );
        // Create only: those that are there stay as they are.
        const others = made.map((each) => ({ ...each, document: '{"other":1}' }));
        deepEqual(
          await schedules.write(others),
          others.map((_, index) => index >= 30),
        );
        const changed = made.map((each, index) => ({
          ...each,
          revision: index % 3 === 0 ? 3 : 2,
          nextDueMs: each.nextDueMs === null ? NOW + 4_000_000 : null,
        }));
        deepEqual(
          await schedules.write(changed),
          changed.map((_, index) => index % 3 !== 0),
        );
        deepEqual(
          await schedules.read(made.map(({ name }) => name)),
          made.map((each, index) => (index % 3 !== 0 ? changed[index] : index < 30 ? each : others[index])),
        );
        const due = await allDue(NOW + 3_000_000, NOW + 4_000_000);
        deepEqual(
          due.filter(({ dueMs }) => dueMs < NOW + 4_000_000).map(({ name }) => name),
          made.filter(({ nextDueMs }) => nextDueMs !== null).map(({ name }) => name),
        );
        deepEqual(await schedules.write([]), []);
      },
    },
    {
      name: 'of writers of the same many entries at the same time each entry has one',
      async run() {
        const many = (writer: number): ScheduleItem[] =>
          Array.from({ length: 30 }, (_, index) => item(`contended-${index}`, 1, null, `{"writer":${writer}}`));
        const outcomes = await Promise.all([0, 1, 2].map((writer) => schedules.write(many(writer))));
        const stored = await schedules.read(many(0).map(({ name }) => name));
        for (const [index, one] of stored.entries()) {
          const winners = outcomes.flatMap((outcome, writer) => (outcome[index] === true ? [writer] : []));
          equal(winners.length, 1);
          equal(one?.document, `{"writer":${winners[0]}}`);
        }
      },
    },
    {
      name: 'of writers at the same time one wins',
      async run() {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, index) => write(item('race', 1, null, `{"writer":${index}}`))),
        );
        equal(outcomes.filter((outcome) => outcome).length, 1);
      },
    },
    {
      name: 'what is due comes earliest first, page by page, as it is stored, and nothing else',
      async run() {
        const base = NOW + 1_000_000;
        const names = ['due-c', 'due-a', 'due-b', 'due-d'];
        const times = [base + 2, base, base, base + 10];
        for (const [index, name] of names.entries()) await write(item(name, 1, times[index] ?? 0));
        deepEqual(await allDue(base, base + 9), [
          { name: 'due-a', dueMs: base },
          { name: 'due-b', dueMs: base },
          { name: 'due-c', dueMs: base + 2 },
        ]);
        for (const limit of [1, 2, 3]) {
          const { found, largest } = await visitDue(base, base + 9, limit, () => false);
          deepEqual(
            found.map(({ item: stored }) => stored),
            [item('due-a', 1, base), item('due-b', 1, base), item('due-c', 1, base + 2)],
          );
          equal(largest <= limit, true);
        }
      },
    },
    {
      name: 'what is due is found until it has been dealt with, whatever becomes of its entry',
      async run() {
        const base = NOW + 2_000_000;
        await write(item('mark', 1, base));
        await write(item('mark', 2, base + 5));
        const both = [
          { name: 'mark', dueMs: base },
          { name: 'mark', dueMs: base + 5 },
        ];
        deepEqual(await allDue(base, base + 9), both);
        equal(await schedules.remove('mark', 2), true);
        deepEqual(await allDue(base, base + 9), both);
        const gone = await visitDue(base, base + 9, 1000, ({ dueMs }) => dueMs === base);
        deepEqual(
          gone.found.map(({ item: stored }) => stored),
          [undefined, undefined],
        );
        deepEqual(await allDue(base, base + 9), both.slice(1));
        const failed = new Error('the visit failed');
        await rejects(
          schedules.eachDue(base + 9, 1000, () => Promise.reject(failed)),
          failed,
        );
        deepEqual(await allDue(base, base + 9), both.slice(1));
      },
    },
    {
      name: 'removes one revision; what is gone is gone',
      async run() {
        await write(item('gone', 1, null));
        await write(item('gone', 2, null));
        equal(await schedules.remove('gone', 1), false);
        equal(await schedules.remove('gone', 2), true);
        equal(await schedules.remove('gone', 2), true);
        deepEqual(await schedules.read(['gone']), [undefined]);
        equal(await write(item('gone', 1, null)), true);
      },
    },
    {
      name: 'lists by name, page by page',
      async run() {
        for (const name of ['list-b', 'list-a', 'list-c']) await write(item(name, 1, null));
        const names = async (after: string, limit: number): Promise<string[]> =>
          (await schedules.list(after, limit)).map((each) => each.name);
        deepEqual(await names('list-', 2), ['list-a', 'list-b']);
        deepEqual((await names('list-b', 1000)).slice(0, 1), ['list-c']);
        equal((await schedules.list(undefined, 2)).length, 2);
      },
    },
  ];
}
