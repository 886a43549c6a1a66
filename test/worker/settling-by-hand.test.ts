/** Ends and what follows from them, step by step: bounds, defaults, and what each store is asked at once. */
import { Celeriac } from 'celeriac';
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import {
  CANVAS_WINDOW_MESSAGES,
  FAILED_DELIVERY_LONGEST_SECONDS,
  MAX_RETRIES,
  REFUSED_RECEIVES,
  SLOT_CHECK_MARGIN_MS,
  SLOT_RETENTION_SECONDS,
  SLOT_ROUNDS,
} from '../../lib/base/limits.ts';
import type { Gather } from '../../lib/canvas/compile.ts';
import type { ConcludeRequest, TaskRecord } from '../../lib/ports/backend.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { TaskContext } from '../../lib/task/context.ts';
import { type Signature, signature } from '../../lib/wire/signature.ts';
import { concludeSteps, firstConclusion, isMarked } from '../../lib/worker/failed-steps.ts';
import { chordErrorOf, gatherResults, sentResults } from '../../lib/worker/gather.ts';
import { bodyWith } from '../../lib/worker/group-marks.ts';
import { runCheck } from '../../lib/worker/slot-check.ts';
import { deliver, envelope, ID, START_MS } from '../support/one-delivery.ts';
import { settlingRig, type SettlingRig } from '../support/settling-rig.ts';
import { KEY, NOW, parked, slotRig, type SlotRig } from '../support/slot-rig.ts';

const passing = (): Error => Object.assign(new Error('not now'), { retryable: true });
const refusal = (): Error => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });

const app = (): Celeriac => {
  const made = new Celeriac('ends');
  made.task('job', () => 1);
  return made;
};

describe('a message that cannot be read', () => {
  const unreadable = (headers: object = {}): string => envelope({ eta: 7, ...headers });

  it.each([
    [0, 0],
    [5, 5],
    [-3, 0],
    [MAX_RETRIES + 1, MAX_RETRIES],
    ['3', 0],
    [1.5, 0],
  ])('of attempt %j ends attempt %i', async (retries, attempt) => {
    const { record, letters, acked } = await deliver({ app: app(), body: unreadable({ retries }) });
    expect([record?.status, record?.attempt, letters, acked]).toEqual(['FAILURE', attempt, ['invalid message'], true]);
  });

  it.each<[string, Error, boolean]>([
    ['passes', passing(), false],
    ['is refused for good', refusal(), true],
  ])('whose state %s', async (_what, thrown, acked) => {
    const found = await deliver({
      app: app(),
      body: unreadable(),
      tap: (call, go) => (call === 'backend.conclude' ? Promise.reject(thrown) : go()),
    });
    expect([found.acked, found.letters]).toEqual([acked, acked ? ['invalid message'] : []]);
    expect(found.lines.filter(([, text]) => text.includes('has no state')).map(([, , fields]) => fields)).toEqual(
      acked ? [{ task: 'job', taskId: ID }] : [],
    );
  });
});

