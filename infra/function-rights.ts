/** Rights that know no resources: those that Lambda itself uses with a function's role, and the ages of messages. */
import { Validations } from 'aws-cdk-lib';
import { Effect, type IRole, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

// As in AWS's own AWSLambdaVPCAccessExecutionRole, without logs, which each role has for its own group. Source: Lambda, "Giving functions access to resources in a VPC".
const NETWORK = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];
const TRACING = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];

/** Lets Lambda make network interfaces with the role; calls of the function's own code are denied. */
export function letJoinNetwork(scope: Construct, role: IRole): Policy {
  return onAll(
    scope,
    role,
    'Network',
    [
      new PolicyStatement({ actions: NETWORK, resources: ['*'] }),
      new PolicyStatement({
        effect: Effect.DENY,
        actions: NETWORK,
        resources: ['*'],
        // The key is in requests that code makes with the function's credentials, and in no others.
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    ],
    'Lambda looks for subnets and interfaces by these actions, which have no resources, and makes interfaces whose ids nobody knows before; the functions themselves are denied all of them.',
  );
}

/** Lets the function write traces. */
export function letTrace(scope: Construct, role: IRole): Policy {
  return onAll(
    scope,
    role,
    'Tracing',
    [new PolicyStatement({ actions: TRACING, resources: ['*'] })],
    'X-Ray has no resources to limit these actions to.',
  );
}

/** Lets it ask how old messages are. */
export function letAskAges(scope: Construct, role: IRole): Policy {
  return onAll(
    scope,
    role,
    'Ages',
    [new PolicyStatement({ actions: ['cloudwatch:GetMetricStatistics'], resources: ['*'] })],
    'CloudWatch has no resources to limit the action to; it reads numbers, and changes nothing.',
  );
}

/** A policy of its own: what is said to cdk-nag of this '*' must not hold for any other of the role's. */
function onAll(scope: Construct, role: IRole, id: string, statements: PolicyStatement[], reason: string): Policy {
  const policy = new Policy(scope, id, { roles: [role], statements });
  Validations.of(policy).acknowledge({ id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]', reason });
  return policy;
}
