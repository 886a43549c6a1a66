/** We send, a real Celery worker runs, and we read what became of it. */
import { Celeriac, group, silentLogger, TaskError, typed } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reasonWithoutCelery, Rig, versions } from './rig.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const reason = reasonWithoutCelery('messages of ours, run by Celery');

function newApp() {
  const app = new Celeriac('interop', {
    queues: { default: {}, celery: { external: true }, ordered: { fifo: true, external: true } },
    routes: { 'proj.*': 'celery' },
    logger: silentLogger,
  });
  const noted: unknown[][] = [];
  const note = app.task('math.note', (...args: unknown[]) => void noted.push(args));
  return {
    app,
    noted,
    note,
    add: app.remote<(x: number, y: number) => number>('proj.add', { queue: 'celery' }),
    xsum: app.remote<(values: readonly number[]) => number>('proj.xsum'),
    echo: app.remote<(...args: unknown[]) => unknown>('proj.echo'),
    kinds: app.remote<(values: readonly unknown[]) => string[]>('proj.kinds'),
    typedValues: app.remote<() => Record<string, unknown>>('proj.typed'),
    fail: app.remote<(kind: string, ...args: unknown[]) => never>('proj.fail'),
    flaky: app.remote<(times: number) => [number, string]>('proj.flaky'),
    request: app.remote<() => Record<string, unknown>>('proj.request'),
    at: app.remote<() => number>('proj.at'),
  };
}