describe('what could not be handled', () => {
  const failing = (thrown: Error) => (call: string, go: () => unknown) =>
    call === 'backend.claim' ? Promise.reject(thrown) : go();

  it.each([
    [1, undefined, 10],
    [2, undefined, 20],
    [2, 2, 80],
    [5, undefined, 160],
    [6, undefined, FAILED_DELIVERY_LONGEST_SECONDS],
    [1000, undefined, FAILED_DELIVERY_LONGEST_SECONDS],
  ])('now, at receive %i after %j before, comes back after %i s', async (receiveCount, deliveries, seconds) => {
    const { acked, shown } = await deliver({
      app: app(),
      body: envelope(deliveries === undefined ? {} : { celeriac: { deliveries } }),
      delivery: { receiveCount },
      tap: failing(passing()),
    });
    expect([acked, shown]).toEqual([false, [seconds]]);
  });

  it.each([
    [REFUSED_RECEIVES - 1, undefined, false],
    [REFUSED_RECEIVES, undefined, true],
    [1, REFUSED_RECEIVES - 1, true],
  ])('ever, at receive %i after %j before, ends with its reason: %s', async (receiveCount, deliveries, ends) => {
    const { acked, record, letters } = await deliver({
      app: app(),
      body: envelope(deliveries === undefined ? {} : { celeriac: { deliveries } }),
      delivery: { receiveCount },
      tap: failing(refusal()),
    });
    expect([acked, record?.status, letters]).toEqual([
      ends,
      ends ? 'FAILURE' : undefined,
      ends ? ['cannot be handled'] : [],
    ]);
  });

  it.each([
    [true, false],
    [false, true],
  ])('and whose letter is refused, retryable: %s', async (retryable, logged) => {
    const { acked, shown, lines } = await deliver({
      app: app(),
      delivery: { receiveCount: REFUSED_RECEIVES },
      tap: (call, go, args) => {
        if (call.startsWith('backend.')) return Promise.reject(refusal());
        if (call !== 'broker.send') return go();
        return Promise.resolve((args[0] as unknown[]).map(() => ({ ok: false, code: 'No', message: 'no', retryable })));
      },
    });
    expect([acked, shown]).toEqual([false, [160]]);
    const told = lines.filter(([, text]) => text.includes('could not be given up'));
    expect(told.length).toBe(1);
    expect(told[0]?.[1]).toContain('The dead letter was not sent: No: no');
    expect(logged === retryable).toBe(false);
  });
});

describe('a retry that stood, and was ended before it could be sent', () => {
  it('is what the error links of its first attempt are told of', async () => {
    const made = new Celeriac('ends');
    made.task('job', () => 1);
    const told: unknown[] = [];
    made.task(
      'tell',
      (request: { readonly retries: number }, error: Error) => void told.push([request.retries, error.name]),
    );
    const one = {
      id: ID,
      attempt: 0,
      owner: 'worker',
      nowMs: START_MS,
      leaseMs: START_MS + 1000,
      name: 'job',
      queue: 'default',
      meta: '{"status":"RETRY","result":null}',
      expiresAtSeconds: START_MS / 1000 + 86_400,
    };
    const { acked } = await deliver({
      app: made,
      body: envelope({}, [], { callbacks: null, errbacks: [signature('tell')], chain: null, chord: null }),
      prepare: async ({ backend }) => {
        await backend.claim([one]);
        await backend.commit([{ ...one, status: 'RETRY', final: false }]);
        const meta = '{"status":"FAILURE","result":{"exc_type":"RangeError","exc_message":["no"]}}';
        await backend.conclude([{ ...one, attempt: 1, status: 'FAILURE', meta }]);
      },
    });
    expect([acked, told]).toEqual([true, [[1, 'RangeError']]]);
  });
});

describe('the key of a unique task', () => {
  it.each([
    ['passes', passing(), true],
    ['is refused for good', refusal(), true],
  ])(
    'that cannot be freed when its run begins, since that %s: it runs, and a line says so',
    async (_what, thrown, acked) => {
      const made = new Celeriac('ends');
      made.task('job', { unique: { key: () => 'k', ttl: '1h', until: 'started' } }, () => 1);
      let clears = 0;
      const found = await deliver({
        app: made,
        body: envelope({ celeriac: { unique: ['k', 'started'] } }),
        tap: (call, go) => {
          if (call !== 'marks.clear') return go();
          clears += 1;
          return clears === 1 ? Promise.reject(thrown) : go();
        },
      });
      expect([found.acked, found.record?.status, clears]).toEqual([acked, 'SUCCESS', 2]);
      expect(found.lines.filter(([level]) => level === 'warn')).toEqual([
        ['warn', expect.stringContaining('is not free yet'), { task: 'job', taskId: ID }],
      ]);
    },
  );

  it.each([
    ['when its run begins', { unique: ['k', 'started'] }, 0, 1],
    ['when it has ended', { unique: ['k', 'finished'] }, 0, 1],
    ['by its retry only when that has ended', { unique: ['k', 'started'] }, 1, 1],
    ['never, where it is none', { unique: [7, 'started'] }, 0, 0],
    ['never, where no store could have it', { unique: ['k'.repeat(3000), 'finished'] }, 0, 0],
    ['never, where it is no text that a store keeps', { unique: ['\ud800', 'finished'] }, 0, 0],
    ['never, where the header says something else', { unique: 'k' }, 0, 0],
  ])('is freed %s', async (_what, header, retries, clears) => {
    const { calls, record } = await deliver({ app: app(), body: envelope({ retries, celeriac: header }) });
    expect([record?.status, calls.filter((call) => call === 'marks.clear').length]).toEqual(['SUCCESS', clears]);
  });
});

