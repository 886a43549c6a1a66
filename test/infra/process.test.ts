/** Queues whose worker is a process: what is made of them, what is refused, and what a process may do. */
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Celeriac, type QueueOptions, silentLogger, type TaskOptions } from 'celeriac';
import { TaskService, type TaskServiceProps } from 'celeriac/infra';
import { describe, expect, it } from 'vitest';

import { ENTRY, newApp } from './stacks.ts';

function made(
  queues: Readonly<Record<string, QueueOptions>>,
  options: TaskOptions = {},
  props: Partial<TaskServiceProps> = {},
): { readonly service: TaskService; readonly template: Template } {
  const app = new Celeriac('studio', { queues, logger: silentLogger });
  app.task('render', { queue: Object.keys(queues).at(-1) ?? '', ...options }, () => 1);
  const stack = new Stack(newApp(), 'Test');
  const service = new TaskService(stack, 'Tasks', { app, entry: ENTRY, ...props });
  return { service, template: Template.fromStack(stack) };
}

const BOTH = { default: {}, video: { worker: 'process', priorities: [0, 5] } } as const;

describe('a queue whose worker is a process', () => {
  it('is made, with its lanes and its dead-letter queue, and has no function', () => {
    const { service, template } = made(BOTH);
    expect(service.manifest.queues['video']).toMatchObject({ worker: 'process' });
    expect(Object.keys(service.workers)).toEqual(['default']);
    expect(service.deadLetterQueue('video')).toBeDefined();
    expect(Object.keys(service.queues.lanes)).toEqual(['video-p5']);
    const mappings = template.findResources('AWS::Lambda::EventSourceMapping');
    expect(JSON.stringify(mappings)).not.toContain('video');
  });

  it('may be the only one there is', () => {
    const { service, template } = made({ video: { worker: 'process' } });
    expect(service.workers).toEqual({});
    template.resourceCountIs('AWS::IAM::ManagedPolicy', 1);
  });

  it('has a policy: its own messages, all of the queues to send to, its own dead-letter queue, and the tables', () => {
    const { service, template } = made(BOTH);
    const [policy] = Object.values(template.findResources('AWS::IAM::ManagedPolicy')) as {
      readonly Properties: { readonly PolicyDocument: { readonly Statement: readonly { readonly Action: unknown }[] } };
    }[];
    const actions = policy?.Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action);
    expect(actions).toEqual(
      expect.arrayContaining([
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'dynamodb:UpdateItem',
      ]),
    );
    template.hasResourceProperties('AWS::IAM::ManagedPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
            Resource: [
              { 'Fn::GetAtt': [Match.stringLikeRegexp('^TasksQueuesMainvideo'), 'Arn'] },
              { 'Fn::GetAtt': [Match.stringLikeRegexp('^TasksQueuesMainvideop5'), 'Arn'] },
            ],
          }),
        ]),
      },
    });
    expect(service.workerPolicy('video-p5')).toBe(service.workerPolicy('video'));
    expect(Object.keys(service.workerEnvironment())).toEqual(['CELERIAC_SERVICE_STUDIO']);
  });

  it('a task of hours is refused where a function runs it, with the way out, and allowed here', () => {
    expect(() => made({ default: {} }, { timeLimit: '16m' })).toThrow(
      "or have a process run it, queues: { default: { worker: 'process' } }: celeriac worker",
    );
    expect(() => made({ default: {} }, { timeLimit: 880 })).not.toThrow();
    expect(made(BOTH, { timeLimit: '12h' }).service.manifest.tasks['render']?.timeLimitSeconds).toBe(43_200);
    expect(() => made(BOTH, { timeLimit: '13h' })).toThrow('SQS hides a message for 43200 s at most');
  });
});

describe('what is refused', () => {
  it.each<[string, Readonly<Record<string, QueueOptions>>, string]>([
    ['another word', { default: { worker: 'thread' as never } }, "queues.default.worker: 'thread' given"],
    [
      'of an external queue',
      { default: {}, video: { worker: 'process', external: true } },
      'given for an external queue',
    ],
    ['what is said of functions', { video: { worker: 'process', concurrency: 8 } }, 'celeriac worker --concurrency 8'],
    [
      'batches',
      { video: { worker: 'process', batchSize: 5 } },
      'queues.video.batchSize: given for a queue whose worker is a process',
    ],
  ])('%s', (_what, queues, words) => {
    expect(() => new Celeriac('refused', { queues })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(words) }),
    );
  });

  it('memory of a function that there is not; a function, a policy of the other kind', () => {
    expect(() => made(BOTH, {}, { queues: { video: { memoryMiB: 1024 } } })).toThrow(
      'queues.video.memoryMiB: given for a queue whose worker is a process',
    );
    const { service } = made(BOTH);
    expect(() => service.worker('video')).toThrow("attach workerPolicy('video') to its role");
    expect(() => service.workerPolicy('default')).toThrow("Queue 'default' has no process for its worker");
    expect(() => service.workerEnvironment(['nowhere'])).toThrow("Queue 'nowhere' is not declared");
  });
});
