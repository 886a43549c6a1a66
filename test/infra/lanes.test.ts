/** Queues with lanes as they are deployed: one function and one dead-letter queue, and a queue and an event source for each lane. */
import { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Celeriac, every } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { readDeployedService } from '../../lib/options/deployed-service.ts';
import type { AppOptions } from '../../lib/options/settings.ts';
import { ENTRY, newApp, newCaller, rendered, statementsOf } from './stacks.ts';

const env = { region: 'eu-west-1', account: '111122223333' };
const MAIL = { priorities: [0, 5], concurrency: 20 };

function appOf(queues: AppOptions['queues'] = { default: {}, mail: MAIL }): Celeriac {
  const app = new Celeriac('blog', { queues });
  app.task('mail', { queue: 'mail', timeLimit: 100 }, () => 1);
  const digest = app.task('digest', { queue: 'mail', priority: 9 }, () => 1);
  app.beat({ digest: { task: digest.s(), schedule: every('1h') } });
  return app;
}

function make(props: Partial<TaskServiceProps> = {}, given?: (stack: Stack) => Partial<TaskServiceProps>) {
  const stack = new Stack(newApp(), 'Test', { env });
  const service = new TaskService(stack, 'Tasks', { app: appOf(), entry: ENTRY, ...props, ...given?.(stack) });
  return { service, stack };
}

