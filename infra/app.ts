/** What cdk.json runs: the example blog, deployed. */
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

import { app as blog } from '../examples/blog/tasks.ts';
import { TaskService } from './task-service.ts';

const app = new App();
const stack = new Stack(app, 'CeleriacBlog', {
  description: 'Celeriac example: a blog whose comments are checked by tasks',
});

const service = new TaskService(stack, 'Tasks', {
  app: blog,
  entry: 'examples/blog/tasks.ts',
  removalPolicy: RemovalPolicy.DESTROY,
  // To look at: nobody is to be told, and MiniStack's CloudFormation takes no alarm on several metrics.
  alarms: false,
});

const api = new NodejsFunction(stack, 'Api', {
  entry: 'examples/blog/api.ts',
  runtime: Runtime.NODEJS_24_X,
  architecture: Architecture.ARM_64,
  timeout: Duration.seconds(10),
  bundling: {
    format: OutputFormat.ESM,
    minify: true,
    mainFields: ['module', 'main'],
    bundleAwsSDK: true,
    esbuildArgs: { '--conditions': '@celeriac/source,module' },
    banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
  },
});
service.grantEnqueue(api);

app.synth();
