/** Messages that nobody handles, that grow, that hide their arguments; error links that never end. */
import { brotliCompressSync, deflateSync } from 'node:zlib';

import { Celeriac, chain, chord } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { unloadableWorkers } from '../support/unloadable-workers.ts';
import { newWorld } from '../support/worlds.ts';
import { tapped } from '../support/port-taps.ts';

const START = Date.UTC(2030, 0, 1);

function envelope(headers: object, body: string, id = 'big'): string {
  return JSON.stringify({
    body,
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'py', task: 'task', id, root_id: id, ...headers },
    properties: { correlation_id: id, delivery_info: { routing_key: 'default' } },
  });
}

describe('the lost queue', () => {
  /** The worker's code does not load: each batch fails, until it does. */
  function unloadable<T>(declare: (app: Celeriac) => T, loadsAfterMs = Infinity) {
    const app = new Celeriac('test', { routes: () => undefined });
    const tasks = declare(app);
    const loadsAtMs = START + loadsAfterMs;
    const workers = unloadableWorkers((queue) => queue === 'default' && world.clock.nowMs() < loadsAtMs);
    const world: World = new World(app, { maxReceiveCount: 2, start: START, wrapPorts: workers.wrapPorts });
    workers.attach(world);
    return { app, world, tasks };
  }

  it('a chain, a chord and error links go on when a worker loads again; nothing of the lost task runs', async () => {
    const ran: string[] = [];
    const { world, tasks } = unloadable(
      (each) => ({
        job: each.task('job', { idempotent: true }, () => void ran.push('job')),
        next: each.task('next', () => void ran.push('next')),
        tell: each.task('tell', (_request: unknown, error: Error) => void ran.push(error.name)),
      }),
      700_000,
    );
    const result = await chain(tasks.job.s(), tasks.next.si()).delay();
    const all = await chord([tasks.job.s()], tasks.next.si()).delay();
    const told = await tasks.job.applyAsync([], { linkError: tasks.tell.s() as never });
    await world.drain('4d');
    for (const each of [result, all, told])
      await expect(each.get({ timeout: 1 })).rejects.toMatchObject({
        message: expect.stringContaining('No worker ever handled'),
      });
    expect(ran).toEqual(['WorkerLostError']);
    expect(world.deadLetters().map(({ attributes }) => attributes['reason'])).toEqual([
      'worker lost',
      'worker lost',
      'worker lost',
    ]);
  });

  it('a worker that never loads: one state, one dead letter, and the message leaves', async () => {
    const { app, world } = unloadable((each) => void each.task('job', () => 1));
    const result = await app.send('job');
    await world.drain('4d');
    expect(await result.state()).toBe('FAILURE');
    expect(world.deadLetters()).toHaveLength(1);
    expect([...world.broker.peekAll('default'), ...world.broker.peekAll('__lost__')]).toEqual([]);
  });

  it.each([
    ['a bomb, deflated', deflateSync(`[[${'{},'.repeat(2_000_000)}{}],{},{}]`).toString('base64'), 'zlib'],
    ['a bomb, in brotli', brotliCompressSync(`[[${'0,'.repeat(3_000_000)}0],{},{}]`).toString('base64'), 'brotli'],
    ['no JSON', Buffer.from('{').toString('base64'), undefined],
    ['base64 of nothing', '', undefined],
  ])('never reads the body: %s', async (_what, body, compression) => {
    const { app, world } = unloadable((each) => void each.task('task', () => 1));
    const text = envelope(compression === undefined ? {} : { compression }, body);
    await world.broker.send([{ queue: 'default', body: text }]);
    const before = process.memoryUsage().heapUsed;
    await world.drain('4d');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
    await expect(app.result('big').get({ timeout: 1 })).rejects.toMatchObject({ name: 'WorkerLostError' });
    expect(world.deadLetters()).toMatchObject([{ body: text, attributes: { reason: 'worker lost', task_id: 'big' } }]);
  });

  it('a store that takes nothing: the dead letter alone, after bounded tries', async () => {
    let tries = 0;
    const { world } = newWorld(
      (app) => app.task('job', () => 1),
      {},
      {
        maxReceiveCount: 1,
        wrapPorts: (ports) =>
          tapped(
            ports,
            (call, go) => {
              if (!call.startsWith('backend.')) return go();
              tries += 1;
              throw Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
            },
            ['backend'],
          ),
      },
    );
    await world.app.send('job');
    await world.drain('4d');
    expect(world.deadLetters()).toMatchObject([{ attributes: { reason: 'worker lost', task: 'job' } }]);
    expect(tries).toBeLessThan(40);
    expect([...world.broker.peekAll('default'), ...world.broker.peekAll('__lost__')]).toEqual([]);
  });
});