describe('a queue with lanes', () => {
  const { service, stack } = make();
  service.grantEnqueue(newCaller(stack));
  const template = Template.fromStack(stack);
  const sources = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).map(
    ({ Properties }) => Properties as Record<string, unknown>,
  );
  const named = (name: string): string => `<TasksQueuesMain${name}`;

  it('has a queue for each, as it is itself, and one dead-letter queue', () => {
    const queues = Object.entries(template.findResources('AWS::SQS::Queue')) as [string, { Properties: object }][];
    const of = (pattern: RegExp) => queues.filter(([id]) => pattern.test(id)).map(([, { Properties }]) => Properties);
    const [mail, ...more] = of(/QueuesMainmail[0-9A-F]/);
    const [lane] = of(/QueuesMainmailp5/);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ VisibilityTimeout: 160 });
    expect(lane).toEqual(mail);
    expect(of(/DeadLetters/)).toHaveLength(2);
  });

  it('feeds one function by an event source for each, which share its concurrency', () => {
    const ofMail = sources.filter(({ EventSourceArn }) => rendered(EventSourceArn).startsWith(named('mail')));
    expect(ofMail).toHaveLength(2);
    expect(new Set(ofMail.map(({ FunctionName }) => rendered(FunctionName))).size).toBe(1);
    // Ten tasks in each lane: two workers of five. A task has no limit: a batch is what runs at once.
    for (const source of ofMail)
      expect(source).toMatchObject({ BatchSize: 5, ScalingConfig: { MaximumConcurrency: 2 } });
    expect(Object.keys(service.workers)).toEqual(['default', 'mail']);
    expect(service.worker('mail-p5')).toBe(service.worker('mail'));
    expect(service.deadLetterQueue('mail-p5')).toBe(service.deadLetterQueue('mail'));
    expect(service.queue('mail-p5')).not.toBe(service.queue('mail'));
  });

  it('the worker receives from each lane, whoever sends reaches each, and nobody has more', () => {
    const on = (who: RegExp, action: string): string[] =>
      statementsOf(template, who)
        .filter(({ Action }) => [Action].flat().includes(action))
        .flatMap(({ Resource }) => [Resource].flat().map(rendered))
        .map((arn) => arn.replace(/[0-9A-F]{8}\.Arn>$/, ''))
        .toSorted();
    const lanes = [named('mail'), named('mailp5')];
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility']) {
      expect(on(/^TasksWorkersmail/, action)).toEqual(lanes);
      expect(on(/^TasksWorkersdefault/, action)).toEqual([named('default')]);
    }
    expect(on(/^TasksWorkersmail/, 'sqs:SendMessage')).toEqual([
      '<TasksQueuesDeadLettersmail',
      named('default'),
      ...lanes,
    ]);
    expect(on(/^Caller/, 'sqs:SendMessage')).toEqual([named('default'), ...lanes]);
    expect(on(/^TasksSweeper/, 'sqs:SendMessage').filter((arn) => arn.includes('DeadLetters'))).toHaveLength(2);
  });

  it('a rule sends to the lane of its task, whose policy lets it, and the worker may look its entry up', () => {
    const [rule] = Object.values(
      template.findResources('AWS::Events::Rule', { Properties: { Targets: [{ Id: 'Queue' }] } }),
    );
    expect(rendered(rule?.['Properties'].Targets[0].Arn)).toMatch(/QueuesMainmailp5/);
    const policies = Object.values(template.findResources('AWS::SQS::QueuePolicy')).filter((policy) =>
      JSON.stringify(policy).includes('events.amazonaws.com'),
    );
    expect(policies.map(({ Properties }) => rendered(Properties.Queues[0]))).toEqual([
      expect.stringMatching(/QueuesMainmailp5/),
      expect.stringMatching(/MissedTicks/),
    ]);
  });

  it('functions and tools are told of them: addresses, priorities, and an event source to pause each by', () => {
    const [caller] = Object.values(template.findResources('AWS::Lambda::Function', { Properties: { Handler: 'i.h' } }));
    const told = JSON.parse(
      rendered(caller?.['Properties'].Environment.Variables['CELERIAC_SERVICE_BLOG']).replaceAll(/<([^>]*)>/g, '$1'),
    ) as Record<string, unknown>;
    expect(told['lanes']).toEqual({ mail: { priorities: [0, 5] } });
    expect(Object.keys(told['queues'] as object)).toEqual(['default', 'mail', 'mail-p5']);
    expect(told['taskQueues']).toEqual({ mail: 'mail', digest: 'mail-p5' });
    const [parameter] = Object.values(template.findResources('AWS::SSM::Parameter'));
    const deployed = readDeployedService(rendered(parameter?.['Properties'].Value).replaceAll(/<([^>]*)>/g, '$1'));
    expect(Object.keys(deployed.workers)).toEqual(['default', 'mail', 'mail-p5']);
    expect(deployed.workers['mail-p5']?.function).toBe(deployed.workers['mail']?.function);
    expect(deployed.workers['mail-p5']?.eventSource).not.toBe(deployed.workers['mail']?.eventSource);
    expect(deployed.environment.lanes).toEqual({ mail: { priorities: [0, 5] } });
    // Its dead letters are those of its queue: no second address.
    expect(Object.keys(deployed.environment.deadLetterQueues)).toEqual(['default', 'mail']);
  });

  it('each has its age watched, its row in the dashboard, and its polls in the costs', () => {
    const alarms = template.findResources('AWS::CloudWatch::Alarm');
    const alarm = (name: RegExp): string =>
      JSON.stringify(Object.entries(alarms).find(([id]) => name.test(id))?.[1] ?? '');
    expect(alarm(/OldestMessageAge/)).toContain('mail-p5 1000 s');
    // One dead-letter queue, one metric.
    expect(alarm(/DeadLetters/).match(/"MetricStat"/g)).toHaveLength(2);
    const dashboard = JSON.stringify(template.findResources('AWS::CloudWatch::Dashboard'));
    expect(dashboard).toContain('mail-p5: messages');
    expect(dashboard).not.toContain('mail-p5: worker');
    const [told] = Annotations.fromStack(stack).findInfo('*', Match.stringLikeRegexp('queues and functions of app'));
    const text = JSON.stringify(told?.entry.data);
    expect(text).toMatch(/mail-p5 +standard +worker/);
    expect(text).toContain('20 in 4 workers');
    expect(text).toContain('4 event sources (1 lane), 5 pollers each');
  });

  it('is what Celery is told: a queue for each lane, and the lane of each task', () => {
    const settings = service.celerySettings() as Record<string, Record<string, object>>;
    expect(Object.keys(settings['broker_transport_options']?.['predefined_queues'] ?? {})).toEqual([
      'default',
      'mail',
      'mail-p5',
    ]);
    expect(settings['task_routes']).toEqual({ mail: { queue: 'mail' }, digest: { queue: 'mail-p5' } });
  });
});

