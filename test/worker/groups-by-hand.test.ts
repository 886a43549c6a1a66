/** Members of groups and chords, one settling at a time: what is counted, what follows, and what is said once. */
import { Celeriac } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { GROUP_RETENTION_SECONDS } from '../../lib/base/limits.ts';
import { derivedId } from '../../lib/base/ids.ts';
import type { TaskRecord } from '../../lib/ports/backend.ts';
import type { GroupMark, GroupMarked } from '../../lib/ports/groups.ts';
import { groupMemberId } from '../../lib/wire/group-ids.ts';
import { signature } from '../../lib/wire/signature.ts';
import { countMember } from '../../lib/worker/celery-chord.ts';
import type { Follower } from '../../lib/worker/followers.ts';
import { markMembers, orRefused } from '../../lib/worker/group-marks.ts';
import type { CeleryMember, Mark } from '../../lib/worker/membership.ts';
import type { Settling } from '../../lib/worker/settling.ts';
import { noteTold, unlessTold } from '../../lib/worker/told.ts';
import { settlingRig, type SettlingRig } from '../support/settling-rig.ts';
import { NOW } from '../support/slot-rig.ts';

const passing = (): Error => Object.assign(new Error('not now'), { retryable: true });
const denied = (): Error => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
const BODY = signature('sum', { options: { task_id: 'body' } } as never);
const EXPIRES = NOW / 1000 + 86_400 + GROUP_RETENTION_SECONDS;

const records: Readonly<Record<string, TaskRecord>> = {
  a: { id: 'a', status: 'SUCCESS', meta: '{"status":"SUCCESS","result":1}' },
  b: { id: 'b', status: 'SUCCESS', meta: '{"status":"SUCCESS","result":2}' },
  bad: {
    id: 'bad',
    status: 'FAILURE',
    meta: '{"status":"FAILURE","result":{"exc_type":"RangeError","exc_message":["no"]}}',
  },
};

function rigOf(more: object): SettlingRig {
  const app = new Celeriac('groups', { resultExpires: '1d' });
  app.task('sum', (_numbers: number[]) => 1);
  const rig = settlingRig(app, more);
  Object.assign(rig.settling.ports.backend, {
    get: (ids: readonly string[]) => Promise.resolve(ids.map((id) => records[id])),
  });
  return rig;
}

const shown = (followers: readonly Follower[]): unknown[] =>
  followers.map((each) =>
    each.kind === 'step'
      ? [each.signature.task, each.id, each.sent]
      : each.kind === 'failed step'
        ? ['fails', each.id, (each.cause as Error).message, each.told ?? false]
        : 'groupId' in each
          ? [each.kind, each.groupId]
          : each.kind,
  );

