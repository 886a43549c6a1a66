/** What every store of Celery's groups must do. Cases share one store and keep to group ids of their own. */
import { deepEqual, equal } from 'node:assert/strict';
import type { CeleryGroup, CeleryGroups } from '../../ports/celery-groups.ts';
import type { ConformanceCase } from './case.ts';

const EXPIRES = 1_900_000_000;
const NOW = EXPIRES * 1000 - 60_000;

function groupOf(groupId: string, members: number, more: Partial<CeleryGroup> = {}): CeleryGroup {
  const memberIds = Array.from({ length: members }, (_, index) => `${groupId}-${index}`);
  return { groupId, memberIds, chord: true, nowMs: NOW, expiresAtSeconds: EXPIRES, ...more };
}

/** What every store of Celery's groups must do, as cases. They share one store. */
export function celeryGroupsConformance(groups: CeleryGroups): ConformanceCase[] {
  const count = (groupId: string, index: number): ReturnType<CeleryGroups['count']> =>
    groups.count({ groupId, index, expiresAtSeconds: EXPIRES });
  return [
    {
      name: 'a group has its members in order, until it expires',
      async run() {
        await groups.define(groupOf('plain', 3, { chord: false }));
        deepEqual(await groups.members('plain', NOW), ['plain-0', 'plain-1', 'plain-2']);
        equal(await groups.members('plain', EXPIRES * 1000), undefined);
        equal(await groups.members('unknown', NOW), undefined);
      },
    },
    {
      name: 'members count once, however often they come',
      async run() {
        await groups.define(groupOf('once', 3));
        deepEqual(await count('once', 1), { count: 1, closed: false });
        deepEqual(await count('once', 1), { count: 1, closed: false });
        deepEqual(await count('once', 0), { count: 2, closed: false });
        deepEqual(await count('once', 2), { count: 3, closed: false });
        deepEqual(await count('once', 0), { count: 3, closed: false });
      },
    },
    {
      name: 'defining it again leaves what is counted',
      async run() {
        await groups.define(groupOf('again', 2));
        await count('again', 0);
        await groups.define(groupOf('again', 2));
        deepEqual(await count('again', 1), { count: 2, closed: false });
        deepEqual(await groups.members('again', NOW), ['again-0', 'again-1']);
      },
    },
    {
      name: 'a closed one says so, and stays',
      async run() {
        await groups.define(groupOf('closed', 1));
        await count('closed', 0);
        await groups.close('closed');
        deepEqual(await count('closed', 0), { count: 1, closed: true });
        deepEqual(await groups.members('closed', NOW), ['closed-0']);
      },
    },
    {
      name: 'a group can be forgotten, a chord that members may come back to cannot',
      async run() {
        await groups.define(groupOf('forgotten', 2, { chord: false }));
        await groups.define(groupOf('kept', 2));
        for (const groupId of ['forgotten', 'kept', 'unknown-too']) await groups.forget(groupId);
        equal(await groups.members('forgotten', NOW), undefined);
        deepEqual(await groups.members('kept', NOW), ['kept-0', 'kept-1']);
        deepEqual(await count('kept', 0), { count: 1, closed: false });
      },
    },
    {
      name: 'a group that is no chord, or is unknown, has no count, and closing it makes none',
      async run() {
        await groups.define(groupOf('no-chord', 2, { chord: false }));
        equal(await count('no-chord', 0), undefined);
        equal(await count('nobody', 0), undefined);
        await groups.close('nobody');
        equal(await count('nobody', 0), undefined);
      },
    },
  ];
}
