/** Who of a batch has a slot, write by write; and a slot from its claim to the moment at which it is given back. */
import { describe, expect, it } from 'vitest';

import { SLOT_CHECK_MARGIN_MS, SLOT_RETENTION_SECONDS, SLOT_ROUNDS } from '../../lib/base/limits.ts';
import type { ClaimOutcome, ClaimRequest } from '../../lib/ports/backend.ts';
import type { Holder, Slots } from '../../lib/ports/slots.ts';
import { type Seat, SlotDesk, type Seated } from '../../lib/worker/slot-desk.ts';
import { HeldSlot } from '../../lib/worker/slot-held.ts';
import type { Leaving } from '../../lib/worker/slot-pump.ts';
import type { OwnSeat, Wanted } from '../../lib/worker/slot-seat.ts';
import type { Worker } from '../../lib/worker/worker.ts';
import { KEY, NOW, parked, slotRig, type SlotRig } from '../support/slot-rig.ts';

const HELD = { leaseMs: NOW + 30_000, by: 'worker/1' };
const DEAD = { leaseMs: NOW - 1, by: 'worker/0' };
const GRANT = { leaseMs: NOW + 9000, by: 'grant/x' };
const mineOf = (name: string): Holder => ({ leaseMs: NOW + 60_500, by: `mine/${name}` });
const EXPIRES = Math.ceil((NOW + 60_500) / 1000) + SLOT_RETENTION_SECONDS;

function seat(name: string, more: Partial<Seat> = {}): Seat {
  const holder = `${name}#0`;
  const sinceMs = NOW - 1000;
  return {
    holder,
    sinceMs,
    mine: mineOf(name),
    sentFor: false,
    goesOn: false,
    unclaimed: false,
    queue: 'mail',
    park: (token) => Promise.resolve(parked(holder, more.sinceMs ?? sinceMs, { token })),
    ...more,
  };
}

const serve = (rig: SlotRig, limit: number, seats: readonly Seat[]): Promise<Seated[]> =>
  new SlotDesk(KEY, limit, seats, rig.ports).serve(seats);
const kinds = (seated: readonly Seated[]): string[] => seated.map(({ kind }) => kind);
const OWN: Seated = { kind: 'own', parked: false };

describe('a slot that is free', () => {
  it('is taken by one write, as if nobody waited', async () => {
    const rig = slotRig();
    const seats = [seat('a'), seat('b')];
    expect(await serve(rig, 3, seats)).toEqual([OWN, OWN]);
    expect(rig.did).toEqual(['write']);
    expect(rig.writes).toEqual([
      {
        key: KEY,
        put: new Map([
          ['a#0', mineOf('a')],
          ['b#0', mineOf('b')],
        ]),
        remove: [],
        limit: 3,
        expiresAtSeconds: EXPIRES,
        when: { absent: ['a#0', 'b#0'], atMost: 1, line: null },
      },
    ]);
  });

  it.each<[string, number, readonly Seat[], readonly string[]]>([
    ['there are as many as slots', 2, [seat('a'), seat('b')], ['write']],
    ['there are more', 1, [seat('a'), seat('b')], ['read', 'write']],
    ['one of them was sent for', 2, [seat('a'), seat('b', { sentFor: true })], ['read', 'write']],
  ])('is asked for first where %s: %j', async (_what, limit, seats, did) => {
    const rig = slotRig();
    const seated = await serve(rig, limit, seats);
    expect(rig.did.slice(0, did.length)).toEqual(did);
    expect(seated[0]).toEqual(OWN);
  });

  it('is the one of whoever came first, whatever the order in which they ask', async () => {
    const rig = slotRig();
    const seated = await serve(rig, 1, [seat('late', { sinceMs: NOW - 1 }), seat('early', { sinceMs: NOW - 9 })]);
    expect(kinds(seated)).toEqual(['parked', 'own']);
  });

  it('was held by one who is dead: that one goes, in the same write', async () => {
    const rig = slotRig();
    await rig.hold({ 'x#0': DEAD, 'y#0': HELD });
    expect(await serve(rig, 2, [seat('a')])).toEqual([OWN]);
    // The first write cannot know of it.
    expect(rig.writes.at(-1)).toEqual({
      key: KEY,
      put: new Map([['a#0', mineOf('a')]]),
      remove: ['x#0'],
      limit: 2,
      expiresAtSeconds: EXPIRES,
      when: { same: new Map([['x#0', DEAD]]), absent: ['a#0'], atMost: 2, line: null },
    });
    expect(rig.did).toEqual(['write', 'write']);
  });

  it('is there for some of them: the others wait', async () => {
    const rig = slotRig();
    await rig.hold({ 'x#0': HELD });
    const seats = [seat('a'), seat('b'), seat('c')];
    expect(kinds(await serve(rig, 2, seats))).toEqual(['own', 'parked', 'parked']);
    expect([...(await rig.read()).holders.keys()]).toEqual(['x#0', 'a#0']);
    expect(await rig.waiting()).toEqual(['b#0', 'c#0']);
  });

  it('goes to those of the line, who came before', async () => {
    const rig = slotRig();
    await rig.hold({ 'x#0': HELD }, { line: 't', limit: 2 });
    await rig.slots.park(KEY, [parked('first#0', NOW - 5000)]);
    expect(kinds(await serve(rig, 2, [seat('a')]))).toEqual(['parked']);
    expect([...(await rig.read()).holders.keys()]).toEqual(['x#0', 'first#0']);
    expect(rig.sent.map(({ body }) => body)).toContain('first#0');
  });

  it('goes to one who is here, where that one is the first of the line', async () => {
    const rig = slotRig();
    await rig.hold({ 'x#0': HELD }, { line: 't', limit: 2 });
    expect(await serve(rig, 2, [seat('a')])).toEqual([{ kind: 'own', parked: true }]);
    // Nobody is sent for, and its place stands until it has run.
    expect(rig.sent).toEqual([]);
    expect(await rig.waiting()).toEqual(['a#0']);
  });
});

