/** How an attempt ends, delivery by delivery: what the log says, what is written when stores refuse, and what follows. */
import { Celeriac, Ignore, Reject, type TaskContext, type TaskOptions } from 'celeriac';
import type { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { MAX_HOPS, REFUSED_RECEIVES } from '../../lib/base/limits.ts';
import type { TaskRecord } from '../../lib/ports/backend.ts';
import { signature } from '../../lib/wire/signature.ts';
import { committedOf, pastOf, readSettlement, writeSettlement } from '../../lib/worker/committed.ts';
import { claimed, deliver, envelope, type Given, ID, type Outcome, START_MS } from '../support/one-delivery.ts';

const passing = (): Error => Object.assign(new Error('not now'), { retryable: true });
const denied = (): Error => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });

interface Run extends Omit<Given, 'app'> {
  readonly options?: TaskOptions;
  readonly settings?: object;
}

async function ending(run: (self: TaskContext) => unknown, given: Run = {}) {
  const { options, settings } = given;
  const queues = {
    default: {},
    other: {},
    celery: { external: true },
    ...(settings as { queues?: object } | undefined)?.queues,
  };
  const app = new Celeriac('ends', { ...settings, queues } as never);
  let ran = 0;
  app.task(
    'job',
    { bind: true, ...options } as never,
    ((self: TaskContext) => {
      ran += 1;
      return run(self);
    }) as never,
  );
  app.task('next', (..._args: number[]) => 1);
  const outcome = await deliver({ ...given, app });
  return { ...outcome, app, ran };
}

const fail = (error: unknown) => (): never => {
  throw error;
};
const documentOf = ({ record }: Outcome): Record<string, unknown> => JSON.parse(record?.meta ?? '{}') as never;
const calls = (outcome: Outcome, name: string): number => outcome.calls.filter((call) => call === name).length;

describe('the log says', () => {
  it.each<[string, (self: TaskContext) => unknown, TaskOptions, string, RegExp, string]>([
    [
      'a retry',
      (self) => self.retry({ countdown: 30, exc: new Error('x') }),
      {},
      'info',
      /retry: Retry in 30s: Error: x$/,
      'retry',
    ],
    ['a reject', fail(new Reject('no')), {}, 'warn', /reject requeue=False: no$/, 'reject'],
    ['that it is ignored', fail(new Ignore()), {}, 'info', /ignored$/, 'ignore'],
    [
      'an error that was expected',
      fail(new RangeError('x')),
      { throws: [RangeError] },
      'info',
      /raised expected: RangeError: x$/,
      'fail',
    ],
    ['one that was not', fail(new RangeError('x')), {}, 'error', /raised unexpected: RangeError: x$/, 'fail'],
    ['a result that is none', () => 1n, {}, 'error', /raised unexpected: NotSerializable/, 'fail'],
    ['a success', () => 1, {}, 'info', /succeeded in 0.000s$/, 'success'],
  ])('%s', async (_what, run, options, level, text, state) => {
    const { lines } = await ending(run, { options, body: envelope({ retries: 1 }) });
    const [line] = lines.filter(([, each]) => !each.endsWith('received'));
    expect(line).toEqual([
      level,
      expect.stringMatching(text),
      expect.objectContaining({ task: 'job', taskId: ID, queue: 'default', attempt: 1, state }),
    ]);
    const { stack } = (line?.[2] ?? {}) as { readonly stack?: string };
    expect(stack !== undefined).toBe(level === 'error');
  });

  it('that a predicate threw, and still how the task ended', async () => {
    const { lines } = await ending(fail(new Error('x')), {
      options: { autoretryFor: [fail(new Error('odd')) as never] },
    });
    expect(lines.filter(([level]) => level === 'error')).toEqual([
      [
        'error',
        expect.stringContaining('a predicate of its options threw Error: odd'),
        { task: 'job', taskId: ID, queue: 'default', attempt: 0 },
      ],
      ['error', expect.stringContaining('raised unexpected'), expect.anything()],
    ]);
  });

  it('that it is given back', async () => {
    const { lines, acked, shown } = await ending(fail(new Reject('busy', { requeue: true })));
    expect([acked, shown]).toEqual([false, [0]]);
    expect(lines.at(-1)).toEqual([
      'info',
      expect.stringMatching(/reject requeue=True: busy$/),
      { task: 'job', taskId: ID, queue: 'default', attempt: 0 },
    ]);
  });

  it('that its worker was lost', async () => {
    const { lines, record, letters, ran } = await ending(() => 1, {
      options: { acksLate: false },
      prepare: ({ backend }: World) => backend.claim([claimed()]),
    });
    expect([ran, record?.status, letters]).toEqual([0, 'FAILURE', ['worker lost']]);
    expect(record?.meta).toContain('WorkerLostError');
    expect(lines).toEqual([
      ['error', expect.stringContaining('lost: The worker ended before'), expect.objectContaining({ taskId: ID })],
    ]);
  });

  it.each<[string, Run, string]>([
    ['hop limit', { body: envelope({ celeriac: { hops: MAX_HOPS + 1 } }) }, 'error'],
    ['expired', { body: envelope({ expires: new Date(START_MS).toISOString() }) }, 'info'],
  ])('%s', async (text, given, level) => {
    const { lines } = await ending(() => 1, given);
    expect(lines).toEqual([[level, expect.anything(), { task: 'job', taskId: ID, queue: 'default' }]]);
    expect(level === 'error').toBe(text === 'hop limit');
  });
});

