/** Memory says what a port means; DynamoDB's adapters must say the same of every history of calls. */
import { Celeriac, silentLogger } from 'celeriac';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect, type AwsPorts } from '../../lib/aws/connect.ts';
import { startDynalite, startDynamodb } from '../../lib/local/servers.ts';
import {
  MemoryBackend,
  MemoryCeleryGroups,
  MemoryGroups,
  MemoryMarks,
  MemoryLocks,
  MemoryRates,
  MemorySchedules,
  MemorySlots,
  MemoryTimers,
} from '../../lib/memory/index.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { type Servers, startServers } from '../support/servers.ts';
import {
  BACKEND_CALLS,
  CELERY_GROUP_CALLS,
  GROUP_CALLS,
  MARK_CALLS,
  LOCK_CALLS,
  RATE_CALLS,
  SCHEDULE_CALLS,
  TIMER_CALLS,
} from './calls.ts';
import { SLOT_CALLS } from './slot-calls.ts';
import { type Call, firstDifference, nextPrefix } from './history.ts';

const SHARDS = 4;
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

  async function alike<Port>(calls: fc.Arbitrary<Call<Port>>, memory: Port, aws: () => Port): Promise<void> {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 2, maxLength: 30 }), async (drawn) => {
        expect(await firstDifference(drawn, memory, aws(), nextPrefix())).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  }

  it('backend', () => alike(BACKEND_CALLS, new MemoryBackend(), () => stored.backend));
  it('timers', () => alike(TIMER_CALLS, new MemoryTimers({ shards: SHARDS }), () => stored.timers));
  it('schedules', () => alike(SCHEDULE_CALLS, new MemorySchedules(), () => stored.schedules));
  it('groups', () => alike(GROUP_CALLS, new MemoryGroups(), () => stored.groups));
  it('marks', () => alike(MARK_CALLS, new MemoryMarks(), () => stored.marks));
  it('locks', () => alike(LOCK_CALLS, new MemoryLocks(), () => stored.locks));
  it('rates', () => alike(RATE_CALLS, new MemoryRates(), () => stored.rates));
  it('slots', () => alike(SLOT_CALLS, new MemorySlots(), () => stored.slots));
  it("Celery's groups", () => alike(CELERY_GROUP_CALLS, new MemoryCeleryGroups(), () => stored.celeryGroups));
});
