/** What may be said of the functions of a service: of all, and of one queue's worker. */
import type { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ApplicationLogLevel, Architecture, ILayerVersion, Tracing } from 'aws-cdk-lib/aws-lambda';

import { integerIn, refuseUnknownKeys } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import {
  ESM_MAX_INVOCATIONS,
  LAMBDA_MAX_EPHEMERAL_STORAGE_MIB,
  LAMBDA_MAX_LAYERS,
  LAMBDA_MAX_MEMORY_MIB,
  LAMBDA_MAX_SECURITY_GROUPS,
  LAMBDA_MAX_TIMEOUT_SECONDS,
  LAMBDA_MIN_EPHEMERAL_STORAGE_MIB,
  LAMBDA_MIN_MEMORY_MIB,
} from '../lib/base/limits.ts';
import { durationSecondsOf } from './duration-prop.ts';
import { FUNCTION_PROPS, SWEEPER_PROPS } from './known-props.ts';
import { type LambdaOptions, validateLambdaOptions } from './lambda-options.ts';
import { type TaskSecret, validateSecrets } from './secrets.ts';
import { validateVariables } from './variables.ts';

/**
 * What the functions of a service are given. Said of the service it holds for every function, said of a queue for its
 * worker: a queue's word is the one that counts, and variables, secrets and `functionProps` of both are put together.
 *
 * @example
 * ```ts
 * new TaskService(this, 'Tasks', {
 *   app,
 *   entry: 'src/tasks.ts',
 *   environment: { SHOP_CURRENCY: 'EUR' },
 *   queues: { reports: { memoryMiB: 2048, ephemeralStorageMiB: 4096, vpc, secrets: { PAYMENT_SECRET: paymentKey } } },
 * });
 * ```
 */
export interface FunctionProps {
  /** Memory of workers in MiB, 128 to 10,240; Lambda's share of CPU follows it. @default 512 */
  readonly memoryMiB?: number;
  /** Timeout of workers, 1 to 900 s. @default the longest time limit of the queue's tasks + 30 s, or 60 s without one */
  readonly timeout?: Duration;
  /** @default Architecture.ARM_64, which costs a fifth less */
  readonly architecture?: Architecture;
  /**
   * Where tasks reach what is private, such as a database. Functions there need a way to SQS, DynamoDB and EventBridge:
   * a NAT gateway, or endpoints. @default - none
   */
  readonly vpc?: IVpc;
  /** Subnets of `vpc`. @default - the private ones */
  readonly vpcSubnets?: SubnetSelection;
  /** Security groups of the functions in `vpc`, 1 to 5. @default - a group for each function */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** At most 5. @default - none */
  readonly layers?: readonly ILayerVersion[];
  /** Traces of X-Ray, with the right to write them. @default Tracing.DISABLED */
  readonly tracing?: Tracing;
  /** Log lines below it are not written. @default ApplicationLogLevel.INFO */
  readonly logLevel?: ApplicationLogLevel;
  /** Room in `/tmp` in MiB, 512 to 10,240. @default 512 */
  readonly ephemeralStorageMiB?: number;
  /**
   * Workers that are kept warm, 1 to 1,250, and no more than keep the queue's `concurrency`; they are paid for all the time.
   * The queue then feeds the alias `live` of the function's newest version. @default - none
   */
  readonly provisionedConcurrency?: number;
  /** Variables, by name. Names that begin with CELERIAC_ are the service's own. @default - none */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Secrets that tasks read, by the name of the variable that holds the ARN; the functions may read the values.
   * @default - none
   */
  readonly secrets?: Readonly<Record<string, TaskSecret>>;
  /** What else CDK's `Function` takes. What the service decides itself is refused, with the reason. @default - none */
  readonly functionProps?: LambdaOptions;
}

/** Of the sweeper: its timeout is the service's own, since its queues are made for it. */
export type SweeperOverrides = Omit<FunctionProps, 'timeout' | 'provisionedConcurrency'>;

/** What a queue says, and the service where it says nothing. */
export function withDefaults(shared: FunctionProps, own: FunctionProps): FunctionProps {
  const common = pick(shared);
  // They belong to the service's network, and say nothing of another one.
  if (own.vpc !== undefined) for (const key of ['vpcSubnets', 'securityGroups'] as const) delete common[key];
  return {
    ...common,
    ...pick(own),
    environment: { ...shared.environment, ...own.environment },
    secrets: { ...shared.secrets, ...own.secrets },
    functionProps: { ...shared.functionProps, ...own.functionProps },
  };
}

