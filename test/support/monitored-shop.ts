/** A monitor over an app in memory, whose time is the test's. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';

import { MemoryAudit } from '../../lib/memory/index.ts';
import type { MonitorOptions } from '../../lib/monitor/monitor-app.ts';
import type { MonitoredService } from '../../lib/monitor/service.ts';
import { Monitor } from './monitor.ts';

export interface MonitoredShop {
  readonly world: World;
  readonly monitor: Monitor;
  readonly audit: MemoryAudit;
  readonly service: MonitoredService;
}

export function monitorOfShop(
  given: Partial<MonitorOptions> | ((service: MonitoredService) => Partial<MonitorOptions>) = {},
): MonitoredShop {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} } });
  app.task('orders.charge', (who: string) => who);
  const world = new World(app, { logger: { log: () => {} } });
  const audit = new MemoryAudit();
  const queues = { default: 'u', mail: 'u' };
  const environment = {
    app: 'shop',
    queues,
    deadLetterQueues: {},
    resultsTable: 'r',
    stateTable: 's',
    timerShards: 1,
    taskQueues: {},
    externalQueues: [],
    defaultQueue: 'default',
  };
  const service: MonitoredService = {
    app: world.app,
    hasCode: true,
    environment,
    taskNames: ['orders.charge'],
    place: 'here',
    showValues: false,
    audit,
    depths: { count: async (asked) => asked.map(() => undefined), retentionSeconds: async () => undefined },
    eventSources: async () => undefined,
  };
  const options = typeof given === 'function' ? given(service) : given;
  return { monitor: new Monitor(service, options), audit, service, world };
}
