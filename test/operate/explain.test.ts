/** Why a task stands where it stands: each reason in virtual time, on both kinds of stores. */
import { Celeriac, chord, Reject, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { taskSummaries } from '../../lib/operate/task-summary.ts';
import { MemoryPauses } from '../../lib/memory/index.ts';
import type { Explanation, Reason } from '../../lib/operate/explain/reasons.ts';
import { awsAdapters } from '../support/fake-services/world-adapters.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');
const at = (seconds: number): Date => new Date(START_MS + seconds * 1000);

interface Shop {
  readonly app: Celeriac;
  readonly world: World;
  /** Sends a task by name. */
  readonly send: (name: string, args?: readonly unknown[], options?: object) => Promise<string>;
  readonly explain: (id: string) => Promise<Explanation>;
  readonly reasons: (id: string) => Promise<readonly Reason[]>;
}

type Adapters = ReturnType<typeof awsAdapters> | undefined;

function shop(adapters: Adapters): Shop {
  const app = new Celeriac('shop', {
    queues: { default: {}, orders: { fifo: true } },
    routes: { 'fifo.*': 'orders' },
    logger: silentLogger,
  });
  const world = new World(app, { start: new Date(START_MS) }, adapters);
  const work = async (seconds = 10): Promise<number> => {
    await world.clock.sleep(seconds * 1000);
    return seconds;
  };
  app.task('work', work);
  app.task('quiet', { ignoreResult: true }, work);
  app.task('pair', { concurrency: { limit: 2, key: (_s: number, land: string) => land } }, (s: number, _land: string) =>
    work(s),
  );
  app.task('alone', { oneInstance: { whenLocked: 'wait' } }, work);
  app.task('skips', { oneInstance: true }, work);
  app.task('fifo.alone', { concurrency: 1 }, work);
  app.task('fifo.slow', { rateLimit: '1/m' }, work);
  app.task('slow', { rateLimit: '1/h' }, work);
  app.task('once', { unique: { key: 'all', until: 'finished' }, concurrency: 1 }, work);
  app.task('calm', { debounce: { wait: '1h' } }, work);
  app.task('fails', { maxRetries: 1, defaultRetryDelay: 60, autoretryFor: [TypeError], retryJitter: false }, () => {
    throw new TypeError('total is undefined');
  });
  app.task('rejects', () => {
    throw new Reject('address is blocked');
  });
  return {
    app,
    world,
    send: async (name, args = [], options = {}) => (await app.send(name, args, options)).id,
    explain: (id) => app.explain(id),
    reasons: async (id) => (await app.explain(id)).reasons,
  };
}

/** A world looks at pauses in memory. */
function overDynamodb(): Adapters {
  const over = awsAdapters();
  return (of) => {
    const { ports, queues, faulty } = over(of);
    const pauses = new MemoryPauses();
    return { ports: { ...ports, pauses }, queues, faulty: { ...faulty, pauses } };
  };
}

const STORES: readonly (readonly [string, () => Adapters])[] = [
  ['memory', () => undefined],
  ['DynamoDB', overDynamodb],
];

