/** What an app and a task may be told, by name. In deployed functions its twin takes all: the same was checked at synth. */
import { refuseUnknownKeys } from '../base/checks.ts';

export const APP_KEYS = [
  'queues',
  'defaultQueue',
  'routes',
  'timezone',
  'resultExpires',
  'resultExtended',
  'alwaysEager',
  'eagerPropagates',
  'acksLate',
  'trackStarted',
  'ignoreResult',
  'storeErrorsEvenIfIgnored',
  'rateLimit',
  'maxDeliveries',
  'batchConcurrency',
  'timerShards',
  'beatRuleLimit',
  'retry',
  'callTimeout',
  'retryPolicy',
  'history',
  'logger',
  'telemetry',
  'metrics',
  'largePayloads',
  'codec',
] as const;
export const TASK_KEYS = [
  'bind',
  'maxRetries',
  'defaultRetryDelay',
  'autoretryFor',
  'dontAutoretryFor',
  'retryBackoff',
  'retryBackoffMax',
  'retryJitter',
  'acksLate',
  'ignoreResult',
  'storeErrorsEvenIfIgnored',
  'trackStarted',
  'errorEmails',
  'idempotent',
  'throws',
  'softTimeLimit',
  'timeLimit',
  'expires',
  'queue',
  'priority',
  'groupKey',
  'rateLimit',
  'unique',
  'throttle',
  'debounce',
  'concurrency',
  'oneInstance',
  'maxParts',
  'maxDeliveries',
  'params',
  'schema',
  'webhook',
] as const;

const OF_APP: ReadonlySet<string> = new Set(APP_KEYS);
const OF_TASK: ReadonlySet<string> = new Set(TASK_KEYS);

/** @throws InvalidOption */
export function checkAppKeys(name: string, options: object): void {
  refuseUnknownKeys(options, OF_APP, `options of app '${name}'`);
}

/** @throws InvalidOption */
export function checkTaskKeys(name: string, options: object): void {
  refuseUnknownKeys(options, OF_TASK, `options of task '${name}'`);
}

/** Of more options those that any task has. */
export function taskKeysIn<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([key]) => OF_TASK.has(key))) as T;
}
