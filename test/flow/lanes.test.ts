/** Lanes: which queue a priority takes, and that whatever goes on stays in its lane. In virtual time. */
import {
  Celeriac,
  chain,
  group,
  type Logger,
  type QueueOptions,
  Reject,
  silentLogger,
  type TaskContext,
} from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { lanesOf } from '../../lib/options/manifest.ts';
import { queuesTold } from '../../lib/options/told-queues.ts';

interface Ran {
  readonly what: unknown;
  readonly queue: string;
  readonly priority: number;
}

type Lanes = ReturnType<typeof lanes>;

function lanes(mail: QueueOptions = { priorities: [0, 5] }, logger: Logger = silentLogger) {
  const app = new Celeriac('lanes', {
    queues: { default: {}, mail, orders: { fifo: true } },
    routes: { 'bulk.*': { queue: 'mail', priority: 8 } },
    logger,
  });
  const ran: Ran[] = [];
  const note = ({ request: { priority, deliveryInfo } }: TaskContext, what: unknown): void =>
    void ran.push({ what, queue: deliveryInfo.queue, priority });
  const mailTask = app.task('mail', { bind: true, queue: 'mail' }, (self, what: unknown) => {
    note(self, what);
    return what;
  });
  const late = app.task('late', { bind: true, queue: 'mail', priority: 6 }, (self, what: unknown) => note(self, what));
  const bulk = app.task('bulk.send', { bind: true }, (self, what: unknown) => note(self, what));
  const again = app.task('again', { bind: true, queue: 'mail', maxRetries: 3 }, (self, options: object) => {
    note(self, self.request.retries);
    if (self.request.retries < 2) throw self.retry({ countdown: 1, ...(self.request.retries === 0 ? options : {}) });
  });
  const rejected = app.task('rejected', { queue: 'mail' }, () => {
    throw new Reject('no');
  });
  const world = new World(app, { logger });
  return { app, world, ran, mailTask, late, bulk, again, rejected };
}

/** What lies in each queue now. */
function waiting({ world, app }: Lanes): Record<string, number> {
  const depths = Object.keys(app.settings.queues).map((name) => {
    const { visible, delayed } = world.broker.depth(name);
    return [name, visible + delayed] as const;
  });
  return Object.fromEntries(depths.filter(([, count]) => count > 0));
}

describe('a priority takes its lane', () => {
  it.each([
    [undefined, 'mail'],
    [0, 'mail'],
    [4, 'mail'],
    [5, 'mail-p5'],
    [9, 'mail-p5'],
  ])('%s goes to %s', async (priority, queue) => {
    const it = lanes();
    await it.mailTask.applyAsync(['a'], priority === undefined ? {} : { priority });
    expect(waiting(it)).toEqual({ [queue]: 1 });
    await it.world.drain();
    expect(it.ran).toEqual([{ what: 'a', queue, priority: priority ?? 0 }]);
    it.world.dispose();
  });

  it("the task's own, the routes', and what the call says before both", async () => {
    const it = lanes();
    await it.late.delay('task');
    await it.late.applyAsync(['call'], { priority: 1 });
    await it.bulk.delay('route');
    await it.bulk.applyAsync(['route, call'], { priority: 0 });
    await it.app.send('bulk.send', ['by name']);
    await it.mailTask.applyAsync(['lane'], { queue: 'mail-p5' });
    await it.world.drain();
    expect(Object.fromEntries(it.ran.map(({ what, queue, priority }) => [what, [queue, priority]]))).toEqual({
      task: ['mail-p5', 6],
      call: ['mail', 1],
      route: ['mail-p5', 8],
      'route, call': ['mail', 0],
      'by name': ['mail-p5', 8],
      // A lane that somebody names is the lane that is meant, with its own priority.
      lane: ['mail-p5', 5],
    });
    it.world.dispose();
  });

  it('the default priority of the queue is that of what names none, and the lane of its name', async () => {
    const it = lanes({ priorities: [0, 5], defaultPriority: 6 });
    await it.mailTask.delay('usual');
    await it.mailTask.applyAsync(['urgent'], { priority: 2 });
    expect(waiting(it)).toEqual({ mail: 1, 'mail-p0': 1 });
    await it.world.drain();
    expect(it.ran).toEqual([
      { what: 'usual', queue: 'mail', priority: 6 },
      { what: 'urgent', queue: 'mail-p0', priority: 2 },
    ]);
    it.world.dispose();
  });

  it('members of canvases take theirs', async () => {
    const it = lanes();
    const { mailTask } = it;
    await chain(
      mailTask.s(1).set({ priority: 7 }),
      mailTask.s().set({ priority: 3 }),
      mailTask.s().set({ priority: 9 }),
    ).delay();
    await group([mailTask.s(2).set({ priority: 5 }), mailTask.s(3)]).delay();
    await it.world.drain();
    expect(it.ran.map(({ what, queue }) => `${String(what)} ${queue}`).toSorted()).toEqual([
      '1 mail',
      '1 mail-p5',
      '1 mail-p5',
      '2 mail-p5',
      '3 mail',
    ]);
    it.world.dispose();
  });

  it('ticks of schedule entries take theirs, fired by rules and by the sweep', async () => {
    const it = lanes();
    const { every } = await import('celeriac');
    it.app.beat({
      rule: { task: it.late.s('rule'), schedule: every('1h') },
      swept: { task: it.mailTask.s('swept'), schedule: every('90s'), options: { priority: 5 } },
    });
    const { beat } = it.app.manifest();
    expect(beat.map(({ name, queue, firedBy }) => [name, queue, firedBy])).toEqual([
      ['rule', 'mail-p5', 'rule'],
      ['swept', 'mail-p5', 'sweep'],
    ]);
    it.world.dispose();
  });
});

