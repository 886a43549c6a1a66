/** One trace over both sides: Celery's own instrumentation in Python, and ours here. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Celeriac, chain, silentLogger } from 'celeriac';
import { openTelemetry } from 'celeriac/opentelemetry';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';
import { reasonToSkip } from '../support/python.ts';
import { idOf, type Spans, startSpans, taskOf, traceOf } from '../support/spans.ts';
import { Rig, versions } from './rig.ts';

const reason = reasonToSkip(
  "traces of Celery's instrumentation",
  'celery, boto3, pycurl, opentelemetry.instrumentation.celery, opentelemetry.sdk.trace',
);

interface PythonSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly state: string | null;
}

/** A span of either side. */
interface AnySpan extends Omit<PythonSpan, 'state'> {
  readonly side: 'python' | 'ours';
}

function newApp() {
  const app = new Celeriac('interop', {
    queues: { default: {}, celery: { external: true } },
    routes: { 'proj.*': 'celery' },
    logger: silentLogger,
    telemetry: openTelemetry({ names: 'celery' }),
  });
  const add = app.task('math.add', { params: ['x', 'y'] }, (x: number, y: number) => x + y);
  const flaky = app.task('math.flaky', { bind: true, maxRetries: 2 }, (self, n: number) => {
    if (self.request.retries === 0) throw self.retry({ countdown: 0 });
    return n;
  });
  return { app, add, flaky, theirs: app.remote<(x: number, y: number) => number>('proj.add') };
}

describe.skipIf(reason !== undefined)(`traces between here and ${reason === undefined ? versions() : 'Celery'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-spans-'));
  const file = join(folder, 'spans');
  const { app, add, flaky, theirs } = newApp();
  let spans: Spans;
  let rig: Rig;
  beforeAll(async () => {
    spans = startSpans();
    rig = await Rig.start(app, { workerQueues: ['celery'], environment: { SPANS: file }, invocation: 30 });
  });
  afterAll(async () => {
    await rig.stop();
    await spans.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => spans.exporter.reset());

  const theirSpans = (): PythonSpan[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as PythonSpan)
      : [];
  /** Those of both sides in one trace, until `name` is among them: a run's span ends behind its result. */
  const allOf = async (traceId: string, name: string): Promise<AnySpan[]> => {
    let found: AnySpan[] = [];
    await vi.waitFor(
      () => {
        const ours = spans
          .all()
          .filter((span) => traceOf(span) === traceId && taskOf(span) !== undefined)
          .map((span) => ({
            side: 'ours' as const,
            name: span.name,
            traceId,
            spanId: idOf(span),
            parentId: span.parentSpanContext?.spanId ?? null,
          }));
        const python = theirSpans()
          .filter((span) => span.traceId === traceId)
          .map((span) => ({ ...span, side: 'python' as const }));
        found = [...ours, ...python];
        expect(found.map((span) => span.name)).toContain(name);
      },
      { timeout: PATIENCE_MS, interval: 50 },
    );
    return found;
  };
  /** From the first one's ancestors down to a span of this name. */
  const lineTo = (all: readonly AnySpan[], name: string): string[] => {
    const line: string[] = [];
    for (let at = all.findLast((span) => span.name === name); at !== undefined;) {
      line.unshift(`${at.side} ${at.name}`);
      const { parentId } = at;
      at = all.find(({ spanId }) => spanId === parentId);
    }
    return line;
  };

  it('begins in Python, and goes on in our task and its retry', async () => {
    await rig.ask("let made = remote('math.flaky').apply_async((5,), queue='default')");
    expect(await rig.ask('made.get(timeout=100, interval=0.1)')).toBe(5);
    const made = theirSpans().find(({ name }) => name === 'apply_async/math.flaky');
    const all = await allOf(String(made?.traceId), 'run/math.flaky');
    expect(lineTo(all, 'run/math.flaky')).toEqual([
      'python apply_async/math.flaky',
      'ours run/math.flaky',
      'ours apply_async/math.flaky',
      'ours run/math.flaky',
    ]);
  });

  it('begins here, and goes on in Python', async () => {
    const sent = await spans.within('request', () => theirs.delay(2, 3));
    expect(await sent.get({ timeout: PATIENCE_SECONDS })).toBe(5);
    const all = await allOf(traceOf(spans.one('request')), 'run/proj.add');
    expect(lineTo(all, 'run/proj.add')).toEqual(['ours apply_async/proj.add', 'python run/proj.add']);
  });

  it('goes through a chain from here to Python and back', async () => {
    const sent = await spans.within('request', () => chain(add.s(1, 2), theirs.s(3), flaky.s()).delay());
    expect(await sent.get({ timeout: PATIENCE_SECONDS })).toBe(6);
    const all = await allOf(traceOf(spans.one('request')), 'run/math.flaky');
    expect(lineTo(all, 'run/math.flaky').slice(0, 6)).toEqual([
      'ours apply_async/math.add',
      'ours run/math.add',
      'ours apply_async/proj.add',
      'python run/proj.add',
      'python apply_async/math.flaky',
      'ours run/math.flaky',
    ]);
  });
});