describe("a member of Celery's chord", () => {
  interface Counting {
    readonly position?: CeleryMember['position'];
    /** Of Celery's stored group. */
    readonly members?: readonly string[];
    readonly counted?: { readonly count: number; readonly closed: boolean };
    readonly noStore?: true;
    readonly thrown?: Error;
    readonly lastTry?: boolean;
  }

  async function counting({ position, members, counted, noStore, thrown, lastTry = false }: Counting) {
    const counts: unknown[] = [];
    const store = {
      members: () => Promise.resolve(members),
      count: (request: unknown) => {
        counts.push(request);
        return thrown === undefined ? Promise.resolve(counted) : Promise.reject(thrown);
      },
    };
    const { settling, fields } = rigOf(noStore ? {} : { celeryGroups: store });
    const member: CeleryMember = { groupId: 'g', memberId: 'b', body: BODY, position };
    const followers = await countMember({ ...settling, lastTry }, member);
    return { followed: shown(followers), counts, fields };
  }

  const second = { position: { index: 1, size: 2 } };
  const sent = [
    ['close', 'g'],
    ['sum', 'body', { args: [[1, 2]] }],
  ];

  it.each<[string, Counting, unknown[]]>([
    ['is the last one', { ...second, counted: { count: 2, closed: false } }, sent],
    // Celery's own workers add without looking.
    ['comes after the last one', { ...second, counted: { count: 3, closed: false } }, sent],
    ['is not the last one', { ...second, counted: { count: 1, closed: false } }, []],
    ['whose body was sent from here', { ...second, counted: { count: 2, closed: true } }, []],
    ['whose body Celery has sent', second, []],
    ["that is placed by Celery's group", { counted: { count: 2, closed: false } }, sent],
  ])('that %s', async (_what, given, expected) => {
    const { followed, counts } = await counting({ members: ['a', 'b'], ...given });
    expect(followed).toEqual(expected);
    expect(counts).toEqual([{ groupId: 'g', index: 1, expiresAtSeconds: EXPIRES }]);
  });

  it('that is the first of its group', async () => {
    const { followed, counts } = await counting({ members: ['b'], counted: { count: 1, closed: false } });
    expect([followed, counts]).toMatchObject([
      [
        ['close', 'g'],
        ['sum', 'body', { args: [[2]] }],
      ],
      [{ index: 0 }],
    ]);
  });

  it.each<[string, Counting]>([
    ['of which nobody knows', {}],
    ['of which it is none', { members: ['a'] }],
    ['where there is no store of them', { noStore: true }],
  ])('of a group %s is not counted, and a line says so', async (_what, given) => {
    const { followed, counts, fields } = await counting(given);
    expect([followed, counts]).toEqual([[], []]);
    expect(fields).toMatchObject([{ taskId: 'b', groupId: 'g' }]);
  });

  it('that has a place, where there is no store of them, is followed by nothing', async () => {
    expect((await counting({ ...second, noStore: true })).followed).toEqual([]);
  });

  it.each([
    [true, denied(), true],
    [false, denied(), false],
    [true, passing(), false],
  ])('that cannot be counted, at the last try %s (%s): its body fails %s', async (lastTry, thrown, fails) => {
    const run = counting({ ...second, thrown, lastTry });
    if (!fails) await expect(run).rejects.toBe(thrown);
    else expect((await run).followed).toEqual([['fails', 'body', 'denied', false]]);
  });
});

