/** Where a message of the lost queue came from, where SQS does not say it: its envelope does, in Celery's words. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';
import { checkedLines } from '../support/log-lines.ts';

it.each([
  ['a FIFO queue, which Celery calls by another name', 'orders', 'orders'],
  ['a standard queue', 'mail', 'mail'],
])('%s', async (_what, queue, origin) => {
  const app = new Celeriac('lost', { queues: { default: {}, mail: {}, orders: { fifo: true } } });
  const job = app.task('job', { queue }, () => 1);
  const world = new World(app, { logger: checkedLines() });
  const sent: string[] = [];
  const { broker } = world;
  const send = broker.send.bind(broker);
  broker.send = (items) => {
    sent.push(...items.map(({ body }) => body));
    return send(items);
  };
  const { id } = await job.delay();
  broker.send = send;
  const [body = ''] = sent;
  const delivery = { messageId: 'm', receipt: 'r', body, queue: 'unknown', receiveCount: 1, groupId: 'job' };
  const invocation = { deadlineMs: world.clock.nowMs() + 60_000, requestId: 'request' };
  await app.consumeLost([delivery], invocation);
  expect(world.deadLetters(origin)).toMatchObject([{ attributes: { task_id: id, origin_queue: origin } }]);
});
