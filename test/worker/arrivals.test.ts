/** What becomes of a message that arrives, delivery by delivery: when it starts, what its claim says, and what a batch shares. */
import { Celeriac, Ignore, Reject, type TaskContext, type TaskOptions } from 'celeriac';
import type { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { CLOCK_SKEW_SECONDS, MAX_HOPS, MIN_RECORD_SECONDS } from '../../lib/base/limits.ts';
import type { ClaimRequest, CommitRequest } from '../../lib/ports/backend.ts';
import { signature } from '../../lib/wire/signature.ts';
import { claimed, deliver, envelope, type Given, ID, type Outcome, START_MS } from '../support/one-delivery.ts';

const passing = (): Error => Object.assign(new Error('not now'), { retryable: true });
const denied = (): Error => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });

interface Run extends Omit<Given, 'app'> {
  readonly options?: TaskOptions;
  readonly run?: (self: TaskContext, args: readonly unknown[]) => unknown;
  readonly fifo?: boolean;
}

async function arriving({ options, run = () => 1, fifo = false, ...given }: Run = {}) {
  const app = new Celeriac('arrivals', { queues: { default: { fifo } }, resultExpires: '1d' });
  const ran: unknown[][] = [];
  app.task(
    'job',
    { bind: true, ...options } as never,
    ((self: TaskContext, ...args: unknown[]) => {
      ran.push(args);
      return run(self, args);
    }) as never,
  );
  app.task('next', (..._args: number[]) => 1);
  const asked: { call: string; request: unknown }[] = [];
  const outcome = await deliver({
    ...given,
    app,
    tap: (call, go, args) => {
      asked.push({ call, request: args[0] });
      return given.tap === undefined ? go() : given.tap(call, go, args);
    },
  });
  return { ...outcome, ran, asked };
}

const count = ({ calls }: Outcome, name: string): number => calls.filter((call) => call === name).length;
const iso = (ms: number): string => new Date(ms).toISOString();

describe('a message that comes early to a FIFO queue', () => {
  const SKEW_MS = 2 * CLOCK_SKEW_SECONDS * 1000;

  it.each<[string, number, boolean, number[], number]>([
    ['at its time', 0, true, [], 1],
    ['by what clocks may differ', SKEW_MS, true, [SKEW_MS], 1],
    ['by more', SKEW_MS + 1, true, [], 0],
    ['to a queue that is none', 1, false, [], 0],
  ])('%s', async (_what, earlyMs, fifo, expected, runs) => {
    const slept: number[] = [];
    const { ran } = await arriving({
      fifo,
      body: envelope({ eta: iso(START_MS + earlyMs) }),
      delivery: { groupId: 'g' },
      prepare: ({ clock }: World) =>
        void (clock.onSleep = (ms) => {
          slept.push(ms);
          clock.moveTo(clock.nowMs() + ms);
          return Promise.resolve();
        }),
    });
    expect([slept, ran.length]).toEqual([expected, runs]);
  });
});

