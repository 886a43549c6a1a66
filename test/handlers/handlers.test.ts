/** Lambda's events in, Lambda's answers out: the handlers bundled by esbuild as CDK does, in a process of their own on the embedded cloud. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fork } from 'node:child_process';

import { GetQueueAttributesCommand } from '#aws-sdk';
import { type BatchResponse, Celeriac, type Delivery, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import type { Context, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { appOf, appOfModules } from '../../handlers/load-app.ts';
import { deliveriesOf, invocationOf, isSqsEvent } from '../../lib/aws/sqs-event.ts';
import { actAs, OPERATOR, SWEEPER, workerOf } from '../../lib/local/actors.ts';
import { serviceVariable } from '../../lib/options/service-variable.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { rolesOf } from '../support/iam/roles.ts';
import { ARN, bundleWorker, eventOf } from '../support/lambda.ts';
import { dueTimers } from '../support/due-timers.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

describe('sqs-event', () => {
  const delivery: Delivery = { messageId: 'm', receipt: 'r', body: 'b', queue: 'x', receiveCount: 2 };
  it('names queues by what their URLs say', () => {
    const event = eventOf([delivery], 'Stack-mail-ABC');
    const urls = { mail: 'https://sqs.us-east-1.amazonaws.com/1/Stack-mail-ABC' };
    expect(deliveriesOf(event, urls)).toEqual([{ ...delivery, queue: 'mail', sentMs: 0 }]);
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
    const after = Date.now();
    expect([requestId, deadlineMs - before >= 5000, deadlineMs - after <= 5000]).toEqual(['id', true, true]);
  });
});

describe('load-app', () => {
  it('finds the one app of a module, whatever it is called', () => {
    const app = new Celeriac('found');
    expect(appOf({ anything: app, other: 1 })).toBe(app);
    expect(appOf({ app, default: app })).toBe(app);
    expect(() => appOf({ add: 1 })).toThrow('exports no app; export one');
    expect(appOfModules({ 'app.ts': { app }, 'index.ts': { app, add: 1 }, 'add.ts': { add: 1 } })).toBe(app);
    expect(() => appOfModules({ 'a.ts': { add: 1 }, 'b.ts': {} })).toThrow(
      'None of 2 modules exports an app: a.ts, b.ts.',
    );
    expect(() => appOfModules({ 'a.ts': { app }, 'b.ts': { two: new Celeriac('second') } })).toThrow(
      /2 apps are exported, where one is allowed: '.+' by a\.ts, 'second' by b\.ts/,
    );
    expect(() => appOf({ one: app, two: new Celeriac('second') })).toThrow('exports 2 apps');
  });
});

describe.each(['lean', 'full'] as const)('the bundled handlers, with the %s client', (sdk) => {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-handlers-'));
  const app = new Celeriac('blog', { queues: { default: {}, mail: {}, orders: { fifo: true } } });
  const roles = rolesOf(app);
  const ordered: string[] = [];
  let cloud: LocalCloud;

  /** A bundle's handler(event, context) in a fresh process: a cold start. */
  const invoke = (
    name: 'worker' | 'sweeper',
    event: SQSEvent | { readonly celeriac: string },
    variables = {},
  ): Promise<BatchResponse> =>
    new Promise((done, fail) => {
      const child = fork('test/support/lambda-process.ts', [join(folder, `${name}.mjs`)], {
        env: { ...process.env, ...cloud.variables(name === 'worker' ? workerOf('default') : SWEEPER), ...variables },
        silent: true,
      });
      child.once('message', (response) => {
        done(response as BatchResponse);
        child.kill();
      });
      child.once('error', fail);
      child.send(event);
    });

  beforeAll(async () => {
    for (const name of ['worker', 'sweeper'] as const)
      bundleWorker('examples/blog/tasks.ts', join(folder, `${name}.mjs`), name, sdk);
    cloud = await startCloud(
      app,
      {
        logger: silentLogger,
        worker: (deliveries) => {
          if (deliveries[0]?.queue !== 'orders')
            return invoke('worker', eventOf(deliveries, `blog-${deliveries[0]?.queue}`));
          ordered.push(...deliveries.map(({ body }) => body));
          return Promise.resolve({ batchItemFailures: [] });
        },
      },
      roles,
    );
  });
  afterAll(async () => {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('runs the example from its bundle', async () => {
    const result = await app.send('comments.check', [{ id: 'c1', author: 'ada', text: 'casino' }]);
    expect(await result.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toEqual({
      comment: 'c1',
      spam: true,
      score: 0.25,
    });
    const rejected = await app.send('comments.check', [{ id: 'c2', author: 'ada', text: '' }]);
    await expect(rejected.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).rejects.toMatchObject({
      message: 'the comment is empty',
    });
    // The commit is seen before what follows from it is sent.
    await expect
      .poll(async () => (await cloud.deadLetters())[0]?.attributes)
      .toMatchObject({ task_id: rejected.id, reason: 'the comment is empty' });
  });

  it('a wake-up sends what is due of a FIFO queue, in order', async () => {
    const { timers } = await app.ports();
    const dueMs = Date.now() - 1;
    // Nobody was told of these: the next sweep is a minute off.
    const parts = await timers.put(
      ['c', 'a', 'b'].map((id, index) => ({
        id,
        attempt: 0,
        dueMs,
        sequence: String(index),
        message: { queue: 'orders', body: id, groupId: 'g', deduplicationId: id },
      })),
    );
    const wakeUp: Delivery = {
      messageId: 'm',
      receipt: 'r',
      body: JSON.stringify({ due: dueMs, shards: parts }),
      queue: '',
      receiveCount: 1,
    };
    expect(await invoke('sweeper', eventOf([wakeUp], 'blog-__wake__'))).toEqual({ batchItemFailures: [] });
    await expect.poll(() => ordered).toEqual(['c', 'a', 'b']);
    expect(await actAs(OPERATOR, () => dueTimers(timers, dueMs))).toEqual([]);
  });

  it("the minute's rule sends what is due, with the exact delay that is left", async () => {
    const { timers } = await app.ports();
    const dueMs = Date.now() + 90_000;
    const all = async (): Promise<string[]> =>
      (await actAs(OPERATOR, () => dueTimers(timers, dueMs))).map(({ id }) => id);
    await timers.put([{ id: 'soon', attempt: 0, dueMs, message: { queue: 'mail', body: 'soon' } }]);
    expect(await all()).toEqual(['soon']);
    expect(await invoke('sweeper', { celeriac: 'sweep' })).toEqual({ batchItemFailures: [] });
    expect(await all()).toEqual([]);
    const { Attributes } = await cloud.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: cloud.environment.queues['mail'] ?? '',
        AttributeNames: ['ApproximateNumberOfMessagesDelayed'],
      }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessagesDelayed: '1' });
  });

  it('the lost queue gets a state and a dead letter, and a message that cannot be handled comes back alone', async () => {
    const id = 'lost-1';
    const message = (task: string): string =>
      JSON.stringify({
        body: Buffer.from('[[],{},{}]').toString('base64'),
        'content-encoding': 'utf-8',
        'content-type': 'application/json',
        headers: { lang: 'js', task, id, root_id: id, parent_id: null, group: null, retries: 0 },
        properties: { delivery_info: { exchange: '', routing_key: 'mail' }, body_encoding: 'base64' },
      });
    const delivery: Delivery = {
      messageId: 'm',
      receipt: 'r',
      body: message('comments.check'),
      queue: 'mail',
      receiveCount: 1,
    };
    const event = eventOf([delivery], 'blog-__lost__');
    const [record] = event.Records;
    if (record) record.attributes = { ...record.attributes, DeadLetterQueueSourceArn: `${ARN}:blog-mail` };
    expect(await invoke('sweeper', event)).toEqual({ batchItemFailures: [] });
    expect(await app.result(id).state()).toBe('FAILURE');
    await expect
      .poll(async () => (await cloud.deadLetters('mail'))[0]?.attributes)
      .toMatchObject({ task_id: id, reason: 'worker lost', origin_queue: 'mail' });
    // Its table is another for this one: nothing is known of it, so it stays.
    const blind = await invoke(
      'sweeper',
      eventOf([{ ...delivery, body: message('x').replaceAll(id, 'lost-2') }], 'blog-__lost__'),
      { [serviceVariable('blog')]: JSON.stringify({ ...cloud.environment, resultsTable: 'no-such-table' }) },
    );
    expect(blind).toEqual({ batchItemFailures: [{ itemIdentifier: 'm' }] });
    expect(roles.gate.takeDenied()).toEqual(["sweeper dynamodb:UpdateItem no-such-table b'celery"]);
  });
});
