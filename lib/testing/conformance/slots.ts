/** What every store of slots must do. Cases share one store and keep to keys of their own. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';

import { slotsKey, taskLockKey } from '../../ports/slot-keys.ts';
import type { Holder, Parked, Slots, SlotsCondition, SlotStore, SlotsWrite } from '../../ports/slots.ts';
import type { ConformanceCase } from './case.ts';
import { lastPlaceConformance } from './last-place.ts';
import { linesConformance } from './lines.ts';

const NOW = 1_900_000_000_000;
const TTL = 2_000_000_000;
const EMPTY: Slots = { holders: new Map() };

function holder(by: string, leaseMs = NOW): Holder {
  return { leaseMs, by };
}

function parked(name: string, sinceMs: number, more: Partial<Parked> = {}): Parked {
  const wake = { kind: 'send', message: { queue: 'default', body: `body of ${name}` } } as const;
  return { sinceMs, holder: `${name}#0`, token: `token of ${name}`, wake, grants: 0, ...more };
}

/** What every store of slots must do, as cases. They share one store. */
export function slotsConformance(slots: SlotStore): ConformanceCase[] {
  return [
    ...holdersConformance(slots),
    ...lineConformance(slots),
    ...lastPlaceConformance(slots),
    ...linesConformance(slots),
  ];
}

