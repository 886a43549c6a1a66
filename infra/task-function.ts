import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type CfnEventSourceMappingProps,
  CfnEventSourceMapping,
  Function as LambdaFn,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { codeOf, type TaskBundling } from './bundling.ts';
import { type Rights, statementOf } from './grants.ts';

/** What all functions of a service share. */
export interface TaskFunctionOptions {
  /** The user's module that exports the app. */
  readonly entry: string;
  /** The name of that app. */
  readonly appName: string;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
  /** @default - minified ESM with a lean client in the SDK's place */
  readonly bundling?: TaskBundling;
}

export interface TaskFunctionProps extends TaskFunctionOptions {
  /** A file of this package's handlers. */
  readonly handler: 'worker' | 'sweeper';
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly environment: Readonly<Record<string, string>>;
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

  constructor(scope: Construct, id: string, props: TaskFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const ownLogs: Rights = {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resourceArns: [logGroup.logGroupArn],
    };
    // IAM refuses a statement without resources: a service whose queues all existed before has no lost queue.
    for (const rights of [ownLogs, ...props.rights])
      if (rights.resourceArns.length > 0) this.#role.addToPolicy(statementOf(rights));
    this.function = new LambdaFn(this, 'Function', {
      description: props.description,
      code: codeOf(props),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMiB,
      // Lambda ends a lineage of about 16 hops otherwise: a chain, a retry, an ETA. We carry a hop limit of our own.
      recursiveLoop: RecursiveLoop.ALLOW,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      role: this.#role,
      environment: { ...props.environment },
    });
    // Created by the role's own statement above; the function must not start before its rights exist.
    this.function.node.addDependency(this.#role);
  }

  /** Lets a queue feed the function. Not the L2 event source: its grants are wider than what is used. */
  feedFrom(queue: IQueue, id: string, props: FeedProps): void {
    const mapping = new CfnEventSourceMapping(this, id, {
      functionName: this.function.functionName,
      eventSourceArn: queue.queueArn,
      // Without it Lambda deletes what failed.
      functionResponseTypes: ['ReportBatchItemFailures'],
      ...props,
    });
    // CloudFormation checks the role's rights on the queue when it makes the mapping.
    mapping.node.addDependency(this.#role);
  }
}
