/** A monitor over an app in memory, whose time is the test's. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';

import { OperationalError } from '../../lib/base/errors.ts';
import { DEFAULT_TIMER_SHARDS } from '../../lib/base/limits.ts';
import { MemoryAudit } from '../../lib/memory/index.ts';
import type { MonitorOptions } from '../../lib/monitor/monitor-app.ts';
import type { MonitoredService } from '../../lib/monitor/service.ts';
import type { EventSourceState } from '../../lib/ports/event-sources.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { Monitor } from './monitor.ts';

export interface MonitoredShop {
  readonly world: World;
  readonly monitor: Monitor;
  readonly audit: MemoryAudit;
  readonly service: MonitoredService;
  /** Queues that were emptied. */
  readonly purged: readonly string[];
  /** What is told of queues by others than SQS's counts. */
  readonly told: { oldestSeconds: number; eventSource: EventSourceState };
  /** While true no sweep reads what is due, with queues and workers alive. */
  readonly outage: { on: boolean };
}

export function monitorOfShop(
  given: Partial<MonitorOptions> | ((service: MonitoredService) => Partial<MonitorOptions>) = {},
  app: Celeriac = smallShop(),
): MonitoredShop {
  const outage = { on: false };
  const told: MonitoredShop['told'] = { oldestSeconds: 0, eventSource: 'on' };
  const world = new World(app, {
    logger: { log: () => {} },
    wrapPorts: (ports) => (outage.on ? { ...ports, schedules: unread(ports.schedules) } : ports),
  });
  const audit = new MemoryAudit();
  const purged: string[] = [];
  const queues = { default: 'u', mail: 'u' };
  const environment = {
    app: 'shop',
    queues,
    deadLetterQueues: {},
    resultsTable: 'r',
    stateTable: 's',
    timerShards: DEFAULT_TIMER_SHARDS,
    taskQueues: {},
    externalQueues: [],
    defaultQueue: 'default',
  };
  const service: MonitoredService = {
    app: world.app,
    hasCode: true,
    environment,
    taskNames: Object.keys(app.manifest().tasks),
    place: 'here',
    showValues: false,
    audit,
    depths: { count: async (asked) => asked.map(() => undefined), retentionSeconds: async () => undefined },
    purges: {
      purge: async (queue) => {
        purged.push(queue);
        return 'purged';
      },
    },
    oldestSeconds: async (url) => (url === 'unknown' ? undefined : told.oldestSeconds),
    eventSources: async () => ({
      ids: async () => ({ mail: 'mapping-of-mail' }),
      state: async () => told.eventSource,
      set: async (_id, enabled) => {
        told.eventSource = enabled ? 'on' : 'off';
        return true;
      },
    }),
  };
  const options = typeof given === 'function' ? given(service) : given;
  return { monitor: new Monitor(service, options), audit, service, world, purged, outage, told };
}

function unread(schedules: Ports['schedules']): Ports['schedules'] {
  return {
    read: (names) => schedules.read(names),
    list: (after, limit) => schedules.list(after, limit),
    eachDue: () => Promise.reject(new OperationalError('an outage')),
    write: (items) => schedules.write(items),
    remove: (name, revision) => schedules.remove(name, revision),
  };
}

function smallShop(): Celeriac {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} } });
  app.task('orders.charge', (who: string) => who);
  return app;
}
