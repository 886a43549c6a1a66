/** What a world can be told. */
import type { Celeriac } from '../app/app.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { ImproperlyConfigured, InvalidOption } from '../base/errors.ts';
import { noticeWindowSeconds } from '../options/notice-window.ts';
import type { Logger } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import type { Invocation } from '../ports/delivery.ts';
import type { Faults } from './faults.ts';

/** How a world begins, and what goes wrong in it. */
export interface WorldOptions {
  /** Where time starts: Date or milliseconds. Default 2030-01-01T00:00:00Z. */
  readonly start?: Date | number;
  /** Seed of jitter and everything else that is drawn. Default 1. */
  readonly seed?: number;
  /** Length of an invocation, as Lambda's timeout. Default 300 s. */
  readonly invocation?: Duration;
  /** Messages per batch at most, 1 to 10,000. Default 10. */
  readonly batchSize?: number;
  /** Receives before SQS moves a message to the lost queue. Default 50. */
  readonly maxReceiveCount?: number;
  /** Where the app's log lines go. Default: nowhere. */
  readonly logger?: Logger;
  /** What goes wrong, each with its chance; drawn from `seed`. Default: nothing. */
  readonly faults?: Faults;
  /** Stands between the worker and its ports, per invocation: for faults of your own. Default: nothing does. */
  readonly wrapPorts?: (ports: Ports, invocation: Invocation) => Ports;
  /**
   * How long, in milliseconds of real time, virtual time stands for real work of tasks (timers, files, connections, threads)
   * while no task ends; then WorldStalled names the work. 0: real work is not waited for.
   * Default 4000, below the 5 s that test runners give a test.
   */
  readonly patienceMs?: number;
  /** Whether the global `Date` shows the world's time, from the beginning until `dispose()`. Default false. */
  readonly useDate?: boolean;
  /** Mails about failures go into `world.mails`. Default: none are made. */
  readonly notify?: WorldNotify;
  /** Whether fake timers of vitest or jest, when they are installed, move with the world. Default true. */
  readonly moveFakeTimers?: boolean;
}

/** Who is told of failures in a world: the options of `service.notify()` that tell how. */
export interface WorldNotify {
  /** What fails again within so long is told in one mail. Default 15 minutes. */
  readonly window?: Duration;
  /** Address of the monitor, for links. Default: none. */
  readonly monitorUrl?: string;
}

/** The same with every default put in, in plain units. */
export interface WorldSettings {
  readonly startMs: number;
  readonly seed: number;
  readonly invocationSeconds: number;
  readonly batchSize: number;
  readonly maxReceiveCount: number;
  readonly patienceMs: number;
  readonly moveFakeTimers: boolean;
  readonly notify: { readonly windowSeconds: number; readonly monitorUrl: string | undefined } | undefined;
}

const NAMES: ReadonlySet<string> = new Set<keyof WorldOptions>([
  'start',
  'seed',
  'invocation',
  'batchSize',
  'maxReceiveCount',
  'logger',
  'faults',
  'wrapPorts',
  'patienceMs',
  'useDate',
  'moveFakeTimers',
  'notify',
]);
/** The last instant that a Date can hold. */
const LAST_INSTANT_MS = 8_640_000_000_000_000;
const DEFAULT_START_MS = Date.UTC(2030, 0, 1);
const DEFAULT_PATIENCE_MS = 4000;
// What SQS takes: messages per batch of an event source mapping, and receives of a redrive policy.
const LARGEST_BATCH = 10_000;
const MOST_RECEIVES = 1000;

/**
 * @throws InvalidOption
 * @throws ImproperlyConfigured when the app runs its tasks eagerly.
 */
export function worldSettings(options: WorldOptions, app: Celeriac): WorldSettings {
  if (app.settings.alwaysEager)
    throw new ImproperlyConfigured(
      'A World over an app with alwaysEager: true would see no message. Leave alwaysEager out where a World is used.',
    );
  refuseUnknownKeys(options, NAMES, 'World');
  if (options.useDate !== undefined) booleanOption(options.useDate, 'World: useDate');
  return {
    startMs: startOf(options.start),
    seed: integerIn(options.seed ?? 1, 0, 0xff_ff_ff_ff, 'World: seed'),
    invocationSeconds: durationSeconds(options.invocation ?? 300, 'World: invocation', 1),
    batchSize: integerIn(options.batchSize ?? 10, 1, LARGEST_BATCH, 'World: batchSize'),
    maxReceiveCount: integerIn(options.maxReceiveCount ?? 50, 1, MOST_RECEIVES, 'World: maxReceiveCount'),
    patienceMs: integerIn(options.patienceMs ?? DEFAULT_PATIENCE_MS, 0, 0x7f_ff_ff_ff, 'World: patienceMs'),
    moveFakeTimers: booleanOption(options.moveFakeTimers ?? true, 'World: moveFakeTimers'),
    notify: options.notify && notifySettings(options.notify),
  };
}

function notifySettings(notify: WorldNotify): WorldSettings['notify'] {
  refuseUnknownKeys(notify, new Set(['window', 'monitorUrl']), 'World: notify');
  return {
    windowSeconds: noticeWindowSeconds(notify.window, 'World: notify.window'),
    monitorUrl: notify.monitorUrl,
  };
}

function startOf(start: unknown): number {
  if (start === undefined) return DEFAULT_START_MS;
  const startMs: unknown = start instanceof Date ? start.getTime() : start;
  if (typeof startMs === 'number' && Number.isInteger(startMs) && Math.abs(startMs) <= LAST_INSTANT_MS) return startMs;
  throw new InvalidOption(`World: start: ${shown(start)} given; a Date or milliseconds since the epoch are allowed.`);
}

/** @throws InvalidOption when the duration is none, or leads beyond what a Date can hold. */
export function instantAfter(nowMs: number, duration: Duration, field: string): number {
  const ms = nowMs + Math.round(durationSeconds(duration, field) * 1000);
  if (ms <= LAST_INSTANT_MS) return ms;
  throw new InvalidOption(`${field}: ${shown(duration)} leads beyond the year 275760, where Date ends.`);
}
