/** A slot that is given back, write by write: to whom it goes, who is sent for, and who looks after that. */
import { describe, expect, it } from 'vitest';

import {
  SLOT_CHECK_MARGIN_MS,
  SLOT_GRANT_SECONDS,
  SLOT_RETENTION_SECONDS,
  SLOT_ROUNDS,
} from '../../lib/base/limits.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { giveBack, pump, sendForForgotten } from '../../lib/worker/slot-pump.ts';
import { KEY, NOW, parked, SENT, slotRig, type SlotRig } from '../support/slot-rig.ts';

const HELD = { leaseMs: NOW + 30_000, by: 'worker/1' };
const DEAD = { leaseMs: NOW - 1, by: 'worker/0' };
const LEAVING = [{ holder: 'a#0', entry: HELD }];
/** Who gives signs with the first id. */
const BY = 'grant/00000000-0000-4000-8000-000000000001';
const LOOK_MS = NOW + SLOT_GRANT_SECONDS * 1000 + SLOT_CHECK_MARGIN_MS;
const granted = (grants = 0) => ({ leaseMs: NOW + SLOT_GRANT_SECONDS * 1000 * 4 ** grants, by: BY });
const EXPIRES = NOW / 1000 + SLOT_RETENTION_SECONDS;

async function lined(rig: SlotRig, ...waiting: ReturnType<typeof parked>[]): Promise<void> {
  await rig.slots.park(KEY, waiting);
}

