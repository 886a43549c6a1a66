/** Memory says what a port means; DynamoDB's adapters must say the same of every history of calls. */
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, describe } from 'vitest';

import { connect, type AwsPorts } from '../../lib/aws/connect.ts';
import { startDynalite, startDynamodb } from '../../lib/local/servers.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { memoryPorts, sameHistories, SHARDS } from './same-histories.ts';

// Few: each is dozens of requests to a server, of two kinds. adapters.long.test.ts looks further.
const RUNS = Number(process.env['HISTORIES'] ?? 10);

describe.each([
  ['batched writes', startDynamodb],
  ['single writes', startDynalite],
])('memory and DynamoDB, %s', (_what, startTables) => {
  let servers: Servers;
  let stored: Omit<AwsPorts, 'broker' | 'rules'>;

  beforeAll(async () => {
    servers = await startServers(startTables);
    const app = new Celeriac('differential', { timerShards: SHARDS, logger: silentLogger });
    const environment = await servers.provision(app);
    stored = connect(environment, { clock: systemClock, random: systemRandom, logger: silentLogger } as never, servers);
  });
  afterAll(() => servers.stop());

  const memory = memoryPorts();
  sameHistories(
    () => memory,
    () => stored,
    RUNS,
  );
});
