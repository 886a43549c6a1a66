/** A World over the AWS adapters: their clients are stubbed by the fakes, behind a bad wire where the world has faults. */
import { connect } from '../../../lib/aws/connect.ts';
import { dueNameOf, SCHEDULE_DUE_PARTITION, timerPartition } from '../../../lib/aws/keys.ts';
import { recordOf } from '../../../lib/aws/dynamodb-record.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import { type FaultPlan, never, skewed } from '../../../lib/testing/faults.ts';
import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import { type AdaptersOf, memoryPorts, type WorldAdapters, type WorldPorts } from '../../../lib/testing/world-ports.ts';
import { FaultyRequests } from './faulty-requests.ts';
import type { FakeDynamodb, TableWrite } from './fake-dynamodb.ts';
import { clientsOver, fakeServices, RESULTS_TABLE, type Send, STATE_TABLE } from './services.ts';
import { tellingUnrolled } from './unrolled.ts';

export interface AwsWorldOptions {
  /** Chance that a request takes a moment. Default 0. */
  readonly slow?: number;
  /** Told of every write to a table. */
  readonly onWrite?: (write: TableWrite) => void;
  /** Stands between an adapter and the wire: what an adapter that is wrong would ask, or take from an answer. */
  readonly client?: (send: Send) => Send;
}

export function awsAdapters(options: AwsWorldOptions = {}): (of: AdaptersOf) => WorldAdapters {
  return ({ app, settings, clock, faults, logger }) => {
    const memory = memoryPorts(app, settings, clock, logger);
    const queues = memory.broker;
    const { dynamodb, sqs, environment } = fakeServices(app, {
      send: (items) => queues.send(items),
      changeVisibility: (queue, receipt, seconds) => queues.changeVisibility(queue, receipt, seconds),
    });
    dynamodb.onWrite = options.onWrite;
    const wire = new FaultyRequests({
      plan: faults,
      clock,
      slow: options.slow ?? 0,
      deleteExpired: () => dynamodb.deleteExpired(clock.nowMs()),
      isFifo: (url) => sqs.isFifo(url),
      isDead: (url) => Object.values(environment.deadLetterQueues).includes(url ?? ''),
    });
    const { client = (send) => send } = options;
    const clients = clientsOver(
      client(wire.to((command) => dynamodb.send(command))),
      client(wire.to((command) => sqs.send(command))),
    );
    const { forCall: _forCall, ...stores } = connect(environment, { clock, random: memory.random }, clients);
    const ports: WorldPorts = {
      ...memory,
      ...stores,
      // The fake takes messages and hands out none.
      deadLetters: queues.letters,
      rules: memory.rules,
      ...(stores.history === undefined
        ? {}
        : { history: tellingUnrolled(stores.history, dynamodb.table(STATE_TABLE)) }),
      backend: Object.assign(stores.backend, { all: () => [...dynamodb.table(RESULTS_TABLE).items()].map(recordOf) }),
      timers: Object.assign(stores.timers, timersOf(dynamodb, environment.timerShards)),
      schedules: Object.assign(stores.schedules, { nextDueMs: () => nextDueMs(dynamodb, SCHEDULE_DUE_PARTITION) }),
    };
    return { ports, queues, faulty: faultyPorts(ports, faults) };
  };
}

/** What goes wrong with requests goes wrong on the wire; what is left is the invocation itself. */
function faultyPorts(ports: WorldPorts, plan: FaultPlan): Ports {
  const { backend } = ports;
  return {
    ...ports,
    clock: skewed(ports.clock),
    backend: new Proxy(backend, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const call = value as (...args: unknown[]) => unknown;
        return (...args: unknown[]): unknown => {
          const invocation = CURRENT_INVOCATION.getStore();
          if (invocation !== undefined && key === 'commit' && (invocation.dead || plan.hit('killBeforeCommit'))) {
            invocation.dead = true;
            return never();
          }
          return call.apply(target, args);
        };
      },
    }),
  };
}

function timersOf(dynamodb: FakeDynamodb, shards: number): Pick<WorldPorts['timers'], 'nextDueMs' | 'size'> {
  const partitions = Array.from({ length: shards }, (_, shard) => timerPartition(shard));
  return {
    nextDueMs: () => nextDueMs(dynamodb, ...partitions),
    size: () => partitions.reduce((sum, name) => sum + [...dynamodb.table(STATE_TABLE).partition(name)].length, 0),
  };
}

/** The first item of a partition is the earliest: its sort key begins with its time. */
function nextDueMs(dynamodb: FakeDynamodb, ...partitions: readonly string[]): number | undefined {
  const times = partitions.flatMap((name) => {
    const [first] = dynamodb.table(STATE_TABLE).partition(name);
    return first === undefined ? [] : [timeOf(first['sk']?.S ?? '')];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

function timeOf(sortKey: string): number {
  return Number(sortKey.slice(0, sortKey.length - dueNameOf(sortKey).length - 1));
}
