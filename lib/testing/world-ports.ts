/** The memory adapters of a world, on one clock and drawn from one seed. */
import type { Celeriac } from '../app.ts';
import { silentLogger } from '../log.ts';
import {
  MemoryBackend,
  MemoryBroker,
  MemoryCeleryGroups,
  MemoryGroups,
  MemoryRules,
  MemorySchedules,
  MemoryTimers,
} from '../memory/index.ts';
import type { Logger, Ports } from '../ports.ts';
import type { ManualClock } from './manual-clock.ts';
import { countingIds, seededRandom } from './seeded.ts';
import type { WorldSettings } from './world-options.ts';

// As the queues that infra makes: visibility = timeout + 30 s.
const VISIBILITY_MARGIN_SECONDS = 30;

export interface MemoryPorts extends Ports {
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly backend: MemoryBackend;
  readonly timers: MemoryTimers;
  readonly schedules: MemorySchedules;
  readonly groups: MemoryGroups;
  readonly celeryGroups: MemoryCeleryGroups;
  readonly rules: MemoryRules;
}

export function memoryPorts(
  app: Celeriac,
  settings: WorldSettings,
  clock: ManualClock,
  logger: Logger = silentLogger,
): MemoryPorts {
  const ids = countingIds(settings.seed);
  return {
    broker: new MemoryBroker({
      clock,
      ids,
      queues: app.settings.queues,
      visibilitySeconds: settings.invocationSeconds + VISIBILITY_MARGIN_SECONDS,
      maxReceiveCount: settings.maxReceiveCount,
    }),
    backend: new MemoryBackend(),
    timers: new MemoryTimers({ shards: app.settings.timerShards }),
    schedules: new MemorySchedules(),
    groups: new MemoryGroups(),
    celeryGroups: new MemoryCeleryGroups(),
    rules: new MemoryRules(clock),
    clock,
    ids,
    random: seededRandom(settings.seed),
    logger,
  };
}
