/** A slot between two parts of a task: the one that ends leaves it, and the next one takes it, whatever fails meanwhile. */
import { describe, expect, it } from 'vitest';

import { SLOT_RETENTION_SECONDS } from '../../lib/base/limits.ts';
import type { ClaimOutcome, ClaimRequest, CommitRequest } from '../../lib/ports/backend.ts';
import type { Holder } from '../../lib/ports/slots.ts';
import { writeSettlement } from '../../lib/worker/committed.ts';
import { type Seat, SlotDesk, type Seated } from '../../lib/worker/slot-desk.ts';
import { HeldSlot } from '../../lib/worker/slot-held.ts';
import type { Leaving } from '../../lib/worker/slot-pump.ts';
import type { OwnSeat, Wanted } from '../../lib/worker/slot-seat.ts';
import type { Worker } from '../../lib/worker/worker.ts';
import { KEY, NOW, parked, slotRig, type SlotRig } from '../support/slot-rig.ts';

const LEFT = { leaseMs: NOW + 900_000, by: 'worker/1' };
const DEAD = { leaseMs: NOW - 1, by: 'worker/0' };
const MINE = { leaseMs: NOW + 960_000, by: 'mine' };

function seat(holder: string, goesOn: boolean): Seat {
  return {
    holder,
    sinceMs: NOW,
    mine: MINE,
    sentFor: false,
    goesOn,
    unclaimed: false,
    queue: 'mail',
    park: (token) => Promise.resolve(parked(holder, NOW, { token })),
  };
}

describe('a part that comes', () => {
  const standsAfter = async (
    holders: Readonly<Record<string, Holder>>,
    holder: string,
    { limit = 1, goesOn = true } = {},
  ): Promise<{ readonly holders: readonly string[]; readonly did: readonly string[] }> => {
    const rig = slotRig();
    await rig.hold(holders);
    const own = seat(holder, goesOn);
    await new SlotDesk(KEY, limit, [own], rig.ports).serve([own]);
    const { did } = rig;
    return { holders: [...(await rig.read()).holders.keys()], did };
  };

  it.each<[string, Record<string, Holder>]>([
    ['the one before', { 'a#0.0001': LEFT }],
    ['one long before', { 'a#0': LEFT }],
    ['one before it, too late', { 'a#0.0001': DEAD }],
    ['two before it', { 'a#0': LEFT, 'a#0.0001': LEFT }],
  ])('has what %s has left, in a read and a write', async (_what, holders) => {
    expect(await standsAfter(holders, 'a#0.0002')).toEqual({ holders: ['a#0.0002'], did: ['read', 'write'] });
  });

  it('takes no second slot where more are free', async () => {
    expect(await standsAfter({ 'a#0': LEFT }, 'a#0.0001', { limit: 3 })).toMatchObject({ holders: ['a#0.0001'] });
  });

  it('takes a free one where nothing was left', async () => {
    const stands = await standsAfter({ 'b#0': LEFT }, 'a#0.0001', { limit: 2 });
    expect(stands).toEqual({ holders: ['b#0', 'a#0.0001'], did: ['read', 'write'] });
  });

  it.each([
    ['of another task', 'b#0'],
    ['of another task, whose id begins like it', 'a#0#0'],
    ['of the attempt before', 'a#1.0003'],
    ['of a later part', 'a#2.0002'],
  ])('waits where what stands is %s', async (_what, holder) => {
    const { holders, did } = await standsAfter({ [holder]: LEFT }, 'a#2.0001');
    expect(holders).toEqual([holder]);
    expect(did).toContain('park a#2.0001');
  });

  it('first waits where another part holds', async () => {
    const { holders, did } = await standsAfter({ 'a#0': LEFT }, 'a#0.0001', { goesOn: false });
    expect(holders).toEqual(['a#0']);
    expect(did).toContain('park a#0.0001');
  });

  it('again is another delivery of the same part', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0.0001': LEFT, 'a#0': LEFT });
    const again = seat('a#0.0001', true);
    const [seated] = await new SlotDesk(KEY, 1, [again], rig.ports).serve([again]);
    expect(seated).toEqual({ kind: 'other', leaseMs: LEFT.leaseMs });
  });
});

interface Held {
  readonly rig: SlotRig;
  readonly held: HeldSlot;
  readonly given: readonly Leaving[];
  readonly worker: Worker;
}

const REQUEST = { id: 'a', attempt: 0, owner: 'me', nowMs: NOW } as ClaimRequest;
const END = { final: true } as CommitRequest;
const PART = { final: false, checkpoint: '{}' } as CommitRequest;
const AGAIN = { final: false } as CommitRequest;