describe('what goes on stays in its lane', () => {
  it.each<[string, object, readonly string[]]>([
    ['a retry', {}, ['mail-p5', 'mail-p5', 'mail-p5']],
    ['beyond 15 minutes', { countdown: 3600 }, ['mail-p5', 'mail-p5', 'mail-p5']],
    ['a retry of another priority', { priority: 1 }, ['mail-p5', 'mail', 'mail']],
    ['a retry to another queue', { queue: 'default' }, ['mail-p5', 'default', 'default']],
    ['a retry to the queue, which has lanes', { queue: 'mail' }, ['mail-p5', 'mail-p5', 'mail-p5']],
  ])('%s', async (_what, options, queues) => {
    const it = lanes();
    await it.again.applyAsync([options], { priority: 7 });
    await it.world.drain();
    expect(it.ran.map(({ queue }) => queue)).toEqual(queues);
    it.world.dispose();
  });

  it('an ETA of an hour, and one that arrives at once, as Python sends it', async () => {
    const it = lanes();
    await it.mailTask.applyAsync(['timer'], { countdown: '1h', priority: 5 });
    await it.world.broker.send([
      { queue: 'mail-p5', body: fromPython('python', { eta: '2030-01-01T00:20:00+00:00' }) },
    ]);
    await it.world.drain();
    expect(it.ran.map(({ what, queue }) => [what, queue])).toEqual([
      ['python', 'mail-p5'],
      ['timer', 'mail-p5'],
    ]);
    it.world.dispose();
  });

  it('rejected, its dead letter is with those of its queue, and says which lane it came from', async () => {
    const it = lanes();
    await it.rejected.applyAsync([], { priority: 5 });
    await it.world.drain();
    expect(it.world.deadLetters('mail')).toMatchObject([{ attributes: { origin_queue: 'mail-p5', reason: 'no' } }]);
    // One queue of two names.
    expect(it.world.deadLetters('mail-p5')).toEqual(it.world.deadLetters('mail'));
    it.world.dispose();
  });

  it('lost, it goes back to its lane and to the dead letters of its queue', async () => {
    const { app, mailTask } = lanes();
    const lost = new World(app, { maxReceiveCount: 2, faults: { throttledBatch: 1 } });
    const sent = await mailTask.applyAsync(['never'], { priority: 5 });
    await lost.advance('1h');
    lost.faults.on = false;
    await lost.drain();
    expect(await sent.state()).toBe('FAILURE');
    expect(lost.deadLetters('mail')).toMatchObject([{ attributes: { origin_queue: 'mail-p5' } }]);
    lost.dispose();
  });
});

