/** What the embedded cloud makes of an app: each queue and table, with what AWS would be asked for. */
import { Celeriac } from 'celeriac';
import { expect, it } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { provision, type ProvisionOptions } from '../../lib/aws/provision.ts';

interface Asked {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Clients that note what is asked; a table is there when it has been looked at as often as `looks` says. */
function setup(app: Celeriac, { looks = 1, kept = [] as string[], refused = '' } = {}) {
  const asked: Asked[] = [];
  // Who sleeps has slept.
  let nowMs = 0;
  const clock = {
    ...systemClock,
    nowMs: () => nowMs,
    sleep: (ms: number) => Promise.resolve(void (nowMs += ms)),
  };
  const seen = new Map<string, number>();
  const answer = (name: string, input: Record<string, unknown>): unknown => {
    if (name === 'CreateQueueCommand')
      return { QueueUrl: `http://sqs.us-east-1.localhost:4566/0/${String(input['QueueName'])}` };
    if (name === 'GetQueueAttributesCommand')
      return { Attributes: { QueueArn: `arn:${String(input['QueueUrl']).split('/').at(-1)}` } };
    const table = String(input['TableName']);
    if (name === 'CreateTableCommand') {
      if (refused === table) throw Object.assign(new Error('no'), { name: 'AccessDenied' });
      if (kept.includes(table)) throw Object.assign(new Error('kept'), { name: 'ResourceInUseException' });
      return {};
    }
    seen.set(table, (seen.get(table) ?? 0) + 1);
    return { Table: { TableStatus: (seen.get(table) ?? 0) >= looks ? 'ACTIVE' : 'CREATING' } };
  };
  const client = {
    send: (command: { readonly input: Record<string, unknown> }): Promise<unknown> => {
      asked.push({ name: command.constructor.name, input: command.input });
      return Promise.resolve().then(() => answer(command.constructor.name, command.input));
    },
  };
  const options: ProvisionOptions = {
    manifest: app.manifest(),
    sqs: client as never,
    dynamodb: client as never,
    clock,
    endpoint: 'http://127.0.0.1:9999',
    visibilitySeconds: 37,
    maxReceiveCount: 5,
  };
  return { asked, clock, seen, options };
}

const of = (asked: readonly Asked[], name: string): Asked['input'][] =>
  asked.filter((each) => each.name === name).map(({ input }) => input);

it('queues, each with its lost and dead letters, of its own type', async () => {
  const app = new Celeriac('shop.eu', { queues: { default: { priorities: [0, 5] }, orders: { fifo: true } } });
  const { asked, options } = setup(app);
  const { environment, lostQueues } = await provision(options);
  const at = (name: string): string => `http://127.0.0.1:9999/0/${name}`;
  expect(environment).toMatchObject({
    app: 'shop.eu',
    resultsTable: 'shop-eu-results',
    stateTable: 'shop-eu-state',
    defaultQueue: 'default',
    queues: {
      default: at('shop-eu-default'),
      'default-p5': at('shop-eu-default-p5'),
      orders: at('shop-eu-orders.fifo'),
    },
    // Lanes have those of their queue.
    deadLetterQueues: { default: at('shop-eu-default-dead'), orders: at('shop-eu-orders-dead.fifo') },
    timerShards: options.manifest.timerShards,
    wakeQueue: at('shop-eu-__wake__'),
  });
  expect(Object.keys(environment.deadLetterQueues)).toHaveLength(2);
  expect(lostQueues).toEqual([at('shop-eu-lost'), at('shop-eu-lost.fifo')]);
  const redrive = (lost: string): object => ({
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:${lost}`, maxReceiveCount: 5 }),
  });
  const plain = { VisibilityTimeout: '37' };
  const fifo = { ...plain, FifoQueue: 'true' };
  expect(
    Object.fromEntries(of(asked, 'CreateQueueCommand').map(({ QueueName, Attributes }) => [QueueName, Attributes])),
  ).toEqual({
    'shop-eu-lost': plain,
    'shop-eu-lost.fifo': fifo,
    'shop-eu-default': { ...plain, ...redrive('shop-eu-lost') },
    'shop-eu-default-p5': { ...plain, ...redrive('shop-eu-lost') },
    'shop-eu-default-dead': plain,
    'shop-eu-orders.fifo': { ...fifo, ...redrive('shop-eu-lost.fifo') },
    'shop-eu-orders-dead.fifo': fifo,
    'shop-eu-__wake__': plain,
  });
  for (const input of of(asked, 'GetQueueAttributesCommand')) expect(input['AttributeNames']).toEqual(['QueueArn']);
});

it('without a FIFO queue nobody is woken', async () => {
  const { options } = setup(new Celeriac('shop'));
  expect(Object.keys((await provision(options)).environment)).not.toContain('wakeQueue');
});

it('tables by their keys, paid by request, those of an earlier run too; each is waited for', async () => {
  const { asked, seen, options } = setup(new Celeriac('shop'), { looks: 3, kept: ['shop-state'] });
  await provision(options);
  expect(of(asked, 'CreateTableCommand')).toEqual([
    {
      TableName: 'shop-results',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    },
    {
      TableName: 'shop-state',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    },
  ]);
  expect([...seen.values()]).toEqual([3, 3]);
});

it('says which table does not come, and any other refusal as it is', async () => {
  const { clock, options } = setup(new Celeriac('shop'), { looks: 1e9 });
  await expect(provision(options)).rejects.toThrow(/^Table shop-(?:results|state) is not active after 30 s\.$/);
  expect(clock.nowMs()).toBeGreaterThan(30_000);
  expect(clock.nowMs()).toBeLessThan(30_200);
  const other = setup(new Celeriac('shop'), { refused: 'shop-state' });
  await expect(provision(other.options)).rejects.toMatchObject({ name: 'AccessDenied' });
});