describe.each(STORES)('%s', (_name, adapters) => {
  const begin = (): Shop => shop(adapters());

  it('nothing is stored of it: what lies in the queues may be it', async () => {
    const { world, send, explain } = begin();
    using _world = world;
    const id = await send('work', [], { countdown: 20 });
    expect(await explain(id)).toEqual({
      id,
      state: 'PENDING',
      reasons: [
        {
          kind: 'unknown',
          queues: [
            { queue: 'default', ready: 0, inFlight: 0, delayed: 1 },
            { queue: 'orders', ready: 0, inFlight: 0, delayed: 0 },
          ],
        },
      ],
    });
  });

  it('a worker runs it; then it has ended', async () => {
    const { world, send, reasons } = begin();
    using _world = world;
    const id = await send('work', [10]);
    await world.advance(4);
    expect(await reasons(id)).toEqual([
      {
        kind: 'running',
        since: at(0),
        until: expect.any(Date) as Date,
        by: expect.any(String) as string,
        deliveries: 1,
      },
    ]);
    await world.advance(60);
    expect(await reasons(id)).toEqual([{ kind: 'ended', state: 'SUCCESS', at: at(10), started: at(0) }]);
    const hidden = await send('quiet', [1]);
    await world.advance(5);
    expect(await reasons(hidden)).toMatchObject([{ kind: 'ended', state: 'SUCCESS' }]);
  });

  it('a part of it runs, or comes: one task, since its first part', async () => {
    const { app, world, reasons, explain } = begin();
    using _world = world;
    const inParts = app.task('parts', { bind: true, maxParts: 5 }, async (self) => {
      await world.clock.sleep(10_000);
      await self.checkpoint(self.part);
      await world.clock.sleep(10_000);
      if (self.part < 3) throw self.goOn(self.part);
      return self.part;
    });
    const { id } = await inParts.delay();
    await world.advance(15);
    expect(await reasons(id)).toMatchObject([
      { kind: 'running', since: at(0), part: 1, begun: at(0), checkpoint: at(10) },
    ]);
    await world.advance(10);
    expect(await reasons(id)).toMatchObject([
      { kind: 'running', since: at(20), part: 2, begun: at(0), checkpoint: at(20) },
    ]);
    await world.advance(10);
    expect(await reasons(id)).toMatchObject([
      { kind: 'running', since: at(20), part: 2, begun: at(0), checkpoint: at(30) },
    ]);
    await world.ports.pauses?.put({ queue: 'default', sinceMs: START_MS, by: 'ada' });
    await world.advance(6);
    const between = await explain(id);
    expect([between.state, between.retries]).toEqual(['STARTED', 0]);
    expect(between.reasons).toMatchObject([
      { kind: 'part', part: 3, begun: at(0) },
      { kind: 'queued' },
      { kind: 'paused' },
    ]);
    const [summary] = await taskSummaries([id], world.ports);
    expect(summary).toMatchObject({ state: 'STARTED', started: at(0) });
  });

  it('it waits for a slot behind others, and then it was given one', async () => {
    const { world, send, explain, reasons } = begin();
    using _world = world;
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      ids.push(await send('pair', [30, 'DE'], { argsrepr: '(<land>)' }));
      await world.advance(1);
    }
    const [first, second, third, , fifth = ''] = ids;
    const told = await explain(fifth);
    expect(told).toEqual({
      id: fifth,
      state: 'PENDING',
      task: 'pair',
      queue: 'default',
      retries: 0,
      args: '(<land>)',
      origin: expect.any(String) as string,
      reasons: [
        {
          kind: 'slot',
          of: 'concurrency',
          task: 'pair',
          key: 'DE',
          limit: 2,
          held: expect.any(Array) as never,
          place: 3,
          waiting: 3,
          more: false,
          since: at(4),
        },
      ],
    });
    const [reason] = told.reasons;
    expect(reason?.kind === 'slot' && new Set(reason.held.map(({ id }) => id))).toEqual(new Set([first, second]));
    expect(await reasons(third ?? '')).toMatchObject([{ kind: 'slot', place: 1, waiting: 3 }]);
    await world.advance(26);
    // The first has ended, and its slot was handed over.
    expect(await reasons(third ?? '')).toMatchObject([{ kind: 'running' }]);
    expect(await reasons(fifth)).toMatchObject([{ kind: 'slot', place: 1, waiting: 1 }]);
  });

  it('a slot is kept for it while its message is on its way', async () => {
    const { app, world, send, reasons } = begin();
    using _world = world;
    await send('alone', [30]);
    await world.advance(1);
    const id = await send('alone', [30]);
    await world.advance(1);
    await world.ports.pauses?.put({ queue: 'default', sinceMs: START_MS, by: 'ada', why: 'the relay is down' });
    const paused = { kind: 'paused', queue: 'default', by: 'ada', since: at(0), why: 'the relay is down' };
    expect(await reasons(id)).toMatchObject([{ kind: 'slot', of: 'oneInstance', task: 'alone', key: '' }, paused]);
    await world.advance(60);
    expect(await reasons(id)).toMatchObject([{ kind: 'granted', of: 'oneInstance', task: 'alone', key: '' }, paused]);
    await world.ports.pauses?.remove('default');
    await world.drain();
    expect(await reasons(id)).toMatchObject([{ kind: 'ended', state: 'SUCCESS' }]);
    expect(app.name).toBe('shop');
  });

  it('it waits in place in a FIFO queue: for a slot, and for its rate', async () => {
    const { world, send, reasons } = begin();
    using _world = world;
    await send('fifo.alone', [60], { groupKey: 'a' });
    await world.advance(1);
    const parked = await send('fifo.alone', [60], { groupKey: 'b' });
    await send('fifo.slow', [1], { groupKey: 'c' });
    await world.advance(1);
    const slow = await send('fifo.slow', [1], { groupKey: 'd' });
    await world.advance(1);
    expect(await reasons(parked)).toMatchObject([{ kind: 'slot', task: 'fifo.alone', place: 1 }]);
    expect(await reasons(slow)).toEqual([{ kind: 'rate', at: at(61), late: 0 }]);
  });

  it('its rate lets it start hours from now; it is due hours from now', async () => {
    const { world, send, explain } = begin();
    using _world = world;
    await send('slow');
    const slow = await send('slow');
    await world.advance(1);
    expect(await explain(slow)).toMatchObject({
      task: 'slow',
      queue: 'default',
      reasons: [{ kind: 'rate', at: at(3600), late: 0 }],
    });
    const late = await send('work', [1], { countdown: '1d' });
    expect(await explain(late)).toMatchObject({
      task: 'work',
      queue: 'default',
      args: '(1,)',
      reasons: [{ kind: 'delayed', until: at(86_401) }],
    });
    const group_ = await send('fifo.alone', [1], { countdown: '1d', groupKey: 'g' });
    expect(await explain(group_)).toMatchObject({ queue: 'orders', reasons: [{ kind: 'delayed', until: at(86_401) }] });
  });

  it('its next attempt is due then, lies in its queue, and was the last', async () => {
    const { world, send, explain, reasons } = begin();
    using _world = world;
    const id = await send('fails');
    await world.advance(1);
    const error = 'TypeError: total is undefined';
    expect(await explain(id)).toMatchObject({
      state: 'RETRY',
      task: 'fails',
      queue: 'default',
      retries: 0,
      reasons: [{ kind: 'retry', at: at(60), attempt: 1, error }],
    });
    await world.ports.pauses?.put({ queue: 'default', sinceMs: START_MS, by: 'ada' });
    await world.advance(90);
    expect(await reasons(id)).toMatchObject([
      { kind: 'queued', queue: 'default', since: at(60), count: { ready: 1 } },
      { kind: 'retry', attempt: 1, error },
      { kind: 'paused', by: 'ada' },
    ]);
    await world.ports.pauses?.remove('default');
    await world.drain();
    expect(await explain(id)).toMatchObject({ state: 'FAILURE', retries: 1, reasons: [{ kind: 'ended', error }] });
  });

  it('it was put aside, and is to run once more', async () => {
    const { app, world, send, reasons } = begin();
    using _world = world;
    const id = await send('rejects');
    await world.advance(1);
    expect(await reasons(id)).toMatchObject([
      { kind: 'ended', state: 'REJECTED' },
      { kind: 'dead-lettered', queue: 'default', reason: 'address is blocked', deliveries: 1 },
    ]);
    await app.deadLetters.redrive();
    expect(await reasons(id)).toMatchObject([
      { kind: 'queued', queue: 'default', count: { ready: 1 } },
      { kind: 'redriven', attempt: 1 },
    ]);
  });

  it('it was revoked, before it began and while it runs; its time was over', async () => {
    const { app, world, send, reasons } = begin();
    using _world = world;
    const waiting = await send('work', [1], { countdown: 60 });
    await app.control.revoke(waiting);
    expect(await reasons(waiting)).toEqual([{ kind: 'revoked', at: at(0), ended: true, terminate: false }]);
    const runs = await send('work', [100]);
    await world.advance(1);
    await app.control.revoke(runs);
    expect(await reasons(runs)).toMatchObject([
      { kind: 'running' },
      { kind: 'revoked', at: at(1), ended: false, terminate: false },
    ]);
    const expired = await send('work', [1], { countdown: 20, expires: 10 });
    await world.advance(60);
    expect(await reasons(expired)).toEqual([{ kind: 'expired', at: at(21) }]);
  });

  it('another one ran in its place', async () => {
    const { world, send, reasons } = begin();
    using _world = world;
    const first = await send('skips', [30]);
    await world.advance(1);
    const second = await send('skips', [30]);
    await world.advance(1);
    expect(await reasons(second)).toMatchObject([{ kind: 'skipped', by: first, until: expect.any(Date) as Date }]);
  });

  it('its worker died', async () => {
    const { app, world, send, reasons } = begin();
    using _world = world;
    const id = await send('work', [1]);
    await world.ports.backend.claim([
      {
        id,
        attempt: 0,
        owner: 'request/uuid',
        nowMs: START_MS,
        leaseMs: START_MS + 1000,
        name: 'work',
        queue: 'default',
        meta: '{"status":"PENDING","result":null,"traceback":null,"children":[],"date_done":null,"task_id":"x"}',
        expiresAtSeconds: START_MS / 1000 + 86_400,
      },
    ]);
    await world.ports.pauses?.put({ queue: 'default', sinceMs: START_MS, by: 'ada' });
    await world.advance(20);
    expect(await reasons(id)).toMatchObject([
      { kind: 'worker-lost', since: at(0), until: at(1), deliveries: 1 },
      { kind: 'queued', queue: 'default', count: { ready: 1 } },
      { kind: 'paused' },
    ]);
    expect(app.name).toBe('shop');
  });

  it('calls of its key are gathered; calls of its key are answered with it', async () => {
    const { app, world, send } = begin();
    using _world = world;
    const calm = await app.send('calm', [1]);
    const gathered = {
      task: 'calm',
      queue: 'default',
      reasons: [{ kind: 'debounced', until: at(3600), since: at(0) }],
    };
    expect(await app.explain(calm.id)).toMatchObject(gathered);
    // Its token lies in its queue: the name of its task, and its key, tell.
    await world.advance(3550);
    expect(await app.explain(calm.id, { task: 'calm' })).toMatchObject(gathered);
    expect((await app.explain(calm.id)).reasons).toMatchObject([{ kind: 'unknown' }]);
    await send('once', [60], { taskId: 'runs' });
    await world.advance(1);
    const late = await app.send('once', [60], { unique: { key: 'late', until: 'finished' }, countdown: '1d' });
    expect((await app.explain(late.id)).reasons).toMatchObject([
      { kind: 'delayed' },
      { kind: 'unique', key: expect.stringContaining('late') as string, until: 'finished' },
    ]);
  });

  it('how far its group is, and a group by its own id', async () => {
    const { app, world } = begin();
    using _world = world;
    const work = app.task('member', async (seconds: number) => {
      await world.clock.sleep(seconds * 1000);
      return seconds;
    });
    const sum = app.task('sum', (all: readonly number[]) => all.length);
    const members = [1, 1, 100].map((seconds) => work.s(seconds));
    const result = await chord(members, sum.s()).delay();
    await world.advance(10);
    const header = result.parent?.id ?? '';
    expect((await app.explain(header)).reasons).toMatchObject([{ kind: 'group', id: header, done: 2, failed: 0 }]);
    const member = world.backend.all().find(({ name, finishedMs }) => name === 'member' && finishedMs !== undefined);
    expect((await app.explain(member?.id ?? '')).reasons).toMatchObject([
      { kind: 'ended' },
      { kind: 'group', id: header, done: 2 },
    ]);
  });

  it.each([[['']], [['a', { task: 1 }]], [['a', { queue: '' }]], [['a', { queues: 'x' }]]])(
    'refuses %j',
    async ([id, options]) => {
      const { app, world } = begin();
      using _world = world;
      await expect(app.explain(id as string, options as object)).rejects.toThrow('explain()');
    },
  );
});
