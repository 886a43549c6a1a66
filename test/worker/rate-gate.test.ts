/** The gate of a rate limit, delivery by delivery: what becomes of a message that has a slot, is late for it, or has none. */
import { Celeriac, type RateLimitOptions } from 'celeriac';
import type { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import {
  DEFAULT_RETENTION_SECONDS,
  RATE_CONTROL_SECONDS,
  RATE_RETENTION_MARGIN_SECONDS,
  RATE_RETENTION_SECONDS,
  SQS_MAX_VISIBILITY_SECONDS,
} from '../../lib/base/limits.ts';
import { itemKey } from '../../lib/flow/key.ts';
import type { KeepSlotRequest, KeptSlot, RateLine, RateRequest, Rates } from '../../lib/ports/rates.ts';
import { deliver, envelope, type Given, ID, type Outcome, START_MS } from '../support/one-delivery.ts';

const PACE = 10_000_000;
const NOW_MICROS = START_MS * 1000;
const KEY = itemKey('job', '');

interface Rated extends Omit<Given, 'app'> {
  readonly header?: object;
  readonly headers?: object;
  readonly limit?: Partial<RateLimitOptions>;
  readonly idempotent?: boolean;
  readonly fifo?: boolean;
  /** The line after one has taken its place; undefined where it is too crowded. Default: one place, now. */
  readonly line?: RateLine | null;
  readonly kept?: KeptSlot;
  /** What lines answer, one after the other. */
  readonly answer?: (request: RateRequest, answered: number) => RateLine | undefined;
}

interface Passed extends Outcome {
  readonly ran: number;
  readonly asked: RateRequest[];
  readonly keeps: KeepSlotRequest[];
}

async function rated(given: Rated): Promise<Passed> {
  const { header, headers, limit, idempotent = false, fifo = false, line, kept } = given;
  const app = new Celeriac('rates', { queues: { default: { fifo } } });
  let ran = 0;
  const asked: RateRequest[] = [];
  const keeps: KeepSlotRequest[] = [];
  app.task('job', { rateLimit: { limit: '6/m', ...limit }, idempotent }, () => (ran += 1));
  const outcome = await deliver({
    body: envelope(
      { ...(header === undefined ? {} : { celeriac: header }), ...headers },
      given.limit?.key ? ['acme'] : [],
    ),
    ...given,
    app,
    ports: (ports) => ({
      ...ports,
      rates: {
        reserve: async (request) => {
          asked.push(request);
          if (given.answer !== undefined) return Promise.resolve(given.answer(request, asked.length - 1));
          const now = { nextMicros: NOW_MICROS + request.paceMicros * request.count };
          return Promise.resolve(line === null ? undefined : (line ?? now));
        },
        keep: (request) => {
          keeps.push(request);
          return Promise.resolve(kept ?? request.slot);
        },
        kept: () => Promise.resolve(kept),
        setLimit: () => Promise.resolve(),
        limits: () => Promise.resolve(new Map()),
      },
    }),
  });
  return { ...outcome, ran, asked, keeps };
}

/** Its place is the last before `aheadSeconds` from now. */
const lineAt = (aheadSeconds: number, more: Partial<RateLine> = {}): RateLine => ({
  nextMicros: NOW_MICROS + aheadSeconds * 1e6 + PACE,
  ...more,
});
const slotAt = (aheadSeconds: number, lates = 0, pace = PACE): object => ({
  slot: NOW_MICROS + aheadSeconds * 1e6,
  pace,
  ...(lates === 0 ? {} : { lates }),
});

describe('a message without a slot', () => {
  it('takes a place in its line', async () => {
    const { ran, asked, acked } = await rated({});
    expect([ran, acked]).toEqual([1, true]);
    expect(asked).toEqual([{ key: KEY, count: 1, paceMicros: PACE, nowMs: START_MS }]);
  });

  it('of a key takes one in the line of that', async () => {
    const { asked } = await rated({ limit: { key: (tenant: string) => tenant } });
    expect(asked.map(({ key }) => key)).toEqual([itemKey('job', 'acme')]);
  });

  it.each([
    [1, true],
    [1.001, false],
  ])('whose slot is %f s ahead runs now: %s', async (ahead, runs) => {
    const { ran, sent, acked } = await rated({ line: lineAt(ahead) });
    expect([ran, sent.length, acked]).toEqual([runs ? 1 : 0, runs ? 0 : 1, true]);
  });

  it('goes on to its slot, as the same attempt', async () => {
    const { ran, sent, timers, record, acked } = await rated({
      line: lineAt(20.5),
      headers: { retries: 2 },
      delivery: { receiveCount: 3 },
      header: { hops: 4 },
    });
    expect([ran, timers, record, acked]).toEqual([0, [], undefined, true]);
    expect(sent).toMatchObject([{ queue: 'default', delaySeconds: 21, message: { id: ID, retries: 2, etaMs: null } }]);
    // Two deliveries were before this one, which is followed by the message that is sent.
    expect(sent[0]?.message.celeriac).toEqual({ ...slotAt(20.5), hops: 5, deliveries: 2 });
  });

  it('beyond what SQS delays it is stored', async () => {
    const { sent, timers } = await rated({ line: lineAt(1000) });
    expect([sent.length, timers.map(({ id, attempt, dueMs }) => [id, attempt, dueMs])]).toEqual([
      0,
      [[ID, 0, START_MS + 1_000_000]],
    ]);
  });

  it('that will have expired by then ends at once, without a place', async () => {
    const expiring = (seconds: number): object => ({ expires: new Date(START_MS + seconds * 1000).toISOString() });
    const over = await rated({ line: lineAt(20), headers: expiring(20) });
    expect([over.ran, over.sent.length, over.record?.status, over.acked]).toEqual([0, 0, 'REVOKED', true]);
    expect((await rated({ line: lineAt(20), headers: expiring(21) })).sent).toHaveLength(1);
  });

  it('comes again soon where the line is too crowded', async () => {
    const seconds = new Set<number>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const { ran, shown, acked } = await rated({
        line: null,
        prepare: (world: World) => {
          for (let draws = 0; draws < seed; draws += 1) world.ports.random.next();
        },
      });
      expect([ran, acked]).toEqual([0, false]);
      for (const each of shown) seconds.add(each);
    }
    expect([...seconds].toSorted((left, right) => left - right)).toEqual([1, 2, 3]);
  });

  it('whose key is none fails, with the reason', async () => {
    const { record, asked, ran } = await rated({ limit: { key: () => 7 as never } });
    expect([record?.status, asked, ran]).toEqual(['FAILURE', [], 0]);
    expect(record?.meta).toContain('InvalidKey');
  });
});

