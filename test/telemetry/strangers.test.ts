/** What comes from others: headers of messages, and the SDK that a user brings. */
import { context, propagation, SpanStatusCode, trace, type TracerProvider } from '@opentelemetry/api';
import { NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Broker, Celeriac, InvalidOption, type Wiring } from 'celeriac';
import { openTelemetry } from 'celeriac/opentelemetry';

import { flush } from '../../lib/telemetry/flush.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { type Spans, startSpans, traceOf } from '../support/spans.ts';
import { newWorld } from '../support/worlds.ts';

let spans: Spans | undefined;
afterEach(async () => {
  await spans?.stop();
  spans = undefined;
  trace.disable();
  context.disable();
  propagation.disable();
});

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

function traced(options = {}) {
  return newWorld((app) => app.task('add', { bind: true }, (self, x: number) => [x, self.request.headers]), {
    queues: { mail: {} },
    telemetry: openTelemetry(options),
  });
}

describe('headers of a message', () => {
  it.each([
    ['of its sender', `00-${TRACE_ID}-${SPAN_ID}-01`],
    ['with the flag of a random trace id, as Python writes it', `00-${TRACE_ID}-${SPAN_ID}-03`],
    ['of a later version', `01-${TRACE_ID}-${SPAN_ID}-01-more`],
  ])('%s are kept, and gone on with', async (_what, traceparent) => {
    spans = startSpans();
    const { world, tasks } = traced();
    const sent = await tasks.applyAsync([1], { headers: { traceparent, tracestate: 'vendor=1' } });
    await world.drain();
    // Its sender has said whose it is: no span of ours stands between.
    expect(
      spans
        .all()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['process mail', 'receive mail']);
    const run = spans.one('process mail');
    expect(traceOf(run)).toBe(TRACE_ID);
    expect(run.parentSpanContext?.spanId).toBe(SPAN_ID);
    expect(run.spanContext().traceState?.get('vendor')).toBe('1');
    expect(await sent.get()).toEqual([1, { traceparent, tracestate: 'vendor=1' }]);
  });

  it.each([
    ['no text', 7],
    ['a list', ['00', TRACE_ID]],
    ['no trace id', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['cut off', `00-${TRACE_ID}`],
    ['long', `00-${'f'.repeat(100_000)}-${SPAN_ID}-01`],
    ['an object with a text of its own', { toString: () => `00-${TRACE_ID}-${SPAN_ID}-01` }],
  ])('that are %s begin nothing, and end no task', async (_what, traceparent) => {
    spans = startSpans();
    const { world, tasks } = traced();
    const headers = { traceparent: JSON.parse(JSON.stringify(traceparent)) as unknown, tracestate: 'x'.repeat(5000) };
    const sent = await tasks.applyAsync([1], { headers });
    await world.drain();
    expect(await sent.state()).toBe('SUCCESS');
    const run = spans.one('process mail');
    expect(run.attributes['celery.state']).toBe('SUCCESS');
    expect(traceOf(run)).not.toBe(TRACE_ID);
  });
});

describe('the SDK', () => {
  const bodiesOf = async (telemetry: boolean): Promise<unknown> => {
    const app = new Celeriac('plain', { queues: { mail: {} }, ...(telemetry ? { telemetry: openTelemetry() } : {}) });
    const bodies: string[] = [];
    const broker: Pick<Broker, 'send'> = {
      send: async (items) => items.map(({ body }) => ({ ok: true, messageId: String(bodies.push(body)) })),
    };
    app.use({ broker } as Wiring);
    await app.send('add', [1], { taskId: 'a' });
    return bodies.map((body) => decodeMessage(body));
  };

  it('where there is none, messages are as they are without telemetry', async () => {
    expect(await bodiesOf(true)).toEqual(await bodiesOf(false));
  });

  it.each<[string, () => TracerProvider]>([
    [
      'whose processor throws',
      () => {
        const broken = (): never => {
          throw new Error('the processor');
        };
        const processor: SpanProcessor = {
          onStart: broken,
          onEnd: broken,
          forceFlush: () => Promise.reject(new Error('no collector')),
          shutdown: () => Promise.resolve(),
        };
        return new NodeTracerProvider({ spanProcessors: [processor] });
      },
    ],
    [
      'that makes no tracer',
      () => ({
        getTracer: () => {
          throw new Error('no tracer');
        },
      }),
    ],
  ])('%s: tasks are sent, and run', async (_what, make) => {
    const { world, tasks } = traced({ tracerProvider: make() });
    const sent = await tasks.delay(1);
    await world.drain();
    expect(await sent.state()).toBe('SUCCESS');
  });

  it('whose propagator throws: tasks are sent, and run', async () => {
    spans = startSpans();
    propagation.disable();
    propagation.setGlobalPropagator({
      fields: () => ['traceparent'],
      inject: () => {
        throw new Error('inject');
      },
      extract: () => {
        throw new Error('extract');
      },
    });
    const { world, tasks } = traced();
    const sent = await tasks.delay(1);
    await world.drain();
    expect(await sent.get()).toEqual([1, {}]);
  });

  it('whose propagator takes names of the protocol gets the others', async () => {
    spans = startSpans();
    propagation.disable();
    propagation.setGlobalPropagator({
      fields: () => ['id', 'celeriac', 'b3'],
      inject: (_context, carrier, setter) => {
        for (const name of ['id', 'celeriac', 'b3']) setter.set(carrier, name, 'x');
      },
      extract: (given) => given,
    });
    const { world, tasks } = traced();
    const sent = await tasks.delay(1);
    await world.drain();
    expect(await sent.get()).toEqual([1, { b3: 'x' }]);
  });

  it('a task that throws what cannot be asked ends its span', async () => {
    spans = startSpans();
    const { world, tasks } = newWorld(
      (app) =>
        app.task('odd', () => {
          // oxlint-disable-next-line no-throw-literal, only-throw-error
          throw Object.freeze({ __proto__: null });
        }),
      { queues: { mail: {} }, telemetry: openTelemetry() },
    );
    await tasks.delay();
    await world.drain();
    expect(spans.one('process mail').status.code).toBe(SpanStatusCode.ERROR);
  });
});

describe('a batch', () => {
  const flushing = (forceFlush: () => Promise<void>): { provider: TracerProvider; flushes: () => number } => {
    let flushes = 0;
    const processor: SpanProcessor = {
      onStart: () => {},
      onEnd: () => {},
      forceFlush: () => {
        flushes += 1;
        return forceFlush();
      },
      shutdown: () => Promise.resolve(),
    };
    return { provider: new NodeTracerProvider({ spanProcessors: [processor] }), flushes: () => flushes };
  };

  const consume = (app: Celeriac): Promise<unknown> =>
    app.consume([], { requestId: 'r', deadlineMs: app.clock.nowMs() + 60_000 });

  it('waits until its spans are exported', async () => {
    const exported: string[] = [];
    const { provider } = flushing(() => Promise.resolve().then(() => void exported.push('spans')));
    const { app } = traced({ tracerProvider: provider });
    expect(await consume(app)).toEqual({ batchItemFailures: [] });
    expect(exported).toEqual(['spans']);
  });

  it.each([
    ['2 s', 60_000, 2000],
    ['as long as its invocation lasts, but for its answer', 1500, 1000],
    ['not at all with no time left', 400, 0],
  ])('with spans that are never exported waits %s', async (_what, leftMs, waitsMs) => {
    let flushes = 0;
    const provider = {
      getTracer: () => trace.getTracer('none'),
      forceFlush: () => {
        flushes += 1;
        return new Promise<void>(() => {});
      },
    };
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let isOver = false;
    const flushed = flush(provider, leftMs).then(() => (isOver = true));
    if (waitsMs > 0) {
      await vi.advanceTimersByTimeAsync(waitsMs - 1);
      expect(isOver).toBe(false);
    }
    await vi.advanceTimersByTimeAsync(1);
    await flushed;
    expect(flushes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for nothing with `flush: false`', async () => {
    const { provider, flushes } = flushing(() => new Promise(() => {}));
    const { app } = traced({ tracerProvider: provider, flush: false });
    expect(await consume(app)).toEqual({ batchItemFailures: [] });
    expect(flushes()).toBe(0);
  });
});

describe('options', () => {
  it.each<[() => unknown, string]>([
    [() => new Celeriac('shop', { telemetry: true as never }), 'telemetry: true given. Give openTelemetry()'],
    [() => new Celeriac('shop', { telemetry: openTelemetry as never }), 'Give openTelemetry()'],
    [() => openTelemetry({ names: 'otel' as never }), "names is 'otel'; 'messaging' and 'celery' are allowed"],
    [() => openTelemetry({ links: 'yes' as never }), 'links of openTelemetry()'],
    [() => openTelemetry({ flush: 1 as never }), 'flush of openTelemetry()'],
    [() => openTelemetry({ tracerProvider: {} as never }), 'tracerProvider is'],
    [() => openTelemetry({ link: true } as never), 'link'],
  ])('%# is refused', (make, text) => {
    expect(make).toThrow(InvalidOption);
    expect(make).toThrow(text);
  });
});
