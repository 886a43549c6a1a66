/** A bad day of both services, over real HTTP: workers whose requests are throttled, lost, or done in part end all of their work. */
import { type BatchResponse, Celeriac, chain, chord, group, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { connect } from '../../lib/aws/connect.ts';
import { signedByActor } from '../../lib/local/actors.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { ALL_FAULTS, type FaultCounts, randomFaults } from '../support/fault-kinds.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { clientsOver, drawsOf, FaultyService } from '../support/service-faults.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

function declare() {
  const app = new Celeriac('bad-day', { queues: { default: {}, orders: { fifo: true } } });
  const runs = new Map<string, number>();
  const ran = (id: string): number => {
    runs.set(id, (runs.get(id) ?? 0) + 1);
    return runs.get(id) ?? 0;
  };
  return {
    app,
    runs,
    add: app.task('add', { bind: true }, (self, x: number, y: number) => {
      ran(`${self.request.id} ${self.request.retries}`);
      return x + y;
    }),
    sum: app.task('sum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0)),
    flaky: app.task('flaky', { bind: true, maxRetries: 3 }, (self) => {
      ran(`${self.request.id} ${self.request.retries}`);
      if (self.request.retries < 2) throw self.retry({ countdown: 0 });
      return self.request.retries;
    }),
    broken: app.task('broken', (): number => {
      throw new TypeError('no answer');
    }),
  };
}

const counts: FaultCounts = {};
const senders = declare();
const workers = declare();
let cloud: LocalCloud;

beforeAll(async () => {
  cloud = await startCloud(senders.app, {
    invocation: 10,
    visibility: 11,
    sweepEvery: 1,
    logger: silentLogger,
    worker: (deliveries, invocation): Promise<BatchResponse> => workers.app.consume(deliveries, invocation),
  });
  const clients = clientsOver(
    new FaultyService(randomFaults({ ...ALL_FAULTS, slow: 0 }, counts), drawsOf(1)),
    cloud.endpoints,
  );
  for (const client of Object.values(clients)) signedByActor(client);
  workers.app.use({
    ...connect(cloud.environment, { clock: systemClock, random: systemRandom }, clients),
    logger: silentLogger,
  });
});
afterAll(() => cloud.stop());

const WAIT = { timeout: PATIENCE_SECONDS, interval: 0.2 };

it('ends all that was sent, and runs each attempt once, but where its commit was refused', async () => {
  const { add, sum, flaky, broken } = senders;
  const many = await group(Array.from({ length: 40 }, (_, index) => add.s(index, 1))).delay();
  const body = await chord(
    Array.from({ length: 20 }, (_, index) => add.s(index, 0)),
    sum.s(),
  ).delay();
  const steps = await chain(add.s(1, 1), add.s(2), add.s(3)).delay();
  const retried = await Promise.all(Array.from({ length: 5 }, () => flaky.delay()));
  const failed = await broken.delay();
  expect(await many.join(WAIT)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  expect(await body.get(WAIT)).toBe(190);
  expect(await steps.get(WAIT)).toBe(7);
  expect(await Promise.all(retried.map((result) => result.get(WAIT)))).toEqual([2, 2, 2, 2, 2]);
  await expect(failed.get(WAIT)).rejects.toThrow('no answer');
  // A commit that credentials expired before: its task runs again when its lease is over. All else is absorbed.
  const again = [...workers.runs.values()].reduce((total, times) => total + times - 1, 0);
  expect(again).toBeLessThanOrEqual(counts.expiredCredentials ?? 0);
  expect(Object.values(counts).reduce((total, count) => total + count, 0)).toBeGreaterThan(0);
});
