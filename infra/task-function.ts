import { existsSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import { ImproperlyConfigured } from '../lib/errors.ts';

export interface TaskFunctionProps {
  /** `worker` or `sweeper`: a file of this package's handlers. */
  readonly handler: 'worker' | 'sweeper';
  /** The user's module that exports the app. */
  readonly entry: string;
  readonly timeoutSeconds: number;
  /** @default 512 */
  readonly memoryMiB?: number;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
}

/** A function of the service: bundled from source, with a role of its own that holds nothing but its statements. */
export class TaskFunction extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: TaskFunctionProps) {
    super(scope, id);
    const entry = resolve(props.entry);
    if (!existsSync(entry)) {
      throw new ImproperlyConfigured(
        `entry: there is no file ${props.entry}. Give the path of the module that exports your app.`,
      );
    }
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    for (const statement of props.statements) role.addToPolicy(statement);
    this.function = new NodejsFunction(this, 'Function', {
      entry: handlerPath(props.handler),
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMiB ?? 512,
      // Lambda ends a lineage of about 16 hops otherwise: a chain, a retry, an ETA. We carry a hop limit of our own.
      recursiveLoop: RecursiveLoop.ALLOW,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      role,
      environment: { ...props.environment },
      awsSdkConnectionReuse: false,
      bundling: bundlingOf(entry),
      ...lockFile(),
    });
    // Created by the role's own statement above; the function must not start before its rights exist.
    this.function.node.addDependency(role);
  }
}

const HERE = dirname(fileURLToPath(import.meta.url));
// `.ts` in the source tree, `.js` in the built package.
const EXTENSION = extname(fileURLToPath(import.meta.url));

/** Beside this file, in the source tree or in the built package. */
function handlerPath(name: string): string {
  return resolve(HERE, '../handlers', `${name}${EXTENSION}`);
}

function bundlingOf(entry: string): BundlingOptions {
  return {
    format: OutputFormat.ESM,
    minify: true,
    target: 'node24',
    // dist-es instead of dist-cjs: a third of the bytes (measured in npm run bench).
    mainFields: ['module', 'main'],
    bundleAwsSDK: true,
    esbuildArgs: {
      // In Lambda credentials come by environment: the SDK's whole chain is left out.
      '--alias:@aws-sdk/credential-provider-node': resolve(HERE, '../handlers', `environment-credentials${EXTENSION}`),
      '--alias:@celeriac/entry': entry,
      // The example in the source tree imports `celeriac` by name, from sources.
      '--conditions': EXTENSION === '.ts' ? '@celeriac/source,module' : 'module',
      '--legal-comments': 'none',
    },
    // CommonJS dependencies ask for `require`, which ESM does not have.
    banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
  };
}

/** A library's consumer has a lock file above its entry; say so where there is none yet. */
function lockFile(): { depsLockFilePath?: string } {
  for (const name of ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb']) {
    for (let folder = process.cwd(); ; folder = dirname(folder)) {
      if (existsSync(resolve(folder, name))) return { depsLockFilePath: resolve(folder, name) };
      if (folder === dirname(folder)) break;
    }
  }
  return {};
}
