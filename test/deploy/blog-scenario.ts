/** The example blog, deployed: its tasks through the public API, and through its API function. */
import { DynamoDBClient, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { group } from 'celeriac';

import { connect } from './connect.ts';
import type { Emulator } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';
import { equal, type Report } from './report.ts';

const PATIENCE = { timeout: 120 };
const GROUP = 50;

/** Gives what is to be looked at later: what the next sweep does. */
export async function blogScenario(report: Report, emulator: Emulator): Promise<() => Promise<void>> {
  // The last app that is made is the process's own: each scenario makes its own when its turn comes.
  const { app, checkComment, publishComment, publishPost, sendWelcome } = await import('../../examples/blog/tasks.ts');
  const lambda = new LambdaApi(emulator.endpoint);
  let stateTable = '';
  await report.needed('the API function knows where to send', async () => {
    ({ stateTable } = await connect(app, emulator, 'CeleriacBlog-Api'));
  });
  await report.step('a task, cold', async () => {
    equal(await (await sendWelcome.delay('ada@example.com')).get(PATIENCE), 'sent to ada@example.com');
  });
  await report.step('a task, warm', async () => {
    equal(await (await sendWelcome.delay('bob@example.com')).get(PATIENCE), 'sent to bob@example.com');
  });
  await report.step('a countdown of 3 s', async () => {
    const startedMs = Date.now();
    const result = await sendWelcome.applyAsync(['eve@example.com'], { countdown: 3 });
    await result.get(PATIENCE);
    const waitedMs = ((await result.dateDone())?.getTime() ?? 0) - startedMs;
    if (waitedMs < 3000) throw new Error(`it ran after ${waitedMs} ms`);
    return `${waitedMs} ms`;
  });
  await report.step('the API function sends, a worker runs', async () => {
    const event = { body: JSON.stringify({ id: 'c9', author: 'eve', text: 'free money' }) };
    const answer = (await lambda.invoke((await lambda.function('CeleriacBlog-Api')).FunctionName, event)) as {
      readonly statusCode: number;
      readonly body: string;
    };
    equal(answer.statusCode, 202, JSON.stringify(answer));
    const { task } = JSON.parse(answer.body) as { task: string };
    equal(await app.result(task).get(PATIENCE), { comment: 'c9', spam: true, score: 0.25 });
  });
  let later = (): Promise<void> => Promise.reject(new Error('nothing was left to the sweep'));
  await report.step('messages in transactions: cancelled, and flushed', async () => {
    const dynamodb = new DynamoDBClient({});
    const own = (id: string) => ({ Put: { TableName: stateTable, Item: { pk: { S: 'shop' }, sk: { S: id } } } });
    const missing = {
      ConditionCheck: {
        TableName: stateTable,
        Key: own('none').Put.Item,
        ConditionExpression: 'attribute_exists(pk)',
      },
    };
    const [cancelled, flushed, left] = await Promise.all(
      ['no@example.com', 'now@example.com', 'later@example.com'].map((to) => sendWelcome.s(to).toTransactItem()),
    );
    if (cancelled === undefined || flushed === undefined || left === undefined) throw new Error('no item');
    const failed = await dynamodb
      .send(new TransactWriteItemsCommand({ TransactItems: [own('1'), cancelled, missing] }))
      .catch((error: unknown) => (error as Error).name);
    equal(failed, 'TransactionCanceledException');
    await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [own('2'), flushed] }));
    await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [own('3'), left] }));
    await flushed.flush();
    equal(await flushed.result.get(PATIENCE), 'sent to now@example.com');
    later = async () => {
      equal(await left.result.get(PATIENCE), 'sent to later@example.com');
      equal(await cancelled.result.state(), 'PENDING');
    };
  });
  await report.step('retries while a service is down', async () => {
    const result = await checkComment.delay({ id: 'c3', author: 'eve', text: 'hello (flaky)' });
    equal(await result.get(PATIENCE), { comment: 'c3', spam: false, score: 0 });
  });
  await report.step(`a group of ${GROUP}`, async () => {
    const posts = Array.from({ length: GROUP }, (_, index) => `p${index}`);
    const result = await group(posts.map((post) => publishPost.s(post))).delay();
    equal(
      await result.join(PATIENCE),
      posts.map((post) => `published ${post}`),
    );
  });
  await report.step('a task, its link and its verdict', async () => {
    const result = await checkComment.applyAsync([{ id: 'c5', author: 'zoe', text: 'hello' }], {
      link: publishComment.signature([], { taskId: 'publish-c5' }),
    });
    await result.get(PATIENCE);
    equal(await app.result('publish-c5').get(PATIENCE), 'published c5');
  });
  return () => later();
}