describe('a limit that was changed', () => {
  const changed = (text: string, limits?: () => Promise<ReadonlyMap<string, string>>) => {
    const app = new Celeriac('rates');
    app.task('job', { rateLimit: { limit: '6/m', burst: 5 } }, () => 1);
    const asked: RateRequest[] = [];
    return deliver({
      app,
      ports: (ports) => ({
        ...ports,
        rates: {
          reserve: (request) => {
            asked.push(request);
            return Promise.resolve({ nextMicros: 0 });
          },
          keep: ({ slot }) => Promise.resolve(slot),
          kept: () => Promise.resolve(undefined),
          setLimit: () => Promise.resolve(),
          limits: limits ?? (() => Promise.resolve(new Map([['job', text]]))),
        },
      }),
    }).then((outcome) => ({ ...outcome, asked }));
  };

  it.each([
    ['60/m', 1, 1_000_000],
    ['0', 0, undefined],
  ])('to %s: places are %i, of %j', async (text, places, pace) => {
    const { asked, record } = await changed(text);
    expect([asked.length, asked[0]?.paceMicros, record?.status]).toEqual([places, pace, 'SUCCESS']);
  });

  it('to what is none holds as it was declared, and a line says so', async () => {
    const { asked, lines } = await changed('often');
    expect(asked.map(({ paceMicros }) => paceMicros)).toEqual([PACE]);
    expect(lines.filter(([level]) => level === 'error')).toEqual([
      [
        'error',
        expect.stringContaining("The rate limit of task 'job' was changed to 'often', which is none"),
        { task: 'job' },
      ],
    ]);
  });

  it.each([
    [true, 0, undefined],
    [false, 1, 'SUCCESS'],
  ])('which cannot be read, retryable: %s', async (retryable, places, status) => {
    const thrown = Object.assign(new Error('no'), { retryable, $fault: 'client' });
    const { asked, record, lines } = await changed('', () => Promise.reject(thrown));
    expect([asked.length, record?.status]).toEqual([places, status]);
    expect(
      lines.some(([level, text]) => level === 'warn' && text.startsWith('Changed rate limits could not be read')),
    ).toBe(!retryable);
  });
});

