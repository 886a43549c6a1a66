/** Where a task waits, found by its id, and how many wait before it. Cases of every store of slots. */
import { deepEqual, equal } from 'node:assert/strict';

import { slotsKey, taskLockKey } from '../../ports/slot-keys.ts';
import type { Parked, SlotStore } from '../../ports/slots.ts';
import type { ConformanceCase } from './case.ts';

const NOW = 1_900_000_000_000;

function parked(name: string, sinceMs: number): Parked {
  const wake = { kind: 'send', message: { queue: 'default', body: `body of ${name}` } } as const;
  return { sinceMs, holder: `${name}#0`, token: `token of ${name}`, wake, grants: 0 };
}

export function lastPlaceConformance(slots: SlotStore): ConformanceCase[] {
  return [
    {
      name: 'a task is found by its id where it came to wait last, also when it waits no more',
      async run() {
        const keys = [slotsKey('found'), taskLockKey('found')] as const;
        equal(await slots.lastPlace('seeks'), undefined);
        const [first, second] = [parked('seeks', NOW + 1), { ...parked('seeks', NOW + 2), holder: 'seeks#1' }];
        await slots.park(keys[0], [parked('other', NOW), first]);
        const place = { sinceMs: NOW + 1, holder: 'seeks#0' };
        deepEqual(await slots.lastPlace('seeks'), { key: keys[0], place, parked: first });
        await slots.unpark(keys[0], first);
        deepEqual(await slots.lastPlace('seeks'), { key: keys[0], place });
        await slots.park(keys[1], [second]);
        deepEqual(await slots.lastPlace('seeks'), {
          key: keys[1],
          place: { sinceMs: NOW + 2, holder: 'seeks#1' },
          parked: second,
        });
        equal(await slots.lastPlace('seek'), undefined);
      },
    },
    {
      name: 'two attempts of a task, and as many tasks as share no request, are stored together',
      async run() {
        const key = slotsKey('together');
        const many = Array.from({ length: 30 }, (_, at) => parked(`together-${at}`, NOW + at));
        await slots.park(key, [...many, { ...parked('together-0', NOW + 50), holder: 'together-0#1' }]);
        deepEqual((await slots.lastPlace('together-0'))?.place, { sinceMs: NOW + 50, holder: 'together-0#1' });
        deepEqual((await slots.lastPlace('together-29'))?.parked, many[29]);
        equal(await slots.count(key), 31);
      },
    },
    {
      name: 'those in front of a place are counted, and no more than are asked for',
      async run() {
        const key = slotsKey('counted');
        const many = Array.from({ length: 5 }, (_, at) => parked(`task-${at}`, NOW + at));
        await slots.park(key, many);
        const counts = many.map((before) => slots.count(key, { before }));
        deepEqual(await Promise.all(counts), [0, 1, 2, 3, 4]);
        equal(await slots.count(key, { most: 3 }), 3);
        equal(await slots.count(key, { most: 9 }), 5);
        equal(await slots.count(key, { before: parked('task-4', NOW + 4), most: 2 }), 2);
        equal(await slots.count(slotsKey('nobody'), { before: parked('task-4', NOW + 4) }), 0);
      },
    },
  ];
}
