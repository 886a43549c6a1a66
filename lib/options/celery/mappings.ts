/** How the settings that become options are read, one function each. */
import { booleanOption } from '../../base/checks.ts';
import type { Rate } from '../rate-limit.ts';
import type { RetryPolicy } from '../settings.ts';
import { readQueues, readRoutes } from './queues-and-routes.ts';
import type { MappedSetting } from './setting.ts';
import { checkOptions, isNothing, isRecord, type Mapping, queueName, refused, IgnoredKeys } from './reading.ts';
import { OTHER_TRANSPORT_OPTION, TRANSPORT_OPTIONS } from './storage-settings.ts';

const POLICY: Readonly<Record<string, keyof RetryPolicy>> = {
  max_retries: 'maxRetries',
  interval_start: 'intervalStart',
  interval_step: 'intervalStep',
  interval_max: 'intervalMax',
};

const readDefaultQueue: Mapping = (given, draft) => {
  if (given.value === null) return;
  const queue = queueName(given, given.value);
  draft.options.defaultQueue = queue;
  draft.wanted.set(queue, given.name);
};

const readMissingQueues: Mapping = (given, draft) => {
  if (!booleanOption(given.value, given.name)) draft.refusesMissing = given.name;
};

const readTimezone: Mapping = (given, draft) => {
  const { value } = given;
  if (value === null) return;
  if (typeof value !== 'string') throw refused(given, "an IANA time zone such as 'UTC' or 'Europe/Berlin'");
  checkOptions(given, { timezone: value });
  draft.options.timezone = value;
};

const readResultExpires: Mapping = (given, draft) => {
  const { value } = given;
  // Celery takes both for never; DynamoDB's TTL removes every result some day.
  if (value === null || value === 0) {
    given.warn(
      `${given.name}: results that never expire have no meaning here: each has a time to live, now 100 years; give the seconds for which they are needed.`,
    );
    draft.options.resultExpires = '100y';
    return;
  }
  if (typeof value !== 'number') throw refused(given, 'a number of seconds (timedelta.total_seconds() in Python)');
  checkOptions(given, { resultExpires: value });
  draft.options.resultExpires = value;
};

const readRetryPolicy: Mapping = (given, draft) => {
  if (!isRecord(given.value)) throw refused(given, 'an object such as { max_retries: 3, interval_start: 0 }');
  const policy: { -readonly [K in keyof RetryPolicy]: number } = {};
  const ignored = new IgnoredKeys();
  for (const [key, value] of Object.entries(given.value)) {
    const option = Object.hasOwn(POLICY, key) ? POLICY[key] : undefined;
    if (option === undefined) ignored.add(key);
    else if (typeof value === 'number') policy[option] = value;
    else throw refused({ ...given, name: `${given.name}.${key}` }, 'a number', value);
  }
  ignored.warn(given, 'max_retries, interval_start, interval_step and interval_max are all that retryPolicy has');
  checkOptions(given, { retryPolicy: policy });
  draft.options.retryPolicy = policy;
};

const readRateLimit: Mapping = (given, draft) => {
  const { value } = given;
  if (value === null) return;
  if (typeof value !== 'string' && typeof value !== 'number') throw refused(given, "a rate such as '100/m'");
  checkOptions(given, { rateLimit: value as Rate });
  draft.options.rateLimit = value as Rate;
};

const readTransportOptions: Mapping = (given) => {
  if (given.value === null) return;
  if (!isRecord(given.value)) throw refused(given, 'an object by option');
  for (const [key, value] of Object.entries(given.value)) {
    if (isNothing(value)) continue;
    const why = Object.hasOwn(TRANSPORT_OPTIONS, key) ? TRANSPORT_OPTIONS[key] : undefined;
    given.warn(`${given.name}.${key} has no meaning here: ${why ?? OTHER_TRANSPORT_OPTION}.`);
  }
};

export const MAPPINGS: Readonly<Record<MappedSetting, Mapping>> = {
  defaultQueue: readDefaultQueue,
  missingQueues: readMissingQueues,
  queues: readQueues,
  rateLimit: readRateLimit,
  resultExpires: readResultExpires,
  retryPolicy: readRetryPolicy,
  routes: readRoutes,
  timezone: readTimezone,
  transportOptions: readTransportOptions,
};
