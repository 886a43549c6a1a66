/** The environment of a deployed function. The one place that reads it. */
import { type Environment, ENVIRONMENT } from './manifest.ts';
import { MissingEnvironment } from '../base/errors.ts';
import { integerIn } from '../base/checks.ts';
import { DEFAULT_TIMER_SHARDS } from '../base/limits.ts';
import type { LogLevel } from '../ports/log.ts';
import { quoted } from '../base/quote.ts';
import { PARAMETER_VARIABLE, SERVICE_PREFIX, type ServiceFields, serviceVariable } from './service-variable.ts';
import { unpackTaskNames } from '../base/task-names.ts';

type Source = Readonly<Record<string, string | undefined>>;

/** All variables of this process: for commands, which look at others than the app's too. */
export function processEnvironment(): Source {
  return process.env;
}

type Field = keyof ServiceFields;

/** What the environment says of one service, unchecked, in either form. */
interface Told {
  /** undefined where it does not say, or cannot be read. */
  readonly app: string | undefined;
  /** Where it stands. */
  readonly variable: string;
  /** undefined where it is absent. @throws MissingEnvironment where it cannot be read */
  readonly read: (field: Field) => unknown;
  /** What to name in an error text. */
  readonly placeOf: (field: Field) => string;
}

const ADVICE =
  'In a deployed function call service.grantEnqueue(fn) in the CDK stack; in tests use celeriac/testing or alwaysEager: true; locally use celeriac/local.';

/**
 * What the environment says of an app's service: the variable `CELERIAC_SERVICE_<APP>`, which CDK writes, or else the
 * plain ones, where `CELERIAC_APP` is this app or absent.
 *
 * @param app the app's name; undefined for the only service that there is.
 * @throws MissingEnvironment naming what is absent, unreadable or of another app, and what there is.
 */
export function readEnvironment(app?: string, source: Source = process.env): Environment {
  const told = app === undefined ? onlyService(source) : serviceOf(app, source);
  const text = (field: Field): string => {
    const value = told.read(field);
    if (typeof value === 'string' && value !== '') return value;
    const fault = value === undefined || value === '' ? 'is missing' : 'is no text';
    throw new MissingEnvironment(`${told.placeOf(field)} ${fault}. ${ADVICE}`);
  };
  const optional = (field: Field): string | undefined =>
    told.read(field) === undefined || told.read(field) === '' ? undefined : text(field);
  const map = (field: Field): Record<string, string> => {
    const value = told.read(field) ?? {};
    const isMap = typeof value === 'object' && Object.values(value).every((entry) => typeof entry === 'string');
    if (isMap && !Array.isArray(value)) return value as Record<string, string>;
    // Without the value: it may hold account ids.
    throw new MissingEnvironment(
      `${told.placeOf(field)} is not a JSON object of strings. service.grantEnqueue(fn) writes it.`,
    );
  };
  const queues = map('queues');
  const wakeQueue = optional('wakeQueue');
  const rulePrefix = optional('rulePrefix');
  const markedTasks = namesIn(told.read('markedTasks'));
  return {
    app: told.app ?? app ?? 'celeriac',
    queues,
    deadLetterQueues: map('deadLetterQueues'),
    resultsTable: text('resultsTable'),
    stateTable: text('stateTable'),
    timerShards: integerIn(
      Number(told.read('timerShards') ?? DEFAULT_TIMER_SHARDS),
      1,
      64,
      told.placeOf('timerShards'),
    ),
    taskQueues: map('taskQueues'),
    externalQueues: namesIn(told.read('externalQueues')),
    // Checked by whoever makes queues of it, as options of a queue are.
    lanes: told.read('lanes') as Environment['lanes'],
    // Whoever sends the first mail checks it.
    notify: told.read('notify') as Environment['notify'],
    defaultQueue: optional('defaultQueue') ?? Object.keys(queues)[0] ?? 'default',
    ...(markedTasks.length === 0 ? {} : { markedTasks }),
    ...(wakeQueue === undefined ? {} : { wakeQueue }),
    ...(rulePrefix === undefined ? {} : { rulePrefix }),
    payloadBucket: optional('payloadBucket'),
  };
}

function namesIn(value: unknown): string[] {
  const names: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
  return names.filter((name): name is string => typeof name === 'string' && name !== '');
}

// ---------------------------------------------------- which service it is

/** @throws MissingEnvironment */
function serviceOf(app: string, source: Source): Told {
  const variable = serviceVariable(app);
  const own = source[variable] ? keyed(variable, source[variable]) : undefined;
  // What cannot be read is told as such, and not as absent.
  if (own !== undefined && (own.app === undefined || own.app === app)) return own;
  const plain = plainService(source);
  if (plain !== undefined && (plain.app === undefined || plain.app === app)) return plain;
  throw missing(`The environment variable ${variable} is missing`, servicesIn(source), ofAnother(app));
}

