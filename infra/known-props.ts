/** Every prop by name, so that one that is misspelt is refused and not left out in silence. A prop that is added has to be put here. */
import { refuseUnknownKeys } from '../lib/base/checks.ts';
import type { TaskBundling } from './bundling.ts';
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
  payloadBucket: true,
  payloadKeys: true,
  alarms: true,
  dashboard: true,
};

const OF_BUNDLING: Readonly<Record<keyof TaskBundling, true>> = {
  banner: true,
  charset: true,
  define: true,
  esbuildArgs: true,
  externalModules: true,
  footer: true,
  inject: true,
  keepNames: true,
  loader: true,
  logLevel: true,
  mainFields: true,
  metafile: true,
  minify: true,
  nodeModules: true,
  sourceMap: true,
  sourceMapMode: true,
  sourcesContent: true,
  tsconfig: true,
  sdk: true,
  environment: true,
  commandHooks: true,
  assetHash: true,
};

export const FUNCTION_PROPS: ReadonlySet<keyof FunctionProps> = named(OF_FUNCTIONS);
export const SWEEPER_PROPS: ReadonlySet<string> = named(OF_SWEEPER);
export const QUEUE_PROPS: ReadonlySet<string> = named(OF_QUEUES);
const SERVICE_PROPS: ReadonlySet<string> = named(OF_SERVICES);
const BUNDLING_PROPS: ReadonlySet<string> = named(OF_BUNDLING);

/** @throws InvalidOption for a prop of the service or of its bundling that there is not; queues and the sweeper are checked with what they are. */
export function refuseUnknownProps(props: TaskServiceProps): void {
  refuseUnknownKeys(props, SERVICE_PROPS, 'TaskService');
  refuseUnknownKeys(props.bundling ?? {}, BUNDLING_PROPS, 'bundling');
}

function named<K extends string>(props: Readonly<Record<K, true>>): ReadonlySet<K> {
  return new Set(Object.keys(props) as K[]);
}