function holdersConformance(slots: SlotStore): ConformanceCase[] {
  const write = async (key: string, change: Omit<SlotsWrite, 'key' | 'expiresAtSeconds'>): Promise<boolean> =>
    (await slots.write({ key: slotsKey(key), expiresAtSeconds: TTL, ...change })).done;
  const put = (key: string, entries: Record<string, Holder>, when: SlotsCondition = {}): Promise<boolean> =>
    write(key, { put: new Map(Object.entries(entries)), when });
  const read = (key: string): Promise<Slots> => slots.read(slotsKey(key));
  return [
    {
      name: 'a key that nobody asked for has no holders; the first one begins it',
      async run() {
        deepEqual(await read('new'), EMPTY);
        equal(await write('new', { remove: ['a#0'], when: {} }), false);
        equal(await write('new', { line: 'token', when: {} }), false);
        equal(await put('new', { 'a#0': holder('one') }, { absent: ['a#0'], atMost: 0, line: null }), true);
        deepEqual(await read('new'), { holders: new Map([['a#0', holder('one')]]) });
      },
    },
    {
      name: 'of many who want the same slot one gets it',
      async run() {
        const names = Array.from({ length: 8 }, (_, index) => `task-${index}#0`);
        const done = await Promise.all(
          names.map((name) => put('at once', { [name]: holder(name) }, { absent: [name], atMost: 0 })),
        );
        equal(done.filter(Boolean).length, 1);
        equal((await read('at once')).holders.size, 1);
      },
    },
    {
      name: 'a write that is refused changes nothing, and shows how the key stands',
      async run() {
        await put('refused', { 'a#0': holder('one'), 'b#0': holder('two', NOW + 1) });
        const holders = new Map([
          ['a#0', holder('one')],
          ['b#0', holder('two', NOW + 1)],
        ]);
        const outcome = await slots.write({
          key: slotsKey('refused'),
          put: new Map([['c#0', holder('three')]]),
          remove: ['a#0'],
          line: 'token',
          checkMs: NOW,
          expiresAtSeconds: TTL,
          when: { atMost: 1 },
        });
        deepEqual(outcome, { done: false, seen: { holders } });
        deepEqual(await read('refused'), { holders });
      },
    },
    ...(
      [
        ['the same entry', { same: new Map([['a#0', holder('one')]]) }, true],
        ['the entry with another lease', { same: new Map([['a#0', holder('one', NOW + 1)]]) }, false],
        ['the entry of another', { same: new Map([['a#0', holder('two')]]) }, false],
        ['an entry that is not there', { same: new Map([['z#0', holder('one')]]) }, false],
        ['present', { present: ['a#0'] }, true],
        ['not present', { present: ['a#0', 'z#0'] }, false],
        ['absent', { absent: ['z#0'] }, true],
        ['not absent', { absent: ['z#0', 'a#0'] }, false],
        ['at most as many', { atMost: 2 }, true],
        ['at most fewer', { atMost: 1 }, false],
        ['at least as many', { atLeast: 2 }, true],
        ['at least more', { atLeast: 3 }, false],
        ['the line', { line: 'token' }, true],
        ['another line', { line: 'other' }, false],
        ['no line', { line: null }, false],
        ['the look', { checkMs: NOW }, true],
        ['another look', { checkMs: NOW + 1 }, false],
        ['no look', { checkMs: null }, false],
        ['two of which one does not hold', { atMost: 2, line: 'other' }, false],
        ['all at once', { same: new Map([['b#0', holder('two')]]), present: ['a#0'], atMost: 2, line: 'token' }, true],
      ] as const satisfies readonly (readonly [string, SlotsCondition, boolean])[]
    ).map(([what, when, holds]): ConformanceCase => ({
      name: `condition: ${what}`,
      async run() {
        const key = `condition ${what}`;
        await put(key, { 'a#0': holder('one'), 'b#0': holder('two') });
        await write(key, { line: 'token', checkMs: NOW, when: {} });
        equal(await put(key, { 'new#0': holder('new') }, when), holds);
        equal((await read(key)).holders.has('new#0'), holds);
      },
    })),
    {
      name: 'one write takes one away and gives the slot to another, where the key is as it was seen',
      async run() {
        await put('handed', { 'a#0': holder('one') });
        const handOver = {
          put: new Map([['b#0', holder('grant/1', NOW + 9)]]),
          remove: ['a#0'],
          limit: 1,
          when: { same: new Map([['a#0', holder('one')]]), absent: ['b#0'], atMost: 1 },
        };
        equal(await write('handed', handOver), true);
        equal(await write('handed', handOver), false);
        deepEqual(await read('handed'), { holders: new Map([['b#0', holder('grant/1', NOW + 9)]]), limit: 1 });
      },
    },
    {
      name: 'an entry is replaced by one of its name, and the last may go',
      async run() {
        await put('replaced', { 'a#0': holder('one') });
        equal(await put('replaced', { 'a#0': holder('two', NOW + 5) }, { present: ['a#0'] }), true);
        deepEqual((await read('replaced')).holders, new Map([['a#0', holder('two', NOW + 5)]]));
        equal(await write('replaced', { remove: ['a#0'], when: { present: ['a#0'], line: null } }), true);
        deepEqual(await read('replaced'), EMPTY);
        equal(await put('replaced', { 'b#0': holder('three') }, { atMost: 0 }), true);
      },
    },
    {
      name: 'line and look come and go',
      async run() {
        await put('line', { 'a#0': holder('one') });
        equal(await write('line', { line: 'first', checkMs: NOW, when: { line: null, checkMs: null } }), true);
        equal(await write('line', { line: 'second', when: { atLeast: 1 } }), true);
        deepEqual(await read('line'), { holders: new Map([['a#0', holder('one')]]), line: 'second', checkMs: NOW });
        equal(await write('line', { line: null, when: { line: 'first' } }), false);
        equal(await write('line', { line: null, checkMs: null, when: { line: 'second' } }), true);
        deepEqual(await read('line'), { holders: new Map([['a#0', holder('one')]]) });
      },
    },
    {
      name: 'each key has holders of its own, whatever its characters are, and locks lie beside slots',
      async run() {
        const keys = ['a#', 'a##', '#', 'ä.#', 'a b', '~', `${'a'.repeat(250)}#${'ä'.repeat(128)}`];
        for (const key of [...keys.map(slotsKey), ...keys.map(taskLockKey)]) {
          const entry = { put: new Map([['a.b:c#0', holder('ä')]]), expiresAtSeconds: TTL, when: { atMost: 0 } };
          deepEqual(await slots.write({ key, ...entry }), { done: true }, key);
          deepEqual((await slots.read(key)).holders, new Map([['a.b:c#0', holder('ä')]]), key);
        }
      },
    },
    {
      name: 'a hundred holders, and all of them replaced in one write',
      async run() {
        const many = (by: string): Record<string, Holder> =>
          Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${by}-${at}-${'x'.repeat(100)}#0`, holder(by)]));
        equal(await put('hundred', { ...many('one'), ...many('two') }), true);
        const change = { remove: Object.keys(many('one')), put: new Map(Object.entries(many('three'))) };
        equal(await write('hundred', { ...change, when: { same: new Map(Object.entries(many('one'))) } }), true);
        deepEqual((await read('hundred')).holders.size, 100);
      },
    },
    {
      name: 'a name that is too long for its place is refused',
      async run() {
        await rejects(put('long', { 'a#0': holder('x'.repeat(256)) }));
        await rejects(put('long', { 'a#0': holder('') }));
        deepEqual(await read('long'), EMPTY);
      },
    },
  ];
}

