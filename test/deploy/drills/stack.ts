/** What `cdk` runs for the drills: `-c version=second` is the update. */
import { App, Duration, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';

import { TaskService } from '../../../infra/index.ts';
import { app as first } from './first.ts';
import { app as second } from './second.ts';
import { USERS } from './users.ts';

const cdk = new App();
const version = cdk.node.tryGetContext('version') === 'second' ? 'second' : 'first';
const stack = new Stack(cdk, 'CeleriacDrills');
const service = new TaskService(stack, 'Tasks', {
  app: version === 'second' ? second : first,
  entry: `test/deploy/drills/${version}.ts`,
  // A worker that was killed is missed when its invocation would have ended.
  queues: { default: { timeout: Duration.seconds(10) }, second: { timeout: Duration.seconds(10) } },
  removalPolicy: RemovalPolicy.DESTROY,
  // Those on several metrics are left out: MiniStack's CloudFormation takes none.
  alarms: { deadLetters: false, oldestMessageAge: false, lost: false, throttles: false, tableThrottles: false },
});
const users = Object.entries(USERS).map(([name, { role, hash }]) => [name, { role, hash }]);
service.addMonitor({
  auth: {
    password: {
      users: new Secret(stack, 'Users', {
        secretStringValue: SecretValue.unsafePlainText(JSON.stringify(Object.fromEntries(users))),
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    },
  },
});
cdk.synth();
