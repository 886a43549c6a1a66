/** Makes an app's queues and tables by SDK calls: what `infra` makes by CDK, for the embedded cloud and tests. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTableCommand, DescribeTableCommand, CreateQueueCommand, GetQueueAttributesCommand } from '#aws-sdk';
import type { SQSClient } from '@aws-sdk/client-sqs';

import { type AppManifest, type Environment, hasFifoQueue, senderFacts } from '../options/manifest.ts';
import type { Clock } from '../base/time.ts';
import { read } from '../base/error-text.ts';
import { physicalQueueName } from '../wire/queue-name.ts';
import { WAKE_QUEUE } from '../ports/wake-up.ts';

export interface ProvisionOptions {
  readonly manifest: AppManifest;
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
  readonly clock: Clock;
  /** The server's own address: emulators name hosts in queue URLs that this machine cannot resolve. */
  readonly endpoint: string;
  /** Visibility timeout of the queues. */
  readonly visibilitySeconds: number;
  /** Receives before a message moves to the lost queue. */
  readonly maxReceiveCount: number;
}

export interface Provisioned {
  readonly environment: Environment;
  readonly lostQueues: readonly string[];
}

export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const { manifest } = options;
  const prefix = manifest.name.replaceAll('.', '-');
  const tables = { resultsTable: `${prefix}-results`, stateTable: `${prefix}-state` };
  await Promise.all([
    createTable(options, tables.resultsTable, [['id', 'HASH']]),
    createTable(options, tables.stateTable, [
      ['pk', 'HASH'],
      ['sk', 'RANGE'],
    ]),
  ]);
  const queues: Record<string, string> = {};
  const deadLetterQueues: Record<string, string> = {};
  const lost = new Map<boolean, string>();
  for (const [name, { fifo, laneOf }] of Object.entries(manifest.queues)) {
    // Redrive keeps to one type: FIFO queues have a FIFO lost queue.
    if (!lost.has(fifo)) lost.set(fifo, await createQueue(options, physicalQueueName(`${prefix}-`, 'lost', fifo), {}));
    const redrive = {
      deadLetterTargetArn: await arnOf(options.sqs, lost.get(fifo) ?? ''),
      maxReceiveCount: options.maxReceiveCount,
    };
    const physical = physicalQueueName(`${prefix}-`, name, fifo);
    const deadLetters = physicalQueueName(`${prefix}-`, `${name.replace(/\.fifo$/, '')}-dead`, fifo);
    if (laneOf === undefined) deadLetterQueues[name] = await createQueue(options, deadLetters, {});
    queues[name] = await createQueue(options, physical, { RedrivePolicy: JSON.stringify(redrive) });
  }
  const wakeQueue = hasFifoQueue(manifest)
    ? await createQueue(options, physicalQueueName(`${prefix}-`, WAKE_QUEUE, false), {})
    : undefined;
  return {
    environment: {
      app: manifest.name,
      queues,
      deadLetterQueues,
      ...tables,
      timerShards: manifest.timerShards,
      ...senderFacts(manifest),
      defaultQueue: manifest.defaultQueue,
      ...(manifest.payloadKeepSeconds === undefined ? {} : { payloadBucket: `${prefix.toLowerCase()}-payloads` }),
      ...(wakeQueue === undefined ? {} : { wakeQueue }),
    },
    lostQueues: [...lost.values()],
  };
}

async function createQueue(
  options: ProvisionOptions,
  name: string,
  attributes: Record<string, string>,
): Promise<string> {
  const { QueueUrl } = await options.sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: {
        VisibilityTimeout: String(options.visibilitySeconds),
        ...attributes,
        ...(name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}),
      },
    }),
  );
  return new URL(new URL(QueueUrl ?? '').pathname, options.endpoint).href;
}

async function arnOf(client: SQSClient, url: string): Promise<string> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return Attributes?.['QueueArn'] ?? '';
}

async function createTable(
  options: ProvisionOptions,
  name: string,
  keys: readonly (readonly [string, 'HASH' | 'RANGE'])[],
): Promise<void> {
  const { dynamodb, clock } = options;
  await dynamodb
    .send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map(([attribute]) => ({ AttributeName: attribute, AttributeType: 'S' })),
        KeySchema: keys.map(([attribute, type]) => ({ AttributeName: attribute, KeyType: type })),
      }),
    )
    .catch((error: unknown) => {
      // Kept from an earlier run.
      if (read(error as object, 'name') !== 'ResourceInUseException') throw error;
    });
  const deadlineMs = clock.nowMs() + 30_000;
  for (;;) {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE') return;
    if (clock.nowMs() > deadlineMs) throw new Error(`Table ${name} is not active after 30 s.`);
    await clock.sleep(50);
  }
}