describe('a message that is larger when it is sent on', () => {
  const text = 'x'.repeat(900_000);
  const body = JSON.stringify([[text], {}, { callbacks: null, errbacks: null, chain: null, chord: null }]);

  it('of an unknown task waits for a deployment, and says that it is unknown', async () => {
    const { app, world } = newWorld((each) => each.task('other', () => 1));
    await world.broker.send([{ queue: 'default', body: envelope({}, body) }]);
    const startMs = world.clock.nowMs();
    await world.drain('4d');
    await expect(app.result('big').get({ timeout: 1 })).rejects.toMatchObject({ name: 'NotRegistered' });
    expect(world.deadLetters()).toMatchObject([{ attributes: { reason: 'not registered' } }]);
    expect(world.clock.nowMs() - startMs).toBeGreaterThan(20 * 60_000);
  });

  it('runs when its task is deployed meanwhile', async () => {
    const { app, world } = newWorld((each) => each.task('other', () => 1));
    await world.broker.send([{ queue: 'default', body: envelope({}, body) }]);
    await world.advance(60);
    app.task('task', (given: string) => given.length);
    await world.drain('1h');
    expect(await app.result('big').get({ timeout: 1 })).toBe(900_000);
  });

  it('with an ETA runs when it is due', async () => {
    let ranMs = 0;
    const { world } = newWorld((each) =>
      each.task('task', () => {
        ranMs = world.clock.nowMs();
      }),
    );
    const dueMs = world.clock.nowMs() + 3 * 3_600_000;
    await world.broker.send([{ queue: 'default', body: envelope({ eta: new Date(dueMs).toISOString() }, body) }]);
    await world.drain('1d');
    expect(Math.abs(ranMs - dueMs)).toBeLessThan(2000);
  });

  it('keeps its fair key, or has none, as it came', async () => {
    for (const groupId of ['customer', undefined]) {
      const { world } = newWorld((each) => each.task('task', () => 1));
      const sent: (string | undefined)[] = [];
      const send = world.broker.send.bind(world.broker);
      world.broker.send = (items) => {
        for (const item of items) sent.push('groupId' in item ? item.groupId : 'none');
        return send(items);
      };
      const eta = new Date(world.clock.nowMs() + 2000_000).toISOString();
      await world.broker.send([
        { queue: 'default', body: envelope({ eta }, body), ...(groupId === undefined ? {} : { groupId }) },
      ]);
      await world.drain('1d');
      // By delays of 900 seconds.
      expect(sent).toEqual(Array.from({ length: 4 }, () => groupId ?? 'none'));
    }
  });
});

describe('retry({ args })', () => {
  it.each([
    ['hidden stays hidden', { argsrepr: '(<secret>)', kwargsrepr: '<secret>' }, '(<secret>)'],
    ['shown is shown', {}, "('new', 1)"],
  ])('%s', async (_what, options, shown) => {
    const seen: string[] = [];
    const lines: string[] = [];
    const { world, tasks: task } = newWorld(
      (app) =>
        app.task('task', { bind: true, maxRetries: 1 }, (self, _text: string, _count: number) => {
          seen.push(self.request.argsrepr);
          throw self.retry({ args: ['new', 1], countdown: 1 });
        }),
      {},
      { logger: { log: (_level, message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`) } },
    );
    const result = await task.applyAsync(['old', 0], options);
    await world.drain('1h');
    expect(seen[1]).toBe(shown);
    const error = (await result.info()) as Error;
    if (shown === '(<secret>)') expect([error.message, ...lines].join('\n')).not.toContain("'new'");
  });
});

describe('error links that are called where the task failed', () => {
  function linked(options: object, link: (error: Error) => unknown) {
    const calls: string[] = [];
    const { world, app, tasks } = newWorld(
      (each) => ({
        fail: each.task('fail', () => {
          throw new RangeError('no');
        }),
        link: each.task('link', options, (_request: unknown, error: Error) => {
          calls.push(error.message);
          return link(error);
        }),
        other: each.task('other', () => 2),
        sent: each.task('sent', (id: string) => void calls.push(id)),
      }),
      {},
      { invocation: 60 },
    );
    return { world, app, tasks, calls };
  }

  it('have their own time limit', async () => {
    const { world, tasks, calls } = linked({ timeLimit: 5 }, () => new Promise(() => {}));
    const startMs = world.clock.nowMs();
    const result = await tasks.fail.applyAsync([], { linkError: tasks.link.s() as never });
    await world.drain('1d');
    expect(calls).toEqual(['no']);
    expect(await result.state()).toBe('FAILURE');
    expect(world.clock.nowMs() - startMs).toBeLessThan(6000);
  });

  it('end with their invocation, and neither their batch nor what is sent waits for them', async () => {
    const { world, tasks, calls } = linked({}, () => new Promise(() => {}));
    const result = await tasks.fail.applyAsync([], { linkError: [tasks.link.s() as never, tasks.sent.s()] });
    const other = await tasks.other.delay();
    await world.run();
    expect([await result.state(), await other.state()]).toEqual(['FAILURE', 'SUCCESS']);
    expect(calls).toContain(result.id);
    await world.drain('1d');
    // Cut short by its invocation it is called once more, with all the time that there is.
    expect(calls.filter((call) => call === 'no')).toHaveLength(2);
    expect(world.broker.peekAll('default')).toEqual([]);
    expect(world.deadLetters()).toEqual([]);
  });
});
