/** What every store of groups must do. Cases share one store and keep to group ids of their own. */
import { deepEqual, equal } from 'node:assert/strict';
import { GROUP_PART_MEMBERS } from '../../base/limits.ts';
import type { GroupCount, GroupMark, GroupMarked, GroupRecord, Groups } from '../../ports/groups.ts';
import { seededRandom } from '../seeded.ts';
import type { ConformanceCase } from './case.ts';
import { groupsRefusals } from './refusals.ts';

const EXPIRES = 1_900_000_000;
const NOW = EXPIRES * 1000 - 60_000;
const NOBODY: GroupCount = { done: 0, failed: [], memberIds: new Map() };

/** What every store of groups must do, as cases. They share one store. */
export function groupsConformance(groups: Groups): ConformanceCase[] {
  return [
    ...completionCases(groups),
    ...bulkCases(groups),
    ...failureCases(groups),
    ...countCases(groups),
    ...definitionCases(groups),
    ...forgetCases(groups),
    ...groupsRefusals(groups),
  ];
}

function mark(groupId: string, size: number, index: number, more: Partial<GroupMark> = {}): GroupMark {
  return { groupId, size, index, failed: false, expiresAtSeconds: EXPIRES, ...more };
}

function everyMark(groupId: string, size: number): GroupMark[] {
  return Array.from({ length: size }, (_, index) => mark(groupId, size, index));
}

function shuffled<T>(values: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  const keyed = values.map((value) => ({ value, order: random.next() }));
  return keyed.toSorted((left, right) => left.order - right.order).map(({ value }) => value);
}

async function oneByOne(groups: Groups, marks: readonly GroupMark[]): Promise<GroupMarked[]> {
  const answers: GroupMarked[] = [];
  for (const each of marks) answers.push(...(await groups.mark([each])));
  return answers;
}

function completionCases(groups: Groups): ConformanceCase[] {
  return [
    ...[1, 2, 63, 64, 65, 130].map((size) => ({
      name: `a group of ${size} is complete exactly when all are marked, in any order`,
      async run() {
        const answers = await oneByOne(groups, shuffled(everyMark(`complete-${size}`, size), size));
        deepEqual(answers, [...same(size - 1, no()), yes()]);
        equal((await groups.count(`complete-${size}`)).done, size);
      },
    })),
    {
      name: 'marking twice changes nothing, and a complete group says so again and again',
      async run() {
        const marks = everyMark('twice', 66);
        const early = [...marks.slice(0, 65), ...marks.slice(0, 65).toReversed()];
        equal(anyComplete(await oneByOne(groups, early)), false);
        equal((await groups.count('twice')).done, 65);
        deepEqual(await groups.mark(marks.slice(65)), [yes()]);
        for (const each of [marks.slice(65), marks.slice(0, 1), marks.slice(60, 66)])
          deepEqual(await groups.mark(each), same(each.length, yes()));
        deepEqual(await groups.count('twice'), { ...NOBODY, done: 66 });
      },
    },
    {
      name: 'of marks at the same time none says complete early, and at least one says it',
      async run() {
        const marks = everyMark('race', 130);
        const [last, ...others] = shuffled(marks, 7);
        const early = await Promise.all(others.map((each) => groups.mark([each])));
        equal(anyComplete(early.flat()), false);
        deepEqual(await groups.mark(last === undefined ? [] : [last]), [yes()]);
        const together = await Promise.all(everyMark('race-2', 130).map((each) => groups.mark([each, each])));
        equal(anyComplete(together.flat()), true);
        equal((await groups.count('race-2')).done, 130);
      },
    },
    {
      name: 'group ids are their own, whatever is in them',
      async run() {
        const ids = ['own', 'own#1', 'own#1#', 'own ä\u{1F600}"', 'own'.padEnd(128, 'x')];
        for (const id of ids) await groups.mark([mark(id, 2, 0)]);
        for (const id of ids) equal((await groups.count(id)).done, 1);
        deepEqual(await groups.mark(ids.map((id) => mark(id, 2, 1))), same(ids.length, yes()));
      },
    },
  ];
}

