import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  ApplicationLogLevel,
  Architecture,
  type CfnEventSourceMappingProps,
  CfnEventSourceMapping,
  type CfnFunction,
  Function as LambdaFn,
  type FunctionOptions,
  type IFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { codeOf, type TaskBundling } from './bundling.ts';
import type { EncryptionKeys } from './encryption.ts';
import type { FunctionProps } from './function-props.ts';
import { letJoinNetwork, letTrace } from './function-rights.ts';
import { type Rights, statementOf } from './grants.ts';
import { giveSecret } from './secrets.ts';
import { environmentComplaints } from './variable-sizes.ts';
import { setVariable } from './variables.ts';

/** What all functions of a service share. */
export interface TaskFunctionOptions {
  /** The user's module that exports the app, a folder of modules or a pattern. */
  readonly entry: string;
  /** The tasks that the service knows of. */
  readonly taskNames?: readonly string[];
  /** The name of that app. */
  readonly appName: string;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
  /** @default - minified ESM with a lean client in the SDK's place */
  readonly bundling?: TaskBundling;
  /** What the user says of the function, checked. */
  readonly given: FunctionProps;
  /** Of queues and tables. */
  readonly keys: EncryptionKeys;
  /** Encrypts the logs. @default - a key that CloudWatch owns */
  readonly encryptionKey?: IKey;
}

export interface TaskFunctionProps extends TaskFunctionOptions {
  /** A file of this package's handlers. */
  readonly handler: 'worker' | 'sweeper' | 'monitor' | 'status';
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly rights: readonly Rights[];
}

/** How a queue feeds a function; what is left out is Lambda's default. */
export type FeedProps = Pick<
  CfnEventSourceMappingProps,
  'batchSize' | 'maximumBatchingWindowInSeconds' | 'scalingConfig'
>;

/** A function of the service: bundled from source, with a role of its own that holds nothing but its statements. */
export class TaskFunction extends Construct {
  readonly function: LambdaFn;
  readonly #role: Role;
  readonly #fed: IFunction;

  constructor(scope: Construct, id: string, props: TaskFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(props.encryptionKey === undefined ? {} : { encryptionKey: props.encryptionKey }),
    });
    this.#role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const ownLogs: Rights = {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resourceArns: [logGroup.logGroupArn],
    };
    // IAM refuses a statement without resources: a service whose queues all existed before has no lost queue.
    for (const rights of [ownLogs, ...props.keys.with(props.rights)])
      if (rights.resourceArns.length > 0) this.#role.addToPolicy(statementOf(rights));
    const { given } = props;
    const architecture = given.architecture ?? Architecture.ARM_64;
    this.function = new LambdaFn(this, 'Function', {
      description: props.description,
      systemLogLevelV2: SystemLogLevel.WARN,
      ...given.functionProps,
      ...networkOf(given),
      ...(given.layers === undefined ? {} : { layers: [...given.layers] }),
      ...(given.ephemeralStorageMiB === undefined
        ? {}
        : { ephemeralStorageSize: Size.mebibytes(given.ephemeralStorageMiB) }),
      code: codeOf({ ...props, architecture }),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMiB,
      // Lambda ends a lineage of about 16 hops otherwise: a chain, a retry, an ETA. We carry a hop limit of our own.
      recursiveLoop: RecursiveLoop.ALLOW,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: given.logLevel ?? ApplicationLogLevel.INFO,
      role: this.#role,
      environment: { ...props.environment },
    });
    // Created by the role's own statement above; the function must not start before its rights exist.
    this.function.node.addDependency(this.#role);
    this.#allow(given);
    this.#tell(given);
    this.#fed =
      given.provisionedConcurrency === undefined ? this.function : this.#keepWarm(given.provisionedConcurrency);
  }

  /** What Lambda does with the role on behalf of what was given. */
  #allow({ vpc, tracing, functionProps }: FunctionProps): void {
    if (vpc !== undefined) this.function.node.addDependency(letJoinNetwork(this, this.#role));
    if (tracing !== undefined && tracing !== Tracing.DISABLED) {
      // CDK's own prop would put its '*' among the other statements of the role.
      (this.function.node.defaultChild as CfnFunction).tracingConfig = { mode: tracing };
      this.function.node.addDependency(letTrace(this, this.#role));
    }
    const key = functionProps?.environmentEncryption;
    if (key !== undefined)
      this.#role.addToPolicy(new PolicyStatement({ actions: ['kms:Decrypt'], resources: [key.keyRef.keyArn] }));
  }

  #tell({ environment = {}, secrets = {} }: FunctionProps): void {
    for (const [name, value] of Object.entries(environment)) setVariable(this.function, name, value, 'environment');
    for (const [name, secret] of Object.entries(secrets)) giveSecret(this.function, name, secret, 'secrets');
    this.node.addValidation({ validate: () => environmentComplaints(this.function) });
  }

  /** Lambda keeps workers of a version warm, never of the function's latest code. */
  #keepWarm(provisionedConcurrentExecutions: number): IFunction {
    return new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion,
      provisionedConcurrentExecutions,
    });
  }

  /** Lets a queue feed the function. Not the L2 event source: its grants are wider than what is used. */
  feedFrom(queue: IQueue, id: string, props: FeedProps): CfnEventSourceMapping {
    const mapping = new CfnEventSourceMapping(this, id, {
      functionName: this.#fed.functionName,
      eventSourceArn: queue.queueArn,
      // Without it Lambda deletes what failed.
      functionResponseTypes: ['ReportBatchItemFailures'],
      ...props,
    });
    // CloudFormation checks the role's rights on the queue when it makes the mapping.
    mapping.node.addDependency(this.#role);
    return mapping;
  }
}

/** CDK tells an absent property from an undefined one. */
function networkOf({ vpc, vpcSubnets, securityGroups }: FunctionProps): Partial<FunctionOptions> {
  return {
    ...(vpc === undefined ? {} : { vpc }),
    ...(vpcSubnets === undefined ? {} : { vpcSubnets }),
    ...(securityGroups === undefined ? {} : { securityGroups: [...securityGroups] }),
  };
}
