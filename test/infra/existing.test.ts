/** Queues and tables that exist before the service. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Queue, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp, newCaller, policies, statementsOf } from './stacks.ts';

const env = { region: 'eu-west-1', account: '111122223333' };
const MANIFEST: AppManifest = {
  name: 'shop',
  defaultQueue: 'default',
  queues: { default: { fifo: false }, old: { fifo: false }, py: { fifo: false, external: true } },
  tasks: {},
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
};
const ARN = 'arn:aws:sqs:eu-west-1:111122223333:';

function make(props: (stack: Stack) => unknown): { service: TaskService; stack: Stack } {
  const stack = new Stack(newApp(), 'Test', { env });
  const given = props(stack) as Partial<TaskServiceProps>;
  return { service: new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, ...given }), stack };
}

function imported(stack: Stack, name: string, region = 'eu-west-1'): ReturnType<typeof Queue.fromQueueArn> {
  return Queue.fromQueueArn(stack, name, `${ARN.replace('eu-west-1', region)}${name}`);
}

describe('existingQueues', () => {
  const pair = (stack: Stack): unknown => ({
    existingQueues: { old: { queue: imported(stack, 'jobs'), deadLetterQueue: imported(stack, 'jobs-dead') } },
    queues: { old: { memoryMiB: 256 } },
  });
  const { service, stack } = make(pair);
  service.grantEnqueue(newCaller(stack));
  const template = Template.fromStack(stack);

  it('nothing is made of them, and the service is their worker', () => {
    // default, py, their dead-letter queues, lost, missed ticks.
    template.resourceCountIs('AWS::SQS::Queue', 6);
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { EventSourceArn: `${ARN}jobs` });
    template.hasResourceProperties('AWS::Lambda::Function', { MemorySize: 256 });
    expect(service.queue('old').queueArn).toBe(`${ARN}jobs`);
    expect(service.deadLetterQueue('old').queueArn).toBe(`${ARN}jobs-dead`);
    expect(Object.keys(service.workers)).toEqual(['default', 'old']);
  });

  it('each role has the rights on them that it has on a queue of the service', () => {
    const on = (who: RegExp, arn: string): string[] =>
      statementsOf(template, who)
        .filter(({ Resource }) => JSON.stringify([Resource].flat()).includes(`"${arn}"`))
        .flatMap(({ Action }) => Action)
        .toSorted();
    const receive = [
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ];
    expect(on(/^TasksWorkersold/, `${ARN}jobs`)).toEqual(receive);
    expect(on(/^TasksWorkersold/, `${ARN}jobs-dead`)).toEqual(['sqs:SendMessage']);
    expect(on(/^TasksWorkersdefault/, `${ARN}jobs`)).toEqual(['sqs:SendMessage']);
    expect(on(/^TasksWorkersdefault/, `${ARN}jobs-dead`)).toEqual([]);
    expect(on(/^TasksSweeper/, `${ARN}jobs-dead`)).toEqual(['sqs:SendMessage']);
    expect(on(/^Caller/, `${ARN}jobs`)).toEqual(['sqs:SendMessage']);
    expect(policies(template)).toHaveLength(4);
  });

  it('rules need a policy that the service cannot change: it says which', () => {
    const beat = [
      {
        name: 'tick',
        task: 'a',
        queue: 'old',
        schedule: { type: 'interval', seconds: 60, relative: false },
        enabled: true,
        firedBy: 'rule',
        expression: 'rate(1 minute)',
        template: '{}',
      },
    ];
    const ruled = make((scope) => ({ ...(pair(scope) as object), app: { ...MANIFEST, beat } }));
    const found = Annotations.fromStack(ruled.stack).findWarning(
      '*',
      Match.stringLikeRegexp('celeriac:queuePolicy:old'),
    );
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found[0]?.entry.data)).toContain(`ends in rule/${ruled.service.rules.prefix}-*`);
  });

  const made = (props: QueueProps, timeout = 60) =>
    make((scope) => ({
      existingQueues: {
        old: { queue: new Queue(scope, 'Jobs', props), deadLetterQueue: new Queue(scope, 'Dead', {}) },
      },
      queues: { old: { timeout: Duration.seconds(timeout) } },
    }));
  it.each<[number | undefined, number, boolean]>([
    [undefined, 29, true],
    [undefined, 30, false],
    [60, 60, false],
    [61, 60, true],
  ])('of a queue of the same app the visibility timeout is seen: %s s, timeout %s s', (visible, timeout, valid) => {
    const props = visible === undefined ? {} : { visibilityTimeout: Duration.seconds(visible) };
    if (valid) expect(() => made(props, timeout)).not.toThrow();
    else expect(() => made(props, timeout)).toThrow(`its visibility timeout is ${visible ?? 30} s; it must be longer`);
  });

  it.each<[number | undefined, string | undefined]>([
    [undefined, 'has no redrive policy'],
    [9, 'has a maxReceiveCount of 9'],
    [10, undefined],
  ])('and the redrive policy: %s receives', (maxReceiveCount, warning) => {
    const stackOf = new Stack(newApp(), 'Test', { env });
    const deadLetterQueue = new Queue(stackOf, 'Given');
    const queue = new Queue(stackOf, 'Jobs', {
      visibilityTimeout: Duration.minutes(5),
      ...(maxReceiveCount === undefined ? {} : { deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount } }),
    });
    const existingQueues = { old: { queue, deadLetterQueue } };
    expect(new TaskService(stackOf, 'Tasks', { app: MANIFEST, entry: ENTRY, existingQueues }).workers).toHaveProperty(
      'old',
    );
    const found = Annotations.fromStack(stackOf).findWarning('*', Match.stringLikeRegexp('celeriac:existingQueue:old'));
    expect(found).toHaveLength(warning === undefined ? 0 : 1);
    if (warning !== undefined) expect(JSON.stringify(found[0]?.entry.data)).toContain(warning);
  });

  it.each<[string, (stack: Stack) => unknown, string]>([
    ['an unknown queue', () => ({ existingQueues: { nowhere: {} } }), "'nowhere' is not declared by app 'shop'"],
    ['an external one', () => ({ existingQueues: { py: {} } }), 'the app declares it as external'],
    [
      'no dead-letter queue',
      (scope) => ({ existingQueues: { old: { queue: imported(scope, 'a') } } }),
      'existingQueues.old.deadLetterQueue: undefined given; a Queue of aws-sqs is allowed.',
    ],
    [
      'a misspelt field',
      (scope) => ({ existingQueues: { old: { queue: imported(scope, 'a'), deadLeterQueue: imported(scope, 'b') } } }),
      "existingQueues.old: 'deadLeterQueue' is no option. Allowed are deadLetterQueue, queue. Did you mean 'deadLetterQueue'?",
    ],
    [
      'another type',
      (scope) => ({
        existingQueues: { old: { queue: imported(scope, 'a'), deadLetterQueue: imported(scope, 'b.fifo') } },
      }),
      'existingQueues.old.deadLetterQueue: a FIFO queue given, and the app declares a standard one',
    ],
    [
      'another region',
      (scope) => ({
        existingQueues: { old: { queue: imported(scope, 'a', 'us-east-1'), deadLetterQueue: imported(scope, 'b') } },
      }),
      'existingQueues.old.queue: the queue is in us-east-1, and the service in eu-west-1',
    ],
    [
      'one queue for both',
      (scope) => {
        const queue = imported(scope, 'a');
        return { existingQueues: { old: { queue, deadLetterQueue: queue } } };
      },
      'existingQueues.old.deadLetterQueue: given as existingQueues.old.queue too',
    ],
    [
      'what is not of the worker',
      (scope) => ({ ...(pair(scope) as object), queues: { old: { retention: Duration.days(1) } } }),
      'queues.old.retention: given for one of existingQueues',
    ],
  ])('refused: %s', (_what, props, error) => {
    expect(() => make(props)).toThrow(error);
  });
});

describe('tables', () => {
  const text = (name: string) => ({ name, type: AttributeType.STRING });
  const results = (scope: Stack) =>
    new TableV2(scope, 'Results', { partitionKey: text('id'), timeToLiveAttribute: 'ttl' });
  const state = (scope: Stack) =>
    new Table(scope, 'State', { partitionKey: text('pk'), sortKey: text('sk'), timeToLiveAttribute: 'ttl' });

  it('of the same app, of either kind of construct, and imported ones', () => {
    const own = make((scope) => ({ tables: { results: results(scope), state: state(scope) } }));
    Template.fromStack(own.stack).resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
    const one = make((scope) => ({ tables: { state: Table.fromTableName(scope, 'State', 'shop-state') } }));
    one.service.grantEnqueue(newCaller(one.stack));
    const template = Template.fromStack(one.stack);
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
    expect(one.service.tables.state.tableName).toBe('shop-state');
    for (const who of [/^TasksWorkersdefault/, /^TasksSweeper/, /^Caller/])
      expect(JSON.stringify(statementsOf(template, who))).toContain(':table/shop-state');
    expect(JSON.stringify(template.findResources('AWS::Lambda::Function'))).toContain('shop-state');
  });

  it.each<[string, (stack: Stack) => unknown, string]>([
    [
      'another key',
      (scope) => ({ results: new TableV2(scope, 'R', { partitionKey: text('pk'), timeToLiveAttribute: 'ttl' }) }),
      'tables.results: its key is pk (S); it must be id (S)',
    ],
    [
      'a key of another type',
      (scope) => ({ results: new Table(scope, 'R', { partitionKey: { name: 'id', type: AttributeType.NUMBER } }) }),
      'tables.results: its key is id (N); it must be id (S)',
    ],
    [
      'no sort key',
      (scope) => ({ state: new TableV2(scope, 'S', { partitionKey: text('pk') }) }),
      'tables.state: its key is pk (S); it must be pk (S), sk (S)',
    ],
    [
      'no expiry',
      (scope) => ({ results: new TableV2(scope, 'R', { partitionKey: text('id') }) }),
      "must expire items by the attribute 'ttl', and expires none",
    ],
    [
      'expiry by something else',
      (scope) => ({ results: new Table(scope, 'R', { partitionKey: text('id'), timeToLiveAttribute: 'until' }) }),
      "and expires by 'until'",
    ],
    [
      'another region',
      (scope) => ({
        results: Table.fromTableArn(scope, 'R', 'arn:aws:dynamodb:us-east-1:111122223333:table/x'),
      }),
      "tables.results: the table's region is us-east-1",
    ],
    [
      'another account',
      (scope) => ({
        results: Table.fromTableArn(scope, 'R', 'arn:aws:dynamodb:eu-west-1:444455556666:table/x'),
      }),
      "tables.results: the table's account is 444455556666",
    ],
    ['a name', () => ({ results: 'shop' }), "tables.results: 'shop' given; a Table or TableV2"],
    ['a misspelt one', () => ({ result: 'shop' }), "tables: 'result' is no option."],
    [
      'one table for both',
      (scope) => {
        const table = Table.fromTableName(scope, 'T', 'shop');
        return { results: table, state: table };
      },
      'tables: results and state are one table',
    ],
  ])('refused: %s', (_what, tables, error) => {
    expect(() => make((scope) => ({ tables: tables(scope) }))).toThrow(error);
  });

  it('what is said of tables that the service does not make is refused', () => {
    const both = (scope: Stack): object => ({ tables: { results: results(scope), state: state(scope) } });
    expect(() => make((scope) => ({ ...both(scope), pointInTimeRecovery: false }))).toThrow(
      'pointInTimeRecovery: given, and the service makes neither table',
    );
    expect(() => make((scope) => ({ ...both(scope), preset: 'development' }))).not.toThrow();
  });
});
