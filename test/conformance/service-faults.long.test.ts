/** The ports' rules hold on bad days too: every conformance case, while any request may be throttled, lost, or done in part. */
import { Celeriac, silentLogger } from 'celeriac';
import {
  backendConformance,
  brokerConformance,
  type BrokerUnderTest,
  celeryGroupsConformance,
  type ConformanceCase,
  groupsConformance,
  schedulesConformance,
  timersConformance,
} from 'celeriac/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type AwsPorts } from '../../lib/aws/connect.ts';
import { peekDeadLetters, SqsPoller } from '../../lib/aws/poller.ts';
import { startDynalite, startDynamodb } from '../../lib/local/servers.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock } from '../../lib/base/time.ts';
import { type FaultChances, randomFaults } from '../support/fault-kinds.ts';
import { retryingPort, retryingBroker } from '../support/retrying-callers.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { clientsOver, drawsOf, FaultyService } from '../support/service-faults.ts';

// `SEED=7 npm test -- test/conformance` looks at other days.
const SEED = Number(process.env['SEED'] ?? 1);
const BROKER_CASES = 9;

type Suite = 'backend' | 'timers' | 'schedules' | 'groups' | "Celery's groups" | 'broker';
const STORES: readonly Suite[] = ['backend', 'timers', 'schedules', "Celery's groups"];

interface Day {
  readonly kinds: FaultChances;
  readonly suites: readonly Suite[];
  readonly writes?: keyof typeof STARTS;
}

// The SDK tries these again, 8 times here: more of them would end a call now and then.
const BUSY: FaultChances = {
  throttled: 0.12,
  throttledThoughDone: 0.12,
  serverError: 0.05,
  serverErrorThoughDone: 0.05,
};
const NETWORK: FaultChances = { reset: 0.1, resetThoughDone: 0.12, timedOut: 0.05, timedOutThoughDone: 0.08 };
// These end a call, which its caller makes again, with all that is in it.
const NOT_TRIED_AGAIN: FaultChances = { expiredCredentials: 0.02, damaged: 0.03, conflict: 0.03, inProgress: 0.03 };
const MOSTLY_STALE: FaultChances = { stale: 0.7 };
const EVERYTHING: FaultChances = {
  throttled: 0.05,
  throttledThoughDone: 0.05,
  serverErrorThoughDone: 0.05,
  resetThoughDone: 0.05,
  expiredCredentials: 0.01,
  damaged: 0.01,
  conflict: 0.02,
  partly: 0.4,
  stale: 0.5,
};

const DAYS: Readonly<Record<string, Day>> = {
  'a busy service': { kinds: BUSY, suites: [...STORES, 'broker'] },
  'a bad network': { kinds: NETWORK, suites: [...STORES, 'broker'] },
  'requests done in part': { kinds: { partly: 0.85 }, suites: [...STORES, 'groups', 'broker'] },
  'what the SDK does not try again': { kinds: NOT_TRIED_AGAIN, suites: STORES },
  // Not all of them: whoever asks again and again is told some day.
  'reads that are stale wherever they may be': { kinds: MOSTLY_STALE, suites: [...STORES, 'groups'] },
  'everything at once': { kinds: EVERYTHING, suites: [...STORES, 'broker'] },
  'everything at once, single writes': { kinds: EVERYTHING, suites: ['backend'], writes: 'single' },
};

const STARTS = { batched: startDynamodb, single: startDynalite } as const;

/** The cases are known before the servers run. */
function later<T extends object>(get: () => T): T {
  return new Proxy({} as T, {
    get(_target, key) {
      const real = get();
      const value: unknown = Reflect.get(real, key, real);
      return typeof value === 'function' ? (value.bind(real) as unknown) : value;
    },
  });
}

function all(cases: readonly ConformanceCase[]): void {
  for (const each of cases) it(each.name, () => each.run());
}

