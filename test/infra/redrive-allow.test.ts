/** Which queues may have ours as the place where SQS moves their messages to. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp } from './stacks.ts';

interface QueueProperties {
  readonly QueueName?: string;
  readonly RedrivePolicy?: object;
  readonly RedriveAllowPolicy?: { readonly redrivePermission: string; readonly sourceQueueArns?: readonly unknown[] };
}

function queuesOf(count: number, props: Partial<TaskServiceProps> = {}): Map<string, QueueProperties> {
  const names = Array.from({ length: count }, (_, index) => `q${index}`);
  const app: AppManifest = {
    name: 'blog',
    defaultQueue: 'q0',
    queues: { ...Object.fromEntries(names.map((name) => [name, { fifo: false }])), orders: { fifo: true } },
    tasks: {},
    resultExpiresSeconds: 86_400,
    timerShards: 8,
    beat: [],
  };
  const stack = new Stack(newApp(), 'Test');
  new TaskService(stack, 'Tasks', { app, entry: ENTRY, ...props });
  const found = Template.fromStack(stack).findResources('AWS::SQS::Queue');
  return new Map(Object.entries(found).map(([id, { Properties }]) => [id, Properties as QueueProperties]));
}

function lostOf(queues: Map<string, QueueProperties>, fifo: boolean): QueueProperties['RedriveAllowPolicy'] {
  const id = fifo ? /QueuesLostFifo/ : /QueuesLost(?!Fifo)/;
  return [...queues].find(([name]) => id.test(name))?.[1].RedriveAllowPolicy;
}

const arnOf = (name: string): object => ({
  'Fn::Join': [
    '',
    ['arn:', { Ref: 'AWS::Partition' }, ':sqs:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, `:${name}`],
  ],
});

describe('RedriveAllowPolicy', () => {
  it('dead letters, missed ticks and wake-ups: no queue may lead there', () => {
    const closed = [...queuesOf(2)].filter(([, each]) => each.RedriveAllowPolicy?.redrivePermission === 'denyAll');
    expect(
      closed.map(([id]) => /Queues(?:DeadLettersq\d|DeadLettersorders|MissedTicks|WakeUps)/.exec(id)?.[0]),
    ).toEqual([
      'QueuesDeadLettersq0',
      'QueuesDeadLettersq1',
      'QueuesDeadLettersorders',
      'QueuesMissedTicks',
      'QueuesWakeUps',
    ]);
  });

  it("where names are fixed, up to ten queues: the service's own alone, of the lost queue's type", () => {
    for (const count of [1, 10]) {
      const queues = queuesOf(count, { queueNamePrefix: 'p-' });
      const own = Array.from({ length: count }, (_, index) => arnOf(`p-q${index}`));
      expect(lostOf(queues, false)).toEqual({ redrivePermission: 'byQueue', sourceQueueArns: own });
      expect(lostOf(queues, true)).toEqual({ redrivePermission: 'byQueue', sourceQueueArns: [arnOf('p-orders.fifo')] });
    }
  });

  it('every queue of the template that has a lost queue is among its sources', () => {
    const queues = queuesOf(10, { queueNamePrefix: 'p-' });
    const redriven = [...queues.values()].filter((queue) => queue.RedrivePolicy !== undefined);
    const allowed = [lostOf(queues, false), lostOf(queues, true)].flatMap((policy) => policy?.sourceQueueArns ?? []);
    expect(redriven).toHaveLength(11);
    for (const { QueueName = '' } of redriven) expect(allowed).toContainEqual(arnOf(QueueName));
  });

  it('the eleventh queue of a type, or names that CloudFormation makes: every queue of the account, as SQS has it', () => {
    const eleven = queuesOf(11, { queueNamePrefix: 'p-' });
    expect(lostOf(eleven, false)).toEqual({ redrivePermission: 'allowAll' });
    expect(lostOf(eleven, true)).toMatchObject({ redrivePermission: 'byQueue' });
    expect(lostOf(queuesOf(2), false)).toEqual({ redrivePermission: 'allowAll' });
  });
});
