/** Which messages and steps count as members of which groups: indexes are untrusted, and a group is counted in one way. */
import type { Signature } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { signature } from '../../lib/wire/signature.ts';
import { COUNTED_BY_CELERY, type GroupHeader, type Message, UNCOUNTED } from '../../lib/wire/message.ts';
import {
  type CeleryMember,
  celeryMemberOf,
  type Mark,
  markOf,
  membershipOf,
  membershipOfStep,
} from '../../lib/worker/membership.ts';

const BODY = signature('sum');
const SIZE = 3;

interface IndexAndSize {
  readonly group?: GroupHeader;
  readonly groupId?: unknown;
  readonly index?: unknown;
  readonly chord?: Signature;
}

const messageOf = ({ group, groupId = null, index = null, chord }: IndexAndSize): Message =>
  ({
    id: 'member',
    groupId,
    groupIndex: index,
    embed: { chord: chord ?? null },
    celeriac: group === undefined ? {} : { group },
  }) as unknown as Message;

const stepOf = ({ group, groupId, index, chord }: IndexAndSize): Signature =>
  signature('step', {
    options: {
      ...(groupId === undefined ? {} : { group_id: groupId }),
      ...(index === undefined ? {} : { group_index: index }),
      ...(chord === undefined ? {} : { chord }),
      ...(group === undefined ? {} : { celeriac: group }),
    },
  } as never);

const markOfStep = (step: Signature): Mark | undefined => markOf(membershipOfStep(step, 'member'), true);

const bothMarks = (given: IndexAndSize): (Mark | undefined)[] => [
  markOf(membershipOf(messageOf(given)), true),
  markOfStep(stepOf(given)),
];

describe('members that are counted here', () => {
  const mark = { groupId: 'g', size: SIZE, failed: true, memberId: 'member', policy: 'celery', body: undefined };

  it.each([0, 1, SIZE - 1])('index %i', (index) => {
    expect(bothMarks({ group: { size: SIZE }, groupId: 'g', index })).toEqual([
      { ...mark, index },
      { ...mark, index },
    ]);
  });

  it.each(['celery', 'failFast', 'settled'] as const)('policy %s, with a body', (policy) => {
    const [ofMessage, ofStep] = bothMarks({ group: { size: SIZE, policy }, groupId: 'g', index: 0, chord: BODY });
    expect(ofMessage).toEqual({ ...mark, index: 0, policy, body: BODY });
    expect(ofStep).toMatchObject({ ...mark, index: 0, policy, body: { task: BODY.task } });
    expect(markOf(membershipOf(messageOf({ group: { size: SIZE }, groupId: 'g', index: 0 })), false)).toMatchObject({
      failed: false,
    });
  });

  // It would complete the group early, or for ever keep it open.
  it.each<IndexAndSize>([
    { groupId: 'g', index: 0 },
    { group: { size: SIZE }, index: 0 },
    { group: { size: SIZE }, groupId: 'g' },
    { group: { size: SIZE }, groupId: 'g', index: SIZE },
    { group: { size: SIZE }, groupId: 'g', index: SIZE + 1 },
    { group: { size: SIZE, policy: UNCOUNTED }, groupId: 'g', index: 0 },
    { group: { size: SIZE, policy: COUNTED_BY_CELERY }, groupId: 'g', index: 0 },
  ])('%j is none', (given) => {
    expect(bothMarks(given)).toEqual([undefined, undefined]);
  });

  it.each([-1, 0.5, Number.NaN, '0', null])('a step at index %j is none', (index) => {
    expect(markOfStep(stepOf({ group: { size: SIZE }, groupId: 'g', index }))).toBeUndefined();
  });

  it.each([5, null, ['g']])('a step of a group named %j is none', (groupId) => {
    expect(markOfStep(stepOf({ group: { size: SIZE }, groupId, index: 0 }))).toBeUndefined();
  });
});

describe('members that Celery counts too', () => {
  const both = (given: IndexAndSize): (CeleryMember | undefined)[] => [
    celeryMemberOf(membershipOf(messageOf(given))),
    celeryMemberOf(membershipOfStep(stepOf(given), 'member')),
  ];
  const member = { groupId: 'g', memberId: 'member', body: { task: BODY.task } };
  const ours = { size: SIZE, policy: COUNTED_BY_CELERY };

  it('of a chord made here its position is known; of one made by Python it is looked up', () => {
    for (const found of both({ group: ours, groupId: 'g', index: 2, chord: BODY }))
      expect(found).toMatchObject({ ...member, position: { index: 2, size: SIZE } });
    for (const found of both({ groupId: 'g', index: 2, chord: BODY }))
      expect(found).toMatchObject({ ...member, position: undefined });
  });

  it.each([-1, SIZE, null, '0'])('index %j is none that the group has: it is looked up', (index) => {
    for (const found of both({ group: ours, groupId: 'g', index, chord: BODY }))
      expect(found).toMatchObject({ ...member, position: undefined });
  });

  it.each<IndexAndSize>([
    { group: ours, groupId: 'g', index: 0 },
    { group: ours, index: 0, chord: BODY },
    { group: ours, groupId: 5, index: 0, chord: BODY },
    { group: { size: SIZE }, groupId: 'g', index: 0, chord: BODY },
    { group: { size: SIZE, policy: UNCOUNTED }, groupId: 'g', index: 0, chord: BODY },
  ])('%j is none', (given) => {
    expect(both(given)).toEqual([undefined, undefined]);
  });
});