describe('towards Python', () => {
  it('a message in another lane than its priority says runs all the same, and stays there', async () => {
    const it = lanes();
    await it.world.broker.send([
      { queue: 'mail', body: fromPython('low in the upper lane', { priority: 9 }) },
      { queue: 'mail-p5', body: fromPython('high in the lower lane', { priority: 0 }) },
      { queue: 'mail', body: fromPython({}, { priority: 9, task: 'again' }) },
    ]);
    await it.world.drain();
    expect(it.ran.map(({ what, queue }) => [what, queue])).toEqual([
      ['low in the upper lane', 'mail'],
      [0, 'mail'],
      ['high in the lower lane', 'mail-p5'],
      [1, 'mail'],
      [2, 'mail'],
    ]);
    it.world.dispose();
  });

  it('a step that Python runs is told its lane', async () => {
    const app = new Celeriac('mixed', { queues: { default: {}, celery: { external: true, priorities: [0, 5] } } });
    const remote = app.remote('proj.add', { queue: 'celery', priority: 6 });
    const own = app.task('own', () => 1);
    using world = new World(app, { logger: silentLogger });
    await chain(own.s(), remote.s(2)).delay();
    await remote.applyAsync([1], { link: remote.s().set({ priority: 1 }) } as never);
    await world.drain();
    expect(world.broker.depth('celery-p5').visible).toBe(2);
    const [first] = world.broker.peekAll('celery-p5');
    const body = JSON.parse(Buffer.from(first?.body ?? '', 'base64').toString()) as {
      body: string;
      properties: object;
    };
    expect(body.properties).toMatchObject({ priority: 6, delivery_info: { routing_key: 'celery-p5' } });
    expect(Buffer.from(body.body, 'base64').toString()).toContain('"queue":"celery"');
  });
});

describe('a priority where there are no lanes', () => {
  it('is told once for each queue, and changes nothing', async () => {
    const lines: string[] = [];
    const it = lanes({}, { log: (level, message) => void (level === 'warn' && lines.push(message)) });
    await it.mailTask.applyAsync([1], { priority: 5 });
    await it.mailTask.applyAsync([2], { priority: 3 });
    await it.late.delay(3);
    await it.mailTask.delay(4);
    await it.app.send('bulk.send', [5], { queue: 'orders' });
    await it.world.drain();
    expect(it.ran).toHaveLength(5);
    expect(lines).toEqual([
      "Queue 'mail' has no lanes: nothing overtakes there, and priority 5 of task mail changes nothing. Declare queues: { 'mail': { priorities: [0, 5] } }, or leave priority out.",
      "Queue 'orders' has no lanes: nothing overtakes there, and priority 8 of task bulk.send changes nothing. A FIFO queue keeps its order, and has none: leave priority out, or send urgent tasks to a queue of their own.",
    ]);
    it.world.dispose();
  });

  it('is not told where there are lanes, nor where nobody names one', async () => {
    const lines: string[] = [];
    const it = lanes(undefined, { log: (level, message) => void (level === 'warn' && lines.push(message)) });
    await it.late.delay(1);
    await it.mailTask.applyAsync([2], { queue: 'default' });
    await it.mailTask.applyAsync([3], { queue: 'mail-p5', priority: 5 });
    await it.world.drain();
    expect(lines).toEqual([]);
    it.world.dispose();
  });
});

describe('a function without the app', () => {
  it('is told of lanes, and makes the same queues of them', () => {
    const { app } = lanes({ priorities: [0, 3, 6], defaultPriority: 4 });
    const manifest = app.manifest();
    const urls = Object.fromEntries(
      Object.entries(manifest.queues).map(([name, { fifo }]) => [name, `https://sqs/${name}${fifo ? '.fifo' : ''}`]),
    );
    const queues = queuesTold({ queues: urls, externalQueues: [], lanes: lanesOf(manifest) });
    const told = new Celeriac('lanes', { queues });
    expect(told.settings.queues).toEqual(app.settings.queues);
    expect(lanesOf(new Celeriac('none').manifest())).toEqual({});
  });

  it('a task of a priority has its lane as its queue', () => {
    const { app } = lanes();
    expect(app.manifest().tasks).toMatchObject({
      mail: { queue: 'mail' },
      late: { queue: 'mail-p5' },
      'bulk.send': { queue: 'mail-p5' },
    });
  });
});

function fromPython(what: unknown, { priority = 0, task = 'mail', ...headers }: Record<string, unknown> = {}): string {
  const id = crypto.randomUUID();
  return JSON.stringify({
    body: JSON.stringify([[what], {}, {}]),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'py', task, id, root_id: id, ...headers },
    properties: { correlation_id: id, priority, delivery_info: { exchange: '', routing_key: 'mail' } },
  });
}
