/** Every prop by name, so that one that is misspelt is refused and not left out in silence. A prop that is added has to be put here. */
import type { FunctionProps, SweeperOverrides } from './function-props.ts';
import type { QueueOverrides } from './plan.ts';
import type { TaskServiceProps } from './task-service.ts';

const OF_FUNCTIONS: Readonly<Record<keyof FunctionProps, true>> = {
  memoryMiB: true,
  timeout: true,
  architecture: true,
  vpc: true,
  vpcSubnets: true,
  securityGroups: true,
  layers: true,
  tracing: true,
  logLevel: true,
  ephemeralStorageMiB: true,
  provisionedConcurrency: true,
  environment: true,
  secrets: true,
  functionProps: true,
};
const { timeout: _timeout, provisionedConcurrency: _warm, ...ofSweeper } = OF_FUNCTIONS;
const OF_SWEEPER: Readonly<Record<keyof SweeperOverrides, true>> = ofSweeper;
const OF_QUEUES: Readonly<Record<keyof QueueOverrides, true>> = {
  ...OF_FUNCTIONS,
  visibilityTimeout: true,
  retention: true,
  deadLetterRetention: true,
  maxReceiveCount: true,
};
const OF_SERVICES: Readonly<Record<keyof TaskServiceProps, true>> = {
  ...OF_FUNCTIONS,
  app: true,
  entry: true,
  queues: true,
  sweeper: true,
  externalQueues: true,
  existingQueues: true,
  tables: true,
  queueNamePrefix: true,
  encryptionKey: true,
  preset: true,
  pointInTimeRecovery: true,
  removalPolicy: true,
  deletionProtection: true,
  logRetention: true,
  bundling: true,
  parameterName: true,
  alarms: true,
  dashboard: true,
};

export const FUNCTION_PROPS: ReadonlySet<keyof FunctionProps> = named(OF_FUNCTIONS);
export const SWEEPER_PROPS: ReadonlySet<string> = named(OF_SWEEPER);
export const QUEUE_PROPS: ReadonlySet<string> = named(OF_QUEUES);
export const SERVICE_PROPS: ReadonlySet<string> = named(OF_SERVICES);

function named<K extends string>(props: Readonly<Record<K, true>>): ReadonlySet<K> {
  return new Set(Object.keys(props) as K[]);
}
