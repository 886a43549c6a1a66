/** Which queues may name one of ours as the place that SQS moves their messages to. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Queue, type RedriveAllowPolicy, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { SQS_MAX_REDRIVE_SOURCES } from '../lib/base/limits.ts';

/** Of a queue that the code sends to, and no redrive policy names: a foreign queue's messages would have neither state nor reason. */
export const NO_SOURCE: RedriveAllowPolicy = { redrivePermission: RedrivePermission.DENY_ALL };

/**
 * Of a lost queue. SQS takes a list of ten queues at most, and the list needs names that are known beforehand: the sources refer to the
 * lost queue, and it cannot refer to them in turn. Where either is missing, every queue of this account and region may name it,
 * which is what SQS does without a policy; the sweeper lets go of what it cannot read either way.
 *
 * @param names names of the queues whose messages it gets; undefined where CloudFormation makes them.
 */
export function sourcesAllowed(scope: Construct, names: readonly string[] | undefined): RedriveAllowPolicy {
  if (names === undefined || names.length > SQS_MAX_REDRIVE_SOURCES)
    return { redrivePermission: RedrivePermission.ALLOW_ALL };
  const arnOf = (resource: string): string =>
    Stack.of(scope).formatArn({ service: 'sqs', resource, arnFormat: ArnFormat.NO_RESOURCE_NAME });
  return {
    redrivePermission: RedrivePermission.BY_QUEUE,
    sourceQueues: names.map((name) => Queue.fromQueueArn(scope, `Source-${name}`, arnOf(name))),
  };
}
