/** An app's options from a configuration of Celery: what agrees is mapped, all else is told of. */
import { isDeepStrictEqual } from 'node:util';
import { MAPPINGS } from './mappings.ts';
import { finishQueues } from './queues-and-routes.ts';
import { type Draft, type Given, isNothing, isRecord } from './reading.ts';
import type { CelerySetting } from './setting.ts';
import { findSetting, nearestName } from './table.ts';
import { booleanOption, refuseUnknownKeys, shown } from '../../base/checks.ts';
import { InvalidOption } from '../../base/errors.ts';
import { consoleLogger } from '../console-logger.ts';
import type { AppOptions } from '../settings.ts';

/** Options of `settingsFromCelery()`. */
export interface CelerySettingsOptions {
  /** Hears of each setting that has no meaning here, by its name as given. Default: the console, at level warn. */
  readonly warn?: (message: string, setting: string) => void;
}

interface Found {
  readonly setting: CelerySetting;
  /** As given. */
  readonly name: string;
  readonly value: unknown;
}

type Warn = (message: string, setting: string) => void;

const OPTION_KEYS: ReadonlySet<string> = new Set<keyof CelerySettingsOptions>(['warn']);
/** Celery reads Django's own time zone where it has none. */
const DJANGO_TIME_ZONE = 'TIME_ZONE';

/**
 * Options for `new Celeriac(name, options)` from a configuration of Celery as plain data: what `app.conf`,
 * a settings module or JSON has. Names may be new (`task_default_queue`), old (`CELERY_DEFAULT_QUEUE`) or Django's
 * (`CELERY_TASK_DEFAULT_QUEUE`). An absent setting sets nothing: this library's default holds, not Celery's.
 * A value that is Celery's default, or empty, asks for nothing where there is no such option, and is not told of.
 *
 * @param settings by name; values as JSON has them (seconds for a timedelta, `{ name }` for a Queue).
 * @param options `warn` hears of what has no meaning here; by default the console does, at level warn.
 * @returns only what the settings say, so that more options can be added.
 * @throws InvalidOption for a value of the wrong type, and for two names of one setting with different values; each
 * names the setting as given, the value and what is allowed.
 * @example
 * ```ts
 * const app = new Celeriac('proj', {
 *   ...settingsFromCelery({ task_default_queue: 'work', task_routes: { 'mail.*': 'mail' }, result_expires: 3600 }),
 *   maxDeliveries: 3,
 * });
 * ```
 */
export function settingsFromCelery(
  settings: Readonly<Record<string, unknown>>,
  options: CelerySettingsOptions = {},
): AppOptions {
  if (!isRecord(settings))
    throw new InvalidOption(
      `settings of Celery: ${shown(settings)} given; an object such as { task_default_queue: 'work' } is allowed.`,
    );
  refuseUnknownKeys(options, OPTION_KEYS, 'options of settingsFromCelery');
  const warn = checkedWarn(options.warn);
  const draft: Draft = { options: {}, declared: new Map(), wanted: new Map(), refusesMissing: undefined };
  for (const found of findAll(settings, warn)) read(found, draft, warn);
  finishQueues(draft);
  return draft.options;
}

function checkedWarn(warn: unknown): Warn {
  if (typeof warn === 'function') return warn as Warn;
  if (warn !== undefined)
    throw new InvalidOption(`warn: ${shown(warn)} given; a function (message, setting) => void is allowed.`);
  const logger = consoleLogger('warn');
  return (message, setting) => logger.log('warn', message, { setting });
}

/** Every setting once, in the order given. */
function findAll(settings: Readonly<Record<string, unknown>>, warn: Warn): Iterable<Found> {
  const isDjango = Object.keys(settings).some((name) => name.startsWith('CELERY_'));
  const found = new Map<CelerySetting, Found>();
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || name === DJANGO_TIME_ZONE) continue;
    const setting = findSetting(name);
    // A settings module of Django has much else, and mail settings of its own that Celery once read.
    if (isDjango && !name.startsWith('CELERY') && (setting === undefined || setting.retired === true)) continue;
    if (setting === undefined) warn(unknown(name), name);
    else found.set(setting, agreeing(found.get(setting), { setting, name, value }));
  }
  const timezone = findSetting('timezone');
  const zone = settings[DJANGO_TIME_ZONE];
  if (timezone !== undefined && !isNothing(zone) && isNothing(found.get(timezone)?.value))
    found.set(timezone, { setting: timezone, name: DJANGO_TIME_ZONE, value: zone });
  return found.values();
}

function unknown(name: string): string {
  const nearest = nearestName(name);
  return `${name} is no setting of Celery${nearest === undefined ? ' and is left out.' : `; did you mean ${nearest}?`}`;
}

/** @throws InvalidOption where two names of one setting have different values. */
function agreeing(before: Found | undefined, now: Found): Found {
  if (before === undefined) return now;
  if (isDeepStrictEqual(before.value, now.value)) return before;
  // Without the values: one may hold a password.
  throw new InvalidOption(
    `${before.name} and ${now.name} are two names of one setting, and their values differ. Give only ${now.setting.name}.`,
  );
}

/** @throws InvalidOption */
function read({ setting, name, value }: Found, draft: Draft, warn: Warn): void {
  const given: Given = { name, value, warn: (message) => warn(message, name) };
  if (setting.flag !== undefined) draft.options[setting.flag] = booleanOption(value, name);
  else if (setting.to !== undefined) MAPPINGS[setting.to](given, draft);
  else if (!isAnyway(setting, value)) given.warn(`${name} has no meaning here: ${setting.here}.`);
}

/** Whether the value asks for nothing, or for what Celery or this library does without it. */
function isAnyway(setting: CelerySetting, value: unknown): boolean {
  return (
    isNothing(value) || [setting.byDefault, ...(setting.same ?? [])].some((each) => isDeepStrictEqual(each, value))
  );
}
