/** Who is told of failures, and how often: in virtual time, through the real worker and sweeper. */
import { Celeriac, Reject } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { NOTICE_SEND_SECONDS } from '../../lib/base/limits.ts';
import type { Notices, Notifier } from '../../lib/ports/notices.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { counting } from './counting.ts';

const WINDOW = { notify: { window: '15m' } } as const;

function shop(options: ConstructorParameters<typeof Celeriac>[1] = {}) {
  const app = new Celeriac('shop', options);
  const charge = app.task('orders.charge', { maxRetries: 0 }, (order: string) => {
    throw new TypeError(`no card for ${order}`);
  });
  return { app, charge };
}

describe('failures of one kind', () => {
  it('a thousand in a minute are two mails, and three requests until the digest', async () => {
    const { app, charge } = shop();
    const { asked, wrapPorts } = counting();
    using world = new World(app, { ...WINDOW, wrapPorts });
    await Promise.all(Array.from({ length: 1000 }, (_, index) => charge.delay(`order ${index}`)));
    await world.run();
    expect(world.mails.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^\[shop\] Error: Task orders\.charge \(.{36}\): TypeError: no card for/),
    ]);
    expect(asked).toEqual({ mark: 1, send: 1, told: 1 });
    await world.advance('30m');
    expect(world.mails).toHaveLength(2);
    const [, digest] = world.mails;
    expect(digest?.subject).toBe('[shop] 1,000 errors in 15 minutes: Task orders.charge');
    expect(digest?.text).toContain('1,000 times: orders.charge: TypeError: no card for order');
    expect(digest?.text).toContain('the first was told at once');
    // Nothing failed in the window behind it.
    await world.advance('1d');
    expect(world.mails).toHaveLength(2);
  });

  it('that goes on for hours is one mail, and one for each window', async () => {
    const { app, charge } = shop();
    using world = new World(app, WINDOW);
    for (let minute = 0; minute < 60; minute += 1) {
      await charge.delay('x');
      await world.advance('1m');
    }
    await world.advance('1h');
    expect(world.mails.map(({ subject }) => subject.replace(/ \(.*/, ''))).toEqual([
      '[shop] Error: Task orders.charge',
      '[shop] 15 errors in 15 minutes: Task orders.charge',
      '[shop] 15 errors in 15 minutes: Task orders.charge',
      '[shop] 15 errors in 15 minutes: Task orders.charge',
      '[shop] 15 errors in 15 minutes: Task orders.charge',
    ]);
    // Long after, it is news again.
    await charge.delay('x');
    await world.run();
    expect(world.mails).toHaveLength(6);
    await world.advance('2h');
    expect(world.mails).toHaveLength(6);
  });

  it('that comes once is one mail, and no digest', async () => {
    const { app, charge } = shop();
    using world = new World(app, WINDOW);
    await charge.delay('x');
    await world.advance('3h');
    expect(world.mails).toHaveLength(1);
    await charge.delay('x');
    await world.advance('3h');
    expect(world.mails).toHaveLength(2);
  });
});

describe('failures of many kinds', () => {
  it('ten are told at once, and all others in the digest', async () => {
    const { app } = shop();
    const tasks = Array.from({ length: 25 }, (_, index) =>
      app.task(`task${index}`, () => {
        throw new Error('x');
      }),
    );
    const { asked, wrapPorts } = counting();
    using world = new World(app, { ...WINDOW, wrapPorts });
    for (const task of tasks) for (let count = 0; count <= tasks.indexOf(task); count += 1) await task.delay();
    await world.run();
    expect(world.mails).toHaveLength(10);
    expect(asked['mark']).toBe(11);
    await world.advance('1h');
    expect(world.mails).toHaveLength(11);
    const [digest] = world.mails.slice(-1);
    expect(digest?.subject).toBe('[shop] 324 errors in 15 minutes: 24 tasks');
    expect(digest?.text).toContain('25 times: task24: Error: x');
    expect(digest?.text).toMatch(/And \d+ failures of 4 other kinds\./);
    // The one that came once was told at once.
    expect(digest?.text).not.toContain('task0:');
  });

  it('two places that throw the same are two kinds; words that differ are one', async () => {
    const { app } = shop();
    const task = app.task('two', (place: string) => {
      if (place === 'here') throw new Error('no user ada');
      throw new Error('no user ada');
    });
    const words = app.task('words', (word: string) => {
      throw new Error(`no ${word}`);
    });
    using world = new World(app, WINDOW);
    for (const place of ['here', 'there', 'here', 'there']) await task.delay(place);
    for (const word of ['one', 'two', 'three']) await words.delay(word);
    await world.run();
    expect(world.mails).toHaveLength(3);
  });
});