function bulkCases(groups: Groups): ConformanceCase[] {
  return [
    {
      name: 'marks in one call are as marks one by one, and answered in their order',
      async run() {
        const size = 70;
        const marks = (groupId: string): GroupMark[] =>
          everyMark(groupId, size).map((each) => (each.index % 9 === 0 ? { ...each, failed: true } : each));
        await oneByOne(groups, marks('single'));
        const bulk = shuffled(marks('bulk'), 3);
        const answers: GroupMarked[] = [];
        for (let start = 0; start < size; start += 10)
          answers.push(...(await groups.mark(bulk.slice(start, start + 10))));
        equal(anyComplete(answers.slice(0, 60)), false);
        deepEqual(answers.slice(60), same(10, yes(true)));
        deepEqual(await groups.count('bulk'), await groups.count('single'));
      },
    },
    {
      name: 'one call may hold several groups, and a mark more than once',
      async run() {
        deepEqual(await groups.mark([]), []);
        const [one, two] = [mark('mixed-1', 1, 0), mark('mixed-2', 2, 0)];
        const failed = mark('mixed-3', 2, 1, { failed: true });
        deepEqual(await groups.mark([two, one, failed, two, one]), [no(), yes(), no(true), no(), yes()]);
        deepEqual(await groups.mark([mark('mixed-3', 2, 0), mark('mixed-2', 2, 1)]), [yes(true), yes()]);
      },
    },
    {
      name: 'a group of three levels is complete with its last member',
      async run() {
        const size = GROUP_PART_MEMBERS * GROUP_PART_MEMBERS + 1;
        const marks = everyMark('large', size);
        const [held] = marks.splice(2000, 1);
        const answers = await groups.mark(marks);
        equal(anyComplete(answers), false);
        deepEqual(await groups.mark([mark('large', size, size - 1)]), [no()]);
        deepEqual(await groups.mark(held === undefined ? [] : [{ ...held, failed: true }]), [yes(true)]);
        deepEqual(await groups.mark([mark('large', size, size - 1)]), [yes(true)]);
        deepEqual(await groups.count('large'), { ...NOBODY, done: size, failed: [2000] });
      },
    },
  ];
}

function failureCases(groups: Groups): ConformanceCase[] {
  return [
    {
      name: 'a failed member is told to those who see it, and to everyone at the end',
      async run() {
        const marks = everyMark('failed', 130);
        deepEqual(await groups.mark([mark('failed', 130, 70, { failed: true })]), [no(true)]);
        deepEqual(await groups.mark([mark('failed', 130, 71)]), [no(true)]);
        const rest = shuffled(
          marks.filter(({ index }) => index !== 70 && index !== 71),
          11,
        );
        deepEqual((await oneByOne(groups, rest)).at(-1), yes(true));
        deepEqual(await groups.mark([mark('failed', 130, 0)]), [yes(true)]);
      },
    },
    {
      name: 'a member that failed once stays failed',
      async run() {
        await groups.mark([mark('again', 3, 0, { failed: true }), mark('again', 3, 0)]);
        await groups.mark([mark('again', 3, 0)]);
        await groups.mark([mark('again', 3, 1)]);
        await groups.mark([mark('again', 3, 1, { failed: true })]);
        deepEqual(await groups.mark([mark('again', 3, 2)]), [yes(true)]);
        deepEqual(await groups.count('again'), { ...NOBODY, done: 3, failed: [0, 1] });
      },
    },
  ];
}

function countCases(groups: Groups): ConformanceCase[] {
  return [
    {
      name: 'counts members that are marked and names failed ones, ascending',
      async run() {
        deepEqual(await groups.count('count'), NOBODY);
        const indexes = [129, 0, 100, 9, 10, 64, 63];
        await groups.mark(indexes.map((index) => mark('count', 130, index, { failed: index !== 10 })));
        deepEqual(await groups.count('count'), { ...NOBODY, done: 7, failed: [0, 9, 63, 64, 100, 129] });
        equal((await groups.count('coun')).done, 0);
      },
    },
    {
      name: 'keeps the task ids of members that were given one',
      async run() {
        const id = 'x'.repeat(128);
        const given = (index: number, memberId: string): GroupMark => mark('ids', 130, index, { memberId });
        await groups.mark([given(64, id), mark('ids', 130, 65), given(3, 'ä #1')]);
        await groups.mark([given(3, 'ä #1'), mark('ids', 130, 3)]);
        await groups.mark([mark('ids', 130, 64)]);
        const expected = new Map([
          [64, id],
          [3, 'ä #1'],
        ]);
        deepEqual(await groups.count('ids'), { done: 3, failed: [], memberIds: expected });
        await groups.mark(Array.from({ length: 64 }, (_, index) => given(index, `${id.slice(3)}-${index}`)));
        equal((await groups.count('ids')).memberIds.size, 65);
      },
    },
  ];
}

