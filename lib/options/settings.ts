/** An app's settings: checked once, with every default written down, and the environment of a deployed function. */
import { checkRoutes } from '#deployed/options/check-routes';
import { checkFlowDefaults } from '#deployed/options/declare-flow';
import { checkReports } from '#deployed/options/check-reports';
import { checkAppKeys } from '#deployed/options/known-keys';
import { InvalidOption } from '../base/errors.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import {
  DEFAULT_BATCH_CONCURRENCY,
  DEFAULT_BEAT_RULES,
  DEFAULT_CALL_TIMEOUT_SECONDS,
  DEFAULT_MAX_DELIVERIES,
  DEFAULT_RESULT_EXPIRES_SECONDS,
  DEFAULT_TIMER_SHARDS,
  MAX_BATCH_CONCURRENCY,
} from '../base/limits.ts';
import type { QueueManifest } from './manifest.ts';
import type { LargePayloadsOptions } from './large-payloads.ts';
import type { MetricsOption } from './metrics.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/log.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { NAME, type QueueOptions } from './queue-options.ts';
import { resolveDefaultQueue, resolveQueues } from './resolve-queues.ts';
import { isListedZone } from '../base/zone-names.ts';
import type { Rate } from './rate-limit.ts';
import type { Routes } from './routes.ts';

/** Celery's publish retry policy. Defaults: 3 retries, 0 s, +0.2 s each, at most 1 s. */
export interface RetryPolicy {
  /** Attempts after the first, 0 to 100. Default 3. */
  readonly maxRetries?: number;
  /** Wait before the first retry, in seconds. Default 0. */
  readonly intervalStart?: number;
  /** What each further wait is longer by, in seconds. Default 0.2. */
  readonly intervalStep?: number;
  /** Longest wait, in seconds. Default 1. */
  readonly intervalMax?: number;
}

/** What the history keeps: all, what did not succeed alone, or nothing. */
export type HistoryOption = 'all' | 'failures' | 'off';

/** Options of an app. Celery's settings in camelCase, without `task_`, where there is one of that meaning. */
export interface AppOptions {
  /** Queues by Celery's name: letters, digits, `.`, `_` and `-`. Default `{ default: {} }`. */
  readonly queues?: Readonly<Record<string, QueueOptions>>;
  /**
   * Queue of tasks that neither an option nor a route sends elsewhere. Default: the queue named `default`, else the
   * first one that is not external; where all are external `celery`, else the first one.
   */
  readonly defaultQueue?: string;
  /**
   * Which queue each task goes to, by name; an option of the task or the call comes first. Default: all to the default
   * queue.
   */
  readonly routes?: Routes;
  /** IANA zone of schedules. Default `'UTC'`. */
  readonly timezone?: string;
  /** How long results are kept. Default `'1d'`. */
  readonly resultExpires?: Duration;
  /**
   * Store name, arguments, worker, retries and queue with each result (Celery's `result_extended`). Arguments of over
   * 32 KB are left out. Default false: arguments may be secret.
   */
  readonly resultExtended?: boolean;
  /** Run tasks in the caller, at once. Default false. */
  readonly alwaysEager?: boolean;
  /** In eager mode, let errors reach the caller of `delay()`. Default false: they stand in the result. */
  readonly eagerPropagates?: boolean;
  /** Task default of `acksLate`: run a lost attempt again. Default true. */
  readonly acksLate?: boolean;
  /** Task default of `trackStarted`: show STARTED to readers. Default false. */
  readonly trackStarted?: boolean;
  /** Task default of `ignoreResult`: store no result. Default false. */
  readonly ignoreResult?: boolean;
  /** Task default of `storeErrorsEvenIfIgnored`: keep errors that `ignoreResult` would hide. Default true. */
  readonly storeErrorsEvenIfIgnored?: boolean;
  /** Task default of `rateLimit`, for each task by itself: `'100/m'`. Default: no limit. */
  readonly rateLimit?: Rate | null;
  /** Deliveries of one attempt that may end without a word. Default 5. */
  readonly maxDeliveries?: number;
  /** Tasks of one batch that run at the same time; a queue may have its own. Default 10. */
  readonly batchConcurrency?: number;
  /** Shards of the timer index, 1 to 64. Default 8. Raise only: timers in dropped shards are not swept. */
  readonly timerShards?: number;
  /** Entries that may become EventBridge rules; the rest are swept. Default 290: a bus takes 300. 0 for none. */
  readonly beatRuleLimit?: number;
  /** Whether publishing is retried. Default true. */
  readonly retry?: boolean;
  /**
   * A call (sending, reading or revoking a result, changing a schedule) gives up when none of its requests has succeeded
   * for this long. Default 3 s. Inside a task there is no such limit but the task's own.
   */
  readonly callTimeout?: Duration;
  /** How often and after what waits publishing is retried. Default: 3 times, at once and then after 0.2 s and 0.4 s. */
  readonly retryPolicy?: RetryPolicy;
  /**
   * What the history keeps: all ends of tasks and attempts, what did not succeed alone, or nothing. Default `'all'`: 0.1
   * write units and 0.1 requests a task, in batches of ten.
   */
  readonly history?: HistoryOption;
  /** Where log lines go. Default: `consoleLogger()`, JSON lines from level info. */
  readonly logger?: Logger;
  /** Where traces go: `openTelemetry()` of `celeriac/opentelemetry`. Default: nowhere. */
  readonly telemetry?: Telemetry;
  /**
   * `'emf'`: the line of each end is a metric of CloudWatch too, by its embedded metric format; an object says by what they are told
   * apart. Default: no metrics. Each costs $0.30 a month.
   */
  readonly metrics?: MetricsOption;
  /** Arguments and results of more than some kilobytes are compressed, and go to S3 above some more. Default: neither. */
  readonly largePayloads?: LargePayloadsOptions;
  /** Encrypts arguments, results, errors and whatever is stored of them: `aesGcm()` of `celeriac/codec`. Default: none. */
  readonly codec?: Codec;
}

