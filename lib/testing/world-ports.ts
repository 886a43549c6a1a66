/** The adapters of a world, on one clock and drawn from one seed: memory's, unless a test of other adapters brings its own. */
import type { Celeriac } from '../app/app.ts';
import { ROLL_UP_AFTER_SECONDS, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import { silentLogger } from '../options/console-logger.ts';
import {
  MemoryBackend,
  MemoryBlobs,
  MemoryBroker,
  MemoryCeleryGroups,
  MemoryGroups,
  MemoryHistory,
  MemoryMarks,
  MemoryLocks,
  MemoryNotices,
  MemoryNotifier,
  MemoryPauses,
  MemoryRates,
  MemoryRules,
  MemorySchedules,
  MemorySlots,
  MemoryTimers,
} from '../memory/index.ts';
import type { Backend, TaskRecord } from '../ports/backend.ts';
import type { Logger } from '../ports/log.ts';
import type { CeleryGroups } from '../ports/celery-groups.ts';
import type { History } from '../ports/history.ts';
import type { Notifying } from '../ports/notices.ts';
import type { Ports } from '../ports/ports.ts';
import type { Schedules } from '../ports/schedules.ts';
import type { Timers } from '../ports/timers.ts';
import { type FaultPlan, faultyPorts } from './faults.ts';
import type { ManualClock } from './manual-clock.ts';
import { countingIds, seededRandom } from './seeded.ts';
import type { WorldSettings } from './world-options.ts';

// As the queues that infra makes: visibility = timeout + 30 s.
const VISIBILITY_MARGIN_SECONDS = 30;

/** A backend that shows all it holds. */
export interface WorldBackend extends Backend {
  /** Every record, expired ones too; for checkers. */
  all(): TaskRecord[];
}

/** A store of timers that tells when the next is due. */
export interface WorldTimers extends Timers {
  /** When the earliest timer is due, or undefined. @param isPaused tells of queues whose timers do not count */
  nextDueMs(isPaused?: (queue: string) => boolean): number | undefined;
  /** How many timers are stored. */
  size(): number;
}

/** A store of schedule entries that tells when the next is due. */
export interface WorldSchedules extends Schedules {
  /** When the earliest mark is due, or undefined. */
  nextDueMs(): number | undefined;
}

/** A store of the history that tells what no sweep has rolled up. */
export interface WorldHistory extends History {
  /** The first minute that is to be rolled up, or undefined. */
  oldestUnrolledMs?(): number | undefined;
}

/** What a world's app is told of failures with; absent where nobody is. */
export interface WorldNotifying extends Notifying {
  readonly notices: MemoryNotices;
  readonly notifier: MemoryNotifier;
}

/** Stores that can be asked when something is due: that is how a world knows where to move time to. */
export interface WorldPorts extends Ports {
  readonly clock: ManualClock;
  readonly backend: WorldBackend;
  readonly timers: WorldTimers;
  readonly schedules: WorldSchedules;
  readonly celeryGroups: CeleryGroups;
  readonly rules: MemoryRules;
  readonly history?: WorldHistory;
  readonly notifying?: WorldNotifying | undefined;
}

export interface WorldAdapters {
  readonly ports: WorldPorts;
  /** Where what `ports.broker` sends arrives, and where it is received. */
  readonly queues: MemoryBroker;
  /** The same ports, with everything that can go wrong on the way to them. */
  readonly faulty: Ports;
}

export interface AdaptersOf {
  readonly app: Celeriac;
  readonly settings: WorldSettings;
  readonly clock: ManualClock;
  readonly faults: FaultPlan;
  readonly logger: Logger | undefined;
}

export function memoryAdapters({ app, settings, clock, faults, logger }: AdaptersOf): WorldAdapters {
  const ports = memoryPorts(app, settings, clock, logger);
  return { ports, queues: ports.broker, faulty: faultyPorts(ports, faults, app.settings) };
}

export function memoryPorts(
  app: Celeriac,
  settings: WorldSettings,
  clock: ManualClock,
  logger: Logger = silentLogger,
): WorldPorts & { readonly broker: MemoryBroker } {
  const ids = countingIds(settings.seed);
  const notifying = notifyingOf(app, settings);
  const broker = new MemoryBroker({
    clock,
    ids,
    queues: app.settings.queues,
    visibilitySeconds: settings.invocationSeconds + VISIBILITY_MARGIN_SECONDS,
    maxReceiveCount: settings.maxReceiveCount,
  });
  return {
    broker,
    deadLetters: broker.letters,
    depths: broker.depths,
    backend: new MemoryBackend(),
    blobs: new MemoryBlobs(clock),
    timers: new MemoryTimers({ shards: app.settings.timerShards }),
    schedules: new MemorySchedules(),
    groups: new MemoryGroups(),
    history: new MemoryHistory(),
    celeryGroups: new MemoryCeleryGroups(),
    marks: new MemoryMarks(),
    locks: new MemoryLocks(),
    pauses: new MemoryPauses(),
    ...(notifying === undefined ? {} : { notifying, notify: () => Promise.resolve(notifying) }),
    rates: new MemoryRates(),
    slots: new MemorySlots(),
    rules: new MemoryRules(clock),
    clock,
    ids,
    random: seededRandom(settings.seed),
    logger,
  };
}

function notifyingOf({ name: app }: Celeriac, { notify }: WorldSettings): WorldNotifying | undefined {
  return notify && { app, ...notify, notices: new MemoryNotices(), notifier: new MemoryNotifier() };
}

const MINUTE_MS = 60_000;

/** When the sweeper has history to roll up, or failures to tell behind that, as if it were a timer; undefined for never. */
export function rollUpDueMs(
  { history, notifying }: Pick<WorldPorts, 'history' | 'notifying'>,
  kept: string,
): number | undefined {
  const oldestMs = kept === 'off' ? undefined : history?.oldestUnrolledMs?.();
  const times = [oldestMs === undefined ? undefined : oldestMs + MINUTE_MS, notifying?.notices.dueMs()];
  const dueMs = Math.min(...times.filter((ms) => ms !== undefined));
  return dueMs === Infinity ? undefined : dueMs + (ROLL_UP_AFTER_SECONDS + SWEEP_HORIZON_SECONDS) * 1000;
}
