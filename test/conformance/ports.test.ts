/** One suite, every adapter: memory, and the AWS adapters through real SDK clients over HTTP. */
import {
  backendConformance,
  blobsConformance,
  brokerConformance,
  type BrokerUnderTest,
  celeryGroupsConformance,
  type ConformanceCase,
  countingIds,
  historyConformance,
  deadLettersConformance,
  ManualClock,
  marksConformance,
  leasesConformance,
  locksConformance,
  noticesConformance,
  auditConformance,
  pausesConformance,
  peeksConformance,
  queueDepthsConformance,
  ratesConformance,
  schedulesConformance,
  slotsConformance,
  timersConformance,
} from 'celeriac/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startDynamodb } from '../../lib/local/servers.ts';
import {
  MemoryBackend,
  MemoryBlobs,
  MemoryBroker,
  MemoryCeleryGroups,
  MemoryHistory,
  MemoryMarks,
  MemoryLocks,
  MemoryNotices,
  MemoryAudit,
  MemoryPauses,
  MemoryRates,
  MemorySchedules,
  MemorySlots,
  MemoryTimers,
} from '../../lib/memory/index.ts';
import { awsCases } from '../support/aws-cases.ts';
import { type Servers, startServers } from '../support/servers.ts';

function all(cases: readonly ConformanceCase[]): void {
  for (const each of cases) it(each.name, () => each.run());
}

describe('memory', () => {
  describe('backend', () => all(backendConformance(new MemoryBackend())));
  describe('blobs', () => all(blobsConformance(new MemoryBlobs(new ManualClock(1_900_000_000_000)))));
  describe('leases', () => {
    const backend = new MemoryBackend();
    all(leasesConformance(backend, backend));
  });
  describe('timers', () => all(timersConformance(new MemoryTimers({ shards: 4 }))));
  describe('schedules', () => all(schedulesConformance(new MemorySchedules())));
  describe("Celery's groups", () => all(celeryGroupsConformance(new MemoryCeleryGroups())));
  describe('marks', () => all(marksConformance(new MemoryMarks())));
  describe('locks', () => all(locksConformance(new MemoryLocks())));
  describe('notices', () => all(noticesConformance(() => Promise.resolve(new MemoryNotices()))));
  describe('audit', () => all(auditConformance(new MemoryAudit())));
  describe('pauses', () => all(pausesConformance(new MemoryPauses())));
  describe('rates', () => all(ratesConformance(new MemoryRates())));
  describe('slots', () => all(slotsConformance(new MemorySlots())));
  describe('history', () => all(historyConformance(new MemoryHistory())));
  describe('dead letters', () => {
    all(
      deadLettersConformance(() => {
        const clock = new ManualClock(1_900_000_000_000);
        const queues = { plain: { fifo: false }, ordered: { fifo: true } };
        const broker = new MemoryBroker({ clock, ids: countingIds(), queues });
        return { broker, deadLetters: broker.letters, standard: 'plain', fifo: 'ordered' };
      }),
    );
  });
  describe('queue depths', () => {
    all(
      queueDepthsConformance(() => {
        const under = brokerUnderTest();
        return { ...under, depths: under.broker.depths };
      }),
    );
  });
  describe('peeks', () => {
    all(
      peeksConformance(() => {
        const under = brokerUnderTest();
        return { ...under, peeks: under.broker.peeks };
      }),
    );
  });
  describe('broker', () => all(brokerConformance(brokerUnderTest)));
});

function brokerUnderTest(): BrokerUnderTest & { readonly broker: MemoryBroker } {
  const clock = new ManualClock(1_900_000_000_000);
  const broker = new MemoryBroker({
    clock,
    ids: countingIds(),
    queues: { plain: { fifo: false }, ordered: { fifo: true } },
  });
  return {
    broker,
    standard: 'plain',
    fifo: 'ordered',
    receive: (queue) => Promise.resolve(broker.receive(queue, 10)),
    deadLetters: (queue) => Promise.resolve(broker.deadLetters(queue)),
    acknowledge: (queue, receipt) => Promise.resolve(broker.acknowledge(queue, receipt)),
  };
}

// Stores that know no batches of writes: ports.long.test.ts.
describe('aws, over HTTP, batched writes', () => {
  const { suites, start } = awsCases();
  let servers: Servers;

  beforeAll(async () => {
    servers = await startServers(startDynamodb);
    await start(servers);
  });
  afterAll(() => servers.stop());

  describe.each(suites)('$port', ({ cases }) => all(cases));
});
