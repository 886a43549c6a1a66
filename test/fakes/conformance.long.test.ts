/** The fakes of SQS and DynamoDB serve the AWS adapters as the servers do: the same random histories. aws/conformance.test.ts runs the suite. */
import { afterAll, beforeAll, describe } from 'vitest';

import { connect, type AwsPorts } from '../../lib/aws/connect.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { memoryPorts, sameHistories } from '../differential/same-histories.ts';
import { fakePorts, fakesApp } from '../support/fake-services/ports.ts';
import { type Servers, startServers } from '../support/servers.ts';

const RUNS = Number(process.env['HISTORIES'] ?? 150);
const RUNS_OVER_HTTP = Number(process.env['HISTORIES'] ?? 25);

describe('histories: memory and the adapters over the fakes', () => {
  const { ports } = fakePorts();
  const memory = memoryPorts();
  sameHistories(
    () => memory,
    () => ports,
    RUNS,
  );
});

describe('histories: the same adapters over the fakes and over a server', () => {
  const { ports: fake } = fakePorts();
  let servers: Servers;
  let served: Omit<AwsPorts, 'broker' | 'rules'>;

  beforeAll(async () => {
    servers = await startServers();
    const environment = await servers.provision(fakesApp());
    served = connect(environment, { clock: systemClock, random: systemRandom }, servers);
  });
  afterAll(() => servers.stop());

  sameHistories(
    () => fake,
    () => served,
    RUNS_OVER_HTTP,
  );
});
