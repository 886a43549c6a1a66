/** The fakes of SQS and DynamoDB serve the AWS adapters as the servers do: the same random histories. aws/conformance.test.ts runs the suite. */
import { Celeriac, silentLogger } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect, type AwsPorts } from '../../lib/aws/connect.ts';
import {
  MemoryBackend,
  MemoryBroker,
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
import {
  BACKEND_CALLS,
  CELERY_GROUP_CALLS,
  GROUP_CALLS,
  MARK_CALLS,
  LOCK_CALLS,
  RATE_CALLS,
  SCHEDULE_CALLS,
  TIMER_CALLS,
} from '../differential/calls.ts';
import { type Call, firstDifference, nextPrefix } from '../differential/history.ts';
import { SLOT_CALLS } from '../differential/slot-calls.ts';
import { clientsOver, fakeServices } from '../support/fake-services/services.ts';
import { type Servers, startServers } from '../support/servers.ts';

const SHARDS = 4;
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

async function alike<Port>(calls: fc.Arbitrary<Call<Port>>, one: Port, other: Port, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(calls, { minLength: 2, maxLength: 30 }), async (drawn) => {
      expect(await firstDifference(drawn, one, other, nextPrefix())).toBeUndefined();
    }),
    { numRuns: runs },
  );
}

describe('histories: memory and the adapters over the fakes', () => {
  const ports = newPorts();
  it('backend', () => alike(BACKEND_CALLS, new MemoryBackend(), ports.backend, RUNS));
  it('timers', () => alike(TIMER_CALLS, new MemoryTimers({ shards: SHARDS }), ports.timers, RUNS));
  it('schedules', () => alike(SCHEDULE_CALLS, new MemorySchedules(), ports.schedules, RUNS));
  it('groups', () => alike(GROUP_CALLS, new MemoryGroups(), ports.groups, RUNS));
  it('marks', () => alike(MARK_CALLS, new MemoryMarks(), ports.marks, RUNS));
  it('locks', () => alike(LOCK_CALLS, new MemoryLocks(), ports.locks, RUNS));
  it('rates', () => alike(RATE_CALLS, new MemoryRates(), ports.rates, RUNS));
  it('slots', () => alike(SLOT_CALLS, new MemorySlots(), ports.slots, RUNS));
  it("Celery's groups", () => alike(CELERY_GROUP_CALLS, new MemoryCeleryGroups(), ports.celeryGroups, RUNS));
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

  it('backend', () => alike(BACKEND_CALLS, fake.backend, served.backend, RUNS_OVER_HTTP));
  it('timers', () => alike(TIMER_CALLS, fake.timers, served.timers, RUNS_OVER_HTTP));
  it('schedules', () => alike(SCHEDULE_CALLS, fake.schedules, served.schedules, RUNS_OVER_HTTP));
  it('groups', () => alike(GROUP_CALLS, fake.groups, served.groups, RUNS_OVER_HTTP));
  it('marks', () => alike(MARK_CALLS, fake.marks, served.marks, RUNS_OVER_HTTP));
  it('locks', () => alike(LOCK_CALLS, fake.locks, served.locks, RUNS_OVER_HTTP));
  it('rates', () => alike(RATE_CALLS, fake.rates, served.rates, RUNS_OVER_HTTP));
  it('slots', () => alike(SLOT_CALLS, fake.slots, served.slots, RUNS_OVER_HTTP));
  it("Celery's groups", () => alike(CELERY_GROUP_CALLS, fake.celeryGroups, served.celeryGroups, RUNS_OVER_HTTP));
});