// ---------------------------------------------------------- failed steps

const steps = (): SettlingRig => settlingRig(app());

const group = (size: number, name: string) =>
  ({
    ...signature('group'),
    task: 'celery.group',
    subtask_type: 'group',
    kwargs: {
      tasks: Array.from({ length: size }, (_, index) => ({
        ...signature('job'),
        options: { task_id: `${name}${index}` },
      })),
    },
  }) as ReturnType<typeof signature>;

describe('steps that will never run', () => {
  const cause = new RangeError('no');

  it('are written a window at a time, whatever trees they are of', async () => {
    const { settling, asked } = steps();
    const size = Math.ceil(CANVAS_WINDOW_MESSAGES * 0.6);
    for (const name of ['a', 'b'])
      settling.pending.add({ kind: 'failed step', signature: group(size, name), id: name, cause });
    await concludeSteps(settling);
    expect(asked.map((requests) => requests.length)).toEqual([
      CANVAS_WINDOW_MESSAGES,
      2 * size - CANVAS_WINDOW_MESSAGES,
    ]);
  });

  it('each says of which queue it is, of which task it follows, and why it does not run', async () => {
    const { settling, asked, fields } = steps();
    const add = (id: string, options: object): void =>
      settling.pending.add({ kind: 'failed step', signature: { ...signature('job'), options } as never, id, cause });
    add('one', { queue: 'mail' });
    add('two', { queue: 7 });
    add('two', {});
    await concludeSteps(settling);
    expect(asked.flat()).toMatchObject([
      {
        id: 'one',
        attempt: 0,
        status: 'FAILURE',
        name: 'job',
        queue: 'mail',
        meta: expect.stringMatching(/RangeError.*"parent_id": ?"parent"/),
      },
      // A tree may name one task twice.
      { id: 'two', queue: 'default' },
    ]);
    expect(fields).toEqual(['one', 'two', 'two'].map((taskId) => ({ task: 'job', taskId, parentId: 'parent' })));
    // Nothing is left, and nothing is asked for nothing.
    await concludeSteps(settling);
    expect(asked).toHaveLength(1);
  });

  const CHORD = { ...signature('body'), options: {} };
  const counted = { group_id: 'g', group_index: 1, celeriac: { size: 2 } };
  const byCelery = {
    group_id: 'g',
    group_index: 1,
    celeriac: { size: 2, policy: 'byCelery' },
    chord: CHORD,
  };

  it.each<[string, object, boolean, readonly string[], readonly string[]]>([
    ['of no group', {}, false, [], []],
    ['of a group that is counted here', counted, false, ['mark'], []],
    ['of one that Celery counts too', byCelery, false, [], ['member']],
    ['whose group has been told', counted, true, [], []],
    ["and Celery's too", byCelery, true, [], []],
  ])('%s', async (_what, options, told, marks, members) => {
    const { settling, followed } = steps();
    const failed = {
      kind: 'failed step',
      signature: { ...signature('job'), options } as never,
      id: 'one',
      cause,
    } as const;
    settling.pending.add(told ? { ...failed, told: true } : failed);
    await concludeSteps(settling);
    expect(
      settling.pending.take('mark').map(({ kind, mark }) => [kind, mark.groupId, mark.failed, mark.memberId]),
    ).toEqual(marks.map((kind) => [kind, 'g', true, 'one']));
    expect(followed).toMatchObject(members.map((kind) => ({ kind, member: { groupId: 'g', memberId: 'one' } })));
    expect(isMarked(failed)).toBe('group_id' in options);
    expect(firstConclusion(failed, settling)?.id).toBe('one');
  });
});