describe('one who has a slot already', () => {
  it.each<[string, Record<string, Holder>, Partial<Seat>, Seated, number]>([
    ['by a write whose answer was lost', { 'a#0': mineOf('a') }, {}, OWN, 1],
    ['that was given to it', { 'a#0': GRANT }, {}, OWN, 2],
    ['of another delivery', { 'a#0': HELD }, {}, { kind: 'other', leaseMs: HELD.leaseMs }, 1],
    ['of a delivery that is dead', { 'a#0': DEAD }, {}, { kind: 'other', leaseMs: DEAD.leaseMs }, 1],
    ['of a delivery that is dead, and has no claim', { 'a#0': DEAD }, { unclaimed: true }, OWN, 2],
    [
      'of one that ends now',
      { 'a#0': { ...DEAD, leaseMs: NOW } },
      { unclaimed: true },
      { kind: 'other', leaseMs: NOW },
      1,
    ],
  ])('%s', async (_what, holders, more, seated, writes) => {
    const rig = slotRig();
    await rig.hold(holders);
    expect(await serve(rig, 1, [seat('a', more)])).toEqual([seated]);
    expect(rig.writes).toHaveLength(writes);
    if (writes === 2)
      expect(rig.writes[1]).toMatchObject({ remove: [], when: { same: new Map(Object.entries(holders)) } });
    expect((await rig.read()).holders.get('a#0')).toEqual(seated.kind === 'own' ? mineOf('a') : holders['a#0']);
  });

  it('keeps no other of its batch from a free one', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': GRANT });
    expect(await serve(rig, 2, [seat('a'), seat('b')])).toEqual([OWN, OWN]);
    expect((await rig.read()).holders).toEqual(
      new Map([
        ['a#0', mineOf('a')],
        ['b#0', mineOf('b')],
      ]),
    );
  });
});

