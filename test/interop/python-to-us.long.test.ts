/** Real Celery sends, our workers run, and Celery reads what became of it. */
import { Celeriac, currentTask, silentLogger, TaskError } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { actAs, OPERATOR } from '../../lib/local/actors.ts';
import { celeryVersion, reasonWithoutCelery, Rig, versions } from './rig.ts';
import { dueTimers } from '../support/due-timers.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const reason = reasonWithoutCelery('messages of Celery, run here');

class QuotaExceeded extends Error {
  override name = 'QuotaExceeded';
}

function newApp() {
  const app = new Celeriac('interop', {
    queues: { default: {}, 'blog.mail': {}, orders: { fifo: true } },
    logger: silentLogger,
  });
  const runs: { id: string; atMs: number }[] = [];
  const noted: unknown[][] = [];
  const released = Promise.withResolvers<undefined>();
  app.task('math.add', { params: ['x', 'y'] }, (x: number, y: number) => {
    runs.push({ id: currentTask().request.id, atMs: app.clock.nowMs() });
    return x + y;
  });
  app.task('math.xsum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0));
  app.task('math.echo', (...args: unknown[]) => args);
  app.task('math.kinds', (values: readonly unknown[]) => values.map(kindOf));
  app.task('math.typed', () => ({
    when: new Date('2030-01-02T03:04:05.678Z'),
    raw: new Uint8Array([255, 0]),
    text: 'café',
  }));
  app.task('math.request', { bind: true }, (self) => {
    const { id, rootId, parentId, groupId, headers, stamps, argsrepr, shadow, priority } = self.request;
    return { id, rootId, parentId, groupId, headers, stamps, argsrepr, shadow, priority };
  });
  app.task('blog.flaky', { bind: true, maxRetries: 5 }, (self, times: number) => {
    if (self.request.retries < times) throw self.retry({ countdown: 0, exc: new RangeError('again') });
    return [self.request.retries, self.request.deliveryInfo.queue];
  });
  app.task('math.fail', (kind: string) => {
    if (kind === 'RangeError') throw new RangeError('out of range');
    if (kind === 'TypeError') throw new TypeError('no such type');
    if (kind === 'OutOfStock') throw new TaskError('OutOfStock', ['shoes', 3], 'proj.celeryapp');
    throw new QuotaExceeded('too much');
  });
  app.task('math.note', (...args: unknown[]) => void noted.push(args));
  app.task('math.parent', async () => (await app.send('math.add', [1, 1])).id);
  app.task('math.progress', { bind: true }, async (self) => {
    await self.updateState('PROGRESS', { done: 3, total: 7 });
    await released.promise;
    return 'done';
  });
  return { app, runs, noted, released };
}

function kindOf(value: unknown): string {
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  return `${typeof value} ${String(value)}`;
}

const get = (code: string): string => `${code}.get(timeout=150, interval=0.1)`;

describe.skipIf(reason !== undefined)(
  `Celery sends, we run (${reason === undefined ? versions() : 'no Celery'})`,
  () => {
    const { app, runs, noted, released } = newApp();
    let rig: Rig;
    const ask = <T = unknown>(code: string): Promise<T> => rig.ask<T>(code);
    beforeAll(async () => {
      rig = await Rig.start(app, { sweepEvery: 1 });
    });
    afterAll(() => rig.stop());

    it('a call, and what its result says', async () => {
      await ask("let r = remote('math.add').delay(2, 3)");
      expect(await ask(get('r'))).toBe(5);
      expect(await ask('[r.state, r.successful(), r.ready(), r.result, r.traceback, r.children]')).toEqual([
        'SUCCESS',
        true,
        true,
        5,
        null,
        [],
      ]);
      expect(await ask('type(r.date_done).__name__')).toBe('datetime');
    });

    it('keyword arguments, in their places or as one object', async () => {
      expect(await ask(get("remote('math.add').apply_async(kwargs={'y': 10, 'x': 1})"))).toBe(11);
      expect(await ask(get("remote('math.echo').apply_async((1,), {'a': 2})"))).toEqual([1, { a: 2 }]);
    });

    it('countdown: not run early', async () => {
      await ask("let late = remote('math.add').apply_async((1, 1), countdown=2)");
      const sentMs = app.clock.nowMs();
      expect(await ask(get('late'))).toBe(2);
      const id = await ask<string>('late.id');
      const run = runs.find((each) => each.id === id);
      expect(run?.atMs).toBeGreaterThan(sentMs + 1500);
      // Another zone would be half an hour off at least.
      expect(run?.atMs).toBeLessThan(sentMs + 1_500_000);
    });

    it('an ETA in the far future becomes a timer', async () => {
      const id = await ask<string>("remote('math.add').apply_async((1, 1), countdown=7200).id");
      const { timers } = await app.ports();
      const stored = async (): Promise<boolean> =>
        (await actAs(OPERATOR, () => dueTimers(timers, app.clock.nowMs() + 7_300_000))).some(
          (timer) => timer.id === id,
        );
      await expect.poll(stored).toBe(true);
      expect(runs.map((run) => run.id)).not.toContain(id);
    });

    it('an eta with an offset, and one without, which is UTC', async () => {
      const aware = 'datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))';
      expect(await ask(get(`remote('math.add').apply_async((1, 2), eta=${aware})`))).toBe(3);
      const naive = 'datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)';
      expect(await ask(get(`remote('math.add').apply_async((1, 3), eta=${naive})`))).toBe(4);
    });

    it('expired: revoked, and not run', async () => {
      await ask("let old = remote('math.add').apply_async((1, 1), expires=datetime.datetime(2020, 1, 1))");
      await expect(ask(get('old'))).rejects.toMatchObject({
        name: 'TaskRevokedError',
        message: 'expired',
        module: 'celery.exceptions',
      });
      expect(await ask('old.state')).toBe('REVOKED');
      const id = await ask<string>('old.id');
      expect(runs.map((run) => run.id)).not.toContain(id);
    });

    it('types that JSON has not', async () => {
      const values = [
        'datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)',
        'datetime.date(2030, 1, 2)',
        'datetime.time(7, 30)',
        "decimal.Decimal('12.30')",
        "uuid.UUID('00000000-0000-4000-8000-000000000001')",
        "b'caf\\xc3\\xa9'",
        "b'\\xff\\x00'",
        "float('nan')",
        "float('-inf')",
      ];
      expect(await ask(get(`remote('math.kinds').delay([${values.join(', ')}])`))).toEqual([
        'Date 2030-01-02T03:04:05.000Z',
        'string 2030-01-02',
        'string 07:30:00',
        'string 12.30',
        'string 00000000-0000-4000-8000-000000000001',
        'bytes 636166c3a9',
        'bytes ff00',
        'number NaN',
        'number -Infinity',
      ]);
      await ask("let made = remote('math.typed').delay().get(timeout=150)");
      expect(
        await ask(
          "[made['when'] == datetime.datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc), made['raw'] == b'\\xff\\x00', made['text']]",
        ),
      ).toEqual([true, true, 'café']);
    });

    it('NaN survives being deferred', async () => {
      expect(await ask(get("remote('math.kinds').apply_async(([float('nan'), 1],), countdown=1)"))).toEqual([
        'number NaN',
        'number 1',
      ]);
    });

    it('headers, stamps, shown arguments, shadow, priority', async () => {
      await ask("let stamped = remote('math.request').set(shadow='shown', argsrepr='(<secret>)')");
      await ask("stamped.stamp(tenant='a')");
      expect(await ask(get("stamped.apply_async(headers={'x-trace': 't1'}, priority=5)"))).toMatchObject({
        headers: { 'x-trace': 't1' },
        stamps: { tenant: 'a' },
        shadow: 'shown',
        priority: 5,
        argsrepr: '(<secret>)',
        parentId: null,
        groupId: null,
      });
    });

    it('retries, to the queue it came from', async () => {
      await ask("let flaky_one = remote('blog.flaky').delay(2)");
      expect(await ask(get('flaky_one'))).toEqual([2, 'blog.mail']);
      expect(await ask(get("remote('blog.flaky').apply_async((1,), queue='orders.fifo', MessageGroupId='a')"))).toEqual(
        [1, 'orders'],
      );
    });

    it('our exceptions are Python’s, by the same name, with the stack', async () => {
      await ask("let failing = remote('math.fail').delay('RangeError')");
      await expect(ask(get('failing'))).rejects.toMatchObject({ name: 'RangeError', message: 'out of range' });
      expect(await ask('[failing.state, failing.failed(), type(failing.result).__name__]')).toEqual([
        'FAILURE',
        true,
        'RangeError',
      ]);
      expect(await ask<string>('failing.traceback')).toMatch(
        /^RangeError: out of range\n {4}at .*python-to-us\.long\.test\.ts/,
      );
      await expect(ask(get("remote('math.fail').delay('TypeError')"))).rejects.toMatchObject({
        name: 'TypeError',
        module: 'builtins',
      });
      await expect(ask(get("remote('math.fail').delay('other')"))).rejects.toMatchObject({
        name: 'QuotaExceeded',
        message: 'too much',
      });
    });

    it('an exception of Python’s own, thrown here', async () => {
      await ask("let sold = remote('math.fail').delay('OutOfStock')");
      expect(
        await ask('[until(sold.ready), isinstance(sold.result, celeryapp.OutOfStock), list(sold.result.args)]'),
      ).toEqual([true, true, ['shoes', 3]]);
    });

    it.each(['zlib', 'brotli', 'zstd'])('compressed with %s, deferred too', async (compression) => {
      const text = 'x'.repeat(20_000);
      await ask(`let packed = remote('math.echo').apply_async(("x" * 20000,), compression='${compression}')`);
      expect(await ask(get('packed'))).toEqual([text]);
      const later = `remote('math.echo').apply_async(("later",), compression='${compression}', countdown=1)`;
      expect(await ask(get(later))).toEqual(['later']);
    });

    it.each([
      ['bzip2', "compression='bzip2'", /compression is 'application\/x-bz2'/],
      ['pickle', "serializer='pickle'", /never pickle/],
      ['yaml', "serializer='yaml'", /application\/json is expected/],
    ])('%s is a dead letter that says why', async (_what, option, error) => {
      await ask(`remote('math.add').apply_async((1, 1), ${option}) and None`);
      const found = async (): Promise<boolean> =>
        (await rig.cloud.deadLetters()).some(({ attributes }) => error.test(String(attributes['error'])));
      await expect.poll(found).toBe(true);
    });

    it('protocol 1', async () => {
      await ask('protocol(1)');
      try {
        expect(await ask(get("remote('math.add').apply_async((1,), {'y': 5})"))).toBe(6);
        expect(await ask(get("remote('math.add').apply_async((1, 6), countdown=1)"))).toBe(7);
      } finally {
        await ask('protocol(2)');
      }
    });

    it('links and error links', async () => {
      await ask(get("remote('math.add').apply_async((1, 2), link=remote('math.note').clone(('linked',)))"));
      await expect.poll(() => noted).toContainEqual([3, 'linked']);
      await ask(
        "let broken = remote('math.fail').apply_async(('other',), link_error=remote('math.note').clone(('failed',)))",
      );
      const id = await ask('broken.id');
      await expect.poll(() => noted).toContainEqual([id, 'failed']);
    });

    it('children, the tree below a task', async () => {
      await ask("let tree = remote('math.parent').apply_async(link=remote('math.note').clone(('child',)))");
      const sent = await ask<string>(get('tree'));
      const ids = await ask<string[]>('[child.id for child in tree.children]');
      expect(ids).toHaveLength(2);
      expect(ids[0]).toBe(sent);
      expect(await ask(get('tree.children[0]'))).toBe(2);
    });

    it('a state of its own', async () => {
      await ask("let slow = remote('math.progress').delay()");
      expect(await ask("until(lambda: slow.state == 'PROGRESS') and slow.info")).toEqual({ done: 3, total: 7 });
      released.resolve(undefined);
      expect(await ask(get('slow'))).toBe('done');
    });

    it('forgotten results are gone', async () => {
      await ask("let gone = remote('math.add').delay(1, 1)");
      await ask(get('gone'));
      await ask('gone.forget()');
      expect(await ask('AsyncResult(gone.id, app=app).state')).toBe('PENDING');
    });

    it('a chain, a group, a chord of ours, made in Python', async () => {
      expect(await ask(get("chain(remote('math.add').clone((1, 2)), remote('math.add').clone((10,)))()"))).toBe(13);
      await ask("let many = group(remote('math.add').clone((i, i)) for i in range(5))()");
      expect(await ask(get('many'))).toEqual([0, 2, 4, 6, 8]);
      expect(await ask('[many.completed_count(), many.ready(), many.successful()]')).toEqual([5, true, true]);
      expect(await ask(get("chord([remote('math.add').clone((i, i)) for i in range(3)])(remote('math.xsum'))"))).toBe(
        6,
      );
    });

    // An older one polls for it in the default queue of Celery, where a worker in Python does it.
    it.skipIf(celeryVersion() < 5.4)('a chord of ours with a chain after it, made in Python', async () => {
      expect(
        await ask(
          get(
            "chain(group(remote('math.add').clone((i, 1)) for i in range(3)), remote('math.xsum'), remote('math.add').clone((100,)))()",
          ),
        ),
      ).toBe(106);
    });

    it('a chord of ours that fails, made in Python', async () => {
      const header = "[remote('math.add').clone((1, 1)), remote('math.fail').clone(('RangeError',))]";
      await ask(`let bad = chord(${header})(remote('math.xsum').on_error(remote('math.note').clone(('chord',))))`);
      // Followed to its parents, the result of a chord raises what the member did.
      await expect(ask(get('bad'))).rejects.toMatchObject({ name: 'RangeError' });
      await expect(ask(get('AsyncResult(bad.id, app=app)'))).rejects.toMatchObject({
        name: 'ChordError',
        message: expect.stringContaining('RangeError'),
      });
      const body = await ask('bad.id');
      await expect.poll(() => noted).toContainEqual([body, 'chord']);
    });

    it('a group stored in Python is read here, and one stored here in Python', async () => {
      await ask("let kept = group(remote('math.add').clone((i, i)) for i in range(3))()");
      await ask('kept.save() and None');
      const id = await ask<string>('kept.id');
      const result = await app.groupResult(id);
      expect(await result?.join({ timeout: PATIENCE_SECONDS })).toEqual([0, 2, 4]);
      expect(await result?.progress()).toEqual({ total: 3, done: 3, failed: 0 });
      expect(
        await ask('[r.id for r in GroupResult.restore(kept.id, app=app).results] == [r.id for r in kept.results]'),
      ).toBe(true);
    });
  },
);