// ---------------------------------------------------------------- results

describe('the results of a group', () => {
  const done = (more: Partial<TaskRecord>): TaskRecord => ({ id: 'x', status: 'SUCCESS', ...more });
  const failure = done({
    status: 'FAILURE',
    meta: '{"status":"FAILURE","result":{"exc_type":"RangeError","exc_message":["no"]}}',
  });
  const rig = (records: readonly (TaskRecord | undefined)[], members?: readonly string[]) => {
    const asked: (readonly string[])[] = [];
    const ports = {
      clock: new ManualClock(NOW),
      groups: { count: () => Promise.resolve({ done: 0, failed: [], memberIds: new Map([[1, 'own']]) }) },
      celeryGroups: { members: () => Promise.resolve(members) },
      backend: {
        get: (ids: readonly string[]) => {
          asked.push(ids);
          return Promise.resolve(ids.map((_, index) => records[(asked.length - 1) * 100 + index]));
        },
      },
    } as unknown as Ports;
    return { ports, asked };
  };
  const gather = (size: number, policy = 'celery'): Gather => ({ groupId: 'g', size, policy });

  it.each<[string, TaskRecord | undefined, unknown]>([
    ['a value', done({ meta: '{"status":"SUCCESS","result":{"a":1}}' }), { status: 'SUCCESS', value: { a: 1 } }],
    ['a value that is ignored', done({ ignored: true, settlement: '{"value":7}' }), { status: 'SUCCESS', value: 7 }],
    ['no value where none was kept', done({ ignored: true, settlement: '{}' }), { status: 'SUCCESS', value: null }],
    ['nothing of what is not ignored', done({ settlement: '{"value":7}' }), { status: 'SUCCESS', value: null }],
    ['nothing of what says nothing', done({ ignored: true }), { status: 'SUCCESS', value: null }],
    ['an error', failure, { status: 'FAILURE', error: { type: 'RangeError', message: 'no' } }],
    [
      'an end without a document',
      done({ status: 'IGNORED' }),
      { status: 'IGNORED', error: { type: 'IGNORED', message: 'ended as IGNORED' } },
    ],
    [
      'an end without an error',
      done({ status: 'REVOKED', meta: '{"status":"REVOKED","result":null}' }),
      { status: 'REVOKED', error: { type: 'REVOKED', message: 'ended as REVOKED' } },
    ],
    [
      'nothing any more',
      undefined,
      { status: 'EXPIRED', error: { type: 'EXPIRED', message: 'its result has expired' } },
    ],
  ])('settled: %s', async (_what, record, expected) => {
    expect(await gatherResults(gather(1, 'settled'), rig([record]).ports)).toEqual([expected]);
  });

  it('are read a hundred at a time, in order, under the ids that members have', async () => {
    const records = Array.from({ length: 101 }, (_, index) => done({ meta: `{"status":"SUCCESS","result":${index}}` }));
    const { ports, asked } = rig(records);
    expect(await gatherResults(gather(101), ports)).toEqual(records.map((_, index) => index));
    expect(asked.map((ids) => ids.length)).toEqual([100, 1]);
    expect(asked[0]?.[1]).toBe('own');
    expect(new Set(asked.flat()).size).toBe(101);
  });

  it.each<[string, readonly (TaskRecord | undefined)[], readonly string[] | undefined, string]>([
    ['a member that has failed', [failure], ['a'], "Dependency a raised RangeError('no')"],
    [
      'one that has ended otherwise',
      [done({ status: 'REVOKED', meta: '{"status":"REVOKED","result":null}' })],
      ['a'],
      'Dependency a ended as REVOKED',
    ],
    ['one without a result', [done({ status: 'STARTED' })], ['a'], 'Dependency a ended without a result'],
    ['one that is gone', [undefined], ['a'], 'Dependency a ended without a result'],
    ['the group', [], undefined, 'GroupResult g no longer exists'],
  ])("of Celery's fail with %s", async (_what, records, members, message) => {
    await expect(gatherResults(gather(1, 'byCelery'), rig(records, members).ports)).rejects.toThrow(message);
  });

  it('ours fail with one that is gone', async () => {
    await expect(gatherResults(gather(1), rig([undefined]).ports)).rejects.toThrow('has no result any more');
    expect(chordErrorOf(undefined, 'a').message).toBe('Dependency a ended without a result');
  });

  it.each([
    [500, 1, false, 'args'],
    [501, 1, false, 'gather'],
    [501, 1, true, 'args'],
    [1, 199_000, false, 'args'],
    [1, 200_000, false, 'gather'],
    [1, 200_000, true, 'args'],
  ])('of %i members with %i characters go, elsewhere: %s, as %s', async (size, characters, isBodyExternal, kind) => {
    const records = Array.from({ length: size }, () =>
      done({ meta: JSON.stringify({ status: 'SUCCESS', result: 'x'.repeat(characters) }) }),
    );
    const sent = await sentResults(gather(size), { ports: rig(records).ports, isBodyExternal });
    expect(Object.keys(sent)).toEqual([kind]);
    if ('args' in sent) expect(sent.args).toHaveLength(1);
  });
});