describe('a message that does not start', () => {
  it('since too little time is left is not claimed, and comes again at once', async () => {
    const found = await arriving({ seconds: 1 });
    expect([found.ran, found.acked, found.shown, count(found, 'backend.claim')]).toEqual([[], false, [0], 0]);
  });

  it('since it was revoked', async () => {
    const found = await arriving({
      prepare: ({ backend }: World) =>
        backend.revoke({ id: ID, nowMs: START_MS - 1, meta: '{}', expiresAtSeconds: START_MS } as never),
    });
    expect([found.ran, found.acked, found.record?.status]).toEqual([[], true, 'REVOKED']);
  });

  it('since another delivery runs it comes again a second after the end of its lease', async () => {
    const found = await arriving({
      prepare: ({ backend }: World) => backend.claim([claimed({ leaseMs: START_MS + 29_001 })]),
    });
    expect([found.ran, found.acked, found.shown]).toEqual([[], false, [31]]);
  });

  it('since it has run: what follows is done again', async () => {
    const settlement = JSON.stringify({ deadLetter: { reason: 'told', error: 'e', deliveries: 1 } });
    const found = await arriving({
      prepare: async ({ backend }: World) => {
        await backend.claim([claimed()]);
        await backend.commit([{ ...claimed(), status: 'FAILURE', final: true, settlement }]);
      },
    });
    expect([found.ran, found.acked, found.letters]).toEqual([[], true, ['told']]);
  });

  it.each([
    [{}, 6, /delivered 6 times/],
    [{ acksLate: false }, 2, /acksLate: false/],
  ])('since its workers were lost, with %j, at delivery %i', async (options, deliveries, text) => {
    const found = await arriving({
      options,
      prepare: async ({ backend }: World) => {
        for (let before = 1; before < deliveries; before += 1)
          await backend.claim([claimed({ nowMs: START_MS - 2 + before * 0.1, leaseMs: START_MS - 2 })]);
      },
    });
    expect([found.ran, found.record?.status, found.letters]).toEqual([[], 'FAILURE', ['worker lost']]);
    expect(found.record?.meta).toMatch(text);
  });

  it('since it comes from the lost queue: it has failed, and its error links hear of it', async () => {
    const embed = { callbacks: [signature('next')], errbacks: [signature('next')], chain: null, chord: null };
    const found = await arriving({ body: envelope({ celeriac: { lost: 'told', hops: 2 } }, [], embed) });
    expect([found.ran, found.record?.status, found.sent.length]).toEqual([[], 'FAILURE', 1]);
    expect(found.sent[0]?.message.celeriac).toEqual({ hops: 3 });
  });

  it.each<[string, object, TaskOptions, number, boolean]>([
    ['half of its limit is left', {}, { timeLimit: 30 }, 42_900, true],
    ['less is left', {}, { timeLimit: 30 }, 43_100, false],
    ['it has not expired', { expires: iso(START_MS + 5001) }, {}, 5000, true],
    ['it expires', { expires: iso(START_MS + 5000) }, {}, 5000, false],
  ])('once its claim was slow: %s', async (_what, headers, options, tookMs, runs) => {
    const at: { world?: World } = {};
    const found = await arriving({
      options,
      body: envelope(headers),
      prepare: (world: World) => void (at.world = world),
      tap: (call, go) => {
        if (call === 'backend.claim') at.world?.clock.moveTo(START_MS + tookMs);
        return go();
      },
    });
    expect([found.ran.length, found.acked, found.shown, count(found, 'backend.release')]).toEqual(
      runs ? [1, true, [], 0] : [0, false, [0], 1],
    );
  });
});

describe('a claim', () => {
  const claimOf = async (given: Run): Promise<ClaimRequest & { readonly document: Record<string, unknown> }> => {
    const { asked } = await arriving(given);
    const [request] = (asked.find(({ call }) => call === 'backend.claim')?.request ?? []) as ClaimRequest[];
    return { ...(request as ClaimRequest), document: JSON.parse(request?.meta ?? '') as never };
  };

  it('holds to the end of its invocation, and the record as long as results', async () => {
    const request = await claimOf({ seconds: 60 });
    const leaseMs = START_MS + 60_000 + CLOCK_SKEW_SECONDS * 1000;
    expect(request).toMatchObject({ id: ID, attempt: 0, nowMs: START_MS, leaseMs, name: 'job', queue: 'default' });
    expect(request.owner).toMatch(/^request\/.+/);
    expect(request.expiresAtSeconds).toBe(Math.floor(leaseMs / 1000) + Math.max(MIN_RECORD_SECONDS, 86_400));
  });

  it.each<[string, Run, string, unknown, true | undefined]>([
    ['shows nothing', {}, 'PENDING', null, true],
    ['of a retry shows that', { body: envelope({ retries: 1 }) }, 'RETRY', null, true],
    ['is shown', { options: { trackStarted: true } }, 'STARTED', { hostname: 'request' }, undefined],
    [
      'of a retry is shown',
      { options: { trackStarted: true }, body: envelope({ retries: 1 }) },
      'STARTED',
      { hostname: 'request' },
      undefined,
    ],
    [
      'is not shown where the result is ignored',
      { options: { trackStarted: true, ignoreResult: true } },
      'PENDING',
      null,
      true,
    ],
  ])('%s', async (_what, given, status, result, keepMeta) => {
    const { document, ...request } = await claimOf(given);
    expect(document).toMatchObject({ status, result, children: [], date_done: null, task_id: ID });
    expect(request.keepMeta).toBe(keepMeta);
  });
});

