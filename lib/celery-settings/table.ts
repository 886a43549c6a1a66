/** Every setting of Celery, and what a given name means. */
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
  let nearest: string | undefined;
  // One letter in six may be wrong, of what is not the same in all names.
  let least = Math.ceil(given.replace(/^CELERY(?:D|BEAT)?_/, '').length / 6) + 1;
  for (const name of BY_NAME.keys()) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** Letters to insert, to leave out or to change. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index += 1) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column += 1) {
      const change = (row[column] ?? 0) + (from[index] === to[column] ? 0 : 1);
      next.push(Math.min(change, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
