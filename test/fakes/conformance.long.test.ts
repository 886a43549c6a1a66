/** The fakes of SQS and DynamoDB serve the AWS adapters as the servers do: the same random histories. aws/conformance.test.ts runs the suite. */
import { Celeriac, silentLogger } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';
import { afterAll, beforeAll, describe } from 'vitest';

import { connect, type AwsPorts } from '../../lib/aws/connect.ts';
import { MemoryBroker } from '../../lib/memory/index.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { memoryPorts, sameHistories, SHARDS } from '../differential/same-histories.ts';
import { clientsOver, fakeServices } from '../support/fake-services/services.ts';
import { type Servers, startServers } from '../support/servers.ts';

const RUNS = Number(process.env['HISTORIES'] ?? 150);
const RUNS_OVER_HTTP = Number(process.env['HISTORIES'] ?? 25);

function appOf(): Celeriac {
  return new Celeriac('fakes', {
    queues: { plain: {}, ordered: { fifo: true } },
    timerShards: SHARDS,
    logger: silentLogger,
  });
}

function newPorts(): AwsPorts {
  const app = appOf();
  const clock = new ManualClock(1_900_000_000_000);
  const broker = new MemoryBroker({ clock, ids: countingIds(), queues: app.settings.queues });
  const { dynamodb, sqs, environment } = fakeServices(app, broker);
  const clients = clientsOver(
    (command) => dynamodb.send(command),
    (command) => sqs.send(command),
  );
  return connect(environment, { clock, random: seededRandom(1) }, clients);
}

describe('histories: memory and the adapters over the fakes', () => {
  const ports = newPorts();
  const memory = memoryPorts();
  sameHistories(
    () => memory,
    () => ports,
    RUNS,
  );
});

describe('histories: the same adapters over the fakes and over a server', () => {
  const fake = newPorts();
  let servers: Servers;
  let served: Omit<AwsPorts, 'broker' | 'rules'>;

  beforeAll(async () => {
    servers = await startServers();
    const environment = await servers.provision(appOf());
    served = connect(environment, { clock: systemClock, random: systemRandom }, servers);
  });
  afterAll(() => servers.stop());

  sameHistories(
    () => fake,
    () => served,
    RUNS_OVER_HTTP,
  );
});
