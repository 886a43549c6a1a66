/** The servers of the embedded cloud, as clients on a busy machine meet them: idle for long, or asking while they stop. */
import { CreateTableCommand, DynamoDBClient, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { startDynalite, startDynamodb, startSqs } from '../../lib/local/servers.ts';

const common = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' }, maxAttempts: 1 };
const TABLE = 'state';

let uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
beforeEach(() => {
  uncaught = [];
  process.on('uncaughtExceptionMonitor', note);
});
afterEach(() => {
  process.off('uncaughtExceptionMonitor', note);
});

async function tableAt(endpoint: string): Promise<DynamoDBClient> {
  const client = new DynamoDBClient({ ...common, endpoint });
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  return client;
}

const put = (key: number): PutItemCommand =>
  new PutItemCommand({ TableName: TABLE, Item: { pk: { S: String(key) }, long: { S: 'x'.repeat(50_000) } } });

/** Keeps the header in which a server says how long it leaves an idle connection open. */
class KeepAliveSeen extends NodeHttpHandler {
  readonly seen: (string | undefined)[] = [];

  override async handle(
    ...call: Parameters<NodeHttpHandler['handle']>
  ): Promise<Awaited<ReturnType<NodeHttpHandler['handle']>>> {
    const answer = await super.handle(...call);
    this.seen.push(answer.response.headers['keep-alive']);
    return answer;
  }
}

it.each([
  ['SQS', startSqs],
  ['DynamoDB', startDynamodb],
  ['DynamoDB, without the proxy', startDynalite],
])('%s closes no idle connection: its client may be about to write', async (what, start) => {
  const server = await start();
  const requestHandler = new KeepAliveSeen();
  const options = { ...common, endpoint: server.endpoint, requestHandler };
  try {
    if (what === 'SQS') await new SQSClient(options).send(new ListQueuesCommand({}));
    else await new DynamoDBClient(options).send(new ListTablesCommand({}));
    expect(requestHandler.seen).toEqual([undefined]);
  } finally {
    requestHandler.destroy();
    await server.stop();
  }
});

it.each([
  ['DynamoDB, its clients gone before', startDynamodb, true],
  ['DynamoDB, its clients waiting', startDynamodb, false],
  ['DynamoDB without the proxy, its clients gone before', startDynalite, true],
  ['DynamoDB without the proxy, its clients waiting', startDynalite, false],
] as const)('a server stops quietly in the middle of requests: %s', async (_what, start, gone) => {
  for (let round = 0; round < 5; round += 1) {
    const server = await start();
    const client = await tableAt(server.endpoint);
    const asked = Array.from({ length: 40 }, (_, key) => client.send(put(key)));
    // One is answered, so that connections are there and the others are under way.
    await Promise.race(asked);
    if (gone) client.destroy();
    await server.stop();
    await Promise.allSettled(asked);
    client.destroy();
  }
  expect(uncaught).toEqual([]);
});