describe('waiting', () => {
  it('is a place, and a line with a token of this time, and somebody who looks', async () => {
    const rig = slotRig();
    await rig.hold({ 'x#0': HELD });
    expect(kinds(await serve(rig, 1, [seat('a')]))).toEqual(['parked']);
    const lookMs = HELD.leaseMs + SLOT_CHECK_MARGIN_MS;
    const token = '00000000-0000-4000-8000-000000000001';
    expect(rig.did).toEqual(['write', 'park a#0', 'send mail look', 'write']);
    expect(rig.writes[1]).toEqual({
      key: KEY,
      line: token,
      checkMs: lookMs,
      limit: 1,
      expiresAtSeconds: NOW / 1000 + SLOT_RETENTION_SECONDS,
      when: { atLeast: 1, absent: ['a#0'], checkMs: null },
    });
    expect(await rig.read()).toMatchObject({ line: token, checkMs: lookMs, limit: 1 });
  });

  it.each<[string, number, boolean]>([
    ['is late', NOW, true],
    ['comes', NOW + 1, false],
  ])('nobody else is sent to look where one %s', async (_what, checkMs, looks) => {
    const rig = slotRig();
    await rig.hold({ 'x#0': HELD }, { checkMs, line: 't' });
    expect(kinds(await serve(rig, 1, [seat('a'), seat('b')]))).toEqual(['parked', 'parked']);
    expect(rig.sent).toHaveLength(looks ? 1 : 0);
    expect(rig.writes.at(-1)?.when.checkMs).toBe(checkMs);
    expect(rig.writes.at(-1)?.checkMs === undefined).toBe(!looks);
    expect((await rig.read()).checkMs === checkMs).toBe(!looks);
  });

  it('stands, where only the answer to that was lost', async () => {
    const rig = slotRig();
    await rig.hold({ 'x#0': HELD });
    const lost = rig.ports.slots.write.bind(rig.ports.slots);
    rig.ports.slots.write = async (write) => {
      const outcome = await lost(write);
      return outcome.done && write.line !== undefined ? { done: false, seen: await rig.read() } : outcome;
    };
    expect(kinds(await serve(rig, 1, [seat('a')]))).toEqual(['parked']);
    expect(rig.writes).toHaveLength(2);
  });

  it('goes on at the same place, unless another delivery took that', async () => {
    for (const replaced of [false, true]) {
      const rig = slotRig();
      await rig.hold({ 'x#0': HELD });
      const write = rig.ports.slots.write.bind(rig.ports.slots);
      let met = 0;
      rig.ports.slots.write = async (asked) => {
        if (asked.line === undefined) return write(asked);
        met += 1;
        if (met > 1) return write(asked);
        // Others write meanwhile.
        if (replaced) await rig.slots.park(KEY, [parked('a#0', NOW - 1000, { token: 'other' })]);
        return { done: false, seen: await rig.read() };
      };
      expect(kinds(await serve(rig, 1, [seat('a')]))).toEqual(['parked']);
      expect(rig.did.filter((each) => each === 'park a#0')).toHaveLength(replaced ? 2 : 1);
      expect(rig.did).toContain('parked a#0');
      const tokens = rig.did.length;
      expect(tokens).toBeGreaterThan(0);
      // The line has the token of those that stand in it.
      expect((await rig.slots.parked(KEY, { sinceMs: NOW - 1000, holder: 'a#0' }))?.token).toBe(
        (await rig.read()).line,
      );
    }
  });

  it('is not to be had where too many want it at once: it comes again', async () => {
    const rig = slotRig({ overtaken: Infinity });
    await rig.hold({ 'x#0': HELD });
    expect(await serve(rig, 1, [seat('a')])).toEqual([{ kind: 'crowded' }]);
    expect(rig.writes).toHaveLength(SLOT_ROUNDS + 1);
    // Not before the second try, which knows how the key stands.
    expect(rig.pausesMs).toEqual(Array.from({ length: SLOT_ROUNDS - 2 }, () => 52.5));
    expect(rig.did).not.toContain('read');
  });
});

// ------------------------------------------------------------------ held

interface Held {
  readonly rig: SlotRig;
  readonly held: HeldSlot;
  readonly seat: OwnSeat;
  readonly given: Leaving[];
  readonly released: unknown[];
  worker(): Worker;
}

interface HeldOptions {
  readonly seated?: Extract<Seated, { kind: 'own' | 'other' }>;
  readonly receiveCount?: number;
  readonly claim?: ClaimOutcome;
  readonly commits?: boolean;
  readonly refusal?: Error;
}

const REQUEST = { id: 'a', attempt: 0, owner: 'me', nowMs: NOW + 5 } as ClaimRequest;
const CLAIMED: ClaimOutcome = { kind: 'claimed', deliveries: 1, requeues: 0 };

function held({
  seated = { kind: 'own', parked: false },
  receiveCount = 1,
  claim = CLAIMED,
  commits = true,
  refusal,
}: HeldOptions = {}): Held {
  const rig = slotRig();
  const given: Leaving[] = [];
  const released: unknown[] = [];
  const own: OwnSeat = { ...seat('a'), latestMs: NOW + 600_000, gapMs: 0, inPlace: false };
  const worker = {
    claim: () => Promise.resolve(claim),
    commit: () => Promise.resolve(commits),
    release: (request: unknown) => {
      rig.did.push('release');
      return Promise.resolve(void released.push(request));
    },
  } as unknown as Worker;
  const wanted = { key: KEY, worker, message: { celeriac: {} }, delivery: { receiveCount } } as unknown as Wanted;
  const one = new HeldSlot(
    wanted,
    own,
    seated,
    (leaving) => {
      rig.did.push('give back');
      if (refusal !== undefined) return Promise.reject(refusal);
      return Promise.resolve(void given.push(leaving));
    },
    rig.ports,
  );
  return { rig, held: one, seat: own, given, released, worker: () => one.worker() };
}

