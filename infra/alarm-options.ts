/** What a user may say of alarms, checked and with every default filled in. */
import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import { type AppManifest, consumedQueuesOf, laneOwners } from '../lib/options/manifest.ts';
import { durationSecondsOf } from './duration-prop.ts';
import { longestTask } from './validate.ts';

/** Whom alarms tell, and when they go off. `false` leaves one out. */
export interface TaskAlarmsOptions {
  /** Told when an alarm goes off. @default - nobody: alarms show in the console */
  readonly topic?: ITopic;
  /** Tell `topic` too when an alarm ends. @default true */
  readonly okActions?: boolean;
  /** Messages in one dead-letter queue. @default 1 */
  readonly deadLetters?: number | false;
  /**
   * How old a message of any queue may be, or one of the queues named; older in two of three minutes.
   *
   * @default - ten times the queue's longest time limit, at least 5 minutes; external queues have no such alarm
   */
  readonly oldestMessageAge?: Duration | Readonly<Record<string, Duration>> | false;
  /** Messages within 5 minutes that no worker handled. @default 1 */
  readonly lost?: number | false;
  /** Ticks and sweeps that EventBridge could not deliver. @default 1 */
  readonly missedTicks?: number | false;
  /** Failed invocations of the sweeper a minute, in two of three minutes. @default 1 */
  readonly sweeperErrors?: number | false;
  /** How long a sweep may take; longer or none in three of five minutes. @default 60 seconds */
  readonly sweepDuration?: Duration | false;
  /** Invocations of workers a minute that Lambda refused, five minutes in a row. @default 1 */
  readonly throttles?: number | false;
  /** Writes a minute that DynamoDB refused, five minutes in a row. @default 1 */
  readonly tableThrottles?: number | false;
}

/** Where each alarm goes off; undefined is no alarm. */
export interface AlarmThresholds {
  readonly okActions: boolean;
  readonly deadLetters: number | undefined;
  /** By queue; those that are not there have no alarm. */
  readonly ageSeconds: Readonly<Record<string, number>>;
  readonly lost: number | undefined;
  readonly missedTicks: number | undefined;
  readonly sweeperErrors: number | undefined;
  readonly sweepSeconds: number | undefined;
  readonly throttles: number | undefined;
  readonly tableThrottles: number | undefined;
}

const KEYS: ReadonlySet<string> = new Set<keyof TaskAlarmsOptions>([
  'topic',
  'okActions',
  'deadLetters',
  'oldestMessageAge',
  'lost',
  'missedTicks',
  'sweeperErrors',
  'sweepDuration',
  'throttles',
  'tableThrottles',
]);
const LEAST_AGE_SECONDS = 300;
const AGE_IN_TIME_LIMITS = 10;
// A sweep starts each minute: one that takes longer is behind.
const SWEEP_SECONDS = 60;
const MAX_COUNT = 1_000_000;

/** @throws InvalidOption, QueueNotFound */
export function alarmThresholds(manifest: AppManifest, options: TaskAlarmsOptions): AlarmThresholds {
  refuseUnknownKeys(options, KEYS, 'alarms');
  const { okActions = true, sweepDuration } = options;
  return {
    okActions: booleanOption(okActions, 'alarms.okActions'),
    deadLetters: count(options, 'deadLetters'),
    ageSeconds: agesAllowed(manifest, options.oldestMessageAge),
    lost: count(options, 'lost'),
    missedTicks: count(options, 'missedTicks'),
    sweeperErrors: count(options, 'sweeperErrors'),
    sweepSeconds:
      sweepDuration === false
        ? undefined
        : sweepDuration === undefined
          ? SWEEP_SECONDS
          : seconds(sweepDuration, 'alarms.sweepDuration'),
    throttles: count(options, 'throttles'),
    tableThrottles: count(options, 'tableThrottles'),
  };
}

type CountField = 'deadLetters' | 'lost' | 'missedTicks' | 'sweeperErrors' | 'throttles' | 'tableThrottles';

function count(options: TaskAlarmsOptions, field: CountField): number | undefined {
  const value = options[field] ?? 1;
  return value === false ? undefined : integerIn(value, 1, MAX_COUNT, `alarms.${field}`);
}

/** External queues have none by default: what waits there is not for this service, and Celery's workers may hold it for long. */
function agesAllowed(
  manifest: AppManifest,
  given: TaskAlarmsOptions['oldestMessageAge'],
): Readonly<Record<string, number>> {
  const field = 'alarms.oldestMessageAge';
  if (given === false) return {};
  const lanes = laneOwners(manifest);
  const own = consumedQueuesOf(manifest);
  const queues = Object.keys(manifest.queues).filter((queue) => own.includes(lanes[queue] ?? queue));
  if (given instanceof Duration) return Object.fromEntries(queues.map((queue) => [queue, seconds(given, field)]));
  const ages = new Map(queues.map((queue) => [queue, ageByDefault(manifest, queue)]));
  if (given !== undefined && (typeof given !== 'object' || given === null))
    throw new InvalidOption(`${field}: ${shown(given)} given; a Duration, or one by queue, or false is allowed.`);
  for (const [queue, age] of Object.entries(given ?? {})) {
    if (!Object.hasOwn(manifest.queues, queue))
      throw new QueueNotFound(
        `${field}: queue '${queue}' is not declared. Declared are: ${Object.keys(manifest.queues).join(', ')}.`,
      );
    for (const each of [queue, ...(manifest.queues[queue]?.lanes ?? []).map(([, lane]) => lane)])
      if (each === queue || !Object.hasOwn(given ?? {}, each)) ages.set(each, seconds(age, `${field}.${queue}`));
  }
  return Object.fromEntries(ages);
}

function ageByDefault(manifest: AppManifest, queue: string): number {
  const longest = longestTask(manifest, manifest.queues[queue]?.laneOf ?? queue)?.seconds ?? 0;
  return Math.max(LEAST_AGE_SECONDS, Math.ceil(AGE_IN_TIME_LIMITS * longest));
}

function seconds(value: Duration, field: string): number {
  const given = durationSecondsOf(value, field);
  if (given > 0) return given;
  throw new InvalidOption(`${field} is ${given} s; it must be longer than none. Leave an alarm out with false.`);
}
