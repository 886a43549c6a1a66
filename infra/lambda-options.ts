/** Of what Lambda and CDK can do with a function: what a service passes on, and what it decides itself and why. */
import type { NodejsFunctionProps } from 'aws-cdk-lib/aws-lambda-nodejs';

import { refuseUnknownKeys } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';

/** Props of CDK's `Function` that a service passes on as they are. */
export interface LambdaOptions extends Pick<NodejsFunctionProps, Passed> {}

type Passed =
  | 'adotInstrumentation'
  | 'allowAllIpv6Outbound'
  | 'allowAllOutbound'
  | 'allowPublicSubnet'
  | 'codeSigningConfig'
  | 'description'
  | 'environmentEncryption'
  | 'filesystem'
  | 'functionName'
  | 'initialPolicy'
  | 'insightsVersion'
  | 'ipv6AllowedForDualStack'
  | 'paramsAndSecrets'
  | 'runtimeManagementMode'
  | 'systemLogLevelV2';

const PASSED: Readonly<Record<Passed, true>> = {
  adotInstrumentation: true,
  allowAllIpv6Outbound: true,
  allowAllOutbound: true,
  allowPublicSubnet: true,
  codeSigningConfig: true,
  description: true,
  environmentEncryption: true,
  filesystem: true,
  functionName: true,
  initialPolicy: true,
  insightsVersion: true,
  ipv6AllowedForDualStack: true,
  paramsAndSecrets: true,
  runtimeManagementMode: true,
  systemLogLevelV2: true,
};

const OWN = 'It is a prop of its own: give it beside functionProps, as';
const BUNDLED =
  "The functions are this package's handlers with your entry in them: use entry and bundling of the service.";
const LOGS =
  'Each function has a log group of its own, and a right to that one alone: use logRetention of the service.';
const LEVELS = 'Levels need JSON, and Lambda takes them in one way only: use';
const NOT_INVOKED =
  'Queues feed workers, and nobody invokes them asynchronously; the rule of the sweeper has settings of its own.';
const DEAD_LETTERS =
  "It is of asynchronous invocations, and queues feed workers. Rejected tasks lie in the queue's dead-letter queue: see service.deadLetterQueue(name).";
const PROFILING = 'CodeGuru profiles no Node.js.';

/** Why each of the others is not passed on. A prop that CDK adds has to be put here or above. */
const REFUSED: Readonly<Record<Exclude<keyof NodejsFunctionProps, Passed>, string>> = {
  applicationLogLevel: `${LEVELS} logLevel.`,
  applicationLogLevelV2: `${LEVELS} logLevel.`,
  architecture: `${OWN} architecture.`,
  awsSdkConnectionReuse: 'SDK 3 keeps connections by itself.',
  bundling: BUNDLED,
  code: BUNDLED,
  currentVersionOptions: 'Versions are made for provisionedConcurrency alone: use that.',
  deadLetterQueue: DEAD_LETTERS,
  deadLetterQueueEnabled: DEAD_LETTERS,
  deadLetterTopic: DEAD_LETTERS,
  depsLockFilePath: BUNDLED,
  durableConfig: 'State of tasks is kept in the tables; a handler that Lambda replays would run them again.',
  entry: BUNDLED,
  environment: `${OWN} environment.`,
  ephemeralStorageSize: `${OWN} ephemeralStorageMiB.`,
  events: "The queue's event source is what feeds a worker: a second one would send it what is no task.",
  handler: BUNDLED,
  layers: `${OWN} layers.`,
  logFormat: `${LEVELS} logLevel; the format is JSON.`,
  loggingFormat: `${LEVELS} logLevel; the format is JSON.`,
  logGroup: LOGS,
  logRemovalPolicy: LOGS,
  logRetention: LOGS,
  logRetentionRetryOptions: LOGS,
  logRetentionRole: LOGS,
  maxEventAge: NOT_INVOKED,
  memorySize: `${OWN} memoryMiB.`,
  onFailure: NOT_INVOKED,
  onSuccess: NOT_INVOKED,
  profiling: PROFILING,
  profilingGroup: PROFILING,
  projectRoot: BUNDLED,
  recursiveLoop:
    'It is Allow: Lambda would end a chain or a row of retries after about 16 messages. Messages have a limit of their own.',
  reservedConcurrentExecutions:
    "Its throttles use up the receives of messages that never ran. Use concurrency of the app's queue: the event source then asks for no more.",
  retryAttempts: NOT_INVOKED,
  role: 'Each function has a role of its own with what its code calls. Add to it: service.worker(name).addToRolePolicy(...), or grants.',
  runtime: 'It is Node.js 24, for which the code is bundled and tested.',
  securityGroups: `${OWN} securityGroups.`,
  snapStart: 'Lambda has it for other runtimes than Node.js only. Use provisionedConcurrency where cold starts matter.',
  systemLogLevel: `${LEVELS} systemLogLevelV2.`,
  tenancyConfig: 'Lambda does not let queues feed a function with tenants.',
  timeout: `${OWN} timeout.`,
  tracing: `${OWN} tracing.`,
  vpc: `${OWN} vpc.`,
  vpcSubnets: `${OWN} vpcSubnets.`,
};

/**
 * @param what where the props were given, as in `queues.mail.`
 * @throws InvalidOption for a prop that the service decides, with the reason, and for one that CDK does not have.
 */
export function validateLambdaOptions(options: object, what: string): void {
  const reasons = new Map(Object.entries(REFUSED));
  for (const key of Object.keys(options)) {
    const reason = reasons.get(key);
    if (reason !== undefined) throw new InvalidOption(`${what}functionProps.${key}: decided by the service. ${reason}`);
  }
  refuseUnknownKeys(options, new Set(Object.keys(PASSED)), `${what}functionProps`);
}
