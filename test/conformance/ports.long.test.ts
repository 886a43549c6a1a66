/** The suite of ports.test.ts on stores that know no batches of conditional writes: each is a request of its own then. */
import { afterAll, beforeAll, describe, it } from 'vitest';

import { startDynalite } from '../../lib/local/servers.ts';
import { awsCases } from '../support/aws-cases.ts';
import { type Servers, startServers } from '../support/servers.ts';

describe('aws, over HTTP, single writes', () => {
  const { suites, start } = awsCases();
  let servers: Servers;

  beforeAll(async () => {
    servers = await startServers(startDynalite);
    await start(servers);
  });
  afterAll(() => servers.stop());

  describe.each(suites)('$port', ({ cases }) => {
    for (const each of cases) it(each.name, () => each.run());
  });
});