describe('a slot that is free again', () => {
  it('is only taken away where nobody waits', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD, 'b#0': HELD }, { limit: 2 });
    expect(await pump({ key: KEY, limit: 2, leaving: LEAVING }, rig.ports)).toBe(false);
    expect(rig.writes).toEqual([
      {
        key: KEY,
        put: new Map(),
        remove: ['a#0'],
        limit: 2,
        expiresAtSeconds: EXPIRES,
        when: { same: new Map([['a#0', HELD]]), absent: [], line: null },
      },
    ]);
    expect(rig.did).toEqual(['read', 'write']);
  });

  it.each<[string, Parameters<typeof pump>[0]]>([
    ['holds no more', { key: KEY, limit: 2, leaving: [{ holder: 'b#0' }] }],
    ['holds as somebody else', { key: KEY, limit: 2, leaving: [{ holder: 'a#0', entry: { ...HELD, by: 'other' } }] }],
    ['is nobody', { key: KEY, limit: 2 }],
  ])('who leaves %s: nothing is written', async (_what, pumping) => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD });
    expect(await pump(pumping, rig.ports)).toBe(false);
    expect(rig.did).toEqual(['read']);
  });

  it('goes to whoever has waited longest, who is sent for, and looked after', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('c#0', NOW - 10), parked('b#1', NOW - 20, { grants: 1 }));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect(rig.did).toEqual(['read', 'line 10', 'send mail look', 'write', 'send mail b#1', 'unpark b#1 token of b#1']);
    expect(rig.writes).toEqual([
      {
        key: KEY,
        put: new Map([['b#1', granted(1)]]),
        remove: ['a#0'],
        checkMs: LOOK_MS,
        limit: 1,
        expiresAtSeconds: EXPIRES + SLOT_GRANT_SECONDS * 4,
        when: { same: new Map([['a#0', HELD]]), absent: ['b#1'], atMost: 1, checkMs: null },
      },
    ]);
    const [look, message] = rig.sent;
    expect(look).toMatchObject({ queue: 'mail', delaySeconds: (LOOK_MS - NOW) / 1000 });
    expect(decodeMessage(look?.body ?? '')).toMatchObject({
      task: 'celeriac.pump',
      args: [KEY, LOOK_MS],
      parentId: null,
    });
    expect(message).toEqual({ queue: 'mail', body: 'b#1' });
    expect(await rig.waiting()).toEqual(['c#0']);
  });

  it.each<[string, number | undefined, boolean]>([
    ['nobody looks', undefined, true],
    ['who was to look is late', NOW, true],
    ['somebody looks in time', NOW + 1, false],
    ['somebody looks at the same time', LOOK_MS, false],
    ['somebody looks too late', LOOK_MS + 1, true],
  ])('%s: %s', async (_what, checkMs, looks) => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { line: 't', ...(checkMs === undefined ? {} : { checkMs }) });
    await lined(rig, parked('b#0'));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    const [write] = rig.writes;
    expect([write?.checkMs, write?.when.checkMs]).toEqual(looks ? [LOOK_MS, checkMs ?? null] : [undefined, undefined]);
    expect(rig.sent.length).toBe(looks ? 2 : 1);
    expect((await rig.read()).checkMs).toBe(looks ? LOOK_MS : checkMs);
  });

  it('goes to one who is here without sending for it, and nobody has to look', async () => {
    const rig = slotRig();
    const mine = { leaseMs: NOW + 99_500, by: 'here/1' };
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING, here: new Map([['b#0', mine]]) }, rig.ports)).toBe(false);
    expect(rig.did).toEqual(['read', 'line 10', 'write']);
    expect(rig.writes).toMatchObject([
      { put: new Map([['b#0', mine]]), expiresAtSeconds: Math.ceil(mine.leaseMs / 1000) + SLOT_RETENTION_SECONDS },
    ]);
    expect(await rig.waiting()).toEqual(['b#0']);
  });

  it.each<[string, number | undefined, number | undefined, number]>([
    ['as many as are given', 3, 1, 3],
    ['as many as were last known', undefined, 2, 2],
    ['one, where nothing is known', undefined, undefined, 1],
  ])('there are %s', async (_what, given, known, count) => {
    const rig = slotRig();
    await rig.hold({ 'a#0': DEAD }, { line: 't', ...(known === undefined ? {} : { limit: known }) });
    await lined(rig, ...['b', 'c', 'd', 'e'].map((name, index) => parked(`${name}#0`, NOW - 100 + index)));
    expect(await pump({ key: KEY, limit: given }, rig.ports)).toBe(true);
    expect([...(await rig.read()).holders.keys()]).toEqual(['b#0', 'c#0', 'd#0'].slice(0, count));
    expect(rig.writes).toMatchObject([{ limit: count }]);
  });

  it('goes to nobody where more hold than may', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD, 'x#0': HELD, 'y#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(false);
    expect(rig.writes).toMatchObject([{ put: new Map(), remove: ['a#0'] }]);
    expect(await rig.waiting()).toEqual(['b#0']);
  });

  it('clears a line in which nobody stands', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(false);
    expect(rig.writes).toMatchObject([{ line: null, when: { line: 't' } }]);
    expect(await rig.read()).toEqual({ holders: new Map(), limit: 1 });
  });

  it('is looked for among as many as may hold, if those are more than ten', async () => {
    const rig = slotRig();
    const holders = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`h${index}#0`, HELD]));
    await rig.hold({ ...holders, 'a#0': HELD }, { line: 't' });
    await pump({ key: KEY, limit: 14, leaving: LEAVING }, rig.ports);
    // Thirteen hold, one of them leaves, and one slot was free.
    expect(rig.did).toContain('line 15');
  });
});

