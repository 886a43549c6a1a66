/** The gates of concurrency and oneInstance, delivery by delivery: who waits where, and what is written of it. */
import { Celeriac, type Ports, Reject, type TaskOptions } from 'celeriac';
import type { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import {
  CLOCK_SKEW_SECONDS,
  DEFAULT_RETENTION_SECONDS,
  PLACE_RETENTION_SECONDS,
  RATE_RETENTION_MARGIN_SECONDS,
  SLOT_LOOK_LONGEST_SECONDS,
  SLOT_LOOK_SECONDS,
  SLOT_RETENTION_SECONDS,
  SLOT_ROUNDS,
} from '../../lib/base/limits.ts';
import { itemKey } from '../../lib/flow/key.ts';
import { slotsKey, taskLockKey } from '../../lib/ports/slot-keys.ts';
import type { Holder, Parked, SlotStore, SlotsWrite } from '../../lib/ports/slots.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import type { Message } from '../../lib/wire/message.ts';
import { passOn } from '../../lib/worker/pass-on.ts';
import { deliver, envelope, type Given, ID, START_MS } from '../support/one-delivery.ts';
import { KEY as RIG_KEY, NOW, parked, slotRig } from '../support/slot-rig.ts';

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
  /** What the task does. */
  readonly run?: () => unknown;
  /** How the store of slots differs. */
  readonly store?: (slots: SlotStore) => Partial<SlotStore>;
}

async function gated(given: Gated) {
  const { options = { concurrency: 1 }, headers, header, args = [], fifo = false, key = KEY, holders, store } = given;
  const app = new Celeriac('gates', { queues: { default: { fifo } } });
  let ran = 0;
  const writes: SlotsWrite[] = [];
  const parkedAll: Parked[] = [];
  // In order.
  const asked: string[] = [];
  app.task('job', { maxRetries: 3, ...options } as TaskOptions, () => {
    ran += 1;
    return given.run?.();
  });
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
        read: (name) => {
          asked.push('read');
          return slots.read(name);
        },
        write: (write) => {
          asked.push('write');
          writes.push(write);
          return slots.write(write);
        },
        noteLine: (name, nowMs) => slots.noteLine(name, nowMs),
        lines: (query) => slots.lines(query),
        park: (name, parked, notedMs) => {
          parkedAll.push(...parked);
          return slots.park(name, parked, notedMs);
        },
        since: (place, expiresAtSeconds) => {
          asked.push(`since ${expiresAtSeconds}`);
          return slots.since(place, expiresAtSeconds);
        },
        line: (name, limit) => slots.line(name, limit),
        parked: (name, place) => slots.parked(name, place),
        unpark: (name, place, token) => {
          asked.push('unpark');
          return slots.unpark(name, place, token);
        },
        count: (name) => slots.count(name),
        lastPlace: (id) => slots.lastPlace(id),
      };
      return { ...ports, slots: { ...own, ...store?.(slots) } };
    },
  });
  const held = await outcome.world.ports.slots?.read(key);
  const line = await outcome.world.ports.slots?.line(key, 10);
  return { ...outcome, ran, writes, asked, line, parked: parkedAll, holders: [...(held?.holders.keys() ?? [])] };
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

const passing = (): Error => Object.assign(new Error('not now'), { retryable: true });
const denied = (): Error => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
const keyed = (key: () => string): [string, TaskOptions][] => [
  ['rateLimit', { rateLimit: { limit: '1/h', key } }],
  ['concurrency', { concurrency: { limit: 1, key } }],
  ['oneInstance', { oneInstance: { key, whenLocked: 'skip' } } as TaskOptions],
];
const GATHERS = { gather: { groupId: 'g', size: 1, policy: 'celery' } };