describe('a message that has a slot', () => {
  it.each<[string, Rated, number, number]>([
    ['that comes', { header: slotAt(0) }, 1, 0],
    ['within its grace', { header: slotAt(-10) }, 1, 0],
    ['that has passed by more', { header: slotAt(-10.001), line: lineAt(0) }, 1, 1],
    ['within its grace, and was late before', { header: slotAt(-10, 1) }, 1, 0],
    ['with a grace of its own', { header: slotAt(-60), limit: { grace: 60 } }, 1, 0],
    ['ahead', { header: slotAt(20) }, 0, 0],
    ['without a pace', { header: { slot: NOW_MICROS + 5e6 } }, 1, 1],
    ['with no pace at all', { header: slotAt(5, 0, 0) }, 1, 1],
  ])('%s', async (_what, given, runs, asks) => {
    const { ran, asked } = await rated(given);
    expect([ran, asked.length]).toEqual([runs, asks]);
  });

  describe('and is late once more', () => {
    const late = { header: slotAt(-10.001, 1) };
    const [beside, own] = [`*late#${KEY}`, KEY];

    it('starts where a place beside its line has come, which has half as many', async () => {
      const { ran, asked } = await rated(late);
      expect(ran).toBe(1);
      const [nowMs, paceMicros] = [START_MS, 2 * PACE];
      expect(asked).toEqual([
        { key: beside, count: 0, paceMicros, nowMs },
        { key: beside, count: 1, paceMicros, nowMs },
      ]);
    });

    it.each<[string, (request: RateRequest, answered: number) => RateLine | undefined, readonly string[]]>([
      ['is ahead', (_request, _answered) => lineAt(0.001 - PACE / 1e6), [beside, own]],
      [
        'was taken meanwhile',
        (_request, answered) => lineAt((answered === 0 ? 0 : 30) - PACE / 1e6),
        [beside, beside, own],
      ],
      ['is not told', ({ key }) => (key === own ? lineAt(30) : undefined), [beside, own]],
      [
        'is taken by too many',
        ({ key }, answered) => (key === own ? lineAt(30) : answered === 0 ? lineAt(-99) : undefined),
        [beside, beside, own],
      ],
    ])('goes to the end of its line where that %s', async (_what, answer, keys) => {
      const { asked } = await rated({ ...late, answer });
      expect(asked.map(({ key }) => key)).toEqual(keys);
    });
  });

  it('and is late takes a new one at the end of the line, and is late once more', async () => {
    const { sent } = await rated({ header: slotAt(-99, 1), line: lineAt(50) });
    expect(sent[0]?.message.celeriac).toMatchObject({ ...slotAt(50, 2) });
  });

  it.each<[string, RateLine['changed'], number]>([
    // Places of ten seconds became places of five: half as far from the change.
    ['stretched around the change', { atMicros: NOW_MICROS, fromMicros: 2 * PACE }, 20],
    ['new where another change was the last', { atMicros: NOW_MICROS, fromMicros: 3 * PACE }, 70],
    ['new where nothing is known of it', undefined, 70],
  ])('of another limit: its slot is %s', async (_what, changed, ahead) => {
    const { sent, asked } = await rated({
      header: slotAt(40, 1, 2 * PACE),
      line: lineAt(70, changed === undefined ? {} : { changed }),
    });
    expect(sent[0]?.message.celeriac).toMatchObject(slotAt(ahead, 1));
    // Asked without taking a place, and for one where that is needed.
    expect(asked.map(({ count }) => count)).toEqual(ahead === 20 ? [0] : [0, 1]);
  });

  it('of another limit comes again where the line is too crowded', async () => {
    const { ran, acked, sent } = await rated({ header: slotAt(40, 1, 2 * PACE), line: null });
    expect([ran, acked, sent.length]).toEqual([0, false, 0]);
  });
});

