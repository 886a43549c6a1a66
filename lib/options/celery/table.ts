/** Every setting of Celery, and what a given name means. */
import { nearest } from '../../base/nearest.ts';
import { RETIRED_SETTINGS } from './retired-settings.ts';
import type { CelerySetting, SettingGroup } from './setting.ts';
import { STORAGE_SETTINGS } from './storage-settings.ts';
import { TASK_SETTINGS } from './task-settings.ts';
import { WORKER_SETTINGS } from './worker-settings.ts';

/** In the order of the page docs/celery-settings.md. */
export const CELERY_SETTINGS: readonly CelerySetting[] = [
  TASK_SETTINGS,
  WORKER_SETTINGS,
  STORAGE_SETTINGS,
  RETIRED_SETTINGS,
].flatMap((groups) => groups.flatMap(rowsOf));

const DJANGO_PREFIX = 'CELERY_';
const BY_NAME: ReadonlyMap<string, CelerySetting> = new Map(
  CELERY_SETTINGS.flatMap((setting) => spellings(setting).map((spelling) => [spelling, setting] as const)),
);

function rowsOf({ settings, ...group }: SettingGroup): CelerySetting[] {
  return settings.map(([name, old, byDefault = null]) => ({ ...group, name, old, byDefault }));
}

/** The new name, the same as Django has it, and the old one. */
export function spellings({ name, old }: CelerySetting): readonly string[] {
  const prefixed = /[a-z]/.test(name) ? [DJANGO_PREFIX + name.toUpperCase()] : [];
  return [...new Set([name, ...prefixed, ...(old === null ? [] : [old])])];
}

/** The setting of a name as given; undefined where no version of Celery has it. */
export function findSetting(given: string): CelerySetting | undefined {
  return BY_NAME.get(given);
}

/** The known name that is closest to one that is not, unless it is far. */
export function nearestName(given: string): string | undefined {
  return nearest(given, BY_NAME.keys(), given.replace(/^CELERY(?:D|BEAT)?_/, '').length);
}
