/** One suite, every adapter: memory, and the AWS adapters through real SDK clients over HTTP. */
import { Celeriac, silentLogger } from 'celeriac';
import {
  backendConformance,
  brokerConformance,
  type BrokerUnderTest,
  celeryGroupsConformance,
  type ConformanceCase,
  countingIds,
  ManualClock,
  schedulesConformance,
  timersConformance,
} from 'celeriac/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { connect } from '../../lib/aws/connect.ts';
import { peekDeadLetters, SqsPoller } from '../../lib/aws/poller.ts';
import { startDynalite, startDynamodb } from '../../lib/local/servers.ts';
import {
  MemoryBackend,
  MemoryBroker,
  MemoryCeleryGroups,
  MemorySchedules,
  MemoryTimers,
} from '../../lib/memory/index.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { type Servers, startServers } from '../support/servers.ts';

function all(cases: readonly ConformanceCase[]): void {
  for (const each of cases) it(each.name, () => each.run());
}

/** Ports that exist only once the servers run. */
function later<T extends object>(get: () => T): T {
  return new Proxy({} as T, {
    get(_target, key) {
      const real = get();
      const value: unknown = Reflect.get(real, key, real);
      return typeof value === 'function' ? (value.bind(real) as unknown) : value;
    },
  });
}

describe('memory', () => {
  describe('backend', () => all(backendConformance(new MemoryBackend())));
  describe('timers', () => all(timersConformance(new MemoryTimers({ shards: 4 }))));
  describe('schedules', () => all(schedulesConformance(new MemorySchedules())));
  describe("Celery's groups", () => all(celeryGroupsConformance(new MemoryCeleryGroups())));
  describe('broker', () => {
    all(
      brokerConformance((): BrokerUnderTest => {
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
      }),
    );
  });
});

describe.each([
  ['aws, over HTTP, batched writes', startDynamodb],
  ['aws, over HTTP, single writes', startDynalite],
])('%s', (_what, startTables) => {
  const runs = 9;
  let servers: Servers;
  let environment: Environment;
  let ports: Pick<Ports, 'broker' | 'backend' | 'timers' | 'schedules' | 'celeryGroups'>;
  let used = 0;

  beforeAll(async () => {
    servers = await startServers(startTables);
    const queues = Object.fromEntries(
      Array.from({ length: runs }, (_, index) => [
        [`plain${index}`, {}],
        [`ordered${index}`, { fifo: true }],
      ]).flat() as [string, { fifo?: boolean }][],
    );
    const app = new Celeriac('conformance', { queues, timerShards: 4, logger: silentLogger });
    environment = await servers.provision(app);
    ports = connect(environment, { clock: systemClock, random: systemRandom }, servers);
  });
  afterAll(() => servers.stop());

  describe('backend', () => all(backendConformance(later(() => ports.backend))));
  describe('timers', () => {
    const timers = later(() => ports.timers);
    all(timersConformance(timers));
  });
  describe('schedules', () => all(schedulesConformance(later(() => ports.schedules))));
  describe("Celery's groups", () => all(celeryGroupsConformance(later(() => ports.celeryGroups))));
  describe('broker', () => {
    all(
      brokerConformance((): BrokerUnderTest => {
        const index = used;
        used += 1;
        const poller = (queue: string): SqsPoller => new SqsPoller(servers.sqs, queue, environment.queues[queue] ?? '');
        return {
          broker: ports.broker,
          standard: `plain${index}`,
          fifo: `ordered${index}`,
          receive: (queue) => poller(queue).receive(0, new AbortController().signal),
          deadLetters: (queue) => peekDeadLetters(servers.sqs, environment.deadLetterQueues[queue] ?? ''),
          acknowledge: (queue, receipt) => poller(queue).delete([receipt]),
        };
      }),
    );
  });
});
