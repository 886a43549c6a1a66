/**
 * One environment variable that holds all that a function is told of one service: a function may be granted by several,
 * and none of them writes over another's. Pure.
 */
import type { Environment } from './manifest.ts';

/** Names the SSM parameter in which a service says what it is, to its sweeper. */
export const PARAMETER_VARIABLE = 'CELERIAC_PARAMETER';

/** What such a variable's name begins with. No plain variable (`ENVIRONMENT`) does. */
export const SERVICE_PREFIX = 'CELERIAC_SERVICE_';

/** The variable of an app's service: Lambda takes letters, digits and `_`, and so `my-app` and `my.app` have one name. */
export function serviceVariable(app: string): string {
  return `${SERVICE_PREFIX}${app.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

/** The fields of the variable's JSON. Each but the first four may be left out, and has the default of its plain variable. */
export interface ServiceFields extends Pick<Environment, 'app' | 'queues' | 'resultsTable' | 'stateTable'> {
  readonly deadLetterQueues?: Environment['deadLetterQueues'];
  readonly timerShards?: number;
  readonly taskQueues?: Environment['taskQueues'];
  readonly externalQueues?: Environment['externalQueues'];
  readonly markedTasks?: Environment['markedTasks'];
  readonly lanes?: Environment['lanes'];
  readonly defaultQueue?: string;
  readonly wakeQueue?: string | undefined;
  readonly rulePrefix?: string | undefined;
  readonly notify?: Environment['notify'];
  readonly payloadBucket?: string | undefined;
  /** Names of all tasks, packed (lib/base/task-names.ts). */
  readonly tasks?: string | undefined;
}

/** The fields without what is empty: all variables of a function share 4 KB. */
export function compactFields(fields: ServiceFields): ServiceFields {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  // `queues` stays: it is asked for, even where it is empty.
  const told = Object.entries(fields).filter(([name, value]) => name === 'queues' || !isEmpty(value));
  return Object.fromEntries(told) as unknown as ServiceFields;
}
