/** The tables that docs/celery-settings.md must have, by section. */
import type { CelerySetting } from '../../lib/options/celery/setting.ts';
import { CELERY_SETTINGS } from '../../lib/options/celery/table.ts';

export type Row = readonly [setting: string, oldName: string, here: string];

/** What makes an option: not what is only told of in more detail. */
export function becomesOption({ flag, to }: CelerySetting): boolean {
  return flag !== undefined || (to !== undefined && to !== 'transportOptions');
}

const SECTIONS: Readonly<Record<string, (setting: CelerySetting) => boolean>> = {
  'What becomes an option': becomesOption,
  'What has no meaning here': (setting) => !becomesOption(setting) && setting.retired !== true,
  'What only older versions knew': (setting) => setting.retired === true,
};

export function expectedTables(): Record<string, Row[]> {
  const code = (name: string | null): string => (name === null ? '' : `\`${name}\``);
  return Object.fromEntries(
    Object.entries(SECTIONS).map(([title, belongs]) => [
      title,
      CELERY_SETTINGS.filter(belongs).map(({ name, old, here }) => [code(name), code(old), here]),
    ]),
  );
}

export function tablesOf(page: string): Record<string, Row[]> {
  const sections = page.split(/^## /m).slice(1);
  return Object.fromEntries(
    sections.map((section) => [
      section.split('\n')[0] ?? '',
      [...section.matchAll(/^\| (.*?) *\| (.*?) *\| (.*?) *\|$/gm)]
        .slice(2)
        .map(([, setting = '', oldName = '', here = '']): Row => [setting, oldName, here]),
    ]),
  );
}