const OTHER = { kind: 'other', leaseMs: NOW } as const;
const record = { id: 'a', status: 'STARTED' };

describe('the claim of who has a slot', () => {
  it.each<[string, HeldOptions, readonly string[], readonly Leaving[]]>([
    ['is its own', {}, [], []],
    [
      'is busy: another delivery runs with a slot of its own',
      { claim: { kind: 'busy', leaseMs: NOW, record } },
      ['give back'],
      [{ holder: 'a#0', entry: mineOf('a') }],
    ],
    [
      'finds an end: its entry goes, whoever wrote it',
      { claim: { kind: 'finished', record } },
      ['give back'],
      [{ holder: 'a#0' }],
    ],
    ['finds it revoked', { claim: { kind: 'revoked', record }, seated: OTHER }, ['give back'], [{ holder: 'a#0' }]],
    [
      'is busy, and so is the slot: nothing is ours',
      { claim: { kind: 'busy', leaseMs: NOW, record }, seated: OTHER },
      [],
      [],
    ],
    [
      'finds an end, and it has waited: its place goes first',
      { claim: { kind: 'older', record }, receiveCount: 2 },
      ['unpark a#0', 'give back'],
      [{ holder: 'a#0' }],
    ],
    [
      'finds an end, and it was parked just now',
      { claim: { kind: 'older', record }, seated: { kind: 'own', parked: true } },
      ['unpark a#0', 'give back'],
      [{ holder: 'a#0' }],
    ],
  ])('%s', async (_what, options, did, given) => {
    const one = held(options);
    expect(await one.worker().claim(REQUEST)).toEqual(options.claim ?? CLAIMED);
    expect(one.rig.did).toEqual(did);
    expect(one.given).toEqual(given);
    // What was given back is not given back twice.
    await one.held.leave();
    await one.held.giveBack();
    const rest = given.length > 0 || options.seated?.kind === 'other' ? [] : [{ holder: 'a#0', entry: mineOf('a') }];
    expect(one.given).toEqual([...given, ...rest]);
  });

  it('takes the slot of a delivery that is dead over', async () => {
    const one = held({ seated: OTHER });
    await one.rig.hold({ 'a#0': DEAD });
    expect(await one.worker().claim(REQUEST)).toEqual(CLAIMED);
    expect(one.rig.writes).toEqual([
      { key: KEY, put: new Map([['a#0', mineOf('a')]]), expiresAtSeconds: EXPIRES, when: { present: ['a#0'] } },
    ]);
    await one.held.leave();
    expect(one.given).toEqual([{ holder: 'a#0', entry: mineOf('a') }]);
  });

  it('whose slot has gone meanwhile is given back: it comes again', async () => {
    const one = held({ seated: OTHER });
    expect(await one.worker().claim(REQUEST)).toEqual({
      kind: 'busy',
      leaseMs: REQUEST.nowMs,
      record: { id: 'a', status: 'PENDING' },
    });
    expect(one.released).toEqual([REQUEST]);
    await one.held.leave();
    expect(one.given).toEqual([]);
  });

  it('stands where the answer to the take-over was lost', async () => {
    const one = held({ seated: OTHER });
    await one.rig.hold({ 'a#0': DEAD });
    const { slots } = one.rig.ports;
    const write = slots.write.bind(slots);
    slots.write = async (asked) => {
      await write(asked);
      return { done: false, seen: await one.rig.read() };
    };
    expect(await one.worker().claim(REQUEST)).toEqual(CLAIMED);
    expect(one.released).toEqual([]);
  });
});