function definitionCases(groups: Groups): ConformanceCase[] {
  const record = (groupId: string, definition: string, more: Partial<GroupRecord> = {}): GroupRecord => ({
    groupId,
    size: 3,
    createdMs: NOW - 1,
    definition,
    expiresAtSeconds: EXPIRES,
    ...more,
  });
  return [
    {
      name: 'gives a definition back until it expires',
      async run() {
        const one = record('define', '{"text":"ü \\u2028 \u2028 \u{1F600}"}');
        equal(await groups.definition('define', NOW), undefined);
        await groups.define(one);
        deepEqual(await groups.definition('define', NOW), one);
        deepEqual(await groups.definition('define', EXPIRES * 1000 - 1), one);
        equal(await groups.definition('define', EXPIRES * 1000), undefined);
        equal(await groups.definition('defin', NOW), undefined);
        deepEqual(await groups.count('define'), NOBODY);
        await groups.define(record('define-empty', ''));
        deepEqual(await groups.definition('define-empty', NOW), record('define-empty', ''));
      },
    },
    {
      name: 'gives back definitions of megabytes, and the newest one',
      async run() {
        const large = record('define-large', noise(600_000, 1));
        const other = record('define-large', noise(500_000, 2), { size: 9, createdMs: NOW });
        const small = record('define-large', '{}', { expiresAtSeconds: EXPIRES + 5 });
        for (const each of [large, large, other, small, large]) {
          await groups.define(each);
          deepEqual(await groups.definition('define-large', NOW), each);
        }
        await groups.mark([mark('define-large', 3, 1)]);
        deepEqual(await groups.definition('define-large', NOW), large);
        equal((await groups.count('define-large')).done, 1);
      },
    },
  ];
}

function forgetCases(groups: Groups): ConformanceCase[] {
  return [
    {
      name: 'forgets marks and definition of one group, and lets it start anew',
      async run() {
        const size = GROUP_PART_MEMBERS * 60;
        const base = { size, createdMs: NOW, expiresAtSeconds: EXPIRES };
        for (const groupId of ['forget', 'forget-2']) {
          await groups.mark(everyMark(groupId, size));
          await groups.define({ ...base, groupId, definition: noise(200_000, 3) });
        }
        await groups.forget('forget');
        await groups.forget('forget');
        deepEqual(await groups.count('forget'), NOBODY);
        equal(await groups.definition('forget', NOW), undefined);
        equal((await groups.count('forget-2')).done, size);
        equal((await groups.definition('forget-2', NOW))?.size, size);
        deepEqual(await groups.mark([mark('forget', size, 0)]), [no()]);
      },
    },
    {
      name: 'knows nothing of unknown groups, and forgets them',
      async run() {
        await groups.forget('unknown');
        deepEqual(await groups.count('unknown'), NOBODY);
        equal(await groups.definition('unknown', NOW), undefined);
      },
    },
  ];
}

function anyComplete(answers: readonly GroupMarked[]): boolean {
  return answers.some(({ complete }) => complete);
}

function same(count: number, answer: GroupMarked): GroupMarked[] {
  return Array.from({ length: count }, () => answer);
}

function yes(failed = false): GroupMarked {
  return { complete: true, failed };
}

function no(failed = false): GroupMarked {
  return { complete: false, failed };
}

/** JSON text that no compression makes small. */
function noise(characters: number, seed: number): string {
  const random = seededRandom(seed);
  const codes = Array.from({ length: characters }, () => 0x100 + Math.floor(random.next() * 0xd000));
  let text = '';
  for (let start = 0; start < codes.length; start += 1000)
    text += String.fromCharCode(...codes.slice(start, start + 1000));
  return JSON.stringify(text);
}
