/** The conformance suites of all ports over a server of SQS and one of DynamoDB, whoever has written them. */
// The lean client takes its own commands only.
import { DeleteItemCommand, QueryCommand } from '#aws-sdk';
import type { DynamoDBClient, QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { Celeriac, silentLogger } from 'celeriac';
import {
  backendConformance,
  type BrokerUnderTest,
  brokerConformance,
  deadLettersConformance,
  type DeadLettersUnderTest,
  celeryGroupsConformance,
  type ConformanceCase,
  groupsConformance,
  historyConformance,
  marksConformance,
  leasesConformance,
  noticesConformance,
  locksConformance,
  auditConformance,
  pausesConformance,
  peeksConformance,
  queueDepthsConformance,
  ratesConformance,
  schedulesConformance,
  slotsConformance,
  timersConformance,
} from 'celeriac/testing';

import { type AwsPorts, connect, queueAddresses } from '../../lib/aws/connect.ts';
import { DynamodbAudit } from '../../lib/aws/dynamodb-audit.ts';
import { DynamodbNotices } from '../../lib/aws/dynamodb-notices.ts';
import { DynamodbLeases } from '../../lib/aws/dynamodb-leases.ts';
import { SqsDepths } from '../../lib/aws/sqs-depths.ts';
import { SqsPeeks, type SqsPeeksOptions } from '../../lib/aws/sqs-peeks.ts';
import { peekDeadLetters, SqsPoller } from '../../lib/aws/poller.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import type { Servers } from './servers.ts';

/** Each case of the broker has queues of its own. */
const RUNS = 23;

export interface Suite {
  readonly port: string;
  readonly cases: readonly ConformanceCase[];
}

/** The cases are there at once; `start` makes their queues and tables, and comes first. */
export interface AwsCases {
  readonly suites: readonly Suite[];
  readonly start: (servers: Servers) => Promise<void>;
}

interface Started {
  readonly ports: AwsPorts;
  readonly environment: Environment;
  readonly sqs: SQSClient;
  readonly leases: DynamodbLeases;
  readonly audit: DynamodbAudit;
  readonly dynamodb: DynamoDBClient;
}

export function awsCases(): AwsCases {
  let started: Started | undefined;
  const ports = later(() => started?.ports);
  let used = 0;
  const broker = (): BrokerUnderTest => {
    const index = used;
    used += 1;
    if (started === undefined) throw new Error('start() comes first');
    return brokerOf(started, `plain${index}`, `ordered${index}`);
  };
  const letters = (): DeadLettersUnderTest => {
    const { standard, fifo } = broker();
    return { broker: ports.broker, deadLetters: ports.deadLetters, standard, fifo };
  };
  const addressed = (): SqsPeeksOptions => {
    if (started === undefined) throw new Error('start() comes first');
    const { queues, deadLetterQueues } = started.environment;
    return { client: started.sqs, queues: queueAddresses(queues, deadLetterQueues) };
  };
  return {
    suites: [
      { port: 'backend', cases: backendConformance(later(() => ports.backend)) },
      {
        port: 'leases',
        cases: leasesConformance(
          later(() => started?.leases),
          later(() => ports.backend),
        ),
      },
      { port: 'timers', cases: timersConformance(later(() => ports.timers)) },
      { port: 'schedules', cases: schedulesConformance(later(() => ports.schedules)) },
      { port: 'groups', cases: groupsConformance(later(() => ports.groups)) },
      { port: "Celery's groups", cases: celeryGroupsConformance(later(() => ports.celeryGroups)) },
      { port: 'marks', cases: marksConformance(later(() => ports.marks)) },
      { port: 'audit', cases: auditConformance(later(() => started?.audit)) },
      { port: 'pauses', cases: pausesConformance(later(() => ports.pauses)) },
      { port: 'locks', cases: locksConformance(later(() => ports.locks)) },
      { port: 'notices', cases: noticesConformance(() => emptyNotices(started)) },
      { port: 'rates', cases: ratesConformance(later(() => ports.rates)) },
      { port: 'slots', cases: slotsConformance(later(() => ports.slots)) },
      { port: 'history', cases: historyConformance(later(() => ports.history)) },
      { port: 'broker', cases: brokerConformance(broker) },
      {
        port: 'queue depths',
        cases: queueDepthsConformance(() => ({ ...broker(), depths: new SqsDepths(addressed()) })),
      },
      { port: 'peeks', cases: peeksConformance(() => ({ ...broker(), peeks: new SqsPeeks(addressed()) })) },
      { port: 'dead letters', cases: deadLettersConformance(letters) },
    ],
    start: async (servers) => {
      const environment = await servers.provision(conformanceApp());
      const connected = connect(environment, { clock: systemClock, random: systemRandom }, servers);
      const leases = new DynamodbLeases({ client: servers.dynamodb, table: environment.resultsTable });
      const audit = new DynamodbAudit({ client: servers.dynamodb, table: environment.stateTable });
      started = { ports: connected, environment, sqs: servers.sqs, leases, audit, dynamodb: servers.dynamodb };
    },
  };
}

/** A service has one window: what an earlier case has left is taken away. */
async function emptyNotices(started: Started | undefined): Promise<DynamodbNotices> {
  if (started === undefined) throw new Error('start() comes first');
  const { dynamodb: client, environment } = started;
  const { stateTable: TableName } = environment;
  const { Items = [] }: QueryCommandOutput = await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'notices' } },
    }),
  );
  for (const { pk, sk } of Items)
    if (pk !== undefined && sk !== undefined) await client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
  return new DynamodbNotices({ client, table: TableName });
}

function conformanceApp(): Celeriac {
  const queues = Array.from({ length: RUNS }, (_, index) => [
    [`plain${index}`, {}],
    [`ordered${index}`, { fifo: true }],
  ]).flat() as [string, { fifo?: boolean }][];
  return new Celeriac('conformance', { queues: Object.fromEntries(queues), timerShards: 4, logger: silentLogger });
}

function brokerOf({ ports, environment, sqs }: Started, standard: string, fifo: string): BrokerUnderTest {
  const poller = (queue: string): SqsPoller => new SqsPoller(sqs, queue, environment.queues[queue] ?? '');
  return {
    broker: ports.broker,
    standard,
    fifo,
    receive: (queue) => poller(queue).receive(0, new AbortController().signal),
    deadLetters: (queue) => peekDeadLetters(sqs, environment.deadLetterQueues[queue] ?? ''),
    acknowledge: (queue, receipt) => poller(queue).delete([receipt]),
  };
}

/** Ports that exist only once the servers run. */
function later<T extends object>(get: () => T | undefined): T {
  return new Proxy({} as T, {
    get(_target, key) {
      const real = get();
      if (real === undefined) throw new Error('start() comes first');
      const value: unknown = Reflect.get(real, key, real);
      return typeof value === 'function' ? (value.bind(real) as unknown) : value;
    },
  });
}