describe('the end of who has a slot', () => {
  const COMMIT = {} as never;

  it.each([
    [true, 1, ['give back'], [{ holder: 'a#0' }]],
    [true, 2, ['unpark a#0', 'give back'], [{ holder: 'a#0' }]],
    [false, 2, [], []],
  ])('commit stands: %s, of delivery %i', async (commits, receiveCount, did, given) => {
    const one = held({ commits, receiveCount });
    expect(await one.worker().commit(COMMIT)).toBe(commits);
    expect(one.rig.did).toEqual(did);
    expect(one.given).toEqual(given);
  });

  it('gives the slot back before the claim, which the next delivery asks for first', async () => {
    const one = held();
    await one.worker().release({ id: 'a', attempt: 0, owner: 'me' });
    expect(one.rig.did).toEqual(['give back', 'release']);
    expect(one.given).toEqual([{ holder: 'a#0', entry: mineOf('a') }]);
  });

  it('stands where the slot cannot be given back now: that is tried again', async () => {
    const passing = Object.assign(new Error('not now'), { retryable: true });
    const one = held({ refusal: passing });
    expect(await one.worker().commit(COMMIT)).toBe(true);
    expect(one.rig.lines).toEqual([['warn', expect.stringContaining('not now'), { key: KEY }]]);
    await expect(one.held.leave()).rejects.toThrow('not now');
    expect(one.rig.did).toEqual(['give back', 'give back']);
  });

  it.each([
    [1, { kind: 'own', parked: false } as const, []],
    [2, { kind: 'own', parked: false } as const, ['unpark a#0']],
    [1, { kind: 'own', parked: true } as const, ['unpark a#0']],
    [1, OTHER, []],
  ])('without a claim its place goes, of delivery %i, seated %j', async (receiveCount, seated, did) => {
    const one = held({ receiveCount, seated });
    await one.held.unclaimedEnd();
    expect(one.rig.did).toEqual(did);
  });

  it.each<[boolean, boolean, Partial<Leaving>]>([
    [false, false, {}],
    [false, true, { ended: true }],
    // Another delivery of its message may stand in a line that nobody has noted.
    [true, false, { stood: true }],
    [true, true, { ended: true }],
  ])('who was parked: %s, and has ended without a claim: %s, says so as it leaves', async (waited, ended, more) => {
    const one = held({ seated: { kind: 'own', parked: waited } });
    if (ended) await one.held.unclaimedEnd();
    await one.held.leave();
    expect(one.given).toEqual([{ holder: 'a#0', entry: mineOf('a'), ...more }]);
  });
});

describe('the renewal of a slot', () => {
  const UNTIL = NOW + 120_000;

  it('is one write, for as long as its entry is ours', async () => {
    const one = held();
    await one.rig.hold({ 'a#0': mineOf('a') });
    expect(await one.held.renew(UNTIL)).toBe(true);
    const next = { leaseMs: UNTIL, by: 'mine/a' };
    expect(one.rig.writes).toEqual([
      {
        key: KEY,
        put: new Map([['a#0', next]]),
        expiresAtSeconds: UNTIL / 1000 + SLOT_RETENTION_SECONDS,
        when: { same: new Map([['a#0', mineOf('a')]]) },
      },
    ]);
    await one.held.leave();
    expect(one.given).toEqual([{ holder: 'a#0', entry: next }]);
  });

  it.each<[string, HeldOptions, number]>([
    ['not needed yet', {}, NOW + 60_500],
    ['not ours to renew', { seated: OTHER }, UNTIL],
  ])('%s', async (_what, options, untilMs) => {
    const one = held(options);
    expect(await one.held.renew(untilMs)).toBe(true);
    expect(one.rig.did).toEqual([]);
  });

  it('goes no further than the slot may be held', async () => {
    const one = held();
    await one.rig.hold({ 'a#0': mineOf('a') });
    await one.held.renew(NOW + 9_000_000);
    expect((await one.rig.read()).holders.get('a#0')).toEqual({ leaseMs: NOW + 600_000, by: 'mine/a' });
  });

  it.each<[string, Record<string, Holder>, boolean]>([
    ["is somebody else's", { 'a#0': HELD }, false],
    ["is nobody's", {}, false],
    ['was renewed, and the answer lost', { 'a#0': { leaseMs: UNTIL, by: 'mine/a' } }, true],
  ])('where it %s', async (_what, holders, ours) => {
    const one = held();
    await one.rig.hold({ ...holders, 'z#0': HELD });
    expect(await one.held.renew(UNTIL)).toBe(ours);
    expect(one.seat.mine.leaseMs).toBe(ours ? UNTIL : NOW + 60_500);
  });

  it('that is under way is waited for before the slot is given back, even if it fails', async () => {
    for (const fails of [false, true]) {
      const one = held();
      await one.rig.hold({ 'a#0': mineOf('a') });
      let go = (): void => {};
      const { slots } = one.rig.ports;
      const write = slots.write.bind(slots);
      slots.write = async (asked) => {
        await new Promise<void>((resolve) => (go = resolve));
        if (fails) throw new Error('no answer');
        return write(asked);
      };
      const renewal = one.held.renew(UNTIL).catch(() => 'failed');
      const left = one.held.leave();
      await Promise.resolve();
      expect(one.given).toEqual([]);
      go();
      expect(await renewal).toBe(fails ? 'failed' : true);
      await left;
      expect(one.given).toEqual([{ holder: 'a#0', entry: fails ? mineOf('a') : { leaseMs: UNTIL, by: 'mine/a' } }]);
    }
  });
});

it('how a key stands is told without what it does not have', async () => {
  const rig = slotRig();
  expect(await rig.read()).toEqual({ holders: new Map() } satisfies Slots);
});
