/** What a change asks of the stored entry before it is made. */
import { InvalidOption, MissingEnvironment, ScheduleConflict } from '../base/errors.ts';
import { ENVIRONMENT } from '../options/manifest.ts';
import { MAX_CHANGED_BY_CHARACTERS } from '../base/limits.ts';
import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import type { ScheduleState } from './schedule-state.ts';

/** Of a change that is meant for one state of an entry. */
export interface ScheduleChangeOptions {
  /** The `version` that was read; where another one is stored, the change is refused with ScheduleConflict. Default: any. */
  readonly version?: number;
  /** Who changes it, for people: kept beside the entry as `changedBy`. At most 300 characters. Default: nobody is named. */
  readonly by?: string;
}

/** Options of `app.schedules.put()`. */
export interface SchedulePutOptions extends ScheduleChangeOptions {
  /** ScheduleConflict where there is an entry of this name: of several creators one succeeds. Default false: it is replaced. */
  readonly createOnly?: boolean;
}

const CHANGE_OPTIONS: ReadonlySet<string> = new Set<keyof ScheduleChangeOptions>(['version', 'by']);
export const PUT_OPTIONS: ReadonlySet<string> = new Set<keyof SchedulePutOptions>(['version', 'by', 'createOnly']);

/** @throws InvalidOption */
export function versionOf(
  options: ScheduleChangeOptions,
  allowed: ReadonlySet<string> = CHANGE_OPTIONS,
): number | undefined {
  refuseUnknownKeys(options, allowed, 'options of the change');
  const { by } = options;
  if (by !== undefined && (typeof by !== 'string' || by === '' || by.length > MAX_CHANGED_BY_CHARACTERS))
    throw new InvalidOption(
      `by of the change: ${shown(by)} given; text of 1 to ${MAX_CHANGED_BY_CHARACTERS} characters is allowed.`,
    );
  return options.version === undefined ? undefined : integerIn(options.version, 0, Number.MAX_SAFE_INTEGER, 'version');
}

/** @throws ScheduleConflict where another state is stored than the one that was read. */
export function refuseOther(name: string, version: number | undefined, state: ScheduleState | undefined): void {
  if (version === undefined || state?.version === version) return;
  throw new ScheduleConflict(
    `Schedule entry '${name}' was changed by somebody else meanwhile. Version ${version} was read, ${state?.version ?? 'none'} is stored. Read it again and repeat the change.`,
  );
}

/** Whoever switches a rule must know its name. */
export function noRules(name: string): MissingEnvironment {
  return new MissingEnvironment(
    `Schedule entry '${name}' is fired by a rule of EventBridge, and the environment does not tell what the rules' names begin with ('rulePrefix'; ${ENVIRONMENT.rulePrefix} where it is written by hand): nothing was changed. service.grantSchedules(fn) sets it for a Lambda function; give a container what service.environment() returns.`,
  );
}

/** @throws ScheduleConflict where there is one already. */
export function refuseExisting(name: string, state: ScheduleState | undefined, readAs: string): void {
  if (state === undefined) return;
  const given = readAs === name ? '' : ` What was read as '${readAs}' would replace it.`;
  throw new ScheduleConflict(
    `Schedule entry '${name}' exists already, in version ${state.version}.${given} Choose another name, or change that entry.`,
  );
}
