/** The gates of concurrency and oneInstance, delivery by delivery: who waits where, and what is written of it. */
import { Celeriac, type TaskOptions } from 'celeriac';
import type { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import {
  CLOCK_SKEW_SECONDS,
  DEFAULT_RETENTION_SECONDS,
  RATE_RETENTION_MARGIN_SECONDS,
  SLOT_LOOK_LONGEST_SECONDS,
  SLOT_LOOK_SECONDS,
  SLOT_RETENTION_SECONDS,
} from '../../lib/base/limits.ts';
import { itemKey } from '../../lib/flow/key.ts';
import { slotsKey, taskLockKey } from '../../lib/ports/slot-keys.ts';
import type { Holder, Parked, SlotStore, SlotsWrite } from '../../lib/ports/slots.ts';
import { deliver, envelope, type Given, ID, START_MS } from '../support/one-delivery.ts';

const KEY = slotsKey(itemKey('job', ''));
const LOCK = taskLockKey(itemKey('job', ''));
const OTHER = { leaseMs: START_MS + 30_000, by: 'other/1' };
const SECONDS = 60;

interface Gated extends Omit<Given, 'app'> {
  readonly options?: TaskOptions;
  readonly headers?: object;
  readonly header?: object;
  readonly args?: readonly unknown[];
  readonly fifo?: boolean;
  readonly key?: string;
  /** Who holds before it arrives. */
  readonly holders?: Readonly<Record<string, Holder>>;
  /** How the store of slots differs. */
  readonly store?: (slots: SlotStore) => Partial<SlotStore>;
}

async function gated(given: Gated) {
  const { options = { concurrency: 1 }, headers, header, args = [], fifo = false, key = KEY, holders, store } = given;
  const app = new Celeriac('gates', { queues: { default: { fifo } } });
  let ran = 0;
  const writes: SlotsWrite[] = [];
  const parkedAll: Parked[] = [];
  app.task('job', { maxRetries: 3, ...options } as TaskOptions, () => (ran += 1));
  const outcome = await deliver({
    body: envelope({ ...(header === undefined ? {} : { celeriac: header }), ...headers }, args),
    seconds: SECONDS,
    ...given,
    app,
    prepare: async (world) => {
      const { slots } = world.ports;
      if (holders !== undefined)
        await slots?.write({ key, put: new Map(Object.entries(holders)), expiresAtSeconds: 0, when: {} });
      await given.prepare?.(world);
    },
    ports: (ports) => {
      const slots = ports.slots as SlotStore;
      const own: SlotStore = {
        read: (name) => slots.read(name),
        write: (write) => {
          writes.push(write);
          return slots.write(write);
        },
        park: (name, parked) => {
          parkedAll.push(...parked);
          return slots.park(name, parked);
        },
        since: (place, expiresAtSeconds) => slots.since(place, expiresAtSeconds),
        line: (name, limit) => slots.line(name, limit),
        parked: (name, place) => slots.parked(name, place),
        unpark: (name, place, token) => slots.unpark(name, place, token),
        count: (name) => slots.count(name),
        lastPlace: (id) => slots.lastPlace(id),
      };
      return { ...ports, slots: { ...own, ...store?.(slots) } };
    },
  });
  const held = await outcome.world.ports.slots?.read(key);
  return { ...outcome, ran, writes, parked: parkedAll, holders: [...(held?.holders.keys() ?? [])] };
}

const always = (slots: SlotStore): Partial<SlotStore> => ({
  // Others write all the time.
  write: async ({ key }) => ({ done: false, seen: await slots.read(key) }),
});

describe('concurrency', () => {
  it('a free slot is taken for as long as the invocation may run, and given back', async () => {
    const { ran, acked, writes, holders, sent } = await gated({});
    expect([ran, acked, holders, sent]).toEqual([1, true, [], []]);
    const leaseMs = START_MS + (SECONDS + CLOCK_SKEW_SECONDS) * 1000;
    const [[holder, mine] = []] = [...(writes[0]?.put ?? [])];
    expect([holder, mine?.leaseMs, writes[0]?.key]).toEqual([`${ID}#0`, leaseMs, KEY]);
    expect(mine?.by).toMatch(/^request\/./);
    expect(writes[0]?.expiresAtSeconds).toBe(leaseMs / 1000 + SLOT_RETENTION_SECONDS);
    // Whoever has it, since the outcome stands.
    expect(writes[1]).toMatchObject({ remove: [`${ID}#0`], when: { present: [`${ID}#0`], line: null } });
  });

  it.each<[string, Gated['options'], string]>([
    [
      'one of its key',
      { concurrency: { limit: 1, key: (tenant: string) => tenant } },
      slotsKey(itemKey('job', 'acme')),
    ],
    [
      'one that other tasks share',
      { concurrency: { limit: 1, key: () => 'k', scope: 'app' } },
      slotsKey(itemKey('*', 'k')),
    ],
  ])('takes %s', async (_what, options, key) => {
    const { writes, ran } = await gated({ ...(options === undefined ? {} : { options }), args: ['acme'] });
    expect([ran, writes[0]?.key]).toEqual([1, key]);
  });

  it('a key that is none fails the task, with the reason', async () => {
    const { record, ran, writes } = await gated({ options: { concurrency: { limit: 1, key: () => 7 as never } } });
    expect([record?.status, ran, writes]).toEqual(['FAILURE', 0, []]);
    expect(record?.meta).toContain('InvalidKey');
  });

  it('without a slot the message is stored as it will be sent, and leaves', async () => {
    const { ran, acked, parked, shown, record } = await gated({
      holders: { 'x#0': OTHER },
      headers: { retries: 2, expires: new Date(START_MS + 99_000).toISOString() },
      header: { grant: 2, hops: 1 },
      delivery: { receiveCount: 2, sentMs: START_MS - 7000 },
    });
    expect([ran, acked, shown, record]).toEqual([0, true, [], undefined]);
    expect(parked).toMatchObject([
      { sinceMs: START_MS - 7000, holder: `${ID}#2`, grants: 2, expiresMs: START_MS + 99_000, wake: { kind: 'send' } },
    ]);
    const [{ wake } = { wake: undefined }] = parked;
    const body = wake?.kind === 'send' ? wake.message.body : '';
    const { decodeMessage } = await import('../../lib/wire/decode-message.ts');
    expect(decodeMessage(body).celeriac).toEqual({
      grant: 3,
      hops: 2,
      deliveries: 1,
      place: START_MS - 7000,
      slots: KEY,
    });
  });

  it('its place is the one that it had', async () => {
    const { parked } = await gated({ holders: { 'x#0': OTHER }, header: { place: 5 }, delivery: { sentMs: START_MS } });
    expect(parked).toMatchObject([{ sinceMs: 5, grants: 0 }]);
    expect(parked[0]?.expiresMs).toBeUndefined();
  });

  it('where too many want one it comes again soon', async () => {
    const seconds = new Set<number>();
    for (let seed = 0; seed < 12; seed += 1) {
      const { ran, acked, shown } = await gated({
        store: always,
        prepare: (world: World) => {
          world.clock.onSleep = () => Promise.resolve();
          for (let draws = 0; draws < seed; draws += 1) world.ports.random.next();
        },
      });
      expect([ran, acked]).toEqual([0, false]);
      for (const each of shown) seconds.add(each);
    }
    expect([...seconds].toSorted((left, right) => left - right)).toEqual([1, 2, 3]);
  });

  it('a task without a claim waits for the end of another delivery of its own', async () => {
    const { ran, shown } = await gated({
      options: { concurrency: 1, idempotent: true },
      holders: { [`${ID}#0`]: { ...OTHER, leaseMs: START_MS + 29_001 } },
    });
    expect([ran, shown]).toEqual([0, [31]]);
  });

  it('a slot that came too late for the invocation is given back', async () => {
    const { ran, shown, holders } = await gated({
      options: { concurrency: 1, timeLimit: 30 },
      store: (slots) => ({
        write: async (write) => {
          const { world } = late;
          world?.clock.moveTo(START_MS + 50_000);
          return slots.write(write);
        },
      }),
      prepare: (world: World) => void (late.world = world),
    });
    expect([ran, shown, holders]).toEqual([0, [0], []]);
  });
  const late: { world?: World } = {};

  it('a store that answers with an error leaves it to the next delivery, without its slot', async () => {
    const passing = Object.assign(new Error('not now'), { retryable: true });
    const { ran, acked, holders } = await gated({
      tap: (call, go) => (call === 'backend.claim' ? Promise.reject(passing) : go()),
    });
    expect([ran, acked, holders]).toEqual([0, false, []]);
  });

  it('a slot that may not be given back is left to its lease: the outcome stands, and a line says so', async () => {
    const denied = Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
    const { ran, acked, record, lines, holders } = await gated({
      store: (slots) => ({ write: (write) => (write.put === undefined ? Promise.reject(denied) : slots.write(write)) }),
    });
    expect([ran, acked, record?.status, holders]).toEqual([1, true, 'SUCCESS', [`${ID}#0`]]);
    expect(lines.filter(([level]) => level === 'error').map(([, text]) => text)).toEqual([
      'A slot was not given back, and is kept until its lease ends: AccessDeniedException: denied',
    ]);
  });

  it('without a store of slots the task fails, with the reason', async () => {
    const app = new Celeriac('gates');
    app.task('job', { concurrency: 1 }, () => 1);
    const { record } = await deliver({
      app,
      delivery: { receiveCount: 5 },
      ports: ({ slots: _slots, ...ports }) => ports,
    });
    expect(record?.status).toBe('FAILURE');
    expect(record?.meta).toContain('ImproperlyConfigured');
  });
});

describe('in a FIFO queue', () => {
  const LONGEST_MS = (DEFAULT_RETENTION_SECONDS - RATE_RETENTION_MARGIN_SECONDS) * 1000;
  const fifo = { fifo: true, holders: { 'x#0': OTHER } } as const;

  it.each([
    [1, 0, SLOT_LOOK_SECONDS],
    [2, 0, 2 * SLOT_LOOK_SECONDS],
    [7, 0, 64 * SLOT_LOOK_SECONDS],
    [8, 0, SLOT_LOOK_LONGEST_SECONDS],
    [2000, 0, SLOT_LOOK_LONGEST_SECONDS],
    // No longer than SQS keeps it.
    [8, LONGEST_MS - 100_500, 100],
    [8, LONGEST_MS - 10, 1],
  ])(
    'at receive %i, sent %i ms before, it is hidden for %i s before it waits',
    async (receiveCount, agoMs, seconds) => {
      const sentMs = START_MS - agoMs;
      const { ran, acked, shown, parked, calls } = await gated({
        ...fifo,
        delivery: { groupId: 'g', receiveCount, sentMs },
      });
      expect([ran, acked, shown]).toEqual([0, false, [seconds]]);
      expect(parked).toMatchObject([{ wake: { kind: 'show', queue: 'default', receipt: 'r' } }]);
      expect(calls.indexOf('broker.changeVisibility')).toBeGreaterThanOrEqual(0);
    },
  );

  it.each([
    [LONGEST_MS - 1, undefined],
    [LONGEST_MS, 'FAILURE'],
  ])('sent %i ms before: %s', async (agoMs, status) => {
    const { record, acked, letters } = await gated({ ...fifo, delivery: { groupId: 'g', sentMs: START_MS - agoMs } });
    expect([record?.status, acked]).toEqual([status, status !== undefined]);
    expect(letters).toEqual(status === undefined ? [] : ['concurrency too long']);
    if (status !== undefined) expect(record?.meta).toContain('RateLimitTooLong');
  });
});

describe('a message that is too large to be stored', () => {
  it('waits in its queue', async () => {
    const { parked, acked } = await gated({ holders: { 'x#0': OTHER }, args: ['x'.repeat(400_000)] });
    expect([acked, parked.map(({ wake }) => wake.kind)]).toEqual([false, ['show']]);
  });

  it('and for its queue, as we would write it, too', async () => {
    const { parked } = await gated({ holders: { 'x#0': OTHER }, args: ['x'.repeat(900_000)] });
    expect(parked.map(({ wake }) => wake.kind)).toEqual(['show']);
  });
});

describe('oneInstance', () => {
  const skip = { oneInstance: { timeout: 100, whenLocked: 'skip' } } as TaskOptions;
  const busy = { key: LOCK, holders: { 'x#0': OTHER } } as const;

  it('holds its lock for its timeout at most', async () => {
    const { ran, writes, holders } = await gated({
      options: { oneInstance: { timeout: 20 } } as TaskOptions,
      key: LOCK,
    });
    expect([ran, holders]).toEqual([1, []]);
    const [[, mine] = []] = [...(writes[0]?.put ?? [])];
    expect([writes[0]?.key, mine?.leaseMs, writes[0]?.limit]).toEqual([LOCK, START_MS + 20_000, 1]);
    expect(writes[0]).toMatchObject({
      remove: [],
      when: { absent: [`${ID}#0`], atMost: 0 },
      expiresAtSeconds: START_MS / 1000 + 20 + SLOT_RETENTION_SECONDS,
    });
  });

  it('that skips ends at once, and says who runs until when', async () => {
    const { ran, record, acked, lines, holders } = await gated({
      ...busy,
      options: skip,
      headers: { parent_id: 'the-parent', group: 'the-group' },
    });
    expect([ran, acked, record?.status, holders]).toEqual([0, true, 'IGNORED', ['x#0']]);
    const until = new Date(OTHER.leaseMs).toISOString();
    expect(JSON.parse(record?.meta ?? '')).toEqual({
      status: 'IGNORED',
      result: { skipped: 'locked', by: 'x', until },
      traceback: null,
      children: [],
      date_done: expect.stringContaining('2030-01-01T00:00:00'),
      task_id: ID,
      parent_id: 'the-parent',
      group_id: 'the-group',
    });
    expect(lines).toEqual([
      ['warn', expect.stringContaining(`Task id x runs, and has its lock until ${until}`), expect.anything()],
    ]);
  });

  it('that skips by trying again tries as often as it may', async () => {
    const options = { oneInstance: { whenLocked: 'skip', onSkip: 'retry' }, maxRetries: 1 } as TaskOptions;
    const first = await gated({ ...busy, options });
    expect([first.ran, first.record?.status, first.timers.length + first.sent.length]).toEqual([0, 'RETRY', 1]);
    const last = await gated({ ...busy, options, headers: { retries: 1 } });
    expect([last.ran, last.record?.status]).toEqual([0, 'FAILURE']);
    expect(last.record?.meta).toContain('LockNotAcquired');
  });

  it('that waits takes a slot of one', async () => {
    const { ran, parked } = await gated({ ...busy, options: { oneInstance: { whenLocked: 'wait' } } as TaskOptions });
    expect([ran, parked.length]).toEqual([0, 1]);
  });

  it('takes the lock of one who is dead, in the same write', async () => {
    const dead = { leaseMs: START_MS - 1, by: 'dead/1' };
    const { ran, writes } = await gated({ key: LOCK, options: skip, holders: { 'x#0': dead } });
    expect([ran, writes[1]]).toMatchObject([1, { remove: ['x#0'], when: { same: new Map([['x#0', dead]]) } }]);
  });

  it('that many want at once comes again soon', async () => {
    const { ran, acked, shown } = await gated({
      options: skip,
      store: always,
      prepare: (world: World) => void (world.clock.onSleep = () => Promise.resolve()),
    });
    expect([ran, acked]).toEqual([0, false]);
    expect(shown[0]).toBeGreaterThanOrEqual(1);
  });

  it('whose key is none fails, with the reason', async () => {
    const { record, writes } = await gated({ options: { oneInstance: { key: () => 7 as never } } as TaskOptions });
    expect([record?.status, writes]).toEqual(['FAILURE', []]);
  });
});