/** For a function without an app of its own. @throws MissingEnvironment unless there is exactly one */
function onlyService(source: Source): Told {
  const services = servicesIn(source);
  const [only] = services;
  if (only !== undefined && services.length === 1) return only;
  if (services.length === 0)
    throw missing(`The environment variable ${SERVICE_PREFIX}<APP> (or ${ENVIRONMENT.queues}) is missing`, [], '');
  throw new MissingEnvironment(
    `The environment tells of several services: ${shownServices(services)}. Say which: Celeriac.fromEnvironment('${services[0]?.app ?? 'name'}').send(...), or make the app with its name.`,
  );
}

function missing(what: string, services: readonly Told[], fix: string): MissingEnvironment {
  return new MissingEnvironment(
    services.length === 0
      ? `${what}, so there is no queue to send to. ${ADVICE}`
      : `${what}. The environment tells of: ${shownServices(services)}. ${fix}`,
  );
}

function ofAnother(app: string): string {
  return `Call grantEnqueue(fn) of the service whose app is ${quoted(app)}, or make the app with one of those names.`;
}

function shownServices(services: readonly Told[]): string {
  return services
    .map(({ app, variable }) => `${app === undefined ? 'an app without a name' : quoted(app)} (${variable})`)
    .join(', ');
}

function servicesIn(source: Source): Told[] {
  const plain = plainService(source);
  const services = Object.keys(source)
    .filter((name) => name.startsWith(SERVICE_PREFIX) && source[name])
    .toSorted()
    .map((name) => keyed(name, source[name] ?? ''));
  // Both forms of one app: the one that CDK wrote holds.
  return plain === undefined || services.some(({ app }) => app !== undefined && app === plain.app)
    ? services
    : [...services, plain];
}

function keyed(variable: string, text: string): Told {
  const fields = objectIn(text);
  return {
    app: typeof fields?.['app'] === 'string' && fields['app'] !== '' ? fields['app'] : undefined,
    variable,
    read: (field) => {
      if (fields !== undefined) return fields[field];
      throw new MissingEnvironment(
        `The environment variable ${variable} is not a JSON object. service.grantEnqueue(fn) writes it.`,
      );
    },
    placeOf: (field) => `'${field}' in the environment variable ${variable}`,
  };
}

const MAPS: ReadonlySet<Field> = new Set<Field>(['queues', 'deadLetterQueues', 'taskQueues', 'lanes', 'notify']);

/** Those that people write by hand, one for each field. */
function plainService(source: Source): Told | undefined {
  if (!source[ENVIRONMENT.queues]) return undefined;
  return {
    app: source[ENVIRONMENT.app] || undefined,
    variable: ENVIRONMENT.queues,
    read: (field) => {
      const value = source[ENVIRONMENT[field]];
      if (value === undefined || !MAPS.has(field)) return value;
      // What is no object stays text, and is told as such.
      return objectIn(value) ?? value;
    },
    placeOf: (field) => `The environment variable ${ENVIRONMENT[field]}`,
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

// ------------------------------------------------------------------ others

/** Where the service of this sweeper says what it is; undefined where it does not say so. */
export function readParameterName(source: Source = process.env): string | undefined {
  return source[PARAMETER_VARIABLE] || undefined;
}

const LAMBDA_LEVELS: Readonly<Record<string, LogLevel>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'error',
};

/** The application log level of the Lambda function that this process is; undefined elsewhere. */
export function lambdaLogLevel(source: Source = process.env): LogLevel | undefined {
  if (!source['AWS_LAMBDA_FUNCTION_NAME']) return undefined;
  // Set where the function logs in JSON.
  return LAMBDA_LEVELS[source['AWS_LAMBDA_LOG_LEVEL']?.toUpperCase() ?? ''] ?? 'info';
}

/**
 * What a deployed function was told of the names of an app's tasks: `unknown` where they took too much room, undefined
 * where this is no deployed function.
 */
export function readTaskNames(app: string, source: Source = process.env): readonly string[] | 'unknown' | undefined {
  let told: Told;
  try {
    told = serviceOf(app, source);
  } catch {
    // Nothing of this app's; a call says so.
    return undefined;
  }
  try {
    const packed = told.read('tasks');
    return (typeof packed === 'string' ? unpackTaskNames(packed) : undefined) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Whether a deployed function was told that a task of an app is unique, throttled or debounced. */
export function isMarkedElsewhere(app: string, task: string, source: Source = process.env): boolean {
  try {
    return namesIn(serviceOf(app, source).read('markedTasks')).includes(task);
  } catch {
    return false;
  }
}
