import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { ServicePrincipal, User } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { type SourcePlan, validateWorkerPlan, type WorkerPlan } from '../../infra/validate.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { physicalQueueName } from '../../lib/wire/queue-name.ts';
import { packTaskNames } from '../../lib/base/task-names.ts';
import { ENTRY, newApp, newCaller, policies, statementsOf, toldOf } from './stacks.ts';

const MANIFEST: AppManifest = {
  name: 'blog',
  defaultQueue: 'default',
  queues: { default: { fifo: false }, mail: { fifo: false, concurrency: 10 }, orders: { fifo: true } },
  tasks: { 'comments.check': { queue: 'default', timeLimitSeconds: 120 }, 'mail.send': { queue: 'mail' } },
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
};
function synth(
  props: Partial<TaskServiceProps> = {},
  context: Record<string, unknown> = {},
): { service: TaskService; template: Template } {
  const stack = new Stack(newApp(context), 'Test');
  const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, ...props });
  service.grantEnqueue(newCaller(stack));
  return { service, template: Template.fromStack(stack) };
}

function actionsOf(template: Template, pattern: RegExp): string[] {
  return statementsOf(template, pattern)
    .flatMap(({ Action }) => Action)
    .toSorted();
}

describe('TaskService', () => {
  const { template } = synth();

  it('makes a queue, a dead-letter queue and a worker for each queue, and one lost queue for each type', () => {
    // 3 queues, 3 dead-letter queues, lost and lost.fifo, missed ticks, wake-ups.
    template.resourceCountIs('AWS::SQS::Queue', 10);
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 6);
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 2);
    template.resourceCountIs('AWS::Events::Rule', 1);
  });

  it('workers run Node 24 on arm64 with loops allowed, and long enough for their tasks', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      RecursiveLoop: 'Allow',
      Timeout: 150,
      MemorySize: 512,
      LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN', ApplicationLogLevel: 'INFO' },
    });
    const worker = toldOf(template, 'blog').find(({ deadLetterQueues = {} }) => 'mail' in deadLetterQueues);
    expect(worker).toEqual({
      app: 'blog',
      queues: {
        default: expect.stringMatching(/^<TasksQueuesMaindefault\w+>$/),
        mail: expect.stringMatching(/^<TasksQueuesMainmail\w+>$/),
        orders: expect.stringMatching(/^<TasksQueuesMainorders\w+>$/),
      },
      deadLetterQueues: { mail: expect.stringMatching(/^<TasksQueuesDeadLettersmail\w+>$/) },
      resultsTable: expect.stringMatching(/^<TasksTablesResults\w+>$/),
      stateTable: expect.stringMatching(/^<TasksTablesState\w+>$/),
      timerShards: 8,
      defaultQueue: 'default',
      taskQueues: { 'mail.send': 'mail' },
      wakeQueue: expect.stringMatching(/^<TasksQueuesWakeUps\w+>$/),
      tasks: packTaskNames(['comments.check', 'mail.send']),
    });
    const functions = Object.values(
      template.findResources('AWS::Lambda::Function', { Properties: { RecursiveLoop: 'Allow' } }),
    );
    expect(functions).toHaveLength(4);
    for (const fn of functions)
      expect((fn as { Properties: object }).Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('visibility is just above the timeout, and redrive leads to the lost queue', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 180,
      MessageRetentionPeriod: 345_600,
      SqsManagedSseEnabled: true,
      RedrivePolicy: {
        maxReceiveCount: 50,
        deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Lost'), 'Arn'] },
      },
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      FifoQueue: true,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('LostFifo'), 'Arn'] } },
    });
  });

  // With a maximum, Lambda never goes from five pollers to two while a queue is empty.
  it('mappings report partial failures, and have a maximum of workers where the user asks for a concurrency alone', () => {
    const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')) as {
      Properties: Record<string, unknown>;
    }[];
    for (const { Properties } of mappings)
      expect(Properties).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'], BatchSize: 10 });
    expect(
      mappings
        .filter(({ Properties }) => 'ScalingConfig' in Properties)
        .map(({ Properties }) => [JSON.stringify(Properties['EventSourceArn']), Properties['ScalingConfig']]),
    ).toEqual([[expect.stringContaining('QueuesMainmail'), { MaximumConcurrency: 2 }]]);
  });

  it('a FIFO queue brings the wake-up queue: all who enqueue send to it, the sweeper alone receives', () => {
    const wakeUps = template.findResources('AWS::SQS::Queue', { Properties: { MessageRetentionPeriod: 600 } });
    expect(Object.keys(wakeUps)).toEqual([expect.stringContaining('QueuesWakeUps')]);
    expect(Object.values(wakeUps)).toMatchObject([
      { Properties: { SqsManagedSseEnabled: true, VisibilityTimeout: 120 } },
    ]);
    const reach = (who: RegExp, action: string): boolean =>
      JSON.stringify(statementsOf(template, who).filter(({ Action }) => [Action].flat().includes(action))).includes(
        'QueuesWakeUps',
      );
    for (const who of [/Workersdefault/, /Workersorders/, /Sweeper/, /^Caller/])
      expect([who, reach(who, 'sqs:SendMessage')]).toEqual([who, true]);
    expect(reach(/Sweeper/, 'sqs:ReceiveMessage')).toBe(true);
    for (const who of [/Workersdefault/, /Workersorders/, /^Caller/])
      expect([who, reach(who, 'sqs:ReceiveMessage')]).toEqual([who, false]);
    const told = toldOf(template, 'blog');
    expect(told).toHaveLength(5);
    for (const { wakeQueue } of told) expect(wakeQueue).toContain('QueuesWakeUps');
  });

  it('without a FIFO queue there is none of it', () => {
    const plain = synth({ app: { ...MANIFEST, queues: { default: { fifo: false } }, tasks: {} } }).template;
    expect(JSON.stringify(plain.toJSON())).not.toMatch(/wake/i);
    plain.resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
  });

  it('tables have TTL, recovery, and the key Celery needs', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });
    template.allResourcesProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [Match.objectLike({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } })],
    });
    for (const table of Object.values(template.findResources('AWS::DynamoDB::GlobalTable')))
      expect(table).toMatchObject({ DeletionPolicy: 'Retain' });
  });

  it('the sweeper runs every minute and never replays an old tick', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [
        Match.objectLike({
          RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
          DeadLetterConfig: Match.anyValue(),
        }),
      ],
    });
  });

  it('no statement has a wildcard; each role has exactly the actions its code calls', () => {
    const all = policies(template).flatMap(({ statements }) => statements);
    for (const { Action, Resource, Effect } of all) {
      expect(Effect).toBe('Allow');
      for (const action of [Action].flat()) expect(action).not.toContain('*');
      expect(JSON.stringify(Resource)).not.toContain('"*"');
    }
    // Each once: what of a table is meant is said by conditions, tested below.
    const actions = (pattern: RegExp): string[] => [...new Set(actionsOf(template, pattern))];
    const worker = [
      'dynamodb:BatchGetItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ];
    expect(actions(/TasksWorkersmail/)).toEqual(worker);
    expect(actions(/Caller/)).toEqual([
      'dynamodb:BatchWriteItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'sqs:SendMessage',
    ]);
    // It keeps off what feeds paused queues, which it is told by the service's parameter.
    const switches = ['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping', 'ssm:GetParameter'];
    expect(actions(/Sweeper/)).toEqual([...worker, ...switches].toSorted());
  });

  it('of the state table each function has the keys it works on, and no others', () => {
    const keys = (pattern: RegExp): string[] => {
      const conditions = statementsOf(template, pattern).map((statement) => JSON.stringify(statement));
      return [
        ...new Set(conditions.flatMap((text) => text.match(/(?:timer#\*|group#\*|schedule(?:-due)?)(?=")/g) ?? [])),
      ];
    };
    expect(keys(/TasksWorkersmail/).toSorted()).toEqual(['group#*', 'timer#*']);
    expect(keys(/Caller/).toSorted()).toEqual(['group#*', 'timer#*']);
    expect(keys(/Sweeper/).toSorted()).toEqual(['schedule', 'schedule-due', 'timer#*']);
  });
  it('a worker may reject into its own dead-letter queue only', () => {
    const send = statementsOf(template, /TasksWorkersmail/).find(({ Action }) => Action === 'sqs:SendMessage');
    const targets = ((send?.Resource ?? []) as { 'Fn::GetAtt': [string, string] }[]).map(
      (resource) => resource['Fn::GetAtt'][0],
    );
    expect(targets.filter((target) => /DeadLetters/.test(target))).toEqual([expect.stringMatching(/DeadLettersmail/)]);
  });

  it('grantEnqueue gives a function its environment, and anybody else only the rights', () => {
    const callers = toldOf(template, 'blog').filter(({ deadLetterQueues }) => deadLetterQueues === undefined);
    expect(callers).toHaveLength(1);
    const stack = new Stack(newApp(), 'Users');
    new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY }).grantEnqueue(new User(stack, 'User'));
    expect(actionsOf(Template.fromStack(stack), /^User/)).toContain('sqs:SendMessage');
  });

  it.each([
    ['unknown queue', { queues: { nowhere: {} } }, "Queue 'nowhere' is not declared by app 'blog'"],
    ['missing entry', { entry: 'src/nothing.ts' }, 'There is no file src/nothing.ts'],
    [
      'timeout below a task',
      { queues: { default: { timeout: Duration.seconds(100) } } },
      "Task 'comments.check' may run 120 s, and its worker's timeout is 100 s",
    ],
    [
      'task longer than Lambda',
      { app: { ...MANIFEST, tasks: { slow: { queue: 'default', timeLimitSeconds: 900 } } } },
      "Task 'slow' may run 900 s",
    ],
    [
      'visibility',
      { queues: { mail: { visibilityTimeout: Duration.seconds(60) } } },
      'must be longer than the function',
    ],
    [
      'environment',
      {
        app: {
          ...MANIFEST,
          tasks: Object.fromEntries(
            Array.from({ length: 200 }, (_, index) => [`mail.task-number-${index}`, { queue: 'mail' }]),
          ),
        },
      },
      'Lambda takes 4096',
    ],
  ] as const)('refuses at synth: %s', (_what, props, message) => {
    expect(() => synth(props as Partial<TaskServiceProps>)).toThrow(message);
  });

  it.each([[{}], [{ '@aws-cdk/aws-iam:minimizePolicies': true, '@aws-cdk/aws-lambda:useCdkManagedLogGroup': true }]])(
    'works with feature flags %j',
    (flags) => {
      synth({}, flags).template.resourceCountIs('AWS::SQS::Queue', 10);
    },
  );

  it('queues may have any name, those of our own constructs too', () => {
    const queues = { default: { fifo: false }, Lost: { fifo: false }, Main: { fifo: false }, Sweeper: { fifo: false } };
    synth({ app: { ...MANIFEST, queues, tasks: {} } }).template.resourceCountIs('AWS::Lambda::EventSourceMapping', 5);
  });

  it('tables refuse to be deleted unless they may go with the stack', () => {
    const protections = (props: Partial<TaskServiceProps>): unknown[] =>
      Object.values(synth(props).template.findResources('AWS::DynamoDB::GlobalTable')).flatMap((table) =>
        (table as { Properties: { Replicas: { DeletionProtectionEnabled?: boolean }[] } }).Properties.Replicas.map(
          (replica) => replica.DeletionProtectionEnabled,
        ),
      );
    expect(protections({})).toEqual([true, true]);
    expect(protections({ removalPolicy: RemovalPolicy.DESTROY })).toEqual([false, false]);
  });

  it('two queues of one physical name are refused', () => {
    const queues = { default: { fifo: false }, 'a.b': { fifo: false }, 'a-b': { fifo: false } };
    expect(() => synth({ app: { ...MANIFEST, queues, tasks: {} }, queueNamePrefix: 'p-' })).toThrow(
      "Queues 'a.b' and 'a-b' would both be named 'p-a-b'",
    );
  });

  it.each(['grantEnqueue', 'grantOutbox', 'grantResults', 'grantManage', 'grantLocks', 'grantHistory'] as const)(
    '%s tells when the grantee takes no policy',
    (grant) => {
      const stack = new Stack(newApp(), 'Imported');
      const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY });
      expect(() => service[grant](new ServicePrincipal('ec2.amazonaws.com')).assertSuccess()).toThrow();
    },
  );

  it('queueNamePrefix names queues as kombu does', () => {
    synth({ queueNamePrefix: 'prod.blog-' }).template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'prod-blog-orders.fifo',
    });
    expect(physicalQueueName('p-', 'emails.high', false)).toBe('p-emails-high');
    expect(physicalQueueName('', 'a:b.fifo', true)).toBe('a_b.fifo');
    expect(physicalQueueName('', 'x'.repeat(80), false)).toHaveLength(80);
    expect(() => physicalQueueName('', 'x'.repeat(81), false)).toThrow('has 81 characters; 80 are allowed');
    expect(() => physicalQueueName('', 'x'.repeat(76), true)).toThrow('has 81 characters');
  });
});

