/** The calls of slots that histories are made of. */
import fc from 'fast-check';

import { slotsKey, taskLockKey } from '../../lib/ports/slot-keys.ts';
import type { SlotStore } from '../../lib/ports/slots.ts';
import { type Calls, NOW, nowMs, optional } from './calls.ts';
import { call } from './history.ts';

const holder = fc.constantFrom('a#0', 'b#0', 'c#1', 'd.e:f#0');
const entry = fc.record({ leaseMs: fc.constantFrom(NOW, NOW + 1), by: fc.constantFrom('one', 'grant/two') });
const entries = fc.uniqueArray(fc.tuple(holder, entry), { maxLength: 3, selector: ([name]) => name });
const token = fc.constantFrom('first', 'second');
const slotsName = fc.constantFrom<(prefix: string) => string>(slotsKey, taskLockKey);
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const place = fc.record({ sinceMs: fc.constantFrom(NOW, NOW + 1), holder });

const slotsCondition = fc.record(
  {
    same: entries.map((drawn) => new Map(drawn)),
    present: fc.uniqueArray(holder, { maxLength: 2 }),
    absent: fc.uniqueArray(holder, { maxLength: 2 }),
    atMost: fc.integer({ min: 0, max: 4 }),
    atLeast: fc.nat(3),
    line: orNull(token),
    checkMs: orNull(nowMs),
  },
  { requiredKeys: [] },
);
const slotsWrite = fc
  .record({ put: entries, remove: fc.uniqueArray(holder, { maxLength: 2 }) })
  .chain(({ put, remove }) =>
    fc
      .record(
        { line: orNull(token), checkMs: orNull(nowMs), limit: fc.integer({ min: 1, max: 9 }), when: slotsCondition },
        { requiredKeys: ['when'] },
      )
      .map((fields) => ({
        put: new Map(put),
        remove: remove.filter((name) => put.every(([other]) => other !== name)),
        ...fields,
        expiresAtSeconds: NOW / 1000 + 86_400,
      })),
  );
const parked = fc
  .record({
    place,
    token,
    wake: fc.constantFrom(
      { kind: 'send', message: { queue: 'default', body: 'body', groupId: 'acme' } } as const,
      { kind: 'show', queue: 'orders', receipt: 'receipt' } as const,
    ),
    grants: fc.nat(3),
    more: optional(nowMs, 'expiresMs'),
  })
  .map(({ place: at, more, ...fields }) => ({ ...at, ...more, ...fields }));

export const SLOT_CALLS: Calls<SlotStore> = fc.oneof(
  {
    arbitrary: call('write', fc.tuple(slotsName, slotsWrite), (port: SlotStore, [name, write], prefix) =>
      port.write({ key: name(prefix), ...write }),
    ),
    weight: 4,
  },
  call('read', slotsName, (port: SlotStore, name, prefix) => port.read(name(prefix))),
  {
    arbitrary: call('park', fc.tuple(slotsName, parked), (port: SlotStore, [name, each], prefix) =>
      // One that nobody may give up again is the first of its line.
      port.park(name(prefix), [each], each.grants === 0 ? each.sinceMs : undefined),
    ),
    weight: 2,
  },
  call('line', fc.tuple(slotsName, fc.nat(3)), (port: SlotStore, [name, most], prefix) =>
    port.line(name(prefix), most),
  ),
  call('parked', fc.tuple(slotsName, place), (port: SlotStore, [name, at], prefix) => port.parked(name(prefix), at)),
  call('unpark', fc.tuple(slotsName, place, token), (port: SlotStore, [name, at, own], prefix) =>
    port.unpark(name(prefix), at, own),
  ),
  call('unpark whatever it is', fc.tuple(slotsName, place), (port: SlotStore, [name, at], prefix) =>
    port.unpark(name(prefix), at),
  ),
  // Tasks have no prefix: of a place that an earlier history left in one store the other knows nothing.
  call('where it waits', fc.constantFrom('a', 'b', 'c', 'd.e:f'), async (port: SlotStore, id, prefix) => {
    const last = await port.lastPlace(id);
    return last?.key.includes(prefix) === true ? last : undefined;
  }),
  call(
    'count those before',
    fc.tuple(slotsName, place, fc.integer({ min: 1, max: 3 })),
    (port: SlotStore, [name, before, most], prefix) => port.count(name(prefix), { before, most }),
  ),
  call('count', slotsName, (port: SlotStore, name, prefix) => port.count(name(prefix))),
);