describe('those whose time is over', () => {
  const over = (holder: string, expiresMs: number) => parked(holder, NOW - 100, { expiresMs });

  it('are sent for without a slot, to be told so; the next one gets it', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, over('b#0', NOW), over('c#0', NOW + 1));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect(rig.did.filter((each) => !each.startsWith('unpark'))).toEqual([
      'read',
      'line 10',
      'send mail b#0',
      'line 10',
      'send mail look',
      'write',
      'send mail c#0',
    ]);
    expect([...(await rig.read()).holders.keys()]).toEqual(['c#0']);
    expect(await rig.waiting()).toEqual([]);
  });

  it('stay where they cannot be sent, and keep no other from its slot', async () => {
    const rig = slotRig({
      send: ({ body }) => (body === 'b#0' ? { ok: false, code: 'No', message: 'not now', retryable: true } : SENT),
    });
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, over('b#0', NOW - 1), parked('c#0', NOW - 50));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect([...(await rig.read()).holders.keys()]).toEqual(['c#0']);
    expect(await rig.waiting()).toEqual(['b#0']);
  });

  it('and are not forgotten, where nobody else waits', async () => {
    const rig = slotRig({ send: () => new Error('no answer') });
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, over('b#0', NOW - 1));
    await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports);
    expect(await rig.waiting()).toEqual(['b#0']);
    expect(await rig.read()).toMatchObject({ holders: new Map(), line: 't' });
  });

  it('are not sent for where they hold, or are here', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD, 'b#0': HELD }, { line: 't' });
    await lined(rig, over('b#0', NOW), over('c#0', NOW));
    await pump({ key: KEY, limit: 2, leaving: LEAVING, here: new Map([['c#0', HELD]]) }, rig.ports);
    expect(rig.sent).toEqual([]);
    expect([...(await rig.read()).holders.keys()]).toEqual(['b#0', 'c#0']);
  });
});

describe('who is sent for', () => {
  it('is shown again, where its message has stayed in its queue', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0', NOW - 1, { wake: { kind: 'show', queue: 'orders', receipt: 'r' } }));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect(rig.did.slice(-2)).toEqual(['show orders r 0', 'unpark b#0 token of b#0']);
    // The look is for its queue, which takes no delay.
    expect(rig.stored).toMatchObject([{ dueMs: LOOK_MS, message: { queue: 'orders' } }]);
  });

  it.each<[string, Parameters<typeof slotRig>[0]]>([
    [
      'is refused',
      { send: ({ body }) => ({ ok: body !== 'b#0', code: 'No', message: 'not now', retryable: true }) as never },
    ],
    ['is not answered', { send: ({ body }) => (body === 'b#0' ? new Error('No: not now') : SENT) }],
  ])('keeps its place where that %s', async (_what, faults) => {
    const rig = slotRig(faults);
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect(await rig.waiting()).toEqual(['b#0']);
    expect((await rig.read()).holders.get('b#0')).toEqual(granted());
    expect(rig.lines).toEqual([['error', expect.stringMatching(/b#0 .*No: not now/), { key: KEY }]]);
  });
});

describe('who was given a slot by one who died before it sent', () => {
  // Given as long ago as it may take to send for somebody.
  const FORGOTTEN = { leaseMs: granted(1).leaseMs - SLOT_GRANT_SECONDS * 1000, by: BY };

  it('is sent for, and leaves the line; the others stay', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD, 'b#0': FORGOTTEN, 'c#0': granted(1) }, { limit: 3, line: 't' });
    await lined(rig, ...['b#0', 'c#0', 'd#0'].map((holder, index) => parked(holder, NOW - 10 + index, { grants: 1 })));
    await sendForForgotten(KEY, await rig.read(), rig.ports);
    expect(rig.sent.map(({ body }) => body)).toEqual(['b#0']);
    expect(await rig.waiting()).toEqual(['c#0', 'd#0']);
  });

  it.each<[string, Parameters<SlotRig['hold']>[0], string | undefined]>([
    ['no slot is given', { 'a#0': HELD }, 't'],
    ['nobody waits', { 'b#0': FORGOTTEN }, undefined],
  ])('is not looked for where %s', async (_what, holders, line) => {
    const rig = slotRig();
    await rig.hold(holders, line === undefined ? {} : { line });
    const seen = await rig.read();
    rig.did.length = 0;
    await sendForForgotten(KEY, seen, rig.ports);
    expect(rig.did).toEqual([]);
  });
});

