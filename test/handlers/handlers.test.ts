/** Lambda's events in, Lambda's answers out: the handlers bundled by esbuild as CDK does, in a process of their own on the embedded cloud. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fork } from 'node:child_process';

import { Celeriac, type Delivery, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { appOf } from '../../handlers/load-app.ts';
import { deliveriesOf, invocationOf, isSqsEvent } from '../../lib/aws/sqs-event.ts';
import { ARN, bundleWorker, eventOf } from '../support/lambda.ts';

describe('sqs-event', () => {
  const delivery: Delivery = { messageId: 'm', receipt: 'r', body: 'b', queue: 'x', receiveCount: 2 };
  it('names queues by what their URLs say', () => {
    const event = eventOf([delivery], 'Stack-mail-ABC');
    const urls = { mail: 'https://sqs.us-east-1.amazonaws.com/1/Stack-mail-ABC' };
    expect(deliveriesOf(event, urls)).toEqual([{ ...delivery, queue: 'mail' }]);
    const record = event.Records[0];
    if (record)
      record.attributes = {
        ...record.attributes,
        MessageGroupId: 'g',
        DeadLetterQueueSourceArn: `${ARN}:Stack-mail-ABC`,
      };
    expect(deliveriesOf(event, urls)[0]).toMatchObject({ groupId: 'g', lostFrom: 'mail' });
    expect([isSqsEvent(event), isSqsEvent({ celeriac: 'sweep' })]).toEqual([true, false]);
  });
  it('takes the deadline from the context', () => {
    const before = Date.now();
    const { deadlineMs, requestId } = invocationOf({
      awsRequestId: 'id',
      getRemainingTimeInMillis: () => 5000,
    } as Context);
    expect([requestId, deadlineMs - before >= 5000, deadlineMs - before < 6000]).toEqual(['id', true, true]);
  });
});

describe('load-app', () => {
  it('finds the one app of a module, whatever it is called', () => {
    const app = new Celeriac('found');
    expect(appOf({ anything: app, other: 1 })).toBe(app);
    expect(appOf({ app, default: app })).toBe(app);
    expect(() => appOf({ add: 1 })).toThrow('exports no app; export one');
    expect(() => appOf({ one: app, two: new Celeriac('second') })).toThrow('exports 2 apps');
  });
});

describe('the bundled worker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-handlers-'));
  const app = new Celeriac('blog', { queues: { default: {}, mail: {} } });
  let cloud: LocalCloud;

  beforeAll(async () => {
    await bundleWorker('examples/blog/tasks.ts', join(folder, 'worker.mjs'));
    cloud = await LocalCloud.start(app, {
      logger: silentLogger,
      // Each batch goes to the bundle's handler(event, context) in a fresh process: a cold start.
      worker: (deliveries) =>
        new Promise((done, fail) => {
          const child = fork('test/support/lambda-process.ts', [join(folder, 'worker.mjs')], {
            env: { ...process.env, ...cloud.variables() },
            silent: true,
          });
          child.once('message', (response) => {
            done(response as never);
            child.kill();
          });
          child.once('error', fail);
          child.send(eventOf(deliveries, `blog-${deliveries[0]?.queue}`));
        }),
    });
  });
  afterAll(async () => {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('runs the example from its bundle', async () => {
    const result = await app.send('comments.check', [{ id: 'c1', author: 'ada', text: 'casino' }]);
    expect(await result.get({ timeout: 15, interval: 0.1 })).toEqual({ comment: 'c1', spam: true, score: 0.25 });
    const rejected = await app.send('comments.check', [{ id: 'c2', author: 'ada', text: '' }]);
    await expect(rejected.get({ timeout: 15, interval: 0.1 })).rejects.toMatchObject({
      message: 'the comment is empty',
    });
    // The commit is seen before what follows from it is sent.
    await expect
      .poll(async () => (await cloud.deadLetters())[0]?.attributes, { timeout: 5000 })
      .toMatchObject({ task_id: rejected.id, reason: 'the comment is empty' });
  });
});