/** What is there of it: an undefined prop of a queue must not hide the service's. */
function pick(props: FunctionProps): { -readonly [K in keyof FunctionProps]: FunctionProps[K] } {
  return Object.fromEntries(
    Object.entries(props).filter(
      ([key, value]) => (FUNCTION_PROPS as ReadonlySet<string>).has(key) && value !== undefined,
    ),
  );
}

/**
 * Checks what stands by itself: what is said of the service before any queue is looked at.
 *
 * @param what where it was given, as in `queues.mail.`
 * @throws InvalidOption
 */
export function validateFunctionProps(props: FunctionProps, what: string): void {
  const whole = (field: 'memoryMiB' | 'ephemeralStorageMiB' | 'provisionedConcurrency', least: number, most: number) =>
    props[field] === undefined ? undefined : integerIn(props[field], least, most, `${what}${field}`);
  whole('memoryMiB', LAMBDA_MIN_MEMORY_MIB, LAMBDA_MAX_MEMORY_MIB);
  whole('ephemeralStorageMiB', LAMBDA_MIN_EPHEMERAL_STORAGE_MIB, LAMBDA_MAX_EPHEMERAL_STORAGE_MIB);
  whole('provisionedConcurrency', 1, ESM_MAX_INVOCATIONS);
  const timeoutSeconds = durationSecondsOf(props.timeout, `${what}timeout`);
  if (timeoutSeconds !== undefined)
    integerIn(timeoutSeconds, 1, LAMBDA_MAX_TIMEOUT_SECONDS, `${what}timeout in seconds`);
  if (props.layers !== undefined)
    integerIn(props.layers.length, 0, LAMBDA_MAX_LAYERS, `${what}layers, the number of them`);
  if (props.securityGroups !== undefined)
    integerIn(props.securityGroups.length, 1, LAMBDA_MAX_SECURITY_GROUPS, `${what}securityGroups, the number of them`);
  validateVariables(props.environment ?? {}, `${what}environment`);
  validateSecrets(props.secrets ?? {}, `${what}secrets`);
  validateLambdaOptions(props.functionProps ?? {}, what);
}

/**
 * Checks what is put together of a queue's and the service's.
 *
 * @param workers how many of them run at once at most.
 * @throws InvalidOption
 */
export function validateTogether(props: FunctionProps, what: string, workers?: number): void {
  for (const field of ['vpcSubnets', 'securityGroups'] as const)
    if (props[field] !== undefined && props.vpc === undefined)
      throw new InvalidOption(`${what}${field}: given without vpc. Give the vpc that they are of.`);
  const twice = Object.keys(props.secrets ?? {}).find((name) => Object.hasOwn(props.environment ?? {}, name));
  if (twice !== undefined)
    throw new InvalidOption(
      `${what}secrets.${twice}: environment has a variable of this name too. Rename one of them.`,
    );
  const { provisionedConcurrency } = props;
  if (provisionedConcurrency !== undefined && workers !== undefined && provisionedConcurrency > workers)
    throw new InvalidOption(
      `${what}provisionedConcurrency: ${provisionedConcurrency} given, and the queue's concurrency is kept by ${workers} workers: more never run at once. Lower it, raise the concurrency, or lower batchConcurrency.`,
    );
}

/** What holds for every function. @throws InvalidOption */
export function validateShared(shared: FunctionProps): void {
  validateFunctionProps(shared, '');
  validateTogether(shared, '');
  if (shared.functionProps?.functionName !== undefined)
    throw new InvalidOption(
      `functionProps.functionName: '${shared.functionProps.functionName}' given for every function of the service. Give each queue and the sweeper a name of its own, or leave it out.`,
    );
}

/** What the sweeper is given. Memory and warm workers that the service gives its workers are not for it. @throws InvalidOption */
export function sweeperProps(shared: FunctionProps, own: SweeperOverrides = {}): FunctionProps {
  refuseUnknownKeys(own, SWEEPER_PROPS, 'sweeper');
  validateFunctionProps(own, 'sweeper.');
  const { memoryMiB: _memory, timeout: _timeout, provisionedConcurrency: _warm, ...common } = shared;
  const together = withDefaults(common, own);
  validateTogether(together, 'sweeper.');
  return together;
}