describe('members that have finished', () => {
  const markOf = (index: number, more: Partial<Mark> = {}): Mark => ({
    groupId: 'g',
    index,
    size: 2,
    failed: false,
    memberId: groupMemberId('g', index),
    policy: 'celery',
    body: BODY,
    ...more,
  });

  interface Marking {
    readonly outcome?: GroupMarked;
    readonly failed?: readonly number[];
    readonly thrown?: Error;
    readonly lastTry?: boolean;
    readonly told?: true;
  }

  async function marking(marks: readonly Mark[], given: Marking = {}) {
    const { outcome = { complete: false, failed: false }, failed = [], thrown, told } = given;
    const asked: GroupMark[] = [];
    const rig = rigOf({
      groups: {
        mark: (requests: readonly GroupMark[]) => {
          asked.push(...requests);
          return thrown === undefined ? Promise.resolve(requests.map(() => outcome)) : Promise.reject(thrown);
        },
        count: () =>
          Promise.resolve({
            done: 2,
            failed,
            memberIds: new Map([
              [0, 'a'],
              [1, failed.length > 0 ? 'bad' : 'b'],
            ]),
          }),
        definition: () => Promise.resolve(told && {}),
      },
    });
    for (const mark of marks) rig.settling.pending.add({ kind: 'mark', mark });
    await markMembers({ ...rig.settling, lastTry: given.lastTry ?? false });
    return { asked, followed: shown(rig.followed), left: rig.settling.pending.count('mark') };
  }

  const [COMPLETE, FAILED, BOTH] = [
    { complete: true, failed: false },
    { complete: false, failed: true },
    { complete: true, failed: true },
  ];
  const SENT = ['sum', 'body', { args: [[1, 2]] }];
  const FAILS = ['fails', 'body', "Dependency bad raised RangeError('no')", false];

  it('are told to the store, with ids of their own where they have them', async () => {
    const { asked, followed, left } = await marking([markOf(0), markOf(1, { memberId: 'b', failed: true })]);
    expect(asked).toEqual([
      { groupId: 'g', index: 0, size: 2, failed: false, expiresAtSeconds: EXPIRES },
      { groupId: 'g', index: 1, size: 2, failed: true, memberId: 'b', expiresAtSeconds: EXPIRES },
    ]);
    expect([followed, left]).toEqual([[], 0]);
  });

  it.each<[string, Partial<Mark>, Marking, unknown[]]>([
    ['the last', {}, { outcome: COMPLETE }, [SENT]],
    ['the last, of a group without a body', { body: undefined }, { outcome: COMPLETE }, []],
    ['not the last, and one has failed', {}, { outcome: FAILED }, []],
    ['the last, and one has failed', {}, { outcome: BOTH, failed: [1] }, [FAILS]],
    ['the last, itself failed', { failed: true, index: 1 }, { outcome: BOTH, failed: [1] }, [FAILS]],
    [
      'the last, and one has failed, of a chord that settles',
      { policy: 'settled' },
      { outcome: BOTH },
      [
        [
          'sum',
          'body',
          {
            args: [
              [
                { status: 'SUCCESS', value: 1 },
                { status: 'SUCCESS', value: 2 },
              ],
            ],
          },
        ],
      ],
    ],
    [
      'not the last, and failed, of one that fails fast',
      { policy: 'failFast', failed: true, index: 1 },
      { outcome: FAILED, failed: [1] },
      [FAILS],
    ],
    ['the last, of one that fails fast and has failed', { policy: 'failFast' }, { outcome: BOTH, failed: [1] }, []],
    ['the last, of one that fails fast and has not', { policy: 'failFast' }, { outcome: COMPLETE }, [SENT]],
    ['not the last, and failed, of another', { failed: true }, { outcome: FAILED }, []],
  ])('%s', async (_what, more, given, expected) => {
    expect((await marking([markOf(0, more)], given)).followed).toEqual(expected);
  });

  it.each<[string, string, Marking, unknown[]]>([
    ['is told, and that is noted', 'failFast', {}, [FAILS, ['told', 'g']]],
    ['was told before', 'failFast', { told: true }, [['fails', 'body', FAILS[2], true]]],
    ['is told by whoever is the last, of another chord', 'celery', { told: true }, [FAILS]],
  ])('fail a body that is a member itself: what it is a member of %s', async (_what, policy, given, expected) => {
    const options = { task_id: 'body', group_id: 'outer', group_index: 0, celeriac: { size: 2 } };
    const body = signature('sum', { options } as never);
    const mark = markOf(1, { policy, body, failed: true });
    expect((await marking([mark], { outcome: BOTH, failed: [1], ...given })).followed).toEqual(expected);
  });

  it('follow up once, however many of them are told so', async () => {
    const { followed } = await marking([markOf(0), markOf(1)], { outcome: COMPLETE });
    expect(followed).toEqual([SENT]);
  });

  it('of two chords over one group follow up each', async () => {
    const other = signature('sum', { options: { task_id: 'other' } } as never);
    const apart = signature('sum', { options: { task_id: 'body', group_id: 'outer' } } as never);
    const marks = [markOf(0), markOf(1, { body: other }), markOf(1, { body: apart }), markOf(1, { groupId: 'h' })];
    const { followed } = await marking(marks, { outcome: COMPLETE });
    expect(followed.map((each) => (each as unknown[])[1])).toEqual(['body', 'other', 'body', 'body']);
  });

  it('of which the store names none: this one has failed', async () => {
    const { followed } = await marking([markOf(1, { failed: true })], { outcome: BOTH });
    expect(followed).toEqual([['fails', 'body', 'Dependency b ended as SUCCESS', false]].map(() => expect.anything()));
    expect(JSON.stringify(followed)).toContain('Dependency b ');
  });

  it('that can never be counted: bodies fail, at the last try', async () => {
    const marks = [markOf(0), markOf(1, { body: undefined })];
    const { followed } = await marking(marks, { thrown: denied(), lastTry: true });
    expect(followed).toEqual([['fails', 'body', 'denied', false]]);
    await expect(marking(marks, { thrown: denied() })).rejects.toThrow('denied');
    await expect(marking(marks, { thrown: passing(), lastTry: true })).rejects.toThrow('not now');
  });

  it('are not asked about where there are none', async () => {
    const { settling } = rigOf({ groups: {} });
    await markMembers(settling);
    expect(settling.followedUp.size).toBe(0);
  });
});