/** Of a delivery that died. */
const claimed = (attempt: number) => (world: World) =>
  world.backend.claim([
    {
      id: ID,
      attempt,
      owner: 'dead',
      nowMs: START_MS - 2,
      leaseMs: START_MS - 1,
      name: 'job',
      queue: 'default',
      meta: '{"status":"STARTED"}',
      expiresAtSeconds: START_MS,
    },
  ]);

describe('a redelivery', () => {
  it.each<[string, Rated, number]>([
    ['of an attempt that was begun', { prepare: claimed(0) }, 0],
    ['of one that was not', {}, 1],
    ['of a retry whose first attempt was', { prepare: claimed(0), headers: { retries: 1 } }, 1],
    ['of an idempotent task, which leaves nothing', { idempotent: true }, 1],
  ])('%s takes %i places', async (_what, given, places) => {
    const { asked } = await rated({ delivery: { receiveCount: 2 }, ...given });
    expect(asked).toHaveLength(places);
  });

  it('keeps the slot that was kept beside it', async () => {
    const kept = { slotMicros: NOW_MICROS, paceMicros: PACE, lates: 0 };
    expect((await rated({ kept, delivery: { receiveCount: 2 } })).asked).toEqual([]);
    // The first delivery has none.
    expect((await rated({ kept })).asked).toHaveLength(1);
  });
});

describe('in a FIFO queue', () => {
  const fifo = { fifo: true } as const;

  it.each([
    [20.5, 21],
    [SQS_MAX_VISIBILITY_SECONDS, SQS_MAX_VISIBILITY_SECONDS],
    [SQS_MAX_VISIBILITY_SECONDS + 5, SQS_MAX_VISIBILITY_SECONDS],
  ])('a message whose slot is %f s ahead stays, hidden for %i s', async (ahead, seconds) => {
    const { sent, keeps, shown, acked } = await rated({ ...fifo, line: lineAt(ahead), delivery: { groupId: 'g' } });
    expect([sent.length, acked, shown]).toEqual([0, false, [seconds]]);
    expect(keeps).toEqual([
      {
        id: ID,
        attempt: 0,
        slot: { slotMicros: NOW_MICROS + ahead * 1e6, paceMicros: PACE, lates: 0 },
        expiresAtSeconds: Math.ceil(START_MS / 1000 + ahead) + RATE_RETENTION_SECONDS,
      },
    ]);
  });

  it('it is shown when the slot comes that another delivery has kept', async () => {
    const kept = { slotMicros: NOW_MICROS + 5e6, paceMicros: PACE, lates: 0 };
    const first = await rated({ ...fifo, line: lineAt(20), kept, delivery: { groupId: 'g' } });
    expect(first.shown).toEqual([5]);
    // What is kept is not written again.
    const again = await rated({ ...fifo, kept, delivery: { groupId: 'g', receiveCount: 2 } });
    expect([again.keeps, again.shown]).toEqual([[], [5]]);
    const late = { ...kept, slotMicros: NOW_MICROS - 99e6 };
    const anew = await rated({ ...fifo, kept: late, line: lineAt(30), delivery: { groupId: 'g', receiveCount: 2 } });
    expect(anew.keeps).toMatchObject([{ instead: late, slot: { lates: 1 } }]);
    // That one has passed meanwhile.
    expect(anew.shown).toEqual([0]);
  });

  it.each([
    [0, 'FAILURE'],
    [-1, undefined],
  ])('a slot %i s beyond what SQS keeps: %s', async (beyond, status) => {
    const sentMs = START_MS - 1_000_000;
    const ahead = DEFAULT_RETENTION_SECONDS - RATE_RETENTION_MARGIN_SECONDS - 1000 + beyond + 0.5;
    const { record, acked, letters } = await rated({
      ...fifo,
      line: lineAt(ahead),
      delivery: { groupId: 'g', sentMs },
    });
    expect([record?.status, acked]).toEqual([status, status !== undefined]);
    expect(letters).toEqual(status === undefined ? [] : ['rate limit too long']);
    if (status !== undefined) expect(record?.meta).toContain('RateLimitTooLong');
  });
});

