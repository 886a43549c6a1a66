/** Lanes and a queue's concurrency on the embedded cloud: real requests, with the rights of the functions' roles. */
import { Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { rolesOf } from '../support/iam/roles.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('lanes', {
  queues: { default: {}, mail: { priorities: [0, 5], concurrency: { 0: 4, 5: 2 } } },
  logger: silentLogger,
});
let [running, most] = [0, 0];
/** As many run at once at least once, however slow the machine: who is alone waits for others until then. */
let expected = 1;
const where = app.task('where', { bind: true, queue: 'mail' }, async (self) => {
  running += 1;
  most = Math.max(most, running);
  do await new Promise((resolve) => setTimeout(resolve, 20));
  while (most < expected);
  running -= 1;
  return self.request.deliveryInfo.queue;
});
const { gate } = rolesOf(app);
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { logger: silentLogger, authorize: (request) => gate.authorize(request) });
});
afterAll(() => cloud.stop());

it('each lane is received from, by the worker of the queue', async () => {
  const sent = await Promise.all([0, 4, 5, 9].map((priority) => where.applyAsync([], { priority })));
  expect(await Promise.all(sent.map((result) => result.get({ timeout: PATIENCE_SECONDS })))).toEqual([
    'mail',
    'mail',
    'mail-p5',
    'mail-p5',
  ]);
});

it('never more than the concurrency run at once', async () => {
  [most, expected] = [0, 2];
  const sent = await Promise.all(Array.from({ length: 40 }, () => where.applyAsync([], { priority: 5 })));
  for (const result of sent) await result.get({ timeout: PATIENCE_SECONDS });
  expect(most).toBe(2);
});

it('a function without the code is told of the lanes', () => {
  expect(cloud.environment.lanes).toEqual({ mail: { priorities: [0, 5] } });
  // Both have one dead-letter queue.
  expect(Object.keys(cloud.environment.deadLetterQueues)).toEqual(['default', 'mail']);
});