/**
 * An app's options, checked, with every default filled in and durations in seconds. `AppOptions` tells what each means.
 */
export interface Settings {
  /** The app's name. */
  readonly name: string;
  /** Declared queues by Celery's name. */
  readonly queues: Readonly<Record<string, QueueManifest>>;
  /** Queue of tasks that neither an option nor a route sends elsewhere. */
  readonly defaultQueue: string;
  /** Routes as they were given; undefined for none. */
  readonly routes: Routes | undefined;
  /** IANA zone of schedules that name none. Default `'UTC'`. */
  readonly timezone: string;
  /** How long results are kept. Default 86,400: one day. */
  readonly resultExpiresSeconds: number;
  /** Whether name, arguments and the like are stored with results. Default false. */
  readonly resultExtended: boolean;
  /** Whether tasks run in the caller. Default false. */
  readonly alwaysEager: boolean;
  /** Whether errors of eager tasks reach the caller. Default false. */
  readonly eagerPropagates: boolean;
  /** Default of the tasks' `acksLate`. Default true. */
  readonly acksLate: boolean;
  /** Default of the tasks' `trackStarted`. Default false. */
  readonly trackStarted: boolean;
  /** Default of the tasks' `ignoreResult`. Default false. */
  readonly ignoreResult: boolean;
  /** Default of the tasks' `storeErrorsEvenIfIgnored`. Default true. */
  readonly storeErrorsEvenIfIgnored: boolean;
  /** Default of the tasks' `rateLimit`, as it was given. */
  readonly rateLimit: Rate | null;
  /** Deliveries of one attempt that may end without a word. Default 5. */
  readonly maxDeliveries: number;
  /** Tasks of one batch that run at the same time. Default 10. */
  readonly batchConcurrency: number;
  /** Shards of the timer index. Default 8. */
  readonly timerShards: number;
  /** Entries that may become EventBridge rules. Default 290. */
  readonly beatRuleLimit: number;
  /** Whether publishing is retried. Default true. */
  readonly retry: boolean;
  /** How long a call goes on without a success. Default 3. */
  readonly callTimeoutSeconds: number;
  /** How publishing is retried; waits in seconds. */
  readonly retryPolicy: Required<RetryPolicy>;
  /** What the history keeps. Default `'all'`. */
  readonly history: HistoryOption;
  /** The logger that was given; undefined for the console's. */
  readonly logger: Logger | undefined;
  /** Where traces go; undefined for nowhere. */
  readonly telemetry: Telemetry | undefined;
  /** Which metrics log lines are, as it was given; undefined for none. */
  readonly metrics: MetricsOption | undefined;
  /** What becomes of large arguments and results, as it was given; undefined for nothing. */
  readonly largePayloads: LargePayloadsOptions | undefined;
  /** Encrypts; undefined for none. */
  readonly codec: Codec | undefined;
}