describe('an outcome', () => {
  const link = { callbacks: [signature('next')], errbacks: null, chain: null, chord: null };
  /** Commits answer with these, one after another. */
  const committing = (...answers: (Error | false)[]) => {
    let at = 0;
    return (call: string, go: () => unknown): unknown => {
      if (call !== 'backend.commit') return go();
      const answer = answers[(at += 1) - 1];
      return answer === undefined ? go() : answer === false ? Promise.resolve([false]) : Promise.reject(answer);
    };
  };

  it('of a task that another delivery has taken over is dropped', async () => {
    const found = await ending(() => 1, { body: envelope({}, [], link), tap: committing(false) });
    expect([found.acked, found.shown, found.sent, found.letters]).toEqual([false, [], [], []]);
    expect(found.lines.at(-1)).toEqual([
      'warn',
      expect.stringContaining('another delivery took over'),
      expect.objectContaining({ taskId: ID }),
    ]);
  });

  it('that is not written now comes again, with nothing that follows', async () => {
    const found = await ending(() => 1, { body: envelope({}, [], link), tap: committing(passing()) });
    expect([found.acked, found.sent, calls(found, 'backend.commit'), calls(found, 'backend.release')]).toEqual([
      false,
      [],
      1,
      0,
    ]);
  });

  it('that is refused for good is the failure of its task', async () => {
    const found = await ending(() => 1, { body: envelope({}, [], link), tap: committing(denied()) });
    expect([found.acked, found.record?.status, found.sent]).toEqual([true, 'FAILURE', []]);
    expect(found.record?.meta).toContain('AccessDeniedException');
    expect(found.lines.filter(([level]) => level === 'error').map(([, text]) => text)).toEqual([
      expect.stringContaining('its outcome SUCCESS was refused: AccessDeniedException: denied'),
    ]);
    // Its handlers see it as it ran.
    expect(found.record?.finishedMs).toBe(START_MS);
  });

  it.each<[string, TaskOptions, boolean, number, (number | undefined)[]]>([
    ['of one that may run again is given back', { acksLate: true }, true, 1, []],
    // Until its lease ends.
    ['of one that may not keeps its claim', { acksLate: false }, false, 0, [63]],
  ])('that is refused as a failure too: the claim %s', async (_what, options, acked, releases, shown) => {
    const found = await ending(() => 1, { options, tap: committing(denied(), denied()) });
    expect([found.acked, calls(found, 'backend.release'), found.shown.length]).toEqual([acked, releases, shown.length]);
    if (acked) expect([found.record?.status, found.letters]).toEqual(['FAILURE', ['cannot be handled']]);
    else expect(found.shown[0]).toBeGreaterThan(60);
  });

  it('that is refused as a failure too, of a task that did not run: its claim is given back', async () => {
    const found = await ending(() => 1, {
      options: { acksLate: false },
      prepare: ({ backend }: World) => backend.claim([claimed()]),
      tap: committing(denied(), denied()),
    });
    expect([found.ran, calls(found, 'backend.release'), found.record?.status]).toEqual([0, 1, 'FAILURE']);
  });

  it('that is refused, and whose failure is not written now, comes again', async () => {
    const found = await ending(() => 1, { tap: committing(denied(), passing()) });
    expect([found.acked, calls(found, 'backend.release'), found.letters]).toEqual([false, 0, []]);
  });
});