/** What a broker has told of the messages that it took. */
function remembering(broker: Broker, told: Set<string>): Broker {
  return {
    changeVisibility: (queue, receipt, delaySeconds) => broker.changeVisibility(queue, receipt, delaySeconds),
    send: async (items) => {
      const outcomes = await broker.send(items);
      for (const outcome of outcomes) if (outcome.ok) told.add(outcome.messageId);
      return outcomes;
    },
  };
}

describe.each(Object.entries(DAYS))('%s', (_name, { kinds, suites, writes = 'batched' }) => {
  const service = new FaultyService(randomFaults(kinds), drawsOf(SEED));
  const told = new Set<string>();
  let servers: Servers;
  let environment: Environment;
  let ports: Omit<AwsPorts, 'rules'>;
  let used = 0;

  beforeAll(async () => {
    servers = await startServers(STARTS[writes]);
    const names = Array.from({ length: BROKER_CASES }, (_, index) => index);
    const queues = Object.fromEntries(
      names.flatMap((index): [string, { fifo?: boolean }][] => [
        [`plain${index}`, {}],
        [`ordered${index}`, { fifo: true }],
      ]),
    );
    environment = await servers.provision(new Celeriac('bad-days', { queues, timerShards: 2, logger: silentLogger }));
    const clock = { ...systemClock, sleep: () => Promise.resolve() };
    const made = connect(environment, { clock, random: { next: () => 0 } }, clientsOver(service, servers.endpoints));
    ports = {
      broker: remembering(retryingBroker(made.broker), told),
      backend: retryingPort(made.backend),
      timers: retryingPort(made.timers),
      schedules: retryingPort(made.schedules),
      groups: retryingPort(made.groups),
      celeryGroups: retryingPort(made.celeryGroups),
      marks: retryingPort(made.marks),
      locks: retryingPort(made.locks),
      pauses: retryingPort(made.pauses),
      rates: retryingPort(made.rates),
      slots: retryingPort(made.slots),
      history: retryingPort(made.history),
      deadLetters: retryingPort(made.deadLetters),
    };
  });
  afterAll(async () => {
    await servers.stop();
    // Reads that may be stale are the adapters' own choice, and none of theirs may.
    if (kinds !== MOSTLY_STALE) expect(service.faults).toBeGreaterThan(10);
  });

  const stores: Readonly<Record<Exclude<Suite, 'broker'>, () => ConformanceCase[]>> = {
    backend: () => backendConformance(later(() => ports.backend)),
    timers: () => timersConformance(later(() => ports.timers)),
    schedules: () => schedulesConformance(later(() => ports.schedules)),
    groups: () => groupsConformance(later(() => ports.groups)),
    "Celery's groups": () => celeryGroupsConformance(later(() => ports.celeryGroups)),
  };
  for (const suite of suites) if (suite !== 'broker') describe(suite, () => all(stores[suite]()));
  describe.runIf(suites.includes('broker'))('broker', () => {
    all(
      brokerConformance((): BrokerUnderTest => {
        const index = used;
        used += 1;
        const poller = (queue: string): SqsPoller => new SqsPoller(servers.sqs, queue, environment.queues[queue] ?? '');
        return {
          broker: ports.broker,
          standard: `plain${index}`,
          fifo: `ordered${index}`,
          receive: async (queue) => {
            const received = await poller(queue).receive(0, new AbortController().signal);
            if (queue.startsWith('ordered')) return received;
            // Sent though nobody was told so, then sent again: claims absorb these.
            const extra = received.filter(({ messageId }) => !told.has(messageId));
            if (extra.length > 0) await poller(queue).delete(extra.map(({ receipt }) => receipt));
            return received.filter(({ messageId }) => told.has(messageId));
          },
          deadLetters: async (queue) => {
            const deadLetters = await peekDeadLetters(servers.sqs, environment.deadLetterQueues[queue] ?? '');
            return [...new Map(deadLetters.map((deadLetter) => [JSON.stringify(deadLetter), deadLetter])).values()];
          },
          acknowledge: (queue, receipt) => poller(queue).delete([receipt]),
        };
      }),
    );
  });
});
