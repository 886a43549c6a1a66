/** What a row of the table of Celery's settings says. */
import type { AppOptions } from '../settings.ts';

/** Options of the app that are true or false, to be had from a setting as they are. */
export type BooleanOption = Extract<
  { [K in keyof AppOptions]-?: NonNullable<AppOptions[K]> extends boolean ? K : never }[keyof AppOptions],
  string
>;

/** Settings that are read by a function of their own; see `mappings.ts`. */
export type MappedSetting =
  | 'defaultQueue'
  | 'missingQueues'
  | 'queues'
  | 'rateLimit'
  | 'resultExpires'
  | 'retryPolicy'
  | 'routes'
  | 'timezone'
  | 'transportOptions';

/** A setting: its name since Celery 4, its name before (null: it had none), its default where that is not null. */
export type NamedSetting = readonly [name: string, old: string | null, byDefault?: unknown];

/** Settings of which the same is to be said. */
export interface SettingGroup {
  /** The option it becomes; or why there is no such thing here and what to do, as the rest of a sentence. */
  readonly here: string;
  readonly settings: readonly NamedSetting[];
  /** The option that takes the value as it is. */
  readonly flag?: BooleanOption;
  /** The function that reads the value. */
  readonly to?: MappedSetting;
  /** Values that ask for what happens anyway. */
  readonly same?: readonly unknown[];
  /** Known to older versions of Celery only. */
  readonly retired?: boolean;
}

/** One setting of the table. */
export interface CelerySetting extends Omit<SettingGroup, 'settings'> {
  readonly name: string;
  readonly old: string | null;
  readonly byDefault: unknown;
}
