/** What a service says of itself once it is deployed, in an SSM parameter: for tools, and for stacks elsewhere. Pure. */
import { ImproperlyConfigured } from '../base/errors.ts';
import { readEnvironment, readTaskNames } from './environment.ts';
import type { Environment } from './manifest.ts';
import { type ServiceFields, serviceVariable } from './service-variable.ts';

/** The newest form of the parameter's JSON. */
export const DEPLOYED_VERSION = 1;

/** Where a service of this app says what it is, unless its stack says otherwise. */
export function deployedParameterName(app: string): string {
  return `/celeriac/${app}`;
}

/** The function that runs a queue's tasks. */
export interface DeployedWorker {
  /** The function's name. */
  readonly function: string;
  /** Id of the event source mapping that feeds it from its queue. */
  readonly eventSource: string;
}

/** The fields beside the environment, as they are written. */
export interface DeployedFacts {
  /** ARNs of the service's resources have it: `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  /** Where it is deployed. */
  readonly region: string;
  /** The account's id. */
  readonly account: string;
  /** Workers by Celery's name of their queue; an external queue has none. */
  readonly workers: Readonly<Record<string, DeployedWorker>>;
  /** Name of the sweeper's function. */
  readonly sweeper: string;
  /** URLs of the queues of messages that no worker handled: one for each type. */
  readonly lostQueues: readonly string[];
  /** URL of the queue of firings of rules that could not be delivered. */
  readonly missedTicks: string;
  /** How many of the schedule entries are EventBridge rules. */
  readonly rules: number;
  /** How long results are kept. */
  readonly resultExpiresSeconds: number;
  /** ARN of the user's key that encrypts queues and tables; absent where there is none. */
  readonly encryptionKeyArn?: string;
}

/** A deployed service. */
export interface DeployedService extends DeployedFacts {
  /** Form of the JSON that it was read from. */
  readonly version: typeof DEPLOYED_VERSION;
  /** The app's name. */
  readonly app: string;
  /** What the sweeper is told: URLs of all queues and dead-letter queues, tables, the prefix of rules. */
  readonly environment: Environment;
  /** Names of all tasks; empty where they took too much room. */
  readonly taskNames: readonly string[];
  /** The same as an environment variable: what a process takes that works with the service. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The parameter's JSON. */
export interface DeployedFields extends DeployedFacts {
  readonly version: typeof DEPLOYED_VERSION;
  readonly environment: ServiceFields;
}

const MAPS = ['workers', 'environment'] as const;
const TEXTS = ['partition', 'region', 'account', 'sweeper', 'missedTicks'] as const;
const NUMBERS = ['rules', 'resultExpiresSeconds'] as const;

/**
 * Reads the parameter's value.
 *
 * @example
 * ```ts
 * // SHOP=$(aws ssm get-parameter --name /celeriac/shop --query Parameter.Value --output text)
 * const { environment, workers } = readDeployedService(process.env['SHOP'] ?? '');
 * console.log(environment.queues, workers);
 * ```
 * @throws ImproperlyConfigured for what no service has written, and for what a newer version has; MissingEnvironment for
 * an environment that is not complete
 */
export function readDeployedService(text: string): DeployedService {
  const fields = objectIn(text);
  const { version } = fields;
  if (version !== DEPLOYED_VERSION) {
    throw refused(
      typeof version === 'number' && version > DEPLOYED_VERSION
        ? `it has version ${version}, of a newer Celeriac; this one reads version ${DEPLOYED_VERSION}. Update the package here`
        : `it has no version that is read here (${DEPLOYED_VERSION})`,
    );
  }
  const wrong =
    MAPS.find((field) => !isMap(fields[field])) ??
    TEXTS.find((field) => typeof fields[field] !== 'string') ??
    (['string', 'undefined'].includes(typeof fields['encryptionKeyArn']) ? undefined : 'encryptionKeyArn') ??
    NUMBERS.find((field) => typeof fields[field] !== 'number') ??
    (isTexts(fields['lostQueues']) ? undefined : 'lostQueues') ??
    (Object.values(fields['workers'] as object).every(isWorker) ? undefined : 'workers');
  if (wrong !== undefined) throw refused(`its '${wrong}' is missing, or not what a service writes`);
  const known = fields as unknown as DeployedFields;
  const { app } = known.environment;
  if (typeof app !== 'string' || app === '') throw refused(`its 'environment' has no 'app'`);
  const variables = { [serviceVariable(app)]: JSON.stringify(known.environment) };
  const names = readTaskNames(app, variables);
  const taskNames = typeof names === 'object' ? names : [];
  return { ...known, app, environment: readEnvironment(app, variables), taskNames, variables };
}

/** Ids of the event source mappings, by queue and lane. */
export function eventSourceIds({ workers }: Pick<DeployedFacts, 'workers'>): Record<string, string> {
  return Object.fromEntries(Object.entries(workers).map(([queue, { eventSource }]) => [queue, eventSource]));
}

function refused(why: string): ImproperlyConfigured {
  // Without the text: it may hold account ids, and may be anything.
  return new ImproperlyConfigured(
    `This is no description of a deployed service: ${why}. TaskService writes it into the SSM parameter /celeriac/<app>, or the one that its parameterName says.`,
  );
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isMap(value)) return value;
  } catch {
    // Told below.
  }
  throw refused('it is not a JSON object');
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isWorker(value: unknown): boolean {
  return isMap(value) && typeof value['function'] === 'string' && typeof value['eventSource'] === 'string';
}

/** A queue's ARN by its URL, whose path is the account and the name, on AWS and on emulators. */
export function queueArn(url: string, { partition, region }: Pick<DeployedService, 'partition' | 'region'>): string {
  const [account = '', name = ''] = url.split('/').slice(-2);
  return `arn:${partition}:sqs:${region}:${account}:${name}`;
}

/** A table's ARN by its name. */
export function tableArn(name: string, place: Pick<DeployedService, 'partition' | 'region' | 'account'>): string {
  return `arn:${place.partition}:dynamodb:${place.region}:${place.account}:table/${name}`;
}
