/** A monitor over an app in memory, whose time is the test's. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';

import { DEFAULT_TIMER_SHARDS } from '../../lib/base/limits.ts';
import { MemoryAudit } from '../../lib/memory/index.ts';
import type { MonitorOptions } from '../../lib/monitor/monitor-app.ts';
import type { MonitoredService } from '../../lib/monitor/service.ts';
import { Monitor } from './monitor.ts';

export interface MonitoredShop {
  readonly world: World;
  readonly monitor: Monitor;
  readonly audit: MemoryAudit;
  readonly service: MonitoredService;
  /** Queues that were emptied. */
  readonly purged: readonly string[];
}

export function monitorOfShop(
  given: Partial<MonitorOptions> | ((service: MonitoredService) => Partial<MonitorOptions>) = {},
  app: Celeriac = smallShop(),
): MonitoredShop {
  const world = new World(app, { logger: { log: () => {} } });
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
    eventSources: async () => undefined,
  };
  const options = typeof given === 'function' ? given(service) : given;
  return { monitor: new Monitor(service, options), audit, service, world, purged };
}

function smallShop(): Celeriac {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} } });
  app.task('orders.charge', (who: string) => who);
  return app;
}
