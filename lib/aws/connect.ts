/** From a deployed function's environment to the ports. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';

import type { Clock, Ports, Random } from '../ports.ts';
import type { Environment } from '../settings.ts';
import { WAKE_QUEUE } from '../wake-up.ts';
import { dynamodbClient, sqsClient } from './clients.ts';
import { DynamodbBackend } from './dynamodb-backend.ts';
import { DynamodbCeleryGroups } from './dynamodb-celery-groups.ts';
import { DynamodbGroups } from './dynamodb-groups.ts';
import { DynamodbSchedules } from './dynamodb-schedules.ts';
import { DynamodbTimers } from './dynamodb-timers.ts';
import { EventBridgeRules } from './eventbridge-rules.ts';
import { type QueueAddress, SqsBroker } from './sqs-broker.ts';

export interface ConnectParts {
  readonly clock: Clock;
  readonly random: Random;
}

export interface Clients {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
}

export function connect(
  environment: Environment,
  parts: ConnectParts,
  { sqs, dynamodb }: Clients = { sqs: sqsClient(), dynamodb: dynamodbClient() },
): Pick<Ports, 'broker' | 'backend' | 'timers' | 'schedules' | 'groups' | 'celeryGroups' | 'rules'> {
  return {
    broker: new SqsBroker({ client: sqs, queues: addressesIn(environment) }),
    backend: new DynamodbBackend({ client: dynamodb, table: environment.resultsTable, ...parts }),
    timers: new DynamodbTimers({
      client: dynamodb,
      table: environment.stateTable,
      shards: environment.timerShards,
      ...parts,
    }),
    schedules: new DynamodbSchedules({ client: dynamodb, table: environment.stateTable, ...parts }),
    celeryGroups: new DynamodbCeleryGroups({ client: dynamodb, table: environment.resultsTable }),
    groups: new DynamodbGroups({ client: dynamodb, table: environment.stateTable, ...parts }),
    ...(environment.rulePrefix === undefined ? {} : { rules: new EventBridgeRules(environment.rulePrefix) }),
  };
}

function addressesIn({ queues, deadLetterQueues, wakeQueue }: Environment): Record<string, QueueAddress> {
  const addresses = queueAddresses(queues, deadLetterQueues);
  return wakeQueue === undefined ? addresses : { ...addresses, [WAKE_QUEUE]: { url: wakeQueue, fifo: false } };
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
