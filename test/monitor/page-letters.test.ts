/** The list of dead letters, after some have been done with. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { DeadLettersAnswer } from '../../lib/monitor/answers.ts';
import { withoutLetters } from '../../lib/monitor/page/pure/letters.ts';

const letter = fc.record({
  queue: fc.constantFrom('mail', 'default'),
  fingerprint: fc.constantFrom('aa', 'bb'),
  id: fc.constantFrom('1', '2', '3', '4', '5'),
});
const list = fc.uniqueArray(letter, { selector: ({ id }) => id }).map((letters) => listOf(letters));

/** Groups come in the order of their first letters, which is no matter here. */
function sorted<T>(groups: readonly (readonly [string, T])[]): readonly (readonly [string, T])[] {
  return groups.toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function listOf(letters: readonly { queue: string; fingerprint: string; id: string }[]): DeadLettersAnswer {
  const groups = new Map<string, typeof letters>();
  for (const each of letters) {
    const key = `${each.queue} ${each.fingerprint}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return {
    letters,
    groups: sorted([...groups]).map(([, some]) => ({
      queue: some[0]?.queue,
      fingerprint: some[0]?.fingerprint,
      count: some.length,
      ids: some.map(({ id }) => id),
    })),
    complete: true,
    counts: {},
  } as unknown as DeadLettersAnswer;
}

function inOrder(answer: DeadLettersAnswer): DeadLettersAnswer {
  const groups = answer.groups.map((group) => [`${group.queue} ${group.fingerprint}`, group] as const);
  return { ...answer, groups: sorted(groups).map(([, group]) => group) };
}

it('is as if it had been listed without them', () => {
  fc.assert(
    fc.property(
      list,
      fc.array(fc.constantFrom<string>('1', '2', '3')),
      letter,
      (before, ids, { queue, fingerprint }) => {
        const known = before.letters as unknown as Parameters<typeof listOf>[0];
        expect(inOrder(withoutLetters(before, { ids }))).toEqual(listOf(known.filter(({ id }) => !ids.includes(id))));
        expect(inOrder(withoutLetters(before, { queue, fingerprint }))).toEqual(
          listOf(known.filter((each) => each.queue !== queue || each.fingerprint !== fingerprint)),
        );
      },
    ),
  );
});

it('a group of more letters than are shown is there until all of them are gone', () => {
  const before = listOf([{ queue: 'mail', fingerprint: 'aa', id: '1' }]);
  const [group] = before.groups;
  if (group === undefined) throw new Error('There is one.');
  const many = { ...before, groups: [{ ...group, count: 500 }] };
  expect(withoutLetters(many, { ids: ['1'] }).groups).toMatchObject([{ count: 499, ids: [] }]);
  expect(withoutLetters(many, { queue: 'mail', fingerprint: 'aa' }).groups).toEqual([]);
});