describe('the key of a limit', () => {
  it.each(keyed(() => 7 as never))('that is none names %s and the task', async (option, options) => {
    const { record, ran, letters } = await gated({ options });
    expect([record?.status, ran, letters]).toEqual(['FAILURE', 0, []]);
    expect(record?.meta).toContain(`key of ${option} of task 'job'`);
  });

  it.each(keyed(() => 'k'))('of %s is asked again where its arguments cannot be had now', async (_option, options) => {
    const { acked, record, ran, writes } = await gated({
      options,
      header: GATHERS,
      tap: (call, go) => (call === 'groups.count' ? Promise.reject(passing()) : go()),
    });
    expect([acked, record, ran, writes]).toEqual([false, undefined, 0, []]);
  });

  it.each(keyed(() => 'k'))('of %s is none where they cannot be had: the run tells why', async (_option, options) => {
    const { acked, record, ran, writes } = await gated({
      options,
      header: GATHERS,
      tap: (call, go) => (call === 'groups.count' ? Promise.reject(denied()) : go()),
    });
    expect([acked, record?.status, ran, writes]).toEqual([true, 'FAILURE', 0, []]);
    expect(record?.meta).toContain('AccessDeniedException');
  });

  it('is made of what a chord has gathered, and then of its own arguments', async () => {
    const given: unknown[][] = [];
    const key = (...args: unknown[]): string => {
      given.push(args);
      return 'k';
    };
    await gated({
      options: { concurrency: { limit: 1, key } },
      header: GATHERS,
      args: ['own'],
      prepare: async (world: World) =>
        world.backend.conclude([
          {
            id: 'g:0',
            attempt: 0,
            nowMs: START_MS,
            status: 'SUCCESS',
            name: 'other',
            queue: 'default',
            meta: JSON.stringify({ status: 'SUCCESS', result: 'gathered' }),
            expiresAtSeconds: START_MS / 1000 + 999,
          },
        ]),
      tap: (call, go) =>
        call === 'groups.count' ? Promise.resolve({ finished: 1, failed: [], memberIds: new Map([[0, 'g:0']]) }) : go(),
    });
    expect(given).toEqual([[['gathered'], 'own']]);
  });
});

describe('a slot that was had', () => {
  it.each<[string, Gated, string[]]>([
    ['is asked for as if it were free', {}, ['write', 'write']],
    [
      'was kept for one who was sent for: how it stands is read first',
      { header: { grant: 1 } },
      ['read', 'write', 'write'],
    ],
    ['of a redelivered task: its place may stand', { delivery: { receiveCount: 2 } }, ['write', 'unpark', 'write']],
    [
      'of one without a claim, too',
      { delivery: { receiveCount: 2 }, options: { concurrency: 1, idempotent: true } },
      ['write', 'unpark', 'write'],
    ],
    [
      'of one without a claim that comes again',
      {
        delivery: { receiveCount: 2 },
        options: { concurrency: 1, idempotent: true },
        run: () => {
          throw new Reject('later', { requeue: true });
        },
      },
      ['write', 'write'],
    ],
    [
      'by oneInstance that skips: there was no place',
      { options: { oneInstance: { whenLocked: 'skip' } } as TaskOptions, key: LOCK },
      ['write', 'write'],
    ],
  ])('%s', async (_what, given, expected) => {
    const { asked, ran, holders } = await gated(given);
    expect([asked, ran, holders]).toEqual([expected, 1, []]);
  });

  it.each([
    ['half of its time is left, for one without a claim', { timeLimit: 30, idempotent: true }, 40_000, 1],
    ['less is left', { timeLimit: 30, idempotent: true }, 43_001, 0],
    ['half is left, for one with a claim', { timeLimit: 30 }, 40_000, 1],
  ])('when %s', async (_what, options, elapsedMs, expected) => {
    const at: { world?: World } = {};
    const { ran, shown, holders } = await gated({
      options: { concurrency: 1, ...options },
      store: (slots) => ({
        write: async (write) => {
          if (write.put !== undefined) at.world?.clock.moveTo(START_MS + elapsedMs);
          return slots.write(write);
        },
      }),
      prepare: (world: World) => void (at.world = world),
    });
    expect([ran, shown, holders]).toEqual([expected, expected === 1 ? [] : [0], []]);
  });

  it('is taken and given back together with those of its batch', async () => {
    const others = ['b', 'c'].map((id) => ({ messageId: id, receipt: id, body: envelope({ id, root_id: id }) }));
    const { ran, asked, writes } = await gated({ options: { concurrency: 3 }, others });
    expect([ran, asked]).toEqual([3, ['write', 'write']]);
    expect(writes[1]?.remove?.toSorted()).toEqual(['b#0', 'c#0', `${ID}#0`]);
  });

  it('holds as long as a process that lives on renews it', async () => {
    const leases: { giveBack: () => Promise<void> }[] = [];
    let kept = 0;
    const keeper = {
      leaseMs: 9000,
      keep: (lease: { giveBack: () => Promise<void> }) => {
        leases.push(lease);
        kept += 1;
        return () => void (kept -= 1);
      },
      onLost: () => {},
    };
    const { writes, holders } = await gated({
      invocation: { keeper },
      // Its process ends, and gives it back before.
      run: () => leases[0]?.giveBack(),
      tap: (call, go) => (call === 'backend.commit' ? Promise.reject(passing()) : go()),
    });
    const [[, mine] = []] = [...(writes[0]?.put ?? [])];
    expect(mine?.leaseMs).toBe(START_MS + 9000 + CLOCK_SKEW_SECONDS * 1000);
    expect([kept, holders, writes.length]).toEqual([0, [], 2]);
  });
});