describe('what is told', () => {
  it('final failures and dead letters, and nothing that is retried, left out or switched off', async () => {
    const app = new Celeriac('shop');
    const fail = (): never => {
      throw new RangeError('x');
    };
    const retried = app.task('retried', { autoretryFor: [RangeError], maxRetries: 2, defaultRetryDelay: 10 }, fail);
    const recovered = app.task('recovered', { bind: true, autoretryFor: [RangeError], retryBackoff: 1 }, (self) => {
      if (self.request.retries === 0) throw new RangeError('x');
    });
    const quiet = app.task('quiet', { errorEmails: false }, fail);
    const rejected = app.task('rejected', () => {
      throw new Reject('no such order', { requeue: false });
    });
    const revoked = app.task('revoked', () => {});
    using world = new World(app, WINDOW);
    for (const task of [retried, recovered, quiet, rejected]) await task.delay();
    await (await revoked.delay()).revoke();
    await world.run();
    expect(world.mails.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('[shop] Rejected: Task rejected'),
    ]);
    await world.advance('1d');
    expect(world.mails.map(({ subject }) => subject.replace(/ \(.*/, ''))).toEqual([
      '[shop] Rejected: Task rejected',
      '[shop] Error: Task retried',
    ]);
    expect(world.mails[1]?.text).toMatch(/^Retries: +2$/m);
    expect(world.mails[0]?.text).toMatch(/^Dead letter: +no such order$/m);
  });

  it('at once, while other tasks of the batch still run', async () => {
    const { app, charge } = shop();
    using world: World = new World(app, { ...WINDOW, batchSize: 2 });
    const slow = app.task('slow', async () => world.clock.sleep(120_000));
    await charge.delay('x');
    await slow.delay();
    await world.advance('1s');
    expect(world.mails).toHaveLength(1);
    await world.drain();
  });

  it('task, id, queue, worker, arguments, state, times and stack, and where to look', async () => {
    const { app, charge } = shop();
    using world = new World(app, { notify: { monitorUrl: 'https://tasks.example.org/' } });
    const { id } = await charge.applyAsync(['o-1'], { argsrepr: "('o-…',)" });
    await world.run();
    const { text = '' } = world.mails[0] ?? {};
    expect(text).toContain(`Task orders.charge with id ${id} raised exception:\n  TypeError: no card for o-1\n`);
    expect(text).toMatch(/^Queue: +default$/m);
    expect(text).toMatch(/^Arguments: +\('o-…',\)$/m);
    expect(text).toMatch(/^State: +FAILURE$/m);
    expect(text).toMatch(/^Ended: +2030-01-01 00:00:00 UTC$/m);
    expect(text).toMatch(/ {4}at .*storm\.test\.ts/);
    expect(text).toContain(`https://tasks.example.org/tasks/${id}\n`);
  });

  it('nobody is told where no notifications are asked for', async () => {
    const { app, charge } = shop();
    using world = new World(app);
    await charge.delay('x');
    await world.advance('1h');
    expect([world.mails, world.ports.notify]).toEqual([[], undefined]);
  });
});

describe('a mail that cannot be sent', () => {
  type Told = { readonly notices: Notices; readonly notifier: Notifier };
  const broken = (of: (told: Told) => Partial<Told>): ((ports: Ports) => Ports) => {
    let whole: ReturnType<NonNullable<Ports['notify']>> | undefined;
    return (ports) => {
      const notify = (): NonNullable<typeof whole> =>
        (whole ??= ports.notify?.().then((told) => ({ ...told, ...of(told as Told) })) as NonNullable<typeof whole>);
      return { ...ports, notify };
    };
  };

  it.each<[string, (told: Told, isDown: () => boolean) => Partial<Told>]>([
    [
      'the sender refuses',
      ({ notifier }, isDown) => ({
        notifier: { send: (mail) => (isDown() ? Promise.reject(new Error('refused')) : notifier.send(mail)) },
      }),
    ],
    [
      'the sender never answers',
      ({ notifier }, isDown) => ({
        notifier: { send: (mail) => (isDown() ? new Promise<never>(() => {}) : notifier.send(mail)) },
      }),
    ],
    [
      'the store refuses',
      ({ notices }, isDown) => ({
        notices: new Proxy(notices, {
          get:
            (target, name) =>
            (...args: never[]) => {
              if (isDown()) return Promise.reject(new Error('refused'));
              return Reflect.apply(Reflect.get(target, name) as () => unknown, target, args);
            },
        }),
      }),
    ],
  ])('fails no task, is logged with its code, and told later: %s', async (_what, of) => {
    const { app, charge } = shop();
    let isDown = true;
    const codes: unknown[] = [];
    using world = new World(app, {
      ...WINDOW,
      wrapPorts: broken((told) => of(told, () => isDown)),
      logger: { log: (_level, _text, fields) => void codes.push(fields?.['code']) },
    });
    const result = await charge.delay('x');
    await world.advance(NOTICE_SEND_SECONDS + 1);
    expect([await result.state(), world.mails, world.deadLetters()]).toEqual(['FAILURE', [], []]);
    expect(codes).toContain('NOTIFICATION_FAILED');
    isDown = false;
    await world.advance('5m');
    expect(world.mails.map(({ subject }) => subject)).toEqual([expect.stringContaining('Error: Task orders.charge')]);
    await world.advance('1d');
    expect(world.mails).toHaveLength(1);
  });
});