describe('a commit', () => {
  const commitOf = async (given: Run): Promise<Partial<CommitRequest>> => {
    const { asked } = await arriving(given);
    const [request] = (asked.find(({ call }) => call === 'backend.commit')?.request ?? []) as CommitRequest[];
    return request ?? {};
  };
  const kept = (fromMs: number): number => Math.floor(fromMs / 1000) + Math.max(MIN_RECORD_SECONDS, 86_400);
  const throwing =
    (error: unknown): Run['run'] =>
    () => {
      throw error;
    };
  const letter = { reason: 'no', error: 'Reject: no', deliveries: 1 };
  const links = { callbacks: [signature('next')], errbacks: null, chain: null, chord: null };

  it.each<[string, Run, object, object | undefined]>([
    ['of a result', {}, { status: 'SUCCESS', final: true, expiresAtSeconds: kept(START_MS) }, undefined],
    ['of none', { options: { ignoreResult: true } }, { status: 'SUCCESS', final: true, ignored: true }, undefined],
    [
      'of none that somebody waits for',
      { options: { ignoreResult: true }, body: envelope({}, [], links), run: () => undefined },
      { status: 'SUCCESS', final: true, ignored: true },
      { value: null },
    ],
    [
      'of a retry',
      { run: (self) => self.retry({ countdown: 2000 }) },
      { status: 'RETRY', final: false, expiresAtSeconds: kept(START_MS + 2_000_000) },
      { retry: { dueMs: START_MS + 2_000_000, overrides: {}, atMs: START_MS } },
    ],
    ['of a reject', { run: throwing(new Reject('no')) }, { status: 'REJECTED', final: true }, { deadLetter: letter }],
    [
      'of what is ignored',
      { run: throwing(new Ignore()) },
      { status: 'IGNORED', final: true, ignored: true },
      undefined,
    ],
    ['of an error', { run: throwing(new RangeError('x')) }, { status: 'FAILURE', final: true }, undefined],
  ])('%s', async (_what, given, expected, settlement) => {
    const request = await commitOf(given);
    expect(request).toMatchObject({ id: ID, attempt: 0, nowMs: START_MS, ...expected });
    expect(request.owner).toMatch(/^request\//);
    expect([request.meta === undefined, 'settlement' in request]).toEqual([
      'ignored' in expected,
      settlement !== undefined,
    ]);
    if (settlement !== undefined) expect(JSON.parse(request.settlement ?? '')).toEqual(settlement);
  });
});

it('what is concluded says why, of whom, and what is to be done', async () => {
  const { record, letters } = await arriving({
    body: envelope({ group: 'g', parent_id: 'p', celeriac: { hops: MAX_HOPS + 1 } }),
    delivery: { receiveCount: 3 },
  });
  expect(letters).toEqual(['hop limit']);
  expect(JSON.parse(record?.meta ?? '')).toMatchObject({
    status: 'FAILURE',
    result: { exc_type: 'HopLimitExceeded' },
    children: [],
    date_done: expect.stringContaining('2030-01-01T00:00:00'),
    task_id: ID,
    parent_id: 'p',
    group_id: 'g',
  });
  expect(JSON.parse(record?.settlement ?? '')).toMatchObject({ deadLetter: { reason: 'hop limit', deliveries: 3 } });
  const { record: expired } = await arriving({ body: envelope({ expires: iso(START_MS) }) });
  expect([expired?.status, expired?.settlement]).toEqual(['REVOKED', undefined]);
});

describe('a run', () => {
  it.each([
    [{ timeLimit: 30 }, 30],
    [{}, 58],
  ])('with %j has %i s left', async (options, seconds) => {
    let left;
    await arriving({ options, run: (self) => void (left = self.remainingTime()) });
    expect(left).toBe(seconds);
  });

  it.each<[string, TaskOptions, object, number]>([
    ['is stored', {}, {}, 1],
    ['is not where its result is ignored', { ignoreResult: true }, {}, 0],
    ['is not where its message says so', {}, { ignore_result: true }, 0],
    ['is not where nothing is claimed', { idempotent: true }, {}, 0],
  ])('that tells its state: it %s', async (_what, options, headers, updates) => {
    const found = await arriving({
      options,
      body: envelope({ group: 'g', parent_id: 'p', ...headers }),
      run: (self) => self.updateState('PROGRESS', { done: 1 }),
    });
    const stored = found.asked.filter(({ call }) => call === 'backend.update').map(({ request }) => request);
    expect(stored).toHaveLength(updates);
    if (updates === 0) return;
    const { meta, ...rest } = stored[0] as { readonly meta: string };
    expect(rest).toEqual({ id: ID, attempt: 0, owner: expect.stringMatching(/^request\//), status: 'PROGRESS' });
    expect(JSON.parse(meta)).toEqual({
      status: 'PROGRESS',
      result: { done: 1 },
      traceback: null,
      children: [],
      date_done: null,
      task_id: ID,
      group_id: 'g',
      parent_id: 'p',
    });
  });

  it.each([
    ['terminated', true],
    ['stored', false],
    ['lost', false],
  ])('whose state is %s: its signal aborts %s', async (answer, aborts) => {
    let aborted;
    await arriving({
      run: async (self) => {
        await self.updateState('PROGRESS');
        aborted = self.signal.aborted;
      },
      tap: (call, go) => (call === 'backend.update' ? Promise.resolve(answer) : go()),
    });
    expect(aborted).toBe(aborts);
  });

  const gathers = envelope({ celeriac: { gather: { groupId: 'g', size: 1, policy: 'celery' } } }, ['own']);
  const gathered = (world: World): Promise<unknown> =>
    world.backend.conclude([
      { ...claimed({ id: 'one' }), status: 'SUCCESS', meta: '{"status":"SUCCESS","result":7}' } as never,
    ]);
  const members = { done: 1, failed: [], memberIds: new Map([[0, 'one']]) };

  it('that gathers has the results first', async () => {
    const tap = (call: string, go: () => unknown): unknown =>
      call === 'groups.count' ? Promise.resolve(members) : go();
    const { ran, acked } = await arriving({ body: gathers, prepare: gathered, tap });
    expect([ran, acked]).toEqual([[[[7], 'own']], true]);
  });

  it.each([
    ['now comes again', passing(), false, undefined],
    ['any more fails', denied(), true, 'FAILURE'],
  ])('that cannot gather %s', async (_what, thrown, acked, status) => {
    const found = await arriving({
      body: gathers,
      tap: (call, go) => (call === 'groups.count' ? Promise.reject(thrown) : go()),
    });
    expect([found.ran, found.acked]).toEqual([[], acked]);
    if (status !== undefined) expect(found.record?.status).toBe(status);
    expect(found.lines.some(([, text]) => text.includes(thrown.message))).toBe(true);
  });
});

describe('a batch shares', () => {
  const others = (more: object = {}, embed: object = {}): { messageId: string; body: string }[] =>
    ['b', 'c'].map((id, index) => ({
      messageId: id,
      body: envelope({ id, root_id: id, group_index: index + 1, ...more }, [], embed),
    }));
  const links = { callbacks: [signature('next')], errbacks: null, chain: null, chord: null };

  it('claims, commits and sends', async () => {
    const found = await arriving({ body: envelope({}, [], links), others: others({}, links) });
    expect([found.ran.length, found.sent.length]).toEqual([3, 3]);
    expect(['backend.claim', 'backend.commit', 'broker.send'].map((name) => count(found, name))).toEqual([1, 1, 1]);
  });

  it('no request of two for the same task', async () => {
    const found = await arriving({ others: [{ messageId: 'b' }] });
    expect([found.ran.length, count(found, 'backend.claim')]).toEqual([1, 2]);
  });

  it('marks of one group', async () => {
    const group = { group: 'g', celeriac: { group: { size: 3 } } };
    const found = await arriving({ body: envelope({ ...group, group_index: 0 }), others: others(group) });
    expect([found.ran.length, count(found, 'groups.mark')]).toEqual([3, 1]);
  });
});

it('a task with a rate limit fails where there is no store of them, with the reason', async () => {
  const app = new Celeriac('rates');
  app.task('job', { rateLimit: '1/s' }, () => 1);
  const { record } = await deliver({
    app,
    delivery: { receiveCount: 5 },
    ports: ({ rates: _rates, ...ports }) => ports,
  });
  expect(record?.meta).toContain('ImproperlyConfigured');
});