describe('a place in the line', () => {
  const waits = { holders: { 'x#0': OTHER } } as const;

  it('of a task that has ended meanwhile goes, and the end is told again', async () => {
    const ended = async (world: World): Promise<unknown> =>
      world.backend.conclude([
        {
          id: ID,
          attempt: 0,
          nowMs: START_MS - 1000,
          status: 'FAILURE',
          name: 'job',
          queue: 'default',
          meta: JSON.stringify({ status: 'FAILURE', result: null }),
          settlement: JSON.stringify({ deadLetter: { reason: 'told again', error: 'e', deliveries: 1 } }),
          expiresAtSeconds: START_MS / 1000 + 999,
        },
      ]);
    for (const fifo of [false, true]) {
      const { acked, line, letters, ran } = await gated({ ...waits, fifo, prepare: ended, delivery: { groupId: 'g' } });
      expect([acked, line, letters, ran]).toEqual([true, [], ['told again'], 0]);
    }
  });

  it.each<[string, Gated, number, string[]]>([
    ['is that of when it was sent', { delivery: { sentMs: START_MS - 7000 } }, START_MS - 7000, ['since']],
    [
      'is that of its rate slot, where that is later',
      { delivery: { sentMs: START_MS - 7000 }, header: { slot: (START_MS - 3000) * 1000, pace: 1 } },
      START_MS - 3000,
      ['since'],
    ],
    [
      'is never ahead of now, whatever its slot says',
      { delivery: { sentMs: START_MS - 7000 }, header: { slot: (START_MS + 3000) * 1000, pace: 1 } },
      START_MS,
      ['since'],
    ],
    ['that it had is not asked for', { header: { place: START_MS - 9000 } }, START_MS - 9000, []],
    [
      'is the earlier one, where another message of its attempt brought that',
      {
        delivery: { sentMs: START_MS - 7000 },
        prepare: (world: World) =>
          world.ports.slots?.since({ sinceMs: START_MS - 8000, holder: `${ID}#0` }, START_MS / 1000 + 999),
      },
      START_MS - 8000,
      ['since'],
    ],
  ])('%s', async (_what, given, sinceMs, expected) => {
    const { parked, asked } = await gated({ ...waits, ...given });
    const kept = `since ${START_MS / 1000 + PLACE_RETENTION_SECONDS}`;
    expect(asked.filter((each) => each.startsWith('since'))).toEqual(expected.map(() => kept));
    expect(parked.map((each) => each.sinceMs)).toEqual([sinceMs]);
    const [{ wake } = { wake: undefined }] = parked;
    expect(wake?.kind === 'send' && decodeMessage(wake.message.body).celeriac.place).toBe(sinceMs);
  });

  it('keeps what no JSON of ours would have, and Python has: NaN', async () => {
    const body = envelope().replace('[[],{},{}]', '[[NaN],{},{}]');
    const { parked } = await gated({ ...waits, body });
    const [{ wake } = { wake: undefined }] = parked;
    expect(wake?.kind === 'send' && decodeMessage(wake.message.body).args).toEqual([NaN]);
  });
});