describe('of a task that claims nothing', () => {
  const idempotent = { idempotent: true };

  it.each<[string, () => unknown, TaskOptions, number, string | undefined]>([
    ['a result is written once, at the end', () => 1, {}, 1, 'SUCCESS'],
    ['an error too', fail(new Error('x')), {}, 1, 'FAILURE'],
    ['no result that is ignored', () => 1, { ignoreResult: true }, 0, undefined],
  ])('%s', async (_what, run, options, writes, status) => {
    const found = await ending(run, { options: { ...idempotent, ...options } });
    expect([calls(found, 'backend.conclude'), found.record?.status, found.acked]).toEqual([writes, status, true]);
    expect([calls(found, 'backend.claim'), calls(found, 'backend.commit'), calls(found, 'backend.release')]).toEqual([
      0, 0, 0,
    ]);
  });

  it('a retry is written nowhere', async () => {
    const found = await ending((self) => self.retry({ countdown: 5 }), { options: idempotent });
    expect([calls(found, 'backend.conclude'), found.sent.length]).toEqual([0, 1]);
  });

  it('one that is given back is released nowhere', async () => {
    const found = await ending(fail(new Reject('later', { requeue: true })), { options: idempotent });
    expect([found.acked, calls(found, 'backend.release')]).toEqual([false, 0]);
  });

  it.each([
    ['it ended when it did so for the first time', true],
    ['now', false],
  ])('the history says: %s', async (_what, before) => {
    const finished = claimed({ nowMs: START_MS - 5000, status: 'SUCCESS' });
    const { app } = await ending(() => 1, {
      options: idempotent,
      prepare: ({ backend }: World) => (before ? backend.conclude([finished as never]) : undefined),
    });
    const [entry] = (await app.history.list()).entries;
    expect(entry?.endedAt).toEqual(new Date(before ? START_MS - 5000 : START_MS));
  });
});

describe('what was concluded', () => {
  const expired = { expires: new Date(START_MS).toISOString() };

  it('waits for a worker that runs it', async () => {
    const { shown, acked } = await ending(() => 1, {
      body: envelope(expired),
      prepare: ({ backend }: World) => backend.claim([claimed({ leaseMs: START_MS + 29_001 })]),
    });
    expect([acked, shown]).toEqual([false, [31]]);
  });

  it('passes the slot on that it was given', async () => {
    for (const slots of ['slots#next#', undefined]) {
      const { world } = await ending(() => 1, {
        body: envelope({ ...expired, ...(slots === undefined ? {} : { celeriac: { slots } }) }),
        prepare: ({ ports }: World) =>
          ports.slots?.write({
            key: 'slots#next#',
            put: new Map([[`${ID}#0`, { leaseMs: START_MS + 9, by: 'b' }]]),
            expiresAtSeconds: 0,
            when: {},
          }),
      });
      expect((await world.ports.slots?.read('slots#next#'))?.holders.size).toBe(slots === undefined ? 1 : 0);
    }
  });

  it.each([
    ['of the same attempt, is told again', 0, ['told']],
    ['of a later one, is not', 1, []],
  ])('before, %s', async (_what, attempt, letters) => {
    const settlement = JSON.stringify({ deadLetter: { reason: 'told', error: 'e', deliveries: 1 } });
    const found = await ending(() => 1, {
      body: envelope(expired),
      prepare: async ({ backend }: World) => {
        await backend.claim([claimed({ attempt })]);
        await backend.commit([{ ...claimed({ attempt }), status: 'FAILURE', final: true, settlement }]);
      },
    });
    expect([found.acked, found.letters]).toEqual([true, letters]);
  });

  it('before its task was opened again is told, and its chain goes on elsewhere', async () => {
    const settlement = JSON.stringify({ deadLetter: { reason: 'told', error: 'e', deliveries: 1 } });
    const meta = '{"status":"FAILURE","result":{"exc_type":"RangeError","exc_message":["no"]}}';
    const chain = { callbacks: null, errbacks: null, chain: [signature('next')], chord: null };
    const found = await ending(() => 1, {
      body: envelope({}, [], chain),
      prepare: async ({ backend }: World) => {
        await backend.claim([claimed()]);
        await backend.commit([{ ...claimed({ meta }), status: 'FAILURE', final: true, settlement }]);
        const past = JSON.stringify({ attempt: 0, status: 'FAILURE', meta, settlement, atMs: START_MS - 2 });
        const open = { ...claimed(), finishedMs: START_MS - 2, status: 'RETRY', past };
        expect(await backend.reopen(open as never)).toBe(true);
      },
    });
    expect([found.acked, found.letters, calls(found, 'backend.conclude'), found.ran]).toEqual([true, ['told'], 0, 0]);
  });
});