describe('what changed limits are read for', () => {
  type Read = () => Promise<ReadonlyMap<string, string>>;
  /** Deliveries one after another to one process, each so many seconds later. */
  const process = (...reads: Read[]) => {
    let read = 0;
    const paces: number[] = [];
    const rates: Rates = {
      reserve: ({ paceMicros }) => {
        paces.push(paceMicros);
        return Promise.resolve({ nextMicros: 0 });
      },
      keep: ({ slot }) => Promise.resolve(slot),
      kept: () => Promise.resolve(undefined),
      setLimit: () => Promise.resolve(),
      limits: () => (reads[(read += 1) - 1] as Read)(),
    };
    const arrive = (seconds: number, given: Partial<Given> = {}): Promise<Outcome> => {
      const app = new Celeriac('rates');
      app.task('job', { rateLimit: '6/m' }, () => 1);
      return deliver({
        app,
        ports: (ports) => ({ ...ports, rates }),
        prepare: (world: World) => world.clock.moveTo(START_MS + seconds * 1000),
        ...given,
      });
    };
    return { arrive, paces, reads: () => read };
  };
  const says =
    (text: string): Read =>
    () =>
      Promise.resolve(new Map([['job', text]]));
  const [SECOND, HALF] = [1_000_000, 500_000];

  it('holds for a minute', async () => {
    const { arrive, paces, reads } = process(says('1/s'), says('2/s'));
    for (const seconds of [0, RATE_CONTROL_SECONDS - 0.001, RATE_CONTROL_SECONDS]) await arrive(seconds);
    expect([paces, reads()]).toEqual([[SECOND, SECOND, HALF], 2]);
  });

  it('holds as long where the clock went back', async () => {
    const { arrive, paces } = process(says('1/s'), says('2/s'));
    for (const seconds of [RATE_CONTROL_SECONDS, 0.001, 0]) await arrive(seconds);
    expect(paces).toEqual([SECOND, SECOND, HALF]);
  });

  it('is read once for a batch', async () => {
    const { arrive, reads, paces } = process(says('1/s'), says('2/s'));
    await arrive(0, { others: [{ messageId: 'b', body: envelope({ id: 'b', root_id: 'b' }) }] });
    expect([reads(), paces]).toEqual([1, [SECOND]]);
  });

  it.each([true, false])('holds on where it cannot be read again, retryable: %s', async (retryable) => {
    const thrown = Object.assign(new Error('no'), { retryable, $fault: 'client' });
    const { arrive, paces, reads } = process(says('1/s'), () => Promise.reject(thrown), says('2/s'));
    await arrive(0);
    const { lines, record } = await arrive(RATE_CONTROL_SECONDS);
    expect([record?.status, lines.filter(([level]) => level === 'warn').length]).toEqual(['SUCCESS', 1]);
    // A minute from then on.
    await arrive(2 * RATE_CONTROL_SECONDS - 0.001);
    expect([paces, reads()]).toEqual([[SECOND, SECOND, SECOND], 2]);
  });
});

