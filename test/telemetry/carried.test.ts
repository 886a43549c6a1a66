/** A message keeps its sender's trace on whatever way it takes, and under faults. */
import fc from 'fast-check';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AsyncResult, type Celeriac, chain, chord, every, group, Reject, type Signature } from 'celeriac';
import type { Faults, World } from 'celeriac/testing';
import { openTelemetry } from 'celeriac/opentelemetry';

import type { Timer } from '../../lib/ports/timers.ts';
import { idOf, type Spans, startSpans, taskOf, traceOf, treeOf } from '../support/spans.ts';
import { newWorld } from '../support/worlds.ts';

let spans: Spans;
beforeAll(() => void (spans = startSpans()));
afterAll(() => spans.stop());
beforeEach(() => spans.exporter.reset());

function traced(faults?: Faults, seed = 1) {
  return newWorld(
    (app: Celeriac) => ({
      add: app.task('add', (x: number, y: number) => x + y),
      sum: app.task('sum', { maxDeliveries: 1000 }, (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)),
      order: app.task('order', { queue: 'orders' }, (n: number) => n),
      slow: app.task('slow', { rateLimit: '1/m' }, (n: number) => n),
      alone: app.task('alone', { concurrency: 1 }, async (n: number) => {
        await app.clock.sleep(1000);
        return n;
      }),
      once: app.task('once', { unique: { key: (n: number) => String(n) } }, (n: number) => n),
      calm: app.task('calm', { debounce: { wait: '1m' } }, (n: number) => n),
      picky: app.task('picky', { bind: true }, (self) => {
        if (self.request.headers['again'] !== true) throw new Reject('no');
      }),
      flaky: app.task('flaky', { bind: true, maxRetries: 3 }, (self, n: number) => {
        if (self.request.retries < 2) throw self.retry({ countdown: 30 });
        return n;
      }),
    }),
    { queues: { mail: {}, orders: { fifo: true } }, telemetry: openTelemetry() },
    { seed, ...(faults === undefined ? {} : { faults }) },
  );
}
type Tasks = ReturnType<typeof traced>['tasks'];

const isSent = ({ parentSpanContext }: ReadableSpan): boolean =>
  spans.all().some((span) => span.kind === SpanKind.PRODUCER && idOf(span) === parentSpanContext?.spanId);
const runsOf = (task: string) => spans.all().filter((span) => span.kind === SpanKind.CONSUMER && taskOf(span) === task);

/** What DynamoDB does with a committed item: the timer stands in the table. */
async function committed(world: World, item: { readonly Put: { readonly Item: object } }): Promise<void> {
  const put = item.Put.Item as Record<string, { readonly S?: string; readonly N?: string }>;
  await world.timers.put([
    {
      id: String(put['pk']?.S).replace('memory#', ''),
      attempt: 0,
      dueMs: Number(put['due']?.N),
      message: JSON.parse(String(put['message']?.S)) as Timer['message'],
    },
  ]);
}