it.each([
  [true, denied(), 'instead'],
  [true, passing(), undefined],
  [false, denied(), undefined],
])('what is refused, at the last try %s: %s', async (lastTry, thrown, expected) => {
  const ask = orRefused(
    { lastTry } as Settling,
    () => Promise.reject(thrown),
    () => 'instead',
  );
  if (expected === undefined) await expect(ask).rejects.toBe(thrown);
  else expect(await ask).toBe(expected);
});

describe('a chord that fails at its first failed member', () => {
  const failed = (options: object, told?: true): Follower => ({
    kind: 'failed step',
    signature: signature('sum', { options } as never),
    id: 'body',
    cause: denied(),
    ...(told === undefined ? {} : { told }),
  });
  const ofGroup = { group_id: 'outer', group_index: 0, celeriac: { size: 2 } };
  const link: Follower = { kind: 'step', signature: signature('sum'), id: 'link', sent: { args: [] }, rest: [] };

  async function telling(followers: readonly Follower[], note: object | Error | undefined) {
    const read: unknown[] = [];
    const { settling } = rigOf({
      groups: {
        definition: (id: string, nowMs: number) => {
          read.push([id, nowMs]);
          return note instanceof Error ? Promise.reject(note) : Promise.resolve(note);
        },
      },
    });
    return { answer: await unlessTold(settling, 'g', followers), read };
  }
  const NOTE = derivedId('g:told');
  const TOLD: Follower = { kind: 'told', groupId: 'g' };

  it.each<[string, readonly Follower[], object | Error | undefined, readonly Follower[], boolean]>([
    ['whom nobody hears of', [failed({})], undefined, [failed({})], false],
    ['that calls a link', [failed({}), link], undefined, [failed({}), link, TOLD], true],
    ['that called its link before', [failed({}), link], {}, [failed({}, true)], true],
    ['that is a member', [failed(ofGroup)], undefined, [failed(ofGroup), TOLD], true],
    ['that was told as a member', [failed(ofGroup)], {}, [failed(ofGroup, true)], true],
    ['of which one is a member', [failed({}), failed(ofGroup)], undefined, [failed({}), failed(ofGroup), TOLD], true],
    ['of which that may not be read', [failed(ofGroup)], denied(), [failed(ofGroup), TOLD], true],
  ])('%s', async (_what, followers, note, expected, isRead) => {
    const { answer, read } = await telling(followers, note);
    expect(JSON.stringify(answer)).toBe(JSON.stringify(expected));
    expect(read).toEqual(isRead ? [[NOTE, NOW]] : []);
  });

  it('is noted for as long as its group is kept, unless that is refused', async () => {
    const defined: unknown[] = [];
    const { settling } = rigOf({
      groups: {
        define: (record: unknown) => {
          defined.push(record);
          return Promise.reject(denied());
        },
      },
    });
    await noteTold(settling, 'g');
    expect(defined).toEqual([{ groupId: NOTE, size: 0, createdMs: NOW, definition: '{}', expiresAtSeconds: EXPIRES }]);
  });

  it('waits where what passes is in its way', async () => {
    await expect(telling([link], passing())).rejects.toThrow('not now');
  });
});
