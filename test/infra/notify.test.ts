/** Who is told of failures, in a stack: a topic, its subscriptions, and rights of those alone who tell. */
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Celeriac } from 'celeriac';
import { type NotifyOptions, TaskService } from 'celeriac/infra';
import { describe, expect, it } from 'vitest';

import { serviceVariable } from '../../lib/options/service-variable.ts';
import { ENTRY, newApp, rendered, statementsOf } from './stacks.ts';

const OPS = { emails: ['ops@example.org'] };
const ENV = { account: '123456789012', region: 'eu-west-1' };

function shop(
  options: ConstructorParameters<typeof Celeriac>[1] = { queues: { default: {}, slow: { worker: 'process' } } },
) {
  const app = new Celeriac('shop', options);
  app.task('ping', () => 1);
  return app;
}

function made(notify: (stack: Stack, service: TaskService) => void, app = shop(), cdk = newApp()) {
  const stack = new Stack(cdk, 'Shop', { env: ENV });
  const service = new TaskService(stack, 'Tasks', { app: app.manifest(), entry: ENTRY });
  notify(stack, service);
  return { stack, service, template: () => Template.fromStack(stack) };
}

const variablesOf = (template: Template): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(template.findResources('AWS::Lambda::Function')).map(([id, fn]) => {
      const { Variables } = (fn as { Properties: { Environment: { Variables: Record<string, unknown> } } }).Properties
        .Environment;
      const told = JSON.parse(rendered(Variables[serviceVariable('shop')])) as { readonly notify?: unknown };
      return [/Sweeper|Worker|Monitor/.exec(id)?.[0] ?? id, told.notify];
    }),
  );

describe('notify()', () => {
  const { service, template: of } = made((_stack, tasks) => {
    tasks.notify({ ...OPS, window: Duration.minutes(5), monitorUrl: 'https://tasks.example.org' });
  });
  const template = of();

  it('makes a topic that takes encrypted requests only, and subscribes each address', () => {
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.org' });
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    expect(JSON.stringify(template.findResources('AWS::SNS::TopicPolicy'))).toContain('aws:SecureTransport');
  });

  it('tells workers and the sweeper, and lets them and processes publish there and nowhere else', () => {
    const { Worker, Sweeper } = variablesOf(template);
    expect(Worker).toEqual({ window: 300, monitor: 'https://tasks.example.org', topic: expect.any(String) as string });
    expect(Sweeper).toEqual(Worker);
    for (const role of [/WorkersdefaultRole/, /SweeperRole/]) {
      const statements = statementsOf(template, role).filter(({ Action }) => [Action].flat().includes('sns:Publish'));
      expect(statements.map(({ Resource }) => rendered(Resource))).toEqual([expect.stringMatching(/Topic/)]);
    }
    expect(JSON.stringify(template.findResources('AWS::IAM::ManagedPolicy'))).toContain('sns:Publish');
    const resolved = (variables: object): string => JSON.stringify(Stack.of(service).resolve(variables));
    expect(resolved(service.workerEnvironment())).toContain('notify');
    expect(resolved(service.environment())).not.toContain('notify');
  });
});

