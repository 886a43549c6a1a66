/** From a deployed function's environment to the ports. */
import type { Clock, Ports, Random } from '../ports.ts';
import type { Environment } from '../settings.ts';
import { dynamodbClient, sqsClient } from './clients.ts';
import { DynamodbBackend } from './dynamodb-backend.ts';
import { DynamodbTimers } from './dynamodb-timers.ts';
import { SqsBroker } from './sqs-broker.ts';

export interface ConnectParts {
  readonly clock: Clock;
  readonly random: Random;
}

export function connect(environment: Environment, parts: ConnectParts): Pick<Ports, 'broker' | 'backend' | 'timers'> {
  const dynamodb = dynamodbClient();
  return {
    broker: new SqsBroker({ client: sqsClient(), queues: queueAddresses(environment.queues, environment.deadLetterQueues) }),
    backend: new DynamodbBackend({ client: dynamodb, table: environment.resultsTable, ...parts }),
    timers: new DynamodbTimers({ client: dynamodb, table: environment.stateTable, shards: environment.timerShards, ...parts }),
  };
}

export interface QueueAddress {
  readonly url: string;
  readonly deadLetterUrl?: string;
  readonly fifo: boolean;
}

export function queueAddresses(
  urls: Readonly<Record<string, string>>,
  deadLetterUrls: Readonly<Record<string, string>>,
): Record<string, QueueAddress> {
  return Object.fromEntries(
    Object.entries(urls).map(([name, url]) => {
      const deadLetterUrl = deadLetterUrls[name];
      return [name, { url, fifo: url.endsWith('.fifo'), ...(deadLetterUrl === undefined ? {} : { deadLetterUrl }) }];
    }),
  );
}