describe.skipIf(reason !== undefined)(
  `we send, Celery runs (${reason === undefined ? versions() : 'no Celery'})`,
  () => {
    const { app, noted, note, add, xsum, echo, kinds, typedValues, fail, flaky, request, at } = newApp();
    let rig: Rig;
    beforeAll(async () => {
      rig = await Rig.start(app, {
        workerQueues: ['celery', 'ordered.fifo'],
        sweepEvery: 1,
        environment: { RESULT_EXTENDED: '1' },
      });
    });
    afterAll(() => rig.stop());

    it('a call, and what its result says', async () => {
      const result = await add.delay(2, 3);
      expect(await result.get({ timeout: PATIENCE_SECONDS })).toBe(5);
      expect(await result.state()).toBe('SUCCESS');
      expect(await result.successful()).toBe(true);
      expect(await result.traceback()).toBeUndefined();
      expect((await result.dateDone())?.getTime()).toBeGreaterThan(app.clock.nowMs() - 20_000);
    });

    it('what Celery stores with result_extended', async () => {
      const result = await add.applyAsync([2, 3]);
      await result.get({ timeout: PATIENCE_SECONDS });
      expect(await result.name()).toBe('proj.add');
      expect(await result.args()).toEqual([2, 3]);
      expect(await result.kwargs()).toEqual({});
      expect(await result.worker()).toMatch(/^celery@/);
      expect(await result.retries()).toBe(0);
      expect(await result.queue()).toBe('celery');
    });

    it('by name, with keyword arguments', async () => {
      const result = await app.send('proj.echo', [1], { kwargs: { name: 'x' } });
      expect(await result.get({ timeout: PATIENCE_SECONDS })).toEqual([[1], { name: 'x' }]);
    });

    it('types that JSON has not, both ways', async () => {
      const values = [
        new Date('2030-01-02T03:04:05.678Z'),
        new Uint8Array([255]),
        typed.decimal('12.30'),
        typed.date('2030-01-31'),
        typed.time('07:30:00'),
        typed.uuid('9ecb6b1e-3f0a-4a3c-8f5c-0d5a2f6f6f10'),
      ];
      const result = await kinds.delay(values);
      expect(await result.get({ timeout: PATIENCE_SECONDS })).toEqual([
        'datetime',
        'bytes',
        'Decimal',
        'date',
        'time',
        'UUID',
      ]);
      expect(await (await typedValues.delay()).get({ timeout: PATIENCE_SECONDS })).toEqual({
        when: new Date('2030-01-02T03:04:05.678Z'),
        day: '2030-01-02',
        price: '12.30',
        id: '00000000-0000-4000-8000-000000000001',
        bytes: new TextEncoder().encode('café'),
        raw: new Uint8Array([255, 0]),
        nan: Number.NaN,
      });
    });

    it('countdown: not run early', async () => {
      const sentMs = app.clock.nowMs();
      const result = await at.applyAsync([], { countdown: 2 });
      const ranMs = (await result.get({ timeout: PATIENCE_SECONDS })) * 1000;
      expect(ranMs).toBeGreaterThanOrEqual(sentMs + 1990);
      // Another zone would be half an hour off at least.
      expect(ranMs).toBeLessThan(sentMs + 1_500_000);
    });

    it('on a FIFO queue: a timer, sent when it is due', async () => {
      const sentMs = app.clock.nowMs();
      const result = await at.applyAsync([], { countdown: 2, queue: 'ordered' });
      expect((await result.get({ timeout: PATIENCE_SECONDS })) * 1000).toBeGreaterThanOrEqual(sentMs + 1990);
    });

    it('expired: revoked, and not run', async () => {
      const result = await add.applyAsync([1, 1], { expires: new Date('2020-01-01') });
      await expect(result.get({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({
        name: 'TaskRevokedError',
        message: 'expired',
      });
      expect(await result.state()).toBe('REVOKED');
    });

    it('its exceptions, with the name, arguments and stack', async () => {
      const result = await fail.delay('ValueError', 'boom');
      await expect(result.get({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({
        name: 'ValueError',
        message: 'boom',
      });
      expect(await result.traceback()).toMatch(/File ".*celeryapp\.py", line \d+, in fail/);
      const error = await (
        await fail.delay('OutOfStock', 'shoes', 3)
      ).get({ timeout: PATIENCE_SECONDS, propagate: false });
      expect(error).toBeInstanceOf(TaskError);
      expect(error).toMatchObject({ name: 'OutOfStock', args: ['shoes', 3], module: 'proj.celeryapp' });
    });

    it('an unknown task', async () => {
      const result = await app.send('proj.nothing');
      await expect(result.get({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({ name: 'NotRegistered' });
    });

    it('retries, to the queue it came from', async () => {
      expect(await (await flaky.delay(2)).get({ timeout: PATIENCE_SECONDS })).toEqual([2, 'celery']);
      expect(
        await (await flaky.applyAsync([1], { queue: 'ordered', groupKey: 'a' })).get({ timeout: PATIENCE_SECONDS }),
      ).toEqual([1, 'ordered.fifo']);
    });

    it('what the worker is told', async () => {
      const result = await request
        .signature([], {
          headers: { 'x-trace': 't1' },
          shadow: 'shown',
          argsrepr: '(<secret>)',
          timeLimit: 30,
          softTimeLimit: 20,
          priority: 3,
        })
        .stamp({ tenant: 'a' })
        .delay();
      expect(await result.get({ timeout: PATIENCE_SECONDS })).toMatchObject({
        id: result.id,
        root_id: result.id,
        parent_id: null,
        headers: { 'x-trace': 't1' },
        shadow: 'shown',
        argsrepr: '(<secret>)',
        timelimit: [30, 20],
        stamps: { tenant: 'a' },
        lang: 'js',
        retries: 0,
        delivery_info: { exchange: '', routing_key: 'celery', priority: 3 },
      });
    });

    it('links and error links of ours', async () => {
      await add.applyAsync([1, 2], { link: note.s('linked') });
      await expect.poll(() => noted).toContainEqual([3, 'linked']);
      const failed = await fail.applyAsync(['ValueError'], { linkError: note.s('failed') });
      await expect.poll(() => noted).toContainEqual([failed.id, 'failed']);
    });

    it('links of Python’s on a task of ours', async () => {
      const seen = app.remote<(value: unknown, what: string) => void>('proj.seen');
      await note.applyAsync(['x'], { link: seen.s('from us') });
      await expect.poll(() => rig.notes()).toContain('seen None from us');
    });

    it('children of a task in Python', async () => {
      const result = await add.applyAsync([1, 2], { link: [note.s('a'), note.s('b')] });
      await result.get({ timeout: PATIENCE_SECONDS });
      await expect.poll(async () => (await result.children()).length).toBe(2);
    });

    it('a group of tasks there', async () => {
      const result = await group([1, 2, 3].map((value) => add.s(value, value))).delay();
      expect(await result.join({ timeout: PATIENCE_SECONDS })).toEqual([2, 4, 6]);
      expect(await result.progress()).toEqual({ total: 3, done: 3, failed: 0 });
      const mixed = await group([add.s(1, 1), fail.s('ValueError')]).delay();
      await expect(mixed.join({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({ name: 'ValueError' });
      await expect.poll(() => mixed.progress()).toEqual({ total: 2, done: 2, failed: 1 });
    });

    it('a group stored here is restored in Python', async () => {
      const result = await group([1, 2].map((value) => add.s(value, value))).delay();
      await result.save();
      const restored = `GroupResult.restore('${result.id}', app=app)`;
      expect(await rig.ask(`${restored}.get(timeout=150)`)).toEqual([2, 4]);
      expect(await (await app.groupResult(result.id))?.join({ timeout: PATIENCE_SECONDS })).toEqual([2, 4]);
    });

    it('map, starmap and chunks', async () => {
      expect(await (await xsum.map([[1, 2], [3]]).delay()).get({ timeout: PATIENCE_SECONDS })).toEqual([3, 3]);
      const pairs = [
        [1, 1],
        [2, 2],
        [3, 3],
      ] as const;
      expect(await (await add.starmap(pairs).delay()).get({ timeout: PATIENCE_SECONDS })).toEqual([2, 4, 6]);
      expect(await (await add.chunks(pairs, 2).delay()).join({ timeout: PATIENCE_SECONDS })).toEqual([[2, 4], [6]]);
      expect(await (await echo.delay(1, 'a')).get({ timeout: PATIENCE_SECONDS })).toEqual([[1, 'a'], {}]);
    });

    it('waits for nobody: an unknown queue, a queue of ours, a call without a queue', async () => {
      expect(() => app.remote('proj.x', { queue: 'default' })).toThrow('has its worker here');
      await expect(app.remote('elsewhere.task').delay()).rejects.toThrow('has its worker here');
      expect(() => (add as unknown as (x: number) => number)(1)).toThrow('runs elsewhere');
    });
  },
);