describe('a message', () => {
  const WAYS: Record<string, { task: string; send: (tasks: Tasks, world: World) => Promise<unknown> }> = {
    'that waits as a timer': { task: 'add', send: ({ add }) => add.applyAsync([1, 2], { countdown: '3d' }) },
    'that waits in front of a FIFO queue': {
      task: 'order',
      send: ({ order }) => order.applyAsync([1], { countdown: '1h' }),
    },
    'that waits for its rate limit': {
      task: 'slow',
      send: async ({ slow }) => {
        await slow.delay(1);
        await slow.delay(2);
        await slow.delay(3);
      },
    },
    'that is parked until a slot is free': {
      task: 'alone',
      send: async ({ alone }) => {
        await alone.delay(1);
        await alone.delay(2);
        await alone.delay(3);
      },
    },
    'of a unique task': { task: 'once', send: ({ once }) => once.delay(1) },
    'that stands for others': {
      task: 'calm',
      send: async ({ calm }) => {
        await calm.delay(1);
        await calm.delay(2);
      },
    },
    'of the outbox': {
      task: 'add',
      send: async ({ add }, world) => committed(world, await add.s(1, 2).toTransactItem()),
    },
    'of the outbox, flushed': {
      task: 'add',
      send: async ({ add }, world) => {
        const item = await add.s(1, 2).toTransactItem();
        await committed(world, item);
        await item.flush();
      },
    },
  };
  it.each(Object.entries(WAYS))('%s', async (_way, { task, send }) => {
    const { world, tasks } = traced();
    await spans.within('request', () => send(tasks, world));
    await world.drain();
    const request = spans.one('request');
    const runs = runsOf(task);
    expect(runs.length).toBeGreaterThan(0);
    for (const run of runs) {
      expect(traceOf(run)).toBe(traceOf(request));
      // What made it is to be seen too.
      const maker = spans.all().find((span) => idOf(span) === run.parentSpanContext?.spanId);
      expect(maker?.kind, treeOf(spans.all()).join('\n')).toBe(SpanKind.PRODUCER);
      expect(maker?.parentSpanContext?.spanId).toBe(idOf(request));
    }
  });

  it('that is sent by whoever repairs what its sender has left', async () => {
    const { app, world, tasks } = traced();
    let requests = 0;
    const { broker } = world.ports;
    app.use({
      ...world.ports,
      broker: {
        send: (items) =>
          (requests += 1) === 1
            ? broker.send(items.slice(0, 3)).then((sent) => [...sent])
            : Promise.reject(new Error('gone')),
        changeVisibility: (queue, receipt, seconds) => broker.changeVisibility(queue, receipt, seconds),
      },
    });
    const members = Array.from({ length: 150 }, (_, index) => tasks.add.s(index, 1));
    await spans.within('request', () =>
      group(members)
        .applyAsync([], { retry: false })
        .catch(() => undefined),
    );
    app.use(world.ports);
    await world.advance('1h');
    const runs = runsOf('add');
    expect(runs).toHaveLength(members.length);
    expect(new Set(runs.map(traceOf))).toEqual(new Set([traceOf(spans.one('request'))]));
  });

  it('that was put aside and is sent again', async () => {
    const { app, world, tasks } = traced();
    const sent = await spans.within('request', () => tasks.picky.delay());
    await world.drain();
    expect(await sent.state()).toBe('REJECTED');
    await app.deadLetters.redrive();
    await world.drain();
    const runs = runsOf('picky');
    expect(runs).toHaveLength(2);
    expect(new Set(runs.map(traceOf))).toEqual(new Set([traceOf(spans.one('request'))]));
  });

  it('of a schedule begins a trace for each tick, in which its chain goes on', async () => {
    const { app, world, tasks } = traced();
    const starts = app.task('starts', async () => {
      await chain(tasks.add.s(1, 2), tasks.add.s(3)).delay();
    });
    app.beat({
      rule: { task: starts.s(), schedule: every('5m') },
      swept: { task: tasks.add.s(1, 2), schedule: every('90s') },
    });
    await world.advance('10m');
    const ticks = [...runsOf('starts'), ...runsOf('add').filter((run) => !isSent(run))];
    expect(ticks.length).toBeGreaterThanOrEqual(8);
    expect(new Set(ticks.map(traceOf)).size).toBe(ticks.length);
    expect(treeOf(spans.all().filter((span) => traceOf(span) === traceOf(ticks[0] as typeof span)))).toEqual([
      'client receive mail',
      '  consumer process mail starts',
      '    producer send mail add',
      '      consumer process mail add',
      '        producer send mail add',
      '          consumer process mail add',
    ]);
    spans.exporter.reset();
    await spans.within('request', () => app.schedules.runNow('swept'));
    await world.run();
    expect(runsOf('add').map(traceOf)).toEqual([traceOf(spans.one('request'))]);
  });
});

const { tree } = fc.letrec<{ leaf: (tasks: Tasks) => Signature; tree: (tasks: Tasks) => Signature }>((tie) => ({
  leaf: fc.constantFrom<(tasks: Tasks) => Signature>(
    ({ add }) => add.si(1, 1) as Signature,
    ({ flaky }) => flaky.si(1) as Signature,
    ({ add }) => add.si(1, 1).set({ countdown: 2000 }) as Signature,
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc
      .array(tie('tree'), { minLength: 1, maxLength: 3 })
      .map(
        (parts) => (tasks: Tasks) => chain(...(parts.map((part) => part(tasks)) as never[])) as unknown as Signature,
      ),
    fc
      .array(tie('tree'), { minLength: 1, maxLength: 3 })
      .map((parts) => (tasks: Tasks) => group(parts.map((part) => part(tasks)) as never[]) as unknown as Signature),
    fc
      .array(tie('leaf'), { minLength: 1, maxLength: 3 })
      .map(
        (parts) => (tasks: Tasks) =>
          chord(parts.map((part) => part(tasks)) as never[], tasks.sum.s() as never) as unknown as Signature,
      ),
  ),
}));

describe('any tree of tasks', () => {
  const sendTree = (made: Signature): Promise<unknown> =>
    (made as unknown as { delay(): Promise<AsyncResult> }).delay();

  it('is one trace, in which every span but the first has its parent', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (make) => {
        spans.exporter.reset();
        const { world, tasks } = traced();
        await spans.within('request', () => sendTree(make(tasks)));
        await world.drain();
        const own = spans.all().filter(({ name }) => !name.startsWith('receive') && name !== 'send');
        expect(new Set(own.map(traceOf)).size).toBe(1);
        const ids = new Set(own.map(idOf));
        const lone = own.filter(({ parentSpanContext }) => !ids.has(parentSpanContext?.spanId ?? ''));
        expect(lone.map(({ name }) => name)).toEqual(['request']);
      }),
      { numRuns: 12 },
    );
  });

  it('is one trace under faults too: twice, late, with lost answers and workers that die', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 1000 }), async (make, seed) => {
        spans.exporter.reset();
        const faults = {
          duplicate: 0.1,
          reorder: 0.1,
          error: 0.02,
          lostResponse: 0.02,
          crash: 0.02,
          killBeforeCommit: 0.05,
        };
        const { world, tasks } = traced(faults, seed);
        await spans.within('request', () => sendTree(make(tasks)).catch(() => undefined));
        await world.drain('1d');
        const own = spans.all().filter(({ kind }) => kind === SpanKind.CONSUMER || kind === SpanKind.PRODUCER);
        expect(new Set(own.map(traceOf)).size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 12 },
    );
  });
});