const POLICY_KEYS: ReadonlySet<string> = new Set<keyof RetryPolicy>([
  'maxRetries',
  'intervalStart',
  'intervalStep',
  'intervalMax',
]);
export function resolveSettings(name: string, options: AppOptions = {}): Settings {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new InvalidOption(`app name: ${shown(name)} given; letters, digits, '.', '_' and '-' are allowed.`);
  }
  checkAppKeys(name, options);
  const batchConcurrency = integerIn(
    options.batchConcurrency ?? DEFAULT_BATCH_CONCURRENCY,
    1,
    MAX_BATCH_CONCURRENCY,
    'batchConcurrency',
  );
  const queues = resolveQueues(options.queues ?? { default: {} }, batchConcurrency);
  checkRoutes(options.routes, queues);
  const flag = (key: keyof AppOptions, fallback: boolean): boolean =>
    options[key] === undefined ? fallback : booleanOption(options[key], key);
  checkFlowDefaults(options);
  checkReports(options);
  return {
    name,
    queues,
    defaultQueue: resolveDefaultQueue(options.defaultQueue, queues),
    routes: options.routes,
    timezone: checkedTimezone(options.timezone ?? 'UTC'),
    resultExpiresSeconds:
      options.resultExpires === undefined
        ? DEFAULT_RESULT_EXPIRES_SECONDS
        : durationSeconds(options.resultExpires, 'resultExpires', 1),
    resultExtended: flag('resultExtended', false),
    alwaysEager: flag('alwaysEager', false),
    eagerPropagates: flag('eagerPropagates', false),
    acksLate: flag('acksLate', true),
    trackStarted: flag('trackStarted', false),
    ignoreResult: flag('ignoreResult', false),
    storeErrorsEvenIfIgnored: flag('storeErrorsEvenIfIgnored', true),
    rateLimit: options.rateLimit ?? null,
    maxDeliveries: integerIn(options.maxDeliveries ?? DEFAULT_MAX_DELIVERIES, 1, 1000, 'maxDeliveries'),
    batchConcurrency,
    timerShards: integerIn(options.timerShards ?? DEFAULT_TIMER_SHARDS, 1, 64, 'timerShards'),
    beatRuleLimit: integerIn(options.beatRuleLimit ?? DEFAULT_BEAT_RULES, 0, 2000, 'beatRuleLimit'),
    retry: flag('retry', true),
    callTimeoutSeconds:
      options.callTimeout === undefined
        ? DEFAULT_CALL_TIMEOUT_SECONDS
        : durationSeconds(options.callTimeout, 'callTimeout', 0.1),
    retryPolicy: resolvePolicy(options.retryPolicy),
    history: checkedHistory(options.history ?? 'all'),
    logger: options.logger,
    telemetry: options.telemetry,
    metrics: options.metrics,
    largePayloads: options.largePayloads,
    codec: options.codec,
  };
}

export function resolvePolicy(policy: RetryPolicy = {}): Required<RetryPolicy> {
  refuseUnknownKeys(policy, POLICY_KEYS, 'retryPolicy');
  return {
    maxRetries: integerIn(policy.maxRetries ?? 3, 0, 100, 'retryPolicy.maxRetries'),
    intervalStart: durationSeconds(policy.intervalStart ?? 0, 'retryPolicy.intervalStart'),
    intervalStep: durationSeconds(policy.intervalStep ?? 0.2, 'retryPolicy.intervalStep'),
    intervalMax: durationSeconds(policy.intervalMax ?? 1, 'retryPolicy.intervalMax'),
  };
}

function checkedHistory(history: HistoryOption): HistoryOption {
  if (['all', 'failures', 'off'].includes(history)) return history;
  throw new InvalidOption(`history: ${shown(history)} given; 'all', 'failures' and 'off' are allowed.`);
}

function checkedTimezone(zone: string): string {
  if (isListedZone(zone)) return zone;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidOption(`timezone: ${shown(zone)} is no IANA time zone such as 'UTC' or 'Europe/Berlin'.`);
  }
}
