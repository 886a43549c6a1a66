/** One function, two services: it has nothing but what both have told it, sends to both and reads both. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { Celeriac, silentLogger } from 'celeriac';
import { type Authorize, LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { rolesOf } from '../support/iam/roles.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const shop = new Celeriac('shop', { queues: { default: {}, orders: {} }, routes: { 'orders.*': 'orders' } });
const blog = new Celeriac('blog', { queues: { default: {}, celery: { external: true } } });
const add = shop.task('orders.add', (x: number, y: number) => x + y);
// A task of one service that sends to the other.
blog.task('posts.price', async (x: number) => (await add.delay(x, 1)).id);
blog.task('posts.title', (text: string) => text.toUpperCase());

/** The function has what either service grants it: its role holds both. Workers of one name are not told apart. */
const gates = [shop, blog].map((app) => rolesOf(app).gate);
const refused: string[] = [];
const authorize: Authorize = (request) => {
  const denials = gates.map((gate) => {
    try {
      return gate.authorize(request);
    } catch (error) {
      // The other service has no such function.
      return { status: 400, body: { message: String(error) } };
    }
  });
  if (denials.includes(undefined)) return undefined;
  refused.push(`${request.accessKeyId} ${request.target}`);
  return denials.find((denial) => denial !== undefined);
};

const clouds: LocalCloud[] = [];
beforeAll(async () => {
  const first = await LocalCloud.start(shop, { logger: silentLogger, authorize });
  clouds.push(first, await LocalCloud.start(blog, { logger: silentLogger, beside: first }));
});
afterAll(async () => {
  for (const cloud of clouds.toReversed()) await cloud.stop();
  expect(refused).toEqual([]);
});

async function run(code: string): Promise<unknown> {
  const variables = Object.assign({}, ...clouds.map((cloud) => cloud.variables()));
  // Not the synchronous one: the servers that it talks to run in this process.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@celeriac/source', '--input-type=module', '-e', code],
    { env: { ...process.env, ...COMPILE_CACHE, ...variables } },
  );
  return JSON.parse(stdout);
}

it('sends to both and reads both, without their code', async () => {
  const answers = await run(`import { Celeriac, enqueue } from 'celeriac';
const shop = Celeriac.fromEnvironment('shop');
const blog = Celeriac.fromEnvironment('blog');
const options = { timeout: ${PATIENCE_SECONDS}, interval: 0.1 };
const sum = await (await shop.send('orders.add', [1, 2])).get(options);
const title = await (await blog.send('posts.title', ['hello'])).get(options);
const other = await (await blog.send('posts.price', [4])).get(options);
const price = await shop.result(other).get(options);
const refused = [];
for (const attempt of [
  () => shop.send('posts.title', ['x']),
  () => shop.send('orders.add', [1, 1], { queue: 'celery' }),
  () => new Celeriac('crm').send('crm.call', []),
])
  refused.push(await attempt().then(() => 'sent', (error) => error.code));
console.log(JSON.stringify({ sum, title, price, refused }));`);
  expect(answers).toEqual({
    sum: 3,
    title: 'HELLO',
    price: 5,
    refused: ['NOT_REGISTERED', 'QUEUE_NOT_FOUND', 'MISSING_ENVIRONMENT'],
  });
});

it('with their code it is the same: each app finds its own service', async () => {
  const answer = await run(`import { Celeriac, enqueue } from 'celeriac';
const shop = new Celeriac('shop', { queues: { default: {}, orders: {} }, routes: { 'orders.*': 'orders' } });
const add = shop.task('orders.add', (x, y) => x + y);
const blog = new Celeriac('blog', { queues: { default: {} } });
const title = blog.task('posts.title', (text) => text);
const results = [await enqueue(add, [3, 4]), await enqueue(title, ['again'])];
console.log(JSON.stringify(await Promise.all(results.map((result) => result.get({ timeout: ${PATIENCE_SECONDS}, interval: 0.1 })))));`);
  expect(answer).toEqual([7, 'AGAIN']);
});

it('what neither grants is refused', async () => {
  const [cloud] = clouds;
  const QueueUrl = cloud?.environment.queues['default'];
  await expect(cloud?.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow(/not authorized/);
  expect(refused.splice(0)).toEqual(['caller AmazonSQS.ReceiveMessage']);
});

it('nobody says which service the only one is', async () => {
  const message = await run(`import { enqueue } from 'celeriac';
await enqueue('posts.title', ['x']).catch((error) => console.log(JSON.stringify(error.message)));`);
  expect(message).toContain("'blog' (CELERIAC_SERVICE_BLOG), 'shop' (CELERIAC_SERVICE_SHOP)");
});