function held({
  claim = { kind: 'claimed', deliveries: 1, requeues: 0 } as ClaimOutcome,
  commit = (): Promise<boolean> => Promise.resolve(true),
  goesOn = false,
  seated = { kind: 'own', parked: false } as Extract<Seated, { kind: 'own' | 'other' }>,
  receiveCount = 1,
} = {}): Held {
  const rig = slotRig();
  const given: Leaving[] = [];
  const own: OwnSeat = { ...seat('a#0', goesOn), latestMs: Infinity, gapMs: 900_000, inPlace: false };
  const worker = {
    claim: () => Promise.resolve(claim),
    commit,
    release: () => Promise.resolve(void rig.did.push('release')),
  } as unknown as Worker;
  const wanted = { key: KEY, worker, message: { celeriac: {} }, delivery: { receiveCount } } as unknown as Wanted;
  const give = (leaving: Leaving): Promise<void> => Promise.resolve(void given.push(leaving));
  const one = new HeldSlot(wanted, own, seated, give, rig.ports);
  return { rig, held: one, given, worker: one.worker() };
}

describe('a part that ends', () => {
  it.each([1, 2])(
    'leaves its slot without a word, of delivery %i; what waits in its place goes',
    async (receiveCount) => {
      const one = held({ receiveCount });
      expect(await one.worker.commit(PART)).toBe(true);
      await one.held.leave();
      expect(one.given).toEqual([]);
      expect(one.rig.did).toEqual(receiveCount === 1 ? [] : ['unpark a#0']);
    },
  );

  it('leaves it where no answer comes', async () => {
    const one = held({ commit: () => Promise.reject(new Error('no answer')) });
    await expect(one.worker.commit(PART)).rejects.toThrow('no answer');
    await one.held.leave();
    expect(one.given).toEqual([]);
  });

  it('has not ended where its commit is refused', async () => {
    const one = held({ commit: () => Promise.resolve(false) });
    expect(await one.worker.commit(PART)).toBe(false);
    await one.held.leave();
    expect(one.given).toEqual([{ holder: 'a#0', entry: MINE }]);
  });

  it('leaves it in a FIFO queue, where its message is given back', async () => {
    const one = held();
    one.worker.leaveSlot?.();
    await one.worker.release({ id: 'a', attempt: 0, owner: 'me' });
    await one.held.leave();
    expect([one.given, one.rig.did]).toEqual([[], ['release']]);
  });

  it.each([
    ['with its task', END],
    ['with its attempt', AGAIN],
  ])('%s gives it back', async (_what, request) => {
    for (const goesOn of [false, true]) {
      const one = held({ goesOn });
      expect(await one.worker.commit(request)).toBe(true);
      expect(one.given).toEqual([{ holder: 'a#0' }]);
    }
  });
});

describe('a part that does not run', () => {
  it.each([
    [true, []],
    [false, [{ holder: 'a#0', entry: MINE }]],
  ])('is a later one: %s, which keeps what was left to it', async (goesOn, given) => {
    const one = held({ goesOn });
    await one.held.leave();
    expect(one.given).toEqual(given);
  });

  const goingOn = writeSettlement({ retry: { overrides: { part: 2 } } } as never) ?? '';
  it.each<[string, object, readonly Leaving[]]>([
    ['has ended, and the next one has not come', { settlement: goingOn }, []],
    ['has ended with its attempt', {}, [{ holder: 'a#0' }]],
    ['has ended with its task', { settlement: goingOn, finishedMs: NOW }, [{ holder: 'a#0' }]],
  ])('since it %s', async (_what, fields, given) => {
    const record = { id: 'a', status: 'PENDING', ...fields };
    for (const seated of [{ kind: 'own', parked: false } as const, { kind: 'other', leaseMs: NOW } as const]) {
      const one = held({ claim: { kind: 'finished', record }, seated });
      await one.worker.claim(REQUEST);
      await one.held.leave();
      expect(one.given).toEqual(given);
    }
  });
});

it('a process that lives on renews its slot for the next part, too', async () => {
  const one = held();
  await one.rig.hold({ 'a#0': MINE });
  expect(await one.held.renew(NOW + 120_000)).toBe(true);
  const next = { leaseMs: NOW + 1_020_000, by: 'mine' };
  expect(one.rig.writes).toEqual([
    {
      key: KEY,
      put: new Map([['a#0', next]]),
      expiresAtSeconds: next.leaseMs / 1000 + SLOT_RETENTION_SECONDS,
      when: { same: new Map([['a#0', MINE]]) },
    },
  ]);
});