describe('a body whose results have gone', () => {
  const BODY = { ...signature('job'), options: { task_id: 'body' } };
  const CHAIN = { ...signature('celery.chain'), subtask_type: 'chain', kwargs: { tasks: [BODY, signature('job')] } };
  const SEVERAL = { ...group(2, 'm'), options: { task_id: 'body' } };
  const TREE = { ...CHAIN, kwargs: { tasks: [SEVERAL] } };
  const record = (status: string): TaskRecord => ({ id: 'body', status });

  it.each<[string, Signature, unknown, readonly string[]]>([
    ['nobody has begun: it fails', BODY, { kind: 'concluded' }, ['failed step']],
    ['has failed before', BODY, { kind: 'finished', record: record('FAILURE') }, ['failed step']],
    ['was revoked', BODY, { kind: 'finished', record: record('REVOKED') }, ['failed step']],
    ['has run: nothing is said of it', BODY, { kind: 'finished', record: record('SUCCESS') }, []],
    ['runs', BODY, { kind: 'busy', leaseMs: NOW, record: record('FAILURE') }, []],
    ['runs its next attempt', BODY, { kind: 'older', record: record('FAILURE') }, []],
    [
      'is a chain, sent as its first',
      CHAIN as Signature,
      { kind: 'busy', leaseMs: NOW, record: record('STARTED') },
      [],
    ],
    // The first alone may have been sent.
    [
      'is a chain whose first is several',
      TREE as Signature,
      { kind: 'busy', leaseMs: NOW, record: record('STARTED') },
      ['failed step'],
    ],
    ['is several', SEVERAL, { kind: 'busy', leaseMs: NOW, record: record('STARTED') }, ['failed step']],
  ])('%s', async (_what, body, outcome, kinds) => {
    const { settling, asked } = steps();
    Object.assign(settling.ports.backend, {
      get: () => Promise.resolve([undefined]),
      conclude: (requests: readonly ConcludeRequest[]) => {
        asked.push([...requests]);
        return Promise.resolve([outcome]);
      },
    });
    Object.assign(settling.ports.groups, {
      count: () => Promise.resolve({ done: 1, failed: [], memberIds: new Map() }),
    });
    const followers = await bodyWith(settling, body, { groupId: 'g', size: 1, policy: 'celery' });
    expect(followers.map(({ kind }) => kind)).toEqual(kinds);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject([{ status: 'FAILURE', meta: expect.stringContaining('ChordError') }]);
  });
});

