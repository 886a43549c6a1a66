/** Ids and memberships of a tree, written into it for a sender that would give it others. */
import { describe, expect, it } from 'vitest';

import { chordOf, chordParts, groupOf } from '../../lib/canvas/build.ts';
import { collected, withIds } from '../../lib/canvas/named.ts';
import { signature } from '../../lib/wire/signature.ts';

const [a, b, body] = ['a', 'b', 'body'].map((task) => signature(task)) as [
  ReturnType<typeof signature>,
  ReturnType<typeof signature>,
  ReturnType<typeof signature>,
];

describe('a chord', () => {
  it.each(['failFast', 'settled', 'celery'] as const)('keeps its policy: %s', (policy) => {
    const named = withIds(chordOf([a, b], body, policy === 'celery' ? {} : { policy }), 'whole');
    expect(chordParts(named).policy).toBe(policy);
    // Celery knows no such option: where it is its own policy, nothing is said.
    expect('policy' in named.options).toBe(policy !== 'celery');
    expect(named.options['task_id']).toBe('whole');
  });

  it('of a list, of a group, of one task: its header is a group', () => {
    for (const header of [[a], groupOf([a]), a]) {
      const { header: made } = chordParts(chordOf(header, body));
      expect(made.subtask_type).toBe('group');
      expect((made.kwargs['tasks'] as { readonly task: string }[]).map(({ task }) => task)).toEqual(['a']);
    }
    const group = groupOf([a, b], { counted: true });
    expect(chordParts(chordOf(group, body)).header.options).toMatchObject({ counted: true });
  });
});

it('a group that is a member becomes one chord, which has its membership and nothing that it had not', () => {
  const member = groupOf([a, b], { group_id: 'g', group_index: 1, task_id: 'own', queue: 'mail' });
  const whole = collected(member);
  expect(whole.subtask_type).toBe('chord');
  expect(whole.options).toStrictEqual({ group_id: 'g', group_index: 1 });
  expect(Object.keys(whole.options)).toEqual(['group_id', 'group_index']);
  expect(chordParts(whole).header.options).toStrictEqual({ queue: 'mail' });
});
