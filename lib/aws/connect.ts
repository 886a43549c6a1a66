/** From a deployed function's environment to the ports. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';

import type { Clock, Ports, Random, Rules } from '../ports.ts';
import type { Environment } from '../settings.ts';
import { dynamodbClient, sqsClient } from './clients.ts';
import { DynamodbBackend } from './dynamodb-backend.ts';
import { DynamodbSchedules } from './dynamodb-schedules.ts';
import { DynamodbTimers } from './dynamodb-timers.ts';
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
): Pick<Ports, 'broker' | 'backend' | 'timers' | 'schedules' | 'rules'> {
  return {
    broker: new SqsBroker({ client: sqs, queues: queueAddresses(environment.queues, environment.deadLetterQueues) }),
    backend: new DynamodbBackend({ client: dynamodb, table: environment.resultsTable, ...parts }),
    timers: new DynamodbTimers({
      client: dynamodb,
      table: environment.stateTable,
      shards: environment.timerShards,
      ...parts,
    }),
    schedules: new DynamodbSchedules({ client: dynamodb, table: environment.stateTable, ...parts }),
    ...(environment.rulePrefix === undefined ? {} : { rules: lazyRules(environment.rulePrefix) }),
  };
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

/** The client is loaded by who switches a rule, and by nobody else: workers leave it out of their bundles. */
function lazyRules(prefix: string): Rules {
  let rules: Promise<Rules> | undefined;
  const load = (): Promise<Rules> =>
    (rules ??= import('./eventbridge-rules.ts').then(({ EventBridgeRules }) => new EventBridgeRules(prefix)));
  return {
    isEnabled: async (entry) => (await load()).isEnabled(entry),
    setEnabled: async (entry, enabled) => (await load()).setEnabled(entry, enabled),
  };
}