describe('places of a batch', () => {
  const three = ['b', 'c'].map((id) => ({ messageId: id, body: envelope({ id, root_id: id }) }));

  it('are taken together, in its order', async () => {
    const { asked, ran, sent } = await rated({ others: three, answer: ({ count }) => lineAt(10 * (count - 1)) });
    expect([asked.map(({ count }) => count), ran]).toEqual([[3], 1]);
    expect(sent.map(({ message: { id }, delaySeconds }) => [id, delaySeconds])).toEqual([
      ['b', 10],
      ['c', 20],
    ]);
  });

  it('that cannot be taken under one key are taken under another, and not asked for twice', async () => {
    const thrown = Object.assign(new Error('not now'), { retryable: true });
    const { asked, ran, acked, lines } = await rated({
      limit: { key: (tenant: string) => tenant },
      others: [{ messageId: 'b', body: envelope({ id: 'b', root_id: 'b' }, ['other']) }],
      answer: ({ key }) => {
        if (key === itemKey('job', 'acme')) throw thrown;
        return lineAt(-PACE / 1e6);
      },
    });
    expect([asked.length, ran, acked]).toEqual([2, 1, false]);
    expect(lines.filter(([level]) => level === 'error').map(([, text]) => text)).toEqual([
      'Message m could not be handled: Error: not now',
    ]);
  });
});

describe('the record of an attempt', () => {
  const reads = ({ calls }: Outcome): number => calls.filter((call) => call === 'backend.get').length;
  const concluded = (world: World): Promise<unknown> =>
    world.backend.conclude([
      {
        id: ID,
        attempt: 0,
        nowMs: START_MS - 1000,
        status: 'FAILURE',
        name: 'job',
        queue: 'default',
        meta: '{"status":"FAILURE","result":null}',
        expiresAtSeconds: START_MS,
      },
    ]);

  it.each<[string, Rated, number]>([
    ['a first delivery', {}, 0],
    ['one that comes again', { delivery: { receiveCount: 2 } }, 1],
    ['one without a claim that comes again', { delivery: { receiveCount: 2 }, idempotent: true }, 0],
    ['one that waits as long as SQS delays', { line: lineAt(900) }, 0],
    ['one that waits longer', { line: lineAt(900.001) }, 1],
    ['one that has waited', { header: slotAt(20) }, 1],
    [
      'several of a batch, which share one',
      { header: slotAt(20), others: [{ messageId: 'b', body: envelope({ id: 'b', celeriac: slotAt(20) }) }] },
      1,
    ],
    ['one without a claim that has waited', { header: slotAt(20), idempotent: true }, 0],
  ])('is not read in vain: %s', async (_what, given, expected) => {
    expect(reads(await rated(given))).toBe(expected);
  });

  it.each<[string, Rated, number]>([
    ['waits as long as SQS delays', { line: lineAt(900) }, 1],
    ['waits longer', { line: lineAt(900.001) }, 0],
    ['has waited', { header: slotAt(20) }, 0],
  ])('that has ended meanwhile ends what %s', async (_what, given, sends) => {
    const { acked, sent, timers, ran } = await rated({ ...given, prepare: concluded });
    expect([acked, sent.length + timers.length, ran]).toEqual([true, sends, 0]);
  });

  it('of a later one that was begun says that this one was', async () => {
    const { asked } = await rated({ delivery: { receiveCount: 2 }, headers: { retries: 2 }, prepare: claimed(2) });
    expect(asked).toEqual([]);
  });
});
