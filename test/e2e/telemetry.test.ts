/** Traces over real HTTP: what a message carries stands in SQS and DynamoDB, and comes back. */
import { Celeriac, chain, group, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { openTelemetry } from 'celeriac/opentelemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';
import { idOf, type Spans, startSpans, traceOf } from '../support/spans.ts';

const app = new Celeriac('traces', {
  queues: { default: {}, orders: { fifo: true } },
  logger: silentLogger,
  telemetry: openTelemetry(),
});
const add = app.task('add', (x: number, y: number) => x + y);
const total = app.task('total', { rateLimit: '100/s' }, (all: readonly number[]) => all.reduce((a, b) => a + b, 0));
// Waits as a timer.
const order = app.task('order', { queue: 'orders' }, (n: number) => n);
const flaky = app.task('flaky', { bind: true, maxRetries: 1 }, (self, n: number) => {
  if (self.request.retries === 0) throw self.retry({ countdown: 1 });
  return n;
});

let spans: Spans;
let cloud: LocalCloud;
beforeAll(async () => {
  spans = startSpans();
  cloud = await startCloud(app, { invocation: 10, sweepEvery: 1, logger: silentLogger });
});
afterAll(async () => {
  await cloud.stop();
  await spans.stop();
});

it('a tree with a timer, a rate limit and a retry is one trace', async () => {
  const sent = await spans.within('request', () =>
    chain(group([add.s(1, 2), add.s(3, 4)]), total.s(), flaky.s(), order.s().set({ countdown: 1 })).delay(),
  );
  expect(await sent.get({ timeout: PATIENCE_SECONDS })).toBe(10);
  // A span ends behind its task's result.
  await expect
    .poll(() => spans.all().filter(({ name }) => name === 'process orders').length, { timeout: PATIENCE_MS })
    .toBe(1);
  const own = spans.all().filter(({ name }) => !name.startsWith('receive'));
  expect(new Set(own.map(traceOf)).size).toBe(1);
  const ids = new Set(own.map(idOf));
  const lone = own.filter(({ parentSpanContext }) => !ids.has(parentSpanContext?.spanId ?? ''));
  expect(lone.map(({ name }) => name)).toEqual(['request']);
  expect(own.filter(({ name }) => name.startsWith('process'))).toHaveLength(6);
});