describe('names and what exists already', () => {
  it('a prefix names them as Celery does', () => {
    const { stack } = make({ queueNamePrefix: 'prod-' });
    const names = Object.values(Template.fromStack(stack).findResources('AWS::SQS::Queue')).flatMap(
      ({ Properties }) => Properties.QueueName ?? [],
    );
    expect(names.map(String).toSorted()).toEqual([
      'prod-default',
      'prod-default-dead',
      'prod-mail',
      'prod-mail-dead',
      'prod-mail-p5',
    ]);
    const app = appOf({ default: {}, 'mail.p5': {}, mail: { priorities: [0, 5] } });
    expect(() => make({ app, queueNamePrefix: 'prod-' })).toThrow("would both be named 'prod-mail-p5'");
  });

  const queue = (stack: Stack, name: string) =>
    Queue.fromQueueArn(stack, name, `arn:aws:sqs:eu-west-1:111122223333:${name}`);

  it('a lane may exist, with the dead-letter queue of its queue; what is not given is made', () => {
    const { service, stack } = make({}, (scope) => {
      const deadLetterQueue = queue(scope, 'dead');
      return {
        existingQueues: {
          'mail-p5': { queue: queue(scope, 'slow'), deadLetterQueue },
          mail: { queue: queue(scope, 'fast'), deadLetterQueue },
        },
      };
    });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::SQS::Queue', 4);
    expect(service.queue('mail-p5').queueName).toBe('slow');
    expect(service.deadLetterQueue('mail-p5').queueName).toBe('dead');
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: 'arn:aws:sqs:eu-west-1:111122223333:slow',
    });
    const half = make({}, (scope) => ({
      existingQueues: { mail: { queue: queue(scope, 'fast'), deadLetterQueue: queue(scope, 'dead') } },
    }));
    // default and its dead letters, the lane, lost, missed ticks.
    Template.fromStack(half.stack).resourceCountIs('AWS::SQS::Queue', 5);
  });

  it.each<[string, (stack: Stack) => Partial<TaskServiceProps>, RegExp]>([
    [
      'a lane alone',
      (stack) => ({ existingQueues: { 'mail-p5': { queue: queue(stack, 'a'), deadLetterQueue: queue(stack, 'b') } } }),
      /existingQueues\.mail-p5: a lane of queue 'mail', which is not given/,
    ],
    [
      'a lane with a dead-letter queue of its own',
      (stack) => ({
        existingQueues: {
          mail: { queue: queue(stack, 'a'), deadLetterQueue: queue(stack, 'b') },
          'mail-p5': { queue: queue(stack, 'c'), deadLetterQueue: queue(stack, 'd') },
        },
      }),
      /existingQueues\.mail-p5\.deadLetterQueue: another one than that of queue 'mail'/,
    ],
    [
      'some lanes of an external queue',
      (stack) => ({
        app: new Celeriac('blog', { queues: { default: {}, py: { external: true, priorities: [0, 5] } } }),
        externalQueues: { py: queue(stack, 'py') },
      }),
      /externalQueues: 'py' is given, and 'py-p5', a lane of the same queue, is not/,
    ],
    [
      'overrides of a lane',
      () => ({ queues: { 'mail-p5': { memoryMiB: 256 } } }),
      /queues\.mail-p5: given for a lane, .* Set it for 'mail'/,
    ],
    [
      'more warm workers than there are',
      () => ({ queues: { mail: { provisionedConcurrency: 5 } } }),
      /is kept by 4 workers/,
    ],
  ])('%s is refused', (_what, given, error) => {
    expect(() => make({}, given)).toThrow(error);
  });

  it('an external queue has its lanes without workers', () => {
    const app = new Celeriac('blog', { queues: { default: {}, py: { external: true, priorities: [0, 5] } } });
    const { service, stack } = make({ app });
    expect(Object.keys(service.workers)).toEqual(['default']);
    expect(service.queue('py-p5').queueArn).toBeDefined();
    Template.fromStack(stack).resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
  });

  it('a service elsewhere is told of lanes by its attributes', () => {
    const stack = new Stack(newApp(), 'Caller', { env });
    const arn = (name: string): string => `arn:aws:sqs:eu-west-1:111122223333:${name}`;
    const common = {
      appName: 'shop',
      resultsTableName: 'r',
      stateTableName: 's',
      lanes: { mail: { priorities: [0, 5] } },
    };
    const queues = { mail: arn('mail'), 'mail-p5': arn('mail-p5') };
    const shop = TaskService.fromAttributes(stack, 'Shop', { ...common, queues });
    shop.grantEnqueue(newCaller(stack));
    expect(JSON.stringify(stack.resolve(shop.environment()))).toContain('priorities');
    expect(() => TaskService.fromAttributes(stack, 'Half', { ...common, queues: { mail: arn('mail') } })).toThrow(
      "queue 'mail-p5' is none of its queues",
    );
    expect(() =>
      TaskService.fromAttributes(stack, 'Odd', { ...common, queues, lanes: { mail: { priorities: [5] } } }),
    ).toThrow('lanes.mail.priorities: [5] given');
  });
});

describe('batches', () => {
  it.each([
    ['no limit', {}, { concurrency: 4 }, 2],
    ['a limit that fits three times', { timeLimit: 15 }, { concurrency: 4 }, 6],
    ['a limit that fits once', { timeLimit: 120 }, { batchConcurrency: 1 }, 1],
    ['a size that is given', {}, { concurrency: 4, batchSize: 10 }, 10],
    ['all at once', {}, { concurrency: 20 }, 10],
    ['neither', {}, {}, 10],
  ])('are no longer than what surely runs: %s', (_what, task, queue, size) => {
    const app = new Celeriac('blog', { queues: { default: queue } });
    app.task('work', task, () => 1);
    const { stack } = make({ app });
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: size,
      EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('QueuesMaindefault'), 'Arn'] },
    });
  });
});
