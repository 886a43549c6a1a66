/** From a deployed function's environment to the ports. */
import type { Clock, Random } from '../base/time.ts';
import type { Environment } from '../options/manifest.ts';
import { callViews } from '#deployed/aws/call-views';
import { historyOver } from '#deployed/aws/history-over';
import {
  blobsOver,
  celeryGroupsOver,
  deadLettersOver,
  groupsOver,
  marksOver,
  notifyOver,
  ratesOver,
  schedulesOver,
  slotsOver,
  locksOver,
  pausesOver,
  rulesOver,
  timersOver,
} from '#deployed/aws/rare-ports';
import { WAKE_QUEUE } from '../ports/wake-up.ts';
import { dynamodbClient, sqsClient } from './clients.ts';
import type { AwsPorts, Clients, Connected } from './connected.ts';
import { DynamodbBackend } from './dynamodb-backend.ts';
import { type QueueAddress, SqsBroker } from './sqs-broker.ts';

export type { AwsPorts, Clients, Connected };

/** What the adapters take from the process. */
export interface ConnectParts {
  /** Tells the time, and waits between attempts. */
  readonly clock: Clock;
  /** Random numbers for jitter between attempts. */
  readonly random: Random;
}

/**
 * The ports themselves are a worker's: patient, since what fails for a passing reason would run its task again, and
 * throwing the SDK's own errors.
 */
export function connect(
  environment: Environment,
  parts: ConnectParts,
  clients: Clients = { sqs: sqsClient(), dynamodb: dynamodbClient() },
): Connected {
  const { rulePrefix, payloadBucket: bucket } = environment;
  const rules = rulePrefix === undefined ? {} : { rules: rulesOver(rulePrefix) };
  const made = bucket === undefined ? undefined : blobsOver({ bucket, client: clients.dynamodb, ...parts });
  const blobs = clients.blobs ?? made;
  const own: AwsPorts = { ...portsOver(environment, parts, clients), ...rules, blobs };
  const over = (given: Clients): Omit<AwsPorts, 'rules' | 'blobs'> => portsOver(environment, parts, given);
  const notify = environment.notify && notifyOver({ environment, client: clients.dynamodb });
  return { ...own, notify, forCall: callViews({ own, rulePrefix, clients, clock: parts.clock, over }) };
}

function portsOver(
  environment: Environment,
  parts: ConnectParts,
  { sqs, dynamodb }: Clients,
): Omit<AwsPorts, 'rules' | 'blobs'> {
  return {
    broker: new SqsBroker({ client: sqs, queues: addressesIn(environment) }),
    backend: new DynamodbBackend({ client: dynamodb, table: environment.resultsTable, ...parts }),
    timers: timersOver({
      client: dynamodb,
      table: environment.stateTable,
      shards: environment.timerShards,
      ...parts,
    }),
    schedules: schedulesOver({ client: dynamodb, table: environment.stateTable, ...parts }),
    celeryGroups: celeryGroupsOver({ client: dynamodb, table: environment.resultsTable, ...parts }),
    marks: marksOver({ client: dynamodb, table: environment.stateTable, ...parts }),
    rates: ratesOver({ client: dynamodb, table: environment.stateTable, ...parts }),
    slots: slotsOver({ client: dynamodb, table: environment.stateTable, ...parts }),
    pauses: pausesOver({ client: dynamodb, table: environment.stateTable, ...parts }),
    locks: locksOver({ client: dynamodb, table: environment.stateTable, ...parts }),
    history: historyOver({ client: dynamodb, table: environment.stateTable }),
    deadLetters: deadLettersOver({ client: sqs, urls: environment.deadLetterQueues }),
    groups: groupsOver({ client: dynamodb, table: environment.stateTable, ...parts }),
  };
}

function addressesIn({ queues, deadLetterQueues, wakeQueue }: Environment): Record<string, QueueAddress> {
  const addresses = queueAddresses(queues, deadLetterQueues);
  return wakeQueue === undefined ? addresses : { ...addresses, [WAKE_QUEUE]: { url: wakeQueue, fifo: false } };
}

/** Addresses for `SqsBroker`, from URLs by Celery's queue names. A queue is FIFO where its URL ends with `.fifo`. */
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