describe('validateWorkerPlan', () => {
  const PLAN: WorkerPlan = {
    fifo: false,
    sources: [],
    batchWindowSeconds: 0,
    timeoutSeconds: 60,
    visibilitySeconds: 90,
    retentionSeconds: 345_600,
    deadLetterRetentionSeconds: 1_209_600,
    maxReceiveCount: 50,
    memoryMiB: 512,
  };
  it.each<[Partial<WorkerPlan & SourcePlan>, boolean]>([
    [{}, true],
    [{ timeoutSeconds: 0 }, false],
    [{ timeoutSeconds: 1 }, true],
    [{ timeoutSeconds: 900, visibilitySeconds: 930 }, true],
    [{ timeoutSeconds: 901, visibilitySeconds: 931 }, false],
    [{ visibilitySeconds: 60 }, false],
    [{ visibilitySeconds: 61 }, true],
    [{ visibilitySeconds: 43_200 }, true],
    [{ visibilitySeconds: 43_201 }, false],
    [{ memoryMiB: 127 }, false],
    [{ memoryMiB: 128 }, true],
    [{ memoryMiB: 10_240 }, true],
    [{ memoryMiB: 10_241 }, false],
    [{ workers: 1 }, false],
    [{ workers: 2 }, true],
    [{ workers: 1000 }, true],
    [{ workers: 1001 }, false],
    [{ batchSize: 0 }, false],
    [{ batchSize: 1 }, true],
    [{ batchSize: 11 }, false],
    [{ batchSize: 11, batchWindowSeconds: 1 }, true],
    [{ batchSize: 10_000, batchWindowSeconds: 1 }, true],
    [{ batchSize: 10_001, batchWindowSeconds: 1 }, false],
    [{ batchWindowSeconds: 300, visibilitySeconds: 400 }, true],
    [{ batchWindowSeconds: 301, visibilitySeconds: 400 }, false],
    [{ batchWindowSeconds: 30 }, false],
    [{ fifo: true, batchWindowSeconds: 1 }, false],
    [{ fifo: true, batchSize: 11 }, false],
    [{ maxReceiveCount: 0 }, false],
    [{ maxReceiveCount: 1 }, true],
    [{ maxReceiveCount: 1000 }, true],
    [{ maxReceiveCount: 1001 }, false],
    [{ retentionSeconds: 59 }, false],
    [{ retentionSeconds: 60 }, true],
    [{ retentionSeconds: 1_209_600 }, false],
    [{ deadLetterRetentionSeconds: 345_600 }, false],
    [{ deadLetterRetentionSeconds: 345_601 }, true],
    [{ deadLetterRetentionSeconds: 1_209_601 }, false],
  ])('%j -> %s', (change, valid) => {
    const { workers, batchSize = 10, ...rest } = change;
    const sources = [{ queue: 'q', batchSize, workers, concurrency: workers }];
    const validate = (): void => validateWorkerPlan('q', { ...PLAN, ...rest, sources });
    if (valid) expect(validate).not.toThrow();
    else expect(validate).toThrow(/of queue 'q' is -?\d+/);
  });
});

describe('cdk-nag', () => {
  it('finds nothing', () => {
    const app = newApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const stack = new Stack(app, 'Nag');
    const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY });
    expect(service.manifest.name).toBe('blog');
    expect(() => app.synth()).not.toThrow();
  });

  it('would find a queue without TLS', async () => {
    const { Queue } = await import('aws-cdk-lib/aws-sqs');
    const app = newApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(new Queue(new Stack(app, 'Bad'), 'Open').fifo).toBe(false);
    expect(() => app.synth()).toThrow();
  });
});
