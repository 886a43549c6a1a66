/** Spans of what is sent and run, in virtual time. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Celeriac, chain, chord, group, Ignore, InvalidOption, Reject } from 'celeriac';
import { openTelemetry, type OpenTelemetryOptions } from 'celeriac/opentelemetry';

import { idOf, type Spans, startSpans, taskOf, traceOf, treeOf } from '../support/spans.ts';
import { newWorld } from '../support/worlds.ts';

let spans: Spans;
beforeAll(() => void (spans = startSpans()));
afterAll(() => spans.stop());
beforeEach(() => spans.exporter.reset());

function traced<T>(declare: (app: Celeriac) => T, options: OpenTelemetryOptions = {}) {
  return newWorld(declare, {
    queues: { mail: {}, other: {}, orders: { fifo: true } },
    telemetry: openTelemetry(options),
  });
}

const declareMath = (app: Celeriac) => ({
  add: app.task('math.add', (x: number, y: number) => x + y),
  sum: app.task('math.sum', (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)),
});

describe('a call', () => {
  it('is a span of its sender, the run goes on with its trace', async () => {
    const { world, tasks } = traced(declareMath);
    const sent = await spans.within('request', () => tasks.add.delay(2, 3));
    await world.drain();
    expect(await sent.get()).toBe(5);
    expect(treeOf(spans.all())).toEqual([
      'internal request',
      '  producer send mail math.add',
      '    consumer process mail math.add',
      'client receive mail',
    ]);
    const facts = {
      'messaging.system': 'aws_sqs',
      'messaging.destination.name': 'mail',
      'messaging.message.id': sent.id,
      'messaging.message.conversation_id': sent.id,
      'celery.task_name': 'math.add',
      'celery.retries': 0,
    };
    const made = spans.one('send mail');
    expect(made.attributes).toEqual({
      ...facts,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'celery.action': 'apply_async',
    });
    const run = spans.one('process mail');
    expect(run.attributes).toEqual({
      ...facts,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'celery.action': 'run',
      'celery.state': 'SUCCESS',
    });
    expect(run.status.code).toBe(SpanStatusCode.UNSET);
    const received = spans.one('receive mail');
    expect(received.attributes['messaging.batch.message_count']).toBe(1);
    expect(received.links.map(({ context: { spanId } }) => spanId)).toEqual([idOf(made)]);
  });

  it('links to its sender instead, with `links`', async () => {
    const { world, tasks } = traced(declareMath, { links: true });
    await tasks.add.delay(2, 3);
    await world.drain();
    expect(treeOf(spans.all())).toEqual([
      'producer send mail math.add',
      'client receive mail',
      '  consumer process mail math.add',
    ]);
    const run = spans.one('process mail');
    expect(run.links.map(({ context: { spanId } }) => spanId)).toEqual([idOf(spans.one('send mail'))]);
    expect(traceOf(run)).not.toBe(traceOf(spans.one('send mail')));
  });

  it("has the names of Celery's instrumentation, with `names`", async () => {
    const { world, tasks } = traced(declareMath, { names: 'celery' });
    await tasks.add.delay(2, 3);
    await world.drain();
    expect(treeOf(spans.all())).toEqual([
      'producer apply_async/math.add math.add',
      '  consumer run/math.add math.add',
      'client receive mail',
    ]);
  });

  it('many that are sent together are made each, and sent once', async () => {
    const { app, world, tasks } = traced(declareMath);
    await app.sendMany([tasks.add.s(1, 1), tasks.add.s(2, 2)]);
    await world.drain();
    expect(treeOf(spans.all())).toEqual([
      'producer create mail math.add',
      '  consumer process mail math.add',
      'producer create mail math.add',
      '  consumer process mail math.add',
      'client send mail',
      'client receive mail',
    ]);
    const sent = spans.one('send mail');
    expect(sent.attributes['messaging.batch.message_count']).toBe(2);
    const made = spans.all().filter(({ name }) => name === 'create mail');
    expect(sent.links.map(({ context: { spanId } }) => spanId)).toEqual(made.map(idOf));
    expect(made.map(({ attributes }) => attributes['messaging.operation.type'])).toEqual(['create', 'create']);
  });

  it('that is not sent is an error of its span', async () => {
    const { world, tasks } = traced(declareMath);
    world.app.use({
      ...world.ports,
      broker: {
        send: async (items) =>
          items.map(() => ({ ok: false, code: 'AccessDenied', message: 'no right', retryable: false })),
        changeVisibility: () => Promise.resolve(),
      },
    });
    await expect(tasks.add.delay(1, 1)).rejects.toThrow('no right');
    const { status, attributes, events } = spans.one('send mail');
    expect(status.code).toBe(SpanStatusCode.ERROR);
    expect(attributes['error.type']).toBe('EnqueueFailed');
    expect(events.map(({ name }) => name)).toEqual(['exception']);
  });

  it('that is refused before it is sent leaves no span', async () => {
    const { tasks } = traced(declareMath);
    await expect(tasks.add.applyAsync([1, 1], { queue: 'unknown' })).rejects.toThrow('unknown');
    expect(spans.all()).toEqual([]);
  });

  it('that runs in its caller is sent by nobody', async () => {
    const { tasks } = traced(declareMath);
    await spans.within('request', () => tasks.add.apply([2, 3]));
    expect(treeOf(spans.all())).toEqual(['internal request', '  consumer process mail math.add']);
  });
});

describe('how a run ends', () => {
  class Known extends Error {
    override readonly name = 'Known';
  }
  const ENDS: Record<string, { throws: Error; state: string; error: string | undefined }> = {
    'an error': { throws: new TypeError('no order'), state: 'FAILURE', error: 'TypeError' },
    'an expected error': { throws: new Known('out of stock'), state: 'FAILURE', error: undefined },
    Reject: { throws: new Reject('bad', { requeue: false }), state: 'REJECTED', error: undefined },
    Ignore: { throws: new Ignore(), state: 'IGNORED', error: undefined },
  };
  it.each(Object.entries(ENDS))('%s', async (_what, { throws, state, error }) => {
    const { world, tasks } = traced((app) =>
      app.task('orders.ship', { throws: [Known] }, () => {
        throws.stack = `${throws.name}: ${throws.message}\n    at ship`;
        throw throws;
      }),
    );
    await tasks.delay();
    await world.drain();
    const { status, attributes, events } = spans.one('process mail');
    expect(attributes['celery.state']).toBe(state);
    expect(attributes['error.type']).toBe(error);
    expect(status).toEqual(
      error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: 'no order' },
    );
    expect(events.map((event) => event.attributes)).toEqual(
      error === undefined
        ? []
        : [
            {
              'exception.type': 'TypeError',
              'exception.message': 'no order',
              'exception.stacktrace': 'TypeError: no order\n    at ship',
            },
          ],
    );
  });

  it.each([
    ['mail', ['producer send mail long', 'consumer process mail long', 'producer send mail long']],
    // The message stays as it was sent.
    ['orders', ['producer send orders long']],
  ])('a part that goes on is neither a retry nor an end, in queue %s', async (queue, above) => {
    const { world, tasks } = traced((app) => ({
      long: app.task('long', { bind: true, maxParts: 3, queue }, async (self) => {
        if (self.part < 2) throw self.goOn(self.part);
        return 'done';
      }),
    }));
    const sent = await tasks.long.delay();
    await world.drain();
    expect(await sent.get()).toBe('done');
    const [first, last] = spans.all().filter(({ kind }) => kind === SpanKind.CONSUMER);
    expect(first?.attributes).toMatchObject({ 'celery.state': 'STARTED', 'celeriac.part': 1, 'celery.retries': 0 });
    expect(first?.attributes).not.toHaveProperty('celery.retry.reason');
    expect([first?.status.code, first?.events]).toEqual([SpanStatusCode.UNSET, []]);
    expect(last?.attributes).toMatchObject({ 'celery.state': 'SUCCESS', 'celery.retries': 0 });
    expect(new Set([first, last].map((span) => span && traceOf(span))).size).toBe(1);
    const lines = treeOf(spans.all()).filter((line) => !line.includes('receive'));
    const depth = lines.findLastIndex((line) => line.includes('process'));
    const indentOf = (line: string | undefined): number => (line ?? '').search(/\S/);
    expect(
      lines
        .slice(0, depth)
        .filter((line) => indentOf(line) < indentOf(lines[depth]))
        .map((line) => line.trim()),
    ).toEqual(above);
  });

  it('a retry is no error, and the next attempt goes on below it', async () => {
    const { world, tasks } = traced((app) =>
      app.task(
        'web.crawl',
        { bind: true, autoretryFor: [RangeError], maxRetries: 1, defaultRetryDelay: '2h' },
        (self) => {
          if (self.request.retries === 0) throw new RangeError('busy');
        },
      ),
    );
    await tasks.delay();
    await world.advance('3h');
    expect(treeOf(spans.all()).filter((line) => !line.includes('receive'))).toEqual([
      'producer send mail web.crawl',
      '  consumer process mail web.crawl',
      '    producer send mail web.crawl',
      '      consumer process mail web.crawl',
    ]);
    const [first, second] = spans.all().filter(({ kind }) => kind === SpanKind.CONSUMER);
    expect(first?.status.code).toBe(SpanStatusCode.UNSET);
    expect(first?.attributes).toMatchObject({ 'celery.state': 'RETRY', 'celery.retry.reason': 'busy' });
    expect(second?.attributes).toMatchObject({ 'celery.state': 'SUCCESS', 'celery.retries': 1 });
  });

  it('texts that quote arguments are not told', async () => {
    const { world, tasks } = traced((app) =>
      app.task('orders.ship', (order: string) => {
        throw new InvalidOption(`order: ${order} given; a number is allowed.`);
      }),
    );
    await tasks.delay('o-secret');
    await world.drain();
    const { status, events } = spans.one('process mail');
    expect(status.message).toContain('may quote arguments');
    expect(JSON.stringify(events)).not.toContain('o-secret');
  });
});

describe('what follows', () => {
  const shape = (): readonly string[] => treeOf(spans.all()).filter((line) => !line.includes('receive'));

  it('a step of a chain hangs below the run before it', async () => {
    const { world, tasks } = traced(declareMath);
    const result = await spans.within('request', () =>
      chain(tasks.add.s(1, 2), tasks.add.s(3), tasks.add.s(4)).delay(),
    );
    await world.drain();
    expect(await result.get()).toBe(10);
    expect(shape()).toEqual([
      'internal request',
      '  producer send mail math.add',
      '    consumer process mail math.add',
      '      producer send mail math.add',
      '        consumer process mail math.add',
      '          producer send mail math.add',
      '            consumer process mail math.add',
    ]);
  });

  it("a chord's body hangs below its last member, also where its results are read for it", async () => {
    const { world, tasks } = traced(declareMath);
    const result = await chord([tasks.add.s(1, 2), tasks.add.s(3, 4)], tasks.sum.s()).delay();
    await world.drain();
    expect(await result.get()).toBe(10);
    expect(
      new Set(
        spans
          .all()
          .filter(({ kind }) => kind !== SpanKind.CLIENT)
          .map(traceOf),
      ).size,
    ).toBe(2);
    const body = spans.one('process mail', 'math.sum');
    const sent = spans.all().find((span) => idOf(span) === body.parentSpanContext?.spanId);
    const member = spans.all().find((span) => idOf(span) === sent?.parentSpanContext?.spanId);
    expect([sent, member].map((span) => [span?.name, span && taskOf(span)])).toEqual([
      ['send mail', 'math.sum'],
      ['process mail', 'math.add'],
    ]);
  });

  it('every task of a tree has its run in the trace, below a span that was exported', async () => {
    const { world, tasks } = traced(declareMath);
    const { add, sum } = tasks;
    await spans.within('request', () =>
      chain(
        group([add.s(1, 2), chain(add.s(1, 1), add.s(1)), group([add.s(5, 5)])]),
        sum.s(),
        chord([add.s(1), add.s(2)], sum.s()),
      ).delay(),
    );
    await world.drain();
    const own = spans.all().filter(({ kind }) => kind !== SpanKind.CLIENT);
    expect(new Set(own.map(traceOf)).size).toBe(1);
    const ids = new Set(own.map(idOf));
    expect(own.filter(({ parentSpanContext }) => parentSpanContext && !ids.has(parentSpanContext.spanId))).toEqual([]);
    expect(own.filter(({ name }) => name === 'process mail').length).toBeGreaterThanOrEqual(8);
  });
});