describe('notifyByProcesses()', () => {
  const { service, template: of } = made((_stack, tasks) => {
    tasks.notifyByProcesses({ window: Duration.minutes(5), monitorUrl: 'https://tasks.example.org' });
  });
  const template = of();

  it('makes no topic, and tells functions and processes that somebody else sends', () => {
    template.resourceCountIs('AWS::SNS::Topic', 0);
    const { Worker, Sweeper } = variablesOf(template);
    expect(Worker).toEqual({ window: 300, monitor: 'https://tasks.example.org' });
    expect(Sweeper).toEqual(Worker);
    expect(JSON.stringify(Stack.of(service).resolve(service.workerEnvironment()))).toContain('notify');
    expect(JSON.stringify(template.toJSON())).not.toContain('sns:Publish');
  });

  it('lets processes end windows, and workers mark alone', () => {
    const onNotices = (statements: readonly { readonly Action?: unknown }[]): unknown[] =>
      statements
        .filter((statement) => JSON.stringify(statement).includes('"notices"'))
        .flatMap(({ Action }) => Action as string[])
        .toSorted();
    const mark = ['dynamodb:GetItem', 'dynamodb:UpdateItem'];
    const all = ['dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:Query', ...mark].toSorted();
    expect(onNotices(statementsOf(template, /WorkersdefaultRole/))).toEqual(mark);
    expect(onNotices(statementsOf(template, /SweeperRole/))).toEqual(all);
    const [policy] = Object.values(template.findResources('AWS::IAM::ManagedPolicy'));
    const { Statement } = (policy as { Properties: { PolicyDocument: { Statement: { Action: string[] }[] } } })
      .Properties.PolicyDocument;
    expect(onNotices(Statement)).toEqual(all);
  });

  it.each<[string, unknown, RegExp]>([
    ['an address', { emails: ['ops@example.org'] }, /notifyByProcesses\(\): 'emails' is no option/],
    ['text', { window: '15m' }, /notifyByProcesses\(\): window: '15m' given; a Duration is allowed/],
    ['half a minute', { window: Duration.seconds(30) }, /notifyByProcesses\(\): window: 30 seconds given/],
    ['a script', { monitorUrl: 'javascript:x' }, /notifyByProcesses\(\): monitorUrl: 'javascript:x' given/],
  ])('refuses %s', (_what, options, message) => {
    expect(() => made((_stack, tasks) => tasks.notifyByProcesses(options as object))).toThrow(message);
  });

  it('refuses an app without a process, one without history, and a second way', () => {
    const call = (_stack: Stack, tasks: TaskService): void => tasks.notifyByProcesses();
    expect(() => made(call, shop({}))).toThrow(/no queue of the app has a process.*worker: 'process'/);
    const without = { history: 'off', queues: { default: {}, slow: { worker: 'process' } } } as const;
    expect(() => made(call, shop(without))).toThrow(/notifyByProcesses\(\): the app's history is 'off'/);
    expect(() =>
      made((stack, tasks) => {
        tasks.notify(OPS);
        call(stack, tasks);
      }),
    ).toThrow(/notifyByProcesses\(\): called twice for one service, or beside its sibling/);
  });
});

it('the address of its own monitor would be a circle of resources: refused, and what to do instead', () => {
  const ofMonitor = (from: 'own' | 'other') =>
    made((stack, tasks) => {
      const other = new TaskService(stack, 'Other', { app: new Celeriac('other').manifest(), entry: ENTRY });
      const watched = from === 'own' ? tasks : other;
      const { url } = watched.addMonitor({ auth: { iam: { operators: ['arn:aws:iam::123456789012:role/Ops'] } } });
      tasks.notify({ ...OPS, monitorUrl: url });
    }).template();
  expect(() => ofMonitor('own')).toThrow(/monitorUrl: the address of this service's own monitor.*Give it as text/s);
  // Another one's is none.
  ofMonitor('other');
});

it('a topic and a key of the user', () => {
  const { template } = made((stack, tasks) => {
    const masterKey = new Key(stack, 'Key');
    tasks.notify({ topic: new Topic(stack, 'Mine', { masterKey }) });
  });
  template().resourceCountIs('AWS::SNS::Topic', 1);
  template().resourceCountIs('AWS::SNS::Subscription', 0);
  const kms = statementsOf(template(), /SweeperRole/).find(({ Action }) => [Action].flat().includes('kms:Decrypt'));
  expect(kms).toMatchObject({ Condition: { StringEquals: { 'kms:ViaService': 'sns.eu-west-1.amazonaws.com' } } });
});

it('without it a template is what it was', () => {
  const { template } = made(() => {});
  expect(JSON.stringify(template().toJSON())).not.toMatch(/sns|notices|"notify/i);
});

it('cdk-nag finds nothing', () => {
  const cdk = newApp();
  Validations.of(cdk).addPlugins(new AwsSolutionsChecks(cdk));
  made((_stack, tasks) => void tasks.notify(OPS), shop(), cdk);
  expect(() => cdk.synth()).not.toThrow();
});

describe('what is refused names field, value and fix', () => {
  const cdkTopic = (stack: Stack): Topic => new Topic(stack, 'Fifo', { fifo: true });
  it.each<[string, (stack: Stack) => unknown, RegExp]>([
    ['nobody', () => ({}), /nobody would be told. Give emails/],
    ['no list', () => ({ emails: 'ops@example.org' }), /emails: 'ops@example.org' given; a list/],
    ['an empty list', () => ({ emails: [] }), /emails: \[\] given; a list/],
    ['no address', () => ({ emails: ['ops'] }), /emails\[0\]: 'ops' given; one address/],
    ['two in one', () => ({ emails: ['a@b.c, d@e.f'] }), /emails\[0\]: .* given; one address/],
    ['a header', () => ({ emails: ['a@b.c\r\nBcc: d@e.f'] }), /emails\[0\]: .* given; one address/s],
    ['one twice', () => ({ emails: ['a@b.c', 'a@b.c'] }), /emails\[1\]: 'a@b.c' stands there twice/],
    ['a FIFO topic', (stack) => ({ topic: cdkTopic(stack) }), /topic: a FIFO topic given/],
    ['the ARN of a topic', () => ({ topic: 'arn:aws:sns:a' }), /topic: a string given; a topic of .*fromTopicArn/],
    ['no topic', () => ({ ...OPS, topic: {} }), /topic: an object given; a topic of/],
    ['seconds', () => ({ ...OPS, window: 900 }), /notify\(\): window: 900 given; a Duration is allowed/],
    ['half a minute', () => ({ ...OPS, window: Duration.seconds(30) }), /window: 30 seconds given; whole minutes/],
    ['90 seconds', () => ({ ...OPS, window: Duration.seconds(90) }), /window: .* given; whole minutes/],
    ['two days', () => ({ ...OPS, window: Duration.days(2) }), /window: 2 days given; whole minutes/],
    ['no address of a monitor', () => ({ ...OPS, monitorUrl: 'tasks' }), /monitorUrl: 'tasks' given; an address/],
    ['a script', () => ({ ...OPS, monitorUrl: 'javascript:x' }), /monitorUrl: 'javascript:x' given/],
    ['an unknown name', () => ({ ...OPS, mail: 1 }), /notify\(\).*mail/],
  ])('%s', (_what, options, message) => {
    expect(() => made((stack, tasks) => void tasks.notify(options(stack) as NotifyOptions))).toThrow(message);
  });

  it('a second call, and an app without history', () => {
    expect(() =>
      made((_stack, tasks) => {
        tasks.notify(OPS);
        tasks.notify(OPS);
      }),
    ).toThrow(/called twice/);
    expect(() => made((_stack, tasks) => void tasks.notify(OPS), shop({ history: 'off' }))).toThrow(
      /history is 'off'.*Set history: 'failures'/,
    );
  });
});