function lineConformance(slots: SlotStore): ConformanceCase[] {
  const line = async (key: string, limit = 100): Promise<string[]> =>
    (await slots.line(slotsKey(key), limit)).map((each) => each.holder);
  return [
    {
      name: 'who waits comes back as it was, the oldest first',
      async run() {
        const key = slotsKey('waits');
        const message = { queue: 'mail', body: 'b', groupId: 'acme' };
        const tasks = [
          parked('third', NOW + 2, { wake: { kind: 'show', queue: 'orders', receipt: 'receipt' } }),
          parked('second', NOW + 1, { wake: { kind: 'send', message }, grants: 3, expiresMs: NOW + 9 }),
          parked('first', NOW),
        ];
        await slots.park(key, tasks);
        deepEqual(await slots.line(key, 10), tasks.toReversed());
        deepEqual(await line('waits', 2), ['first#0', 'second#0']);
        deepEqual(await slots.parked(key, { sinceMs: NOW + 1, holder: 'second#0' }), tasks[1]);
        equal(await slots.parked(key, { sinceMs: NOW + 1, holder: 'first#0' }), undefined);
        equal(await slots.count(key), 3);
        deepEqual(await slots.read(key), EMPTY);
      },
    },
    {
      name: 'who comes to the same place again takes it over',
      async run() {
        const key = slotsKey('again');
        await slots.park(key, [parked('a', NOW, { expiresMs: NOW })]);
        await slots.park(key, [parked('a', NOW, { token: 'fresh' })]);
        deepEqual(await slots.line(key, 10), [parked('a', NOW, { token: 'fresh' })]);
      },
    },
    {
      name: 'the first time at which an attempt came to wait stands, whatever is noted later',
      async run() {
        const at = (sinceMs: number, name = 'since#0'): Promise<number> => slots.since({ sinceMs, holder: name }, TTL);
        equal(await at(NOW), NOW);
        equal(await at(NOW + 5), NOW);
        equal(await at(NOW - 5), NOW);
        equal(await at(NOW + 5, 'since#1'), NOW + 5);
        deepEqual(await slots.line(slotsKey('since#0'), 10), []);
      },
    },
    {
      name: 'of many who come at once all are told the same',
      async run() {
        const told = await Promise.all(
          Array.from({ length: 8 }, (_, index) => slots.since({ sinceMs: NOW + index, holder: 'together#0' }, TTL)),
        );
        equal(new Set(told).size, 1);
      },
    },
    {
      name: 'with a token only its very own time of waiting goes',
      async run() {
        const key = slotsKey('unpark');
        await slots.park(key, [parked('a', NOW), parked('b', NOW), parked('c', NOW)]);
        await slots.unpark(key, parked('a', NOW), 'other');
        deepEqual(await line('unpark'), ['a#0', 'b#0', 'c#0']);
        await slots.unpark(key, parked('a', NOW), 'token of a');
        await slots.unpark(key, parked('a', NOW), 'token of a');
        await slots.unpark(key, parked('b', NOW));
        await slots.unpark(key, parked('b', NOW));
        deepEqual(await line('unpark'), ['c#0']);
        equal(await slots.count(key), 1);
      },
    },
    {
      name: 'many wait: more than a request takes',
      async run() {
        const tasks = Array.from({ length: 60 }, (_, at) => parked(`task-${at}`, NOW + at));
        await slots.park(slotsKey('many'), tasks);
        deepEqual(
          await line('many', 45),
          tasks.slice(0, 45).map((each) => each.holder),
        );
        equal(await slots.count(slotsKey('many')), 60);
      },
    },
    {
      name: 'each key has a line of its own',
      async run() {
        const keys = ['own#', 'own#a', 'own'].flatMap((key) => [slotsKey(key), taskLockKey(key)]);
        for (const [at, key] of keys.entries()) await slots.park(key, [parked(`task-${at}`, NOW)]);
        for (const [at, key] of keys.entries()) deepEqual(await slots.line(key, 10), [parked(`task-${at}`, NOW)], key);
      },
    },
    {
      name: 'a message as large as an item waits, a larger one is refused',
      async run() {
        const key = slotsKey('large');
        const wake = (size: number) =>
          ({ kind: 'send', message: { queue: 'default', body: 'x'.repeat(size) } }) as const;
        await slots.park(key, [parked('a', NOW, { wake: wake(380_000) })]);
        await rejects(slots.park(key, [parked('b', NOW, { wake: wake(410_000) })]));
        deepEqual(await line('large'), ['a#0']);
        const [first] = await slots.line(key, 1);
        ok(first?.wake.kind === 'send' && first.wake.message.body.length === 380_000);
      },
    },
  ];
}