describe('another writer', () => {
  it.each([1, SLOT_ROUNDS - 1])('was quicker %i times: it is done with what that one left', async (overtaken) => {
    const rig = slotRig({ overtaken });
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect(rig.did.filter((each) => each === 'read')).toHaveLength(1);
    // Halfway between the shortest and the longest.
    expect(rig.pausesMs).toEqual(Array.from({ length: overtaken }, () => 52.5));
    expect([...(await rig.read()).holders.keys()]).toEqual(['b#0']);
  });

  it('is always quicker: it is left to whoever looks', async () => {
    const rig = slotRig({ overtaken: SLOT_ROUNDS });
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(false);
    expect(rig.writes).toHaveLength(SLOT_ROUNDS);
    expect(rig.sent.filter(({ body }) => body === 'b#0')).toEqual([]);
  });

  it('was ourselves: whose answer was lost, who was given a slot is sent for, once', async () => {
    const rig = slotRig({ lostAnswers: 1 });
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'), parked('c#0', NOW - 1));
    expect(await pump({ key: KEY, limit: 1, leaving: LEAVING }, rig.ports)).toBe(true);
    expect(rig.writes).toHaveLength(1);
    expect(rig.sent.filter(({ body }) => body === 'b#0')).toHaveLength(1);
    expect(await rig.waiting()).toEqual(['c#0']);
  });

  it('what is known of the key is not read again', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD });
    await pump({ key: KEY, limit: 1, leaving: LEAVING, seen: await rig.read() }, rig.ports);
    expect(rig.did).toEqual(['write']);
  });
});

describe('giving slots back', () => {
  const OWN = { holder: 'a#0', entry: HELD };

  it('where nobody waits is one write, whatever the entry is or only this one', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD, 'b#0': DEAD, 'c#0': HELD });
    await giveBack(KEY, 3, [OWN, { holder: 'b#0' }], rig.ports);
    expect(rig.did).toEqual(['write']);
    expect(rig.writes).toEqual([
      {
        key: KEY,
        remove: ['a#0', 'b#0'],
        expiresAtSeconds: EXPIRES,
        when: { line: null, present: ['b#0'], same: new Map([['a#0', HELD]]) },
      },
    ]);
    expect([...(await rig.read()).holders.keys()]).toEqual(['c#0']);
  });

  it('of those who hold no more is done', async () => {
    const rig = slotRig();
    await rig.hold({ 'c#0': HELD });
    await giveBack(KEY, 1, [OWN], rig.ports);
    expect(rig.did).toEqual(['write']);
  });

  it('of some who hold: the others keep nobody', async () => {
    const rig = slotRig();
    await rig.hold({ 'b#0': HELD });
    await giveBack(KEY, 1, [OWN, { holder: 'b#0' }], rig.ports);
    expect(rig.writes[1]).toEqual({
      key: KEY,
      remove: ['b#0'],
      expiresAtSeconds: EXPIRES,
      when: { line: null, same: new Map([['b#0', HELD]]) },
    });
    expect(rig.did).toEqual(['write', 'write']);
    expect((await rig.read()).holders.size).toBe(0);
  });

  it('where somebody waits hands them over, with what was seen', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { line: 't' });
    await lined(rig, parked('b#0'));
    await giveBack(KEY, 1, [OWN], rig.ports);
    expect(rig.did).toEqual([
      'write',
      'line 10',
      'send mail look',
      'write',
      'send mail b#0',
      'unpark b#0 token of b#0',
    ]);
    expect([...(await rig.read()).holders.keys()]).toEqual(['b#0']);
  });

  it('where others are always quicker ends', async () => {
    const rig = slotRig({ overtaken: Infinity });
    await rig.hold({ 'a#0': HELD });
    await giveBack(KEY, 1, [OWN], rig.ports);
    // As often as that, and once more to hand it over as often.
    expect(rig.writes).toHaveLength(2 * SLOT_ROUNDS);
  });
});