describe('oneInstance that skips', () => {
  const skip = { oneInstance: { timeout: 100, whenLocked: 'skip' } } as TaskOptions;

  it('waits for another delivery of its own, where nothing else tells that it runs', async () => {
    const { ran, shown } = await gated({
      key: LOCK,
      options: { ...skip, idempotent: true },
      holders: { [`${ID}#0`]: { ...OTHER, leaseMs: START_MS + 29_001 } },
    });
    expect([ran, shown]).toEqual([0, [31]]);
  });

  it('tells by its error who has the lock', async () => {
    const errors: unknown[] = [];
    const app = new Celeriac('gates');
    class Job extends app.Task<[], number> {
      static override taskName = 'job';
      static override options = { oneInstance: { whenLocked: 'skip', onSkip: 'retry' } } as TaskOptions;
      run(): number {
        return 1;
      }
      override onRetry(error: unknown): void {
        errors.push(error);
      }
    }
    app.register(Job);
    await deliver({
      app,
      prepare: async ({ ports: { slots } }) =>
        slots?.write({ key: LOCK, put: new Map([['x#0', OTHER]]), expiresAtSeconds: 0, when: {} }),
    });
    expect(errors).toMatchObject([{ name: 'LockNotAcquired', key: LOCK, owner: 'x', until: new Date(OTHER.leaseMs) }]);
  });

  it('gives up after so many writes, with pauses between them', async () => {
    let [writes, pauses] = [0, 0];
    const { shown, lines } = await gated({
      options: skip,
      store: (slots) => ({
        write: async ({ key }) => {
          writes += 1;
          return { done: false, seen: await slots.read(key) };
        },
      }),
      prepare: (world: World) =>
        void (world.clock.onSleep = () => {
          pauses += 1;
          return Promise.resolve();
        }),
    });
    expect([writes, pauses]).toEqual([SLOT_ROUNDS, SLOT_ROUNDS - 2]);
    expect(shown.every((seconds) => seconds >= 1 && seconds <= 3)).toBe(true);
    expect(lines.filter(([level]) => level === 'error')).toEqual([]);
  });
});

it('a slot goes on from a message that waits for its rate', async () => {
  const { holders, acked, ran } = await gated({
    options: { rateLimit: { limit: '1/h', burst: 1 }, concurrency: 1 },
    header: { grant: 1, slots: KEY, slot: (START_MS + 600_000) * 1000, pace: 3_600_000_000 },
    holders: { [`${ID}#0`]: { ...OTHER, by: 'grant/1' } },
  });
  expect([holders, acked, ran]).toEqual([[], true, 0]);
});

describe('a slot that is passed on', () => {
  const HELD = { leaseMs: NOW + 30_000, by: 'grant/1' };
  const message = (slots: unknown): Message => ({ ...decodeMessage(envelope()), celeriac: { slots: slots as string } });

  it.each([
    [RIG_KEY, 2],
    ['slots#plain#', 1],
    ['slots#unknown#', 1],
    ['slots#*#', 1],
    ['lock#task#work#', 1],
    [`slots#work#${'k'.repeat(501)}`, 2],
  ])('under %s goes to the next, of %i at most', async (key, limit) => {
    const rig = slotRig();
    rig.ports.app.registry.find('work');
    await rig.slots.write({
      key,
      put: new Map([[`${ID}#0`, HELD]]),
      line: 't',
      limit: 1,
      expiresAtSeconds: 0,
      when: {},
    });
    await rig.slots.park(key, [parked('a#0'), parked('b#0'), parked('c#0')]);
    await passOn(message(key), { app: rig.ports.app, ports: rig.ports as unknown as Ports });
    const { holders } = await rig.slots.read(key);
    expect([...holders.keys()].toSorted()).toEqual(['a#0', 'b#0', 'c#0'].slice(0, limit));
  });

  it.each([undefined, 7, '', 'timer#a', `slots#work#${'k'.repeat(502)}`])('is none under %j', async (key) => {
    const rig = slotRig();
    await passOn(message(key), { app: rig.ports.app, ports: rig.ports as unknown as Ports });
    expect(rig.did).toEqual([]);
  });
});
