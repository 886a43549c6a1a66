/** Both fakes behind the SDK clients' `send`, and the environment of an app that they serve. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Celeriac } from 'celeriac';
import { type Environment, externalQueuesOf, hasFifoQueue, taskQueuesOf } from '../../../lib/options/manifest.ts';
import type { Broker } from '../../../lib/ports/broker.ts';
import { WAKE_QUEUE } from '../../../lib/ports/wake-up.ts';
import { FakeDynamodb } from './fake-dynamodb.ts';
import { type FakeQueue, FakeSqs } from './fake-sqs.ts';

export const RESULTS_TABLE = 'fake-results';
export const STATE_TABLE = 'fake-state';

export type Send = (command: unknown) => Promise<object>;

export interface FakeServices {
  readonly dynamodb: FakeDynamodb;
  readonly sqs: FakeSqs;
  readonly environment: Environment;
}

export function fakeServices(app: Celeriac, broker: Broker): FakeServices {
  const manifest = app.manifest();
  const queues: Record<string, string> = {};
  const deadLetterQueues: Record<string, string> = {};
  const byUrl: Record<string, FakeQueue> = {};
  for (const [name, { fifo }] of Object.entries(manifest.queues)) {
    const base = `https://sqs.fake/1/${name.replace(/\.fifo$/, '')}`;
    const end = fifo ? '.fifo' : '';
    queues[name] = `${base}${end}`;
    deadLetterQueues[name] = `${base}-dead${end}`;
    byUrl[`${base}${end}`] = { queue: name, deadLetter: false };
    byUrl[`${base}-dead${end}`] = { queue: name, deadLetter: true };
  }
  const wakeQueue = hasFifoQueue(manifest) ? `https://sqs.fake/1/${WAKE_QUEUE}` : undefined;
  if (wakeQueue !== undefined) byUrl[wakeQueue] = { queue: WAKE_QUEUE, deadLetter: false };
  return {
    dynamodb: new FakeDynamodb({
      [RESULTS_TABLE]: { partition: 'id' },
      [STATE_TABLE]: { partition: 'pk', sort: 'sk' },
    }),
    sqs: new FakeSqs(broker, byUrl),
    environment: {
      app: manifest.name,
      queues,
      deadLetterQueues,
      resultsTable: RESULTS_TABLE,
      stateTable: STATE_TABLE,
      timerShards: manifest.timerShards,
      taskQueues: taskQueuesOf(manifest),
      externalQueues: externalQueuesOf(manifest),
      defaultQueue: manifest.defaultQueue,
      ...(wakeQueue === undefined ? {} : { wakeQueue }),
    },
  };
}

/** What the adapters use of the SDK's clients is their `send`. */
export function clientsOver(dynamodb: Send, sqs: Send): { readonly dynamodb: DynamoDBClient; readonly sqs: SQSClient } {
  const config = { region: () => Promise.resolve('fake-1') };
  return {
    dynamodb: { send: dynamodb, config } as unknown as DynamoDBClient,
    sqs: { send: sqs, config } as unknown as SQSClient,
  };
}