describe('a stored outcome', () => {
  const record = (more: Partial<TaskRecord>): TaskRecord => ({ id: ID, status: 'SUCCESS', meta: 'm', ...more });

  it.each<[string, Partial<TaskRecord>, object]>([
    [
      'that ran',
      { attempt: 2, owner: 'o', finishedMs: 9, startedMs: 5, deliveries: 3 },
      { attempt: 2, atMs: 9, startedMs: 5, deliveries: 3, lost: 2 },
    ],
    [
      'that ran, and was given back before',
      { attempt: 2, owner: 'o', finishedMs: 9, startedMs: 5, deliveries: 3, requeues: 1 },
      { attempt: 2, atMs: 9, startedMs: 5, deliveries: 3, lost: 1 },
    ],
    [
      'that nobody ran',
      { attempt: 2, finishedMs: 9, startedMs: 5, deliveries: 3 },
      { attempt: 2, atMs: 9, startedMs: undefined, deliveries: 3, lost: 2 },
    ],
    [
      'that was revoked before its next attempt',
      { attempt: 2, committed: 2, finishedMs: 9, revokedMs: 9 },
      { attempt: 3, atMs: 9 },
    ],
    ['that was revoked before its first', { finishedMs: 9, revokedMs: 9 }, { attempt: 0, atMs: 9 }],
    [
      'that was revoked, and ran to its end',
      { attempt: 1, owner: 'o', finishedMs: 9, revokedMs: 9 },
      { attempt: 1, atMs: 9 },
    ],
    ['that was revoked after its end', { attempt: 1, finishedMs: 9, revokedMs: 11 }, { attempt: 1, atMs: 9 }],
    ['that has not ended', { attempt: 1 }, { attempt: 1 }],
  ])('%s', (_what, fields, ended) => {
    expect(committedOf(record(fields)).ended).toEqual(ended);
  });

  it('is as it was stored, unless it is ignored', () => {
    expect(committedOf(record({ settlement: '{"value":1}', settledAttempt: 4 }))).toMatchObject({
      status: 'SUCCESS',
      meta: 'm',
      settlement: { value: 1 },
      again: true,
      settledAttempt: 4,
    });
    expect(committedOf(record({ ignored: true })).meta).toBeUndefined();
  });

  it('of an earlier attempt is told of that one alone', () => {
    const past = JSON.stringify({ attempt: 1, status: 'FAILURE', meta: 'm', settlement: '{"value":1}', atMs: 7 });
    expect(pastOf(record({ past }), 1)).toEqual({
      status: 'FAILURE',
      meta: 'm',
      settlement: { value: 1 },
      again: true,
      ended: { attempt: 1, atMs: 7 },
    });
    expect([pastOf(record({ past }), 0), pastOf(record({ past }), 2), pastOf(record({}), 1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('needs no more than what follows from it', () => {
    expect([writeSettlement({}), readSettlement(undefined), readSettlement('{}')]).toEqual([undefined, {}, {}]);
    expect(Object.keys(readSettlement('{}'))).toEqual([]);
    expect(readSettlement(writeSettlement({ value: null }))).toEqual({ value: null });
  });
});

describe('its document', () => {
  const chord = { callbacks: null, errbacks: null, chain: null, chord: signature('next') };

  it('is there for a chord, whatever its task ignores', async () => {
    const ignored = envelope({ ignore_result: true, group: 'g' }, [], chord);
    expect(documentOf(await ending(() => 7, { body: ignored }))).toMatchObject({ result: 7 });
    expect((await ending(() => 7, { body: envelope({ ignore_result: true }) })).record?.ignored).toBe(true);
  });

  it('has the time of its end, and a retry has none', async () => {
    expect(documentOf(await ending(() => 7))['date_done']).toContain('2030-01-01T00:00:00');
    expect(documentOf(await ending((self) => self.retry({ countdown: 9 })))['date_done']).toBeNull();
  });

  it('of a retry is hidden where results are ignored, and of an error it is not', async () => {
    const options = { ignoreResult: true, storeErrorsEvenIfIgnored: true };
    expect((await ending((self) => self.retry({ countdown: 9 }), { options })).record?.ignored).toBe(true);
    expect(documentOf(await ending(fail(new RangeError('x')), { options }))).toMatchObject({ status: 'FAILURE' });
    const hidden = await ending(fail(new RangeError('x')), {
      options: { ...options, storeErrorsEvenIfIgnored: false },
    });
    expect(hidden.record?.ignored).toBe(true);
  });

  it('names as children what follows from it', async () => {
    const embed = { callbacks: [signature('next')], errbacks: [signature('next')], chain: null, chord: null };
    const childrenOf = async (run: () => unknown): Promise<number> =>
      (documentOf(await ending(run, { body: envelope({}, [], embed) }))['children'] as unknown[]).length;
    expect([
      await childrenOf(() => 1),
      await childrenOf(fail(new Error('x'))),
      await childrenOf(fail(new Reject('x'))),
    ]).toEqual([1, 1, 0]);
  });

  it('of a reject shows where that was thrown', async () => {
    const { traceback } = documentOf(await ending(fail(new Reject('x')))) as { readonly traceback: string };
    expect(traceback).toContain('ends.test.ts');
    expect(traceback).not.toContain('outcome.ts');
  });
});

describe('what follows', () => {
  const links = (...callbacks: unknown[]): object => ({ callbacks, errbacks: null, chain: null, chord: null });
  const python = signature('proj.add', { options: { queue: 'celery' } } as never);

  it('and goes elsewhere is noted as sent, and not sent again', async () => {
    const body = envelope({}, [], links(python, signature('next')));
    const first = await ending(() => 1, { body });
    expect([first.sent.map(({ queue }) => queue), calls(first, 'backend.noteSettled')]).toEqual([
      ['celery', 'default'],
      1,
    ]);
    expect(first.record?.settledAttempt).toBe(0);
    for (const [settled, queues] of [
      [true, ['default']],
      [false, ['celery', 'default']],
    ] as const) {
      const again = await ending(() => 1, {
        body,
        prepare: async ({ backend }: World) => {
          await backend.claim([claimed()]);
          await backend.commit([
            { ...claimed(), meta: '{"status":"SUCCESS","result":1}', status: 'SUCCESS', final: true },
          ]);
          if (settled) await backend.noteSettled({ id: ID, attempt: 0 });
        },
      });
      expect([again.ran, again.sent.map(({ queue }) => queue)]).toEqual([0, queues]);
    }
  });

  it('and stays here is not noted', async () => {
    const found = await ending(() => 1, { body: envelope({}, [], links(signature('next'))) });
    expect([found.sent.length, calls(found, 'backend.noteSettled')]).toEqual([1, 0]);
    const alone = await ending(() => 1, { body: envelope({}, [], links(python)) });
    expect(calls(alone, 'backend.noteSettled')).toBe(1);
  });

  it('has one hop more, and stamps beside its own', async () => {
    const own = signature('next', { options: { stamped_headers: ['b', 'c'], b: 2, c: 3 } } as never);
    const stamped = { stamped_headers: ['a', 'b'], stamps: { a: 1, b: 1 }, celeriac: { hops: 3 } };
    const { sent } = await ending(() => 1, { body: envelope(stamped, [], links(own, signature('next'))) });
    expect(sent.map(({ message }) => message.celeriac.hops)).toEqual([4, 4]);
    const [first, second] = sent.map(({ message }) => message);
    expect(first?.stampedHeaders?.toSorted()).toEqual(['a', 'b', 'c']);
    expect(first?.stamps).toEqual({ a: 1, b: 2, c: 3 });
    expect([second?.stampedHeaders, second?.stamps]).toEqual([['a', 'b'], { a: 1, b: 1 }]);
    const plain = await ending(() => 1, { body: envelope({}, [], links(own, signature('next'))) });
    expect(plain.sent.map(({ message }) => message.stampedHeaders)).toEqual([['b', 'c'], null]);
    expect(plain.sent.map(({ message }) => message.embed.chain)).toEqual([null, null]);
  });

  it('is its chain, the steps after the next one with it', async () => {
    const chain = [signature('next', { options: { task_id: 'third' } } as never), signature('next'), signature('next')];
    const { sent } = await ending(() => 1, { body: envelope({}, [], { ...links(), chain }) });
    expect(sent.map(({ message }) => message.embed.chain?.length)).toEqual([2]);
  });

  it('and cannot be read has failed, and is in the history, where there is one', async () => {
    const broken = {
      ...signature('celery.chain', { options: { task_id: 'broken' } } as never),
      subtask_type: 'chain',
      kwargs: { tasks: 7 },
    };
    for (const history of ['all', 'off']) {
      const { app, acked, world } = await ending(() => 1, {
        body: envelope({}, [], links(broken)),
        settings: { history },
      });
      const [record] = await world.backend.get(['broken'], START_MS);
      expect([acked, record?.status]).toEqual([true, 'FAILURE']);
      const { entries } = await app.history.list();
      expect(entries.map(({ id, parentId }) => [id, parentId])).toEqual(
        history === 'off' ? [] : expect.arrayContaining([['broken', ID]]),
      );
    }
  });

  it("is the body of Celery's chord, which is closed when that is sent", async () => {
    const chord = { ...links(), chord: signature('next', { options: { task_id: 'body' } } as never) };
    const header = { group: 'g', group_index: 0, celeriac: { group: { size: 1, policy: 'byCelery' } } };
    const found = await ending(() => 1, {
      body: envelope(header, [], chord),
      prepare: ({ ports }: World) =>
        ports.celeryGroups?.define({
          groupId: 'g',
          memberIds: [ID],
          chord: true,
          nowMs: START_MS,
          expiresAtSeconds: START_MS / 1000 + 999,
        }),
    });
    expect(found.sent.map(({ message }) => [message.id, message.args])).toEqual([['body', [[1]]]]);
    const order = found.calls.filter((call) => call === 'broker.send' || call === 'celeryGroups.close');
    expect(order).toEqual(['broker.send', 'celeryGroups.close']);
  });
});

describe('a retry', () => {
  const queues = { default: { priorities: [0, 5] }, other: { priorities: [0, 5] } };

  it.each<[string, object, string, string]>([
    ['stays in its lane', {}, 'default-p5', 'default-p5'],
    ['stays in the first one', {}, 'default', 'default'],
    ['goes to that of its new priority', { priority: 7 }, 'default', 'default-p5'],
    ['goes to another queue', { queue: 'other' }, 'default', 'other'],
    ['goes to a lane of another queue', { queue: 'other', priority: 5 }, 'default-p5', 'other-p5'],
    ['of a lane goes to another one', { priority: 0 }, 'default-p5', 'default'],
  ])('%s', async (_what, options, from, to) => {
    const { sent } = await ending((self) => self.retry({ countdown: 5, ...options }), {
      settings: { queues },
      delivery: { queue: from },
    });
    expect(sent.map(({ queue, delaySeconds }) => [queue, delaySeconds])).toEqual([[to, 5]]);
  });

  it.each([
    ['all', START_MS],
    ['off', undefined],
  ])('tells when the attempt before it ended, with a history of %s', async (history, expected) => {
    const { sent } = await ending((self) => self.retry({ countdown: 5 }), { settings: { history } });
    expect(sent.map(({ message }) => message.celeriac['retried'])).toEqual([expected]);
  });

  it('keeps what no JSON of ours would have, and Python has: NaN', async () => {
    const body = envelope().replace('[[],{},{}]', '[[NaN],{},{}]');
    const { sent } = await ending((self) => self.retry({ countdown: 5 }), { body });
    expect(sent.map(({ message }) => message.args)).toEqual([[NaN]]);
  });

  it('that is too large to be stored until it is due is a failure, at once', async () => {
    const args = ['x'.repeat(500_000)];
    const found = await ending((self) => self.retry({ countdown: 2000, args }), { options: { maxRetries: 3 } });
    expect([found.acked, found.record?.status, found.timers]).toEqual([true, 'FAILURE', []]);
    expect(found.record?.meta).toContain('MessageTooLarge');
  });

  it.each([
    ['that is refused for now comes again', true, REFUSED_RECEIVES, false, 'RETRY'],
    ['that is refused for good fails, after some tries', false, REFUSED_RECEIVES, true, 'FAILURE'],
    ['that is refused for good is tried again at first', false, REFUSED_RECEIVES - 1, false, 'RETRY'],
  ])('%s', async (_what, retryable, receiveCount, acked, status) => {
    const found = await ending((self) => self.retry({ countdown: 5 }), {
      delivery: { receiveCount },
      tap: (call, go, args) =>
        call === 'broker.send' && (args[0] as { deadLetter?: boolean }[])[0]?.deadLetter !== true
          ? Promise.resolve([{ ok: false, code: 'No', message: 'no', retryable }])
          : go(),
    });
    expect([found.acked, found.record?.status, found.record?.attempt]).toEqual([acked, status, acked ? 1 : 0]);
    expect(found.letters).toEqual(acked ? ['cannot be handled'] : []);
  });
});