// ------------------------------------------------------------ look at slots

describe('a look at slots', () => {
  const DUE = NOW - 1000;
  const HELD = { leaseMs: NOW + 30_000, by: 'worker/1' };
  const DEAD = { leaseMs: NOW - 1, by: 'worker/0' };

  async function look(rig: SlotRig, args: readonly unknown[] = [KEY, DUE]): Promise<unknown> {
    const context = {
      request: { deliveryInfo: { queue: 'mail' } },
      retry: (options: object) => {
        throw Object.assign(new Error('retry'), { options });
      },
    } as unknown as TaskContext;
    try {
      await runCheck(context, args, rig.ports);
      return 'done';
    } catch (error) {
      return (error as { readonly options?: unknown }).options ?? error;
    }
  }
  const AGAIN = { countdown: 5, maxRetries: null };

  it.each([[[7, DUE]], [['timer#a', DUE]], [[KEY, 'soon']], [[]]])('that asks for %j is none', async (args) => {
    const rig = slotRig();
    expect([await look(rig, args), rig.did]).toEqual(['done', []]);
  });

  it.each<[string, number | undefined, number, unknown]>([
    ['another one is on its way', DUE + 1, DUE, 'done'],
    ['it is not written yet', undefined, NOW - 60_000, AGAIN],
    ['it was never written', undefined, NOW - 60_001, 'done'],
    ['an older one is written', DUE - 1, DUE, AGAIN],
  ])('where %s', async (_what, checkMs, dueMs, expected) => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, checkMs === undefined ? {} : { checkMs });
    expect(await look(rig, [KEY, dueMs])).toEqual(expected);
    expect(rig.did).toEqual(['read']);
  });

  it('is the last one where nobody waits', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD }, { checkMs: DUE });
    expect(await look(rig)).toBe('done');
    expect(rig.writes).toEqual([
      {
        key: KEY,
        checkMs: null,
        expiresAtSeconds: NOW / 1000 + SLOT_RETENTION_SECONDS,
        when: { checkMs: DUE, line: null },
      },
    ]);
    expect(rig.sent).toEqual([]);
  });

  it('is followed by one when the next lease ends', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': HELD, 'b#0': HELD }, { checkMs: DUE, line: 't' });
    await rig.slots.park(KEY, [parked('c#0')]);
    expect(await look(rig)).toBe('done');
    const nextMs = HELD.leaseMs + SLOT_CHECK_MARGIN_MS;
    expect(rig.writes).toEqual([
      { key: KEY, checkMs: nextMs, expiresAtSeconds: NOW / 1000 + SLOT_RETENTION_SECONDS, when: { checkMs: DUE } },
    ]);
    expect(rig.sent).toMatchObject([{ queue: 'mail', delaySeconds: (nextMs - NOW) / 1000 }]);
    expect(rig.did.at(-1)).toBe('write');
  });

  it('gives the slots of the dead to those that wait, and goes on', async () => {
    const rig = slotRig();
    await rig.hold({ 'a#0': DEAD, 'b#0': HELD }, { checkMs: DUE, line: 't' });
    await rig.slots.park(KEY, [parked('c#0'), parked('d#0')]);
    expect(await look(rig)).toBe('done');
    const { holders, checkMs } = await rig.read();
    // The task says that two may run.
    expect([...holders.keys()]).toEqual(['b#0', 'c#0']);
    expect(checkMs).toBeGreaterThan(NOW);
    expect(rig.sent.map(({ body }) => body)).toContain('c#0');
  });

  it('that others overtake all the time comes again', async () => {
    const rig = slotRig({ overtaken: Infinity });
    await rig.hold({ 'a#0': HELD }, { checkMs: DUE });
    expect(await look(rig)).toEqual(AGAIN);
    expect(rig.writes).toHaveLength(SLOT_ROUNDS);
  });
});
