/**
 * Every rule of a store, whichever answer is lost: each conformance case is run again for each of its
 * requests, which is done although its answer never comes. The SDK asks again, and finds its own work.
 */
import { CreateTableCommand, DescribeTableCommand } from '#aws-sdk';
import {
  backendConformance,
  celeryGroupsConformance,
  type ConformanceCase,
  groupsConformance,
  schedulesConformance,
  timersConformance,
} from 'celeriac/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';

import type { Clients } from '../../lib/aws/connect.ts';
import { DynamodbBackend } from '../../lib/aws/dynamodb-backend.ts';
import { DynamodbCeleryGroups } from '../../lib/aws/dynamodb-celery-groups.ts';
import { DynamodbGroups } from '../../lib/aws/dynamodb-groups.ts';
import { DynamodbSchedules } from '../../lib/aws/dynamodb-schedules.ts';
import { DynamodbTimers } from '../../lib/aws/dynamodb-timers.ts';
import { type LocalServer, startDynamodb } from '../../lib/local/servers.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { broken, doneAnd } from '../support/fault-kinds.ts';
import { clientsOver, FaultyService } from '../support/service-faults.ts';

const LOST = doneAnd(broken('ECONNRESET'));
// Beyond it every request is one of many like it.
const MOST_REQUESTS = 12;

type Store = Readonly<Record<'client' | 'table' | 'clock' | 'random', never>>;

const SUITES: Readonly<Record<string, (store: Store) => ConformanceCase[]>> = {
  backend: (store) => backendConformance(new DynamodbBackend(store)),
  timers: (store) => timersConformance(new DynamodbTimers({ ...(store as object), shards: 2 } as never)),
  schedules: (store) => schedulesConformance(new DynamodbSchedules(store)),
  groups: (store) => groupsConformance(new DynamodbGroups(store)),
  "Celery's groups": (store) => celeryGroupsConformance(new DynamodbCeleryGroups(store)),
};

let server: LocalServer;
let clients: Clients;
let [faultAt, requests] = [0, 0];
let tables = 0;

const service = new FaultyService(() => {
  requests += 1;
  return requests === faultAt ? LOST : undefined;
});

beforeAll(async () => {
  server = await startDynamodb();
  clients = clientsOver(service, { sqs: server.endpoint, dynamodb: server.endpoint });
});
afterAll(() => server.stop());

/** One case on a table of its own. Gives the number of its requests. */
async function play(suite: keyof typeof SUITES, name: string, at: number): Promise<number> {
  tables += 1;
  const table = `table-${tables}`;
  const keys = suite === 'backend' || suite === "Celery's groups" ? ['id'] : ['pk', 'sk'];
  faultAt = 0;
  await clients.dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' as const })),
      KeySchema: keys.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
  // It takes a moment, however short.
  for (;;) {
    const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName: table }));
    if (Table?.TableStatus === 'ACTIVE') break;
  }
  const store = { client: clients.dynamodb, table, clock: systemClock, random: systemRandom };
  const found = SUITES[suite]?.(store as unknown as Store).find((each) => each.name === name);
  [faultAt, requests] = [at, 0];
  await found?.run();
  return requests;
}

describe.each(Object.entries(SUITES))('%s', (suite, casesOf) => {
  it.each(casesOf({} as Store).map(({ name }) => [name]))('%s', async (name) => {
    const uninterrupted = await play(suite, name, 0);
    if (uninterrupted > MOST_REQUESTS) return;
    for (let at = 1; at <= uninterrupted; at += 1)
      await play(suite, name, at).catch((error: unknown) => {
        throw new Error(`where the answer to request ${at} of ${uninterrupted} is lost`, { cause: error });
      });
  });
});
