/** Chains, groups and chords whose tasks run partly here and partly in a real Celery worker, made on either side. */
import { Celeriac, chain, chord, group, silentLogger, typed } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { celeryVersion, reasonWithoutCelery, Rig, versions } from './rig.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const reason = reasonWithoutCelery('canvas of both sides');

function newApp() {
  const app = new Celeriac('interop', {
    queues: { default: {}, celery: { external: true } },
    routes: { 'proj.*': 'celery' },
    logger: silentLogger,
  });
  const noted: unknown[][] = [];
  const runs: unknown[][] = [];
  const counted = <A extends unknown[], R>(name: string, run: (...args: A) => R) =>
    app.task(name, (...args: A) => {
      runs.push([name, ...args]);
      return run(...args);
    });
  return {
    app,
    noted,
    runs,
    ours: {
      add: counted('math.add', (x: number, y: number) => x + y),
      xsum: counted('math.xsum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0)),
      list: counted('math.list', (values: readonly unknown[]) => values),
      fail: app.task('math.fail', (): number => {
        throw new RangeError('ours');
      }),
      note: app.task('math.note', (...args: unknown[]) => void noted.push(args)),
      price: app.task('math.price', () => typed.decimal('1.50')),
      kind: app.task('math.kind', (value: unknown) => (value instanceof Date ? 'Date' : typeof value)),
    },
    theirs: {
      add: app.remote<(x: number, y: number) => number>('proj.add'),
      xsum: app.remote<(values: readonly number[]) => number>('proj.xsum'),
      fail: app.remote<(kind: string) => number>('proj.fail'),
      kinds: app.remote<(values: readonly unknown[]) => string[]>('proj.kinds'),
      echo: app.remote<(...args: unknown[]) => unknown>('proj.echo'),
    },
  };
}

const WAIT = { timeout: PATIENCE_SECONDS };

describe.skipIf(reason !== undefined)(`both sides (${reason === undefined ? versions() : 'no Celery'})`, () => {
  const { app, noted, runs, ours, theirs } = newApp();
  let rig: Rig;
  const ask = <T = unknown>(code: string): Promise<T> => rig.ask<T>(code);
  beforeAll(async () => {
    rig = await Rig.start(app, { workerQueues: ['celery'], sweepEvery: 1 });
  });
  afterAll(() => rig.stop());

  describe('chains made here', () => {
    it('ours, then theirs, then ours', async () => {
      const result = await chain(ours.add.s(1, 2), theirs.add.s(10), ours.add.s(100)).delay();
      expect(await result.get(WAIT)).toBe(113);
    });

    it('theirs, then ours, then theirs', async () => {
      const result = await chain(theirs.add.s(1, 2), ours.add.s(10), theirs.add.s(100)).delay();
      expect(await result.get(WAIT)).toBe(113);
    });

    it('that fails there: what follows here fails with its error', async () => {
      const result = await chain(theirs.fail.s('ValueError'), ours.add.s(1)).delay();
      await expect(result.get(WAIT)).rejects.toMatchObject({ name: 'ValueError', message: 'boom' });
      expect(await result.state()).toBe('FAILURE');
    });

    it('that fails here: what follows there fails with its error', async () => {
      const result = await chain(ours.fail.s(), theirs.add.s(1)).delay();
      await expect(result.get(WAIT)).rejects.toMatchObject({ name: 'RangeError', message: 'ours' });
      await expect(ask(`AsyncResult('${result.id}', app=app).get(timeout=150, interval=0.1)`)).rejects.toMatchObject({
        name: 'RangeError',
      });
    });

    it.each([false, true])('a Decimal of ours is one there (ignoreResult: %s)', async (ignoreResult) => {
      const first = ours.price.signature([], { ignoreResult });
      const result = await chain(first, theirs.echo.s()).delay();
      await result.get(WAIT);
      const shown = `repr(AsyncResult('${result.id}', app=app).result[0])`;
      expect(await ask(shown)).toBe("[Decimal('1.50')]");
      if (!ignoreResult)
        expect(await ask(`repr(AsyncResult('${result.parent?.id}', app=app).result)`)).toBe("Decimal('1.50')");
    });

    it('that end in a group', async () => {
      const result = await chain(theirs.add.s(1, 1), group([ours.add.s(1), theirs.add.s(2)])).delay();
      expect(await result.join(WAIT)).toEqual([3, 4]);
    });
  });

  describe('chains made in Python', () => {
    it('ours, then theirs, then ours', async () => {
      await ask("let c1 = chain(remote('math.add').clone((1, 2)), add.s(10), remote('math.add').clone((100,)))()");
      expect(await ask('c1.get(timeout=150, interval=0.1)')).toBe(113);
    });

    it('theirs, then ours, then theirs', async () => {
      await ask("let c2 = chain(add.s(1, 2), remote('math.add').clone((10,)), add.s(100))()");
      expect(await ask('c2.get(timeout=150, interval=0.1)')).toBe(113);
    });

    it('types of theirs pass through a step of ours', async () => {
      const code =
        "chain(remote('math.add').clone((1, 2)), echo.s(decimal.Decimal('1.50'), datetime.date(2030, 1, 2), datetime.datetime(2030, 1, 2, 3, 4), 2**70))()";
      await ask(`let c3 = ${code}`);
      expect(await ask('[repr(value) for value in c3.get(timeout=150, interval=0.1)[0]]')).toEqual([
        '3',
        "Decimal('1.50')",
        'datetime.date(2030, 1, 2)',
        'datetime.datetime(2030, 1, 2, 3, 4)',
        '1180591620717411303424',
      ]);
    });
  });

  const MIXED = [
    { name: 'ours and theirs', header: () => [ours.add.s(1, 1), theirs.add.s(2, 2)], values: [2, 4] },
    { name: 'theirs and ours', header: () => [theirs.add.s(1, 1), ours.add.s(2, 2)], values: [2, 4] },
    { name: 'theirs alone', header: () => [theirs.add.s(1, 1), theirs.add.s(2, 2)], values: [2, 4] },
    { name: 'ours alone', header: () => [ours.add.s(1, 1), ours.add.s(2, 2)], values: [2, 4] },
    {
      name: 'chains of both',
      header: () => [chain(ours.add.s(1, 1), theirs.add.s(1)), chain(theirs.add.s(2, 2), ours.add.s(2))],
      values: [3, 6],
    },
    {
      name: 'many of both',
      header: () => Array.from({ length: 12 }, (_, index) => (index % 2 ? ours : theirs).add.s(index, index)),
      values: Array.from({ length: 12 }, (_, index) => 2 * index),
    },
  ];

  // Chords of both sides that we compile need Celery's counter, which an older one has not on DynamoDB: it polls.
  describe.skipIf(celeryVersion() < 5.4)('chords made here', () => {
    it.each(MIXED)('$name, with a body here', async ({ header, values }) => {
      const before = runs.filter(([name]) => name === 'math.list').length;
      const result = await chord(header(), ours.list.s()).delay();
      expect(await result.get(WAIT)).toEqual(values);
      expect(runs.filter(([name]) => name === 'math.list').slice(before)).toEqual([['math.list', values]]);
    });

    it.each(MIXED)('$name, with a body there', async ({ header, values }) => {
      const result = await chord(header(), theirs.xsum.s()).delay();
      expect(await result.get(WAIT)).toBe(values.reduce((total, value) => total + value, 0));
    });

    it.each([
      ['theirs fails', () => [ours.add.s(1, 1), theirs.fail.s('ValueError')], 'ValueError'],
      ['ours fails', () => [ours.fail.s(), theirs.add.s(1, 1)], 'RangeError'],
    ])('%s: the body fails, its error link is called', async (name, header, error) => {
      const result = await chord(header(), ours.xsum.s().onError(ours.note.s(name))).delay();
      await expect(result.get(WAIT)).rejects.toMatchObject({
        name: 'ChordError',
        message: expect.stringContaining(error),
      });
      await expect.poll(() => noted).toContainEqual([result.id, name]);
      const there = await chord(header(), theirs.xsum.s()).delay();
      await expect(there.get(WAIT)).rejects.toMatchObject({ name: 'ChordError' });
    });

    it('an expired member counts as failed', async () => {
      const expired = theirs.add.signature([1, 1], { expires: new Date('2020-01-01') });
      const result = await chord([ours.add.s(1, 1), expired], ours.xsum.s()).delay();
      await expect(result.get(WAIT)).rejects.toMatchObject({ name: 'ChordError' });
    });

    it('in a chain, and the rest after it', async () => {
      const result = await chain(
        ours.add.s(1, 1),
        group([theirs.add.s(1), ours.add.s(2)]),
        theirs.xsum.s(),
        ours.add.s(100),
      ).delay();
      expect(await result.get(WAIT)).toBe(107);
    });

    it('after a step there', async () => {
      const result = await chain(theirs.add.s(1, 1), group([theirs.add.s(1), ours.add.s(2)]), ours.xsum.s()).delay();
      expect(await result.get(WAIT)).toBe(7);
    });

    it('types of theirs reach a body of theirs', async () => {
      const values = app.remote<() => unknown>('proj.typed');
      const result = await chord([values.s(), ours.kind.s(1)], theirs.echo.s()).delay();
      const [[[made]]] = (await result.get(WAIT)) as [[[Record<string, unknown>]]];
      expect(made['price']).toBe('12.30');
      const raw = await ask(
        `[type(v).__name__ for v in AsyncResult('${result.id}', app=app).result[0][0][0].values()]`,
      );
      expect(raw).toEqual(['datetime', 'date', 'Decimal', 'UUID', 'bytes', 'bytes', 'float']);
    });

    it('refuses a policy that Celery does not know', async () => {
      const sig = chord([ours.add.s(1, 1), theirs.add.s(1, 1)], ours.kind.s(), { policy: 'settled' });
      await expect(sig.delay()).rejects.toThrow("policy 'settled' given for a header with tasks that run elsewhere");
    });
  });

  describe('chords made in Python', () => {
    const HEADERS = {
      'ours and theirs': "[remote('math.add').clone((1, 1)), add.s(2, 2)]",
      'theirs and ours': "[add.s(2, 2), remote('math.add').clone((1, 1))]",
      'ours alone': "[remote('math.add').clone((1, 1)), remote('math.add').clone((2, 2))]",
      'chains of both':
        "[chain(remote('math.add').clone((1, 0)), add.s(1)), chain(add.s(1, 1), remote('math.add').clone((2,)))]",
    };
    it.each(Object.entries(HEADERS))('%s, with a body here', async (_name, header) => {
      expect(await ask(`chord(${header})(remote('math.xsum')).get(timeout=150, interval=0.1)`)).toBe(6);
    });

    it.each(Object.entries(HEADERS))('%s, with a body there', async (_name, header) => {
      expect(await ask(`chord(${header})(xsum.s()).get(timeout=150, interval=0.1)`)).toBe(6);
    });

    it('a member fails here: the body fails there', async () => {
      await ask("let cf = chord([remote('math.fail'), add.s(1, 1)])(xsum.s())");
      await expect(ask('AsyncResult(cf.id, app=app).get(timeout=150, interval=0.1)')).rejects.toMatchObject({
        name: 'ChordError',
      });
    });

    it.skipIf(celeryVersion() < 5.4)('in a chain, and the rest after it', async () => {
      const code =
        "chain(remote('math.add').clone((1, 1)), group(add.s(1), remote('math.add').clone((2,))), xsum.s(), remote('math.add').clone((100,)))()";
      expect(await ask(`${code}.get(timeout=150, interval=0.1)`)).toBe(107);
    });

    it('a group of both', async () => {
      await ask("let gm = group(remote('math.add').clone((1, 1)), add.s(2, 2), remote('math.add').clone((3, 3)))()");
      expect(await ask('gm.get(timeout=150, interval=0.1)')).toEqual([2, 4, 6]);
      expect(await ask('gm.completed_count()')).toBe(3);
    });
  });

  describe('groups made here', () => {
    it('of both', async () => {
      const result = await group([ours.add.s(1, 1), theirs.add.s(2, 2), ours.add.s(3, 3)]).delay();
      expect(await result.join(WAIT)).toEqual([2, 4, 6]);
      expect(await result.progress()).toEqual({ total: 3, done: 3, failed: 0 });
      const seen: number[] = [];
      for await (const { index } of result.iterate(WAIT)) seen.push(index);
      expect(seen.toSorted((left, right) => left - right)).toEqual([0, 1, 2]);
    });

    it.skipIf(celeryVersion() < 5.4)('a group at the end of a member', async () => {
      const result = await group([
        chain(ours.add.s(1, 1), group([ours.add.s(1), theirs.add.s(2)])),
        theirs.add.s(5, 5),
      ]).delay();
      expect(await result.join(WAIT)).toEqual([[3, 4], 10]);
    });
  });
});
