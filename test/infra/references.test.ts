/** What a service says of itself in its SSM parameter, and services of other stacks and repositories. */
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { AwsSolutionsChecks } from 'cdk-nag';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type ITaskService,
  TaskService,
  type TaskServiceAttributes,
  type TaskServiceProps,
} from '../../infra/index.ts';
import { type AppOptions, Celeriac } from 'celeriac';
import { crontab } from '../../lib/schedules/crontab.ts';
import { InvalidOption } from '../../lib/base/errors.ts';
import { readDeployedService } from '../../lib/options/deployed-service.ts';
import { readEnvironment, readTaskNames } from '../../lib/options/environment.ts';
import { ENTRY, newApp, newCaller, rendered, statementsOf, toldIn, toldOf, variablesOf } from './stacks.ts';

const PLACE = { account: '111122223333', region: 'eu-central-1' };
const QUEUES: NonNullable<AppOptions['queues']> = { default: {}, orders: { fifo: true }, celery: { external: true } };

function shop(queues = QUEUES): Celeriac {
  const app = new Celeriac('shop', { queues });
  app.task('orders.pack', { queue: Object.keys(queues).at(1) ?? 'default' }, () => 1);
  const sum = app.task('shop.sum', () => 1);
  app.beat({ nightly: { task: sum.si(), schedule: crontab({ minute: 0, hour: 3 }) } });
  return app;
}

function make(props: Partial<TaskServiceProps> = {}, stack = new Stack(newApp(), 'Test', { env: PLACE })) {
  return { stack, service: new TaskService(stack, 'Tasks', { app: shop(), entry: ENTRY, ...props }) };
}

function synth(props: Partial<TaskServiceProps> = {}) {
  const made = make(props);
  return { ...made, template: Template.fromStack(made.stack) };
}

function parameterOf(template: Template): { readonly Name: string; readonly Value: unknown; readonly Tier?: string } {
  const [parameter] = Object.values(template.findResources('AWS::SSM::Parameter'));
  return (parameter as { Properties: { Name: string; Value: unknown; Tier?: string } }).Properties;
}

describe('the parameter', () => {
  const { template, service } = synth();
  const { Name, Value, Tier } = parameterOf(template);
  const deployed = readDeployedService(rendered(Value));

  it('says what the service is made of', () => {
    expect([Name, Tier]).toEqual(['/celeriac/shop', undefined]);
    expect(deployed).toMatchObject({
      version: 1,
      app: 'shop',
      ...PLACE,
      partition: '<AWS::Partition>',
      workers: {
        default: {
          function: expect.stringMatching(/^<TasksWorkersdefaultFunction\w+>$/),
          eventSource: expect.stringMatching(/^<TasksWorkersdefaultSource\w*>$/),
        },
        orders: { function: expect.stringMatching(/^<TasksWorkersordersFunction/), eventSource: expect.any(String) },
      },
      sweeper: expect.stringMatching(/^<TasksSweeperFunction/),
      lostQueues: [expect.stringMatching(/^<TasksQueuesLost/), expect.stringMatching(/^<TasksQueuesLostFifo/)],
      missedTicks: expect.stringMatching(/^<TasksQueuesMissedTicks/),
      resultExpiresSeconds: 86_400,
      taskNames: ['orders.pack', 'shop.sum'],
    });
    expect(Object.keys(deployed.workers)).toEqual(['default', 'orders']);
  });

  it('tells tools what the sweeper is told', () => {
    const sweeper = toldOf(template, 'shop').find(({ rulePrefix }) => rulePrefix !== undefined);
    expect(toldIn(deployed.variables, 'shop')).toEqual(sweeper);
    expect(Object.keys(deployed.environment.deadLetterQueues)).toEqual(Object.keys(QUEUES));
    expect(deployed.environment.rulePrefix).toBe(service.rules.prefix);
  });

  it('has a name of its own, or is left out', () => {
    expect(parameterOf(synth({ parameterName: '/staging/shop' }).template).Name).toBe('/staging/shop');
    const without = synth({ parameterName: false });
    without.template.resourceCountIs('AWS::SSM::Parameter', 0);
    expect([without.service.parameter, service.parameter?.parameterName === undefined]).toEqual([undefined, false]);
  });

  it.each(['', 'shop', '/', '/shop/', '/a b', '/aws/shop', '/ssm', `/${'x'.repeat(900)}`, '/a'.repeat(16), 7, true])(
    'may not be called %j',
    (parameterName) => {
      expect(() => synth({ parameterName: parameterName as string })).toThrow(InvalidOption);
    },
  );

  it('may be read by whom it is granted to, and cdk-nag finds nothing', () => {
    const app = newApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const { stack, service: nagged } = make({}, new Stack(app, 'Nag'));
    nagged.parameter?.grantRead(new Role(stack, 'Tool', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
    expect(() => app.synth()).not.toThrow();
    expect(JSON.stringify(statementsOf(Template.fromStack(stack), /^Tool/))).toContain('ssm:GetParameter');
  });

  it('of two services of one name and place is an error, of two places none', () => {
    const app = newApp();
    const errors = (stack: Stack): number =>
      Annotations.fromStack(stack).findError('*', Match.stringLikeRegexp('both write the SSM parameter /celeriac/shop'))
        .length;
    const [one, twin, other, named] = [
      ['One', PLACE],
      ['Two', PLACE],
      ['Three', { ...PLACE, region: 'us-east-1' }],
      ['Four', PLACE],
    ].map(([id, env]) => new Stack(app, id as string, { env: env as typeof PLACE })) as [Stack, Stack, Stack, Stack];
    for (const stack of [one, twin, other]) make({}, stack);
    make({ parameterName: '/staging' }, named);
    expect([one, twin, other, named].map(errors)).toEqual([0, 1, 0, 0]);
  });
});

describe('its size', () => {
  const many = (count: number): Celeriac =>
    shop(Object.fromEntries(Array.from({ length: count }, (_, index) => [`queue-${index}`, {}])));
  const warnings = (stack: Stack): number =>
    Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('\\$0\\.05 a month')).length;

  it('is free as long as it can be, and told where it is not', () => {
    const small = synth({ app: many(5) });
    expect([parameterOf(small.template).Tier, warnings(small.stack)]).toEqual([undefined, 0]);
    const large = synth({ app: many(14) });
    expect([parameterOf(large.template).Tier, warnings(large.stack)]).toEqual(['Intelligent-Tiering', 1]);
    expect(warnings(synth({ app: many(14), parameterName: false }).stack)).toBe(0);
  });

  it('of any app whose functions have room for it fits an advanced one, as long as names are on AWS', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 60 }), (count, length) => {
        const names = Array.from({ length: count }, (_, index) => `${'q'.repeat(length)}${index}`);
        const app = new Celeriac('shop', { queues: Object.fromEntries(names.map((name) => [name, {}])) });
        let made: ReturnType<typeof synth>;
        try {
          made = synth({ app });
        } catch (error) {
          expect(String(error)).toContain('The environment of the functions takes about');
          return;
        }
        // The longest that CloudFormation makes of them: queues have 80 characters, functions 64, ids 36.
        const longest = rendered(parameterOf(made.template).Value)
          .replaceAll(/<TasksWorkers\w+Function\w+>/g, 'f'.repeat(64))
          .replaceAll(/<TasksWorkers\w+Source\w*>/g, 'e'.repeat(36))
          .replaceAll(/<Tasks\w+>/g, 'u'.repeat(134));
        const { Tier } = parameterOf(made.template);
        expect(longest.length).toBeLessThanOrEqual(Tier === undefined ? 4096 : 8192);
      }),
      { numRuns: 12 },
    );
  });
});

const ATTRIBUTES: TaskServiceAttributes = {
  appName: 'shop',
  queues: {
    default: 'arn:aws:sqs:eu-central-1:111122223333:shop-default',
    orders: 'arn:aws:sqs:eu-central-1:111122223333:shop-orders.fifo',
  },
  deadLetterQueues: {
    default: 'arn:aws:sqs:eu-central-1:111122223333:shop-default-dead',
    orders: 'arn:aws:sqs:eu-central-1:111122223333:shop-orders-dead.fifo',
  },
  wakeQueueArn: 'arn:aws:sqs:eu-central-1:111122223333:shop-wake',
  resultsTableName: 'shop-results',
  stateTableName: 'shop-state',
};

/** The statements of a caller to whom a service has granted everything, without the names of what they are about. */
function grantedBy(service: ITaskService, stack: Stack): string[] {
  const caller = newCaller(stack, 'All');
  service.grantEnqueue(caller);
  service.grantOutbox(caller);
  service.grantResults(caller);
  service.grantManage(caller);
  service.grantSchedules(caller);
  service.grantLocks(caller);
  service.grantHistory(caller);
  service.grantDeadLetters(caller);
  return statementsOf(Template.fromStack(stack), /^All/)
    .flatMap(({ Action, Condition }) => [Action].flat().map((action) => `${action} ${JSON.stringify(Condition ?? '')}`))
    .toSorted();
}

describe('fromAttributes', () => {
  const stack = new Stack(newApp(), 'Api', { env: PLACE });
  const service = TaskService.fromAttributes(stack, 'Shop', { ...ATTRIBUTES, rulePrefix: 'celeriac-shop-1' });
  const granted = grantedBy(service, stack);
  const template = Template.fromStack(stack);

  it('grants what the service itself grants', () => {
    const { service: made, stack: own } = make({ app: shop({ default: {}, orders: { fifo: true } }) });
    expect(granted).toEqual(grantedBy(made, own));
    const send = statementsOf(template, /^All/).find(({ Action }) => Action === 'sqs:SendMessage');
    expect(send?.Resource).toEqual([...Object.values(ATTRIBUTES.queues), ATTRIBUTES.wakeQueueArn]);
    const resources = JSON.stringify(statementsOf(template, /^All/).map(({ Resource }) => Resource));
    for (const part of [':table/shop-results', ':table/shop-state', ':rule/celeriac-shop-1-*'])
      expect(resources).toContain(part);
    expect(service.queue('orders')).toMatchObject({ fifo: true, queueName: 'shop-orders.fifo' });
    expect(() => service.queue('mail')).toThrow("Queue 'mail' is none of service 'shop'. It has: default, orders.");
  });

  it('tells functions what they need, and nothing of it is made here', () => {
    const [variables = {}] = variablesOf(template, 'shop');
    const source = { CELERIAC_SERVICE_SHOP: rendered(variables['CELERIAC_SERVICE_SHOP']) };
    expect(readEnvironment('shop', source)).toMatchObject({
      queues: { orders: 'https://sqs.eu-central-1.<AWS::URLSuffix>/111122223333/shop-orders.fifo' },
      wakeQueue: 'https://sqs.eu-central-1.<AWS::URLSuffix>/111122223333/shop-wake',
      resultsTable: 'shop-results',
      rulePrefix: 'celeriac-shop-1',
      defaultQueue: 'default',
    });
    expect(readTaskNames('shop', source)).toBe('unknown');
    expect(Object.keys(stack.resolve(service.environment()) as object)).toEqual(['CELERIAC_SERVICE_SHOP']);
    for (const type of ['AWS::SQS::Queue', 'AWS::DynamoDB::GlobalTable', 'AWS::Events::Rule'])
      template.resourceCountIs(type, 0);
  });

  it('grants with a key what a service with that key does', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/k-1';
    const { service: made, stack: own } = make({ app: shop({ default: {}, orders: { fifo: true } }) });
    const plain = grantedBy(made, own);
    const keyedStack = new Stack(newApp(), 'Test', { env: PLACE });
    const keyed = make(
      { app: shop({ default: {}, orders: { fifo: true } }), encryptionKey: Key.fromKeyArn(keyedStack, 'Key', keyArn) },
      keyedStack,
    );
    const expected = grantedBy(keyed.service, keyedStack);
    expect(expected.length).toBeGreaterThan(plain.length);
    expect(readDeployedService(rendered(parameterOf(Template.fromStack(keyedStack)).Value)).encryptionKeyArn).toBe(
      keyArn,
    );
    const api = new Stack(newApp(), 'Api', { env: PLACE });
    const attributes = { ...ATTRIBUTES, rulePrefix: 'celeriac-shop-1', encryptionKeyArn: keyArn };
    expect(grantedBy(TaskService.fromAttributes(api, 'Shop', attributes), api)).toEqual(expected);
  });

  it('grants no dead letters where none are told of', () => {
    const api = new Stack(newApp(), 'Api', { env: PLACE });
    const { deadLetterQueues: _letters, ...untold } = ATTRIBUTES;
    const imported = TaskService.fromAttributes(api, 'Shop', untold);
    expect(() => imported.grantDeadLetters(newCaller(api))).toThrow(
      "grantDeadLetters: of service 'shop' no dead-letter queues are known",
    );
  });

  it('a lane gives what is redriven, and no dead-letter queue of its own', () => {
    const api = new Stack(newApp(), 'Api', { env: PLACE });
    const arn = (name: string): string => `arn:aws:sqs:eu-central-1:111122223333:${name}`;
    const imported = TaskService.fromAttributes(api, 'Shop', {
      ...ATTRIBUTES,
      queues: { mail: arn('mail'), 'mail-p5': arn('mail-p5') },
      lanes: { mail: { priorities: [0, 5] } },
      deadLetterQueues: { mail: arn('dead') },
    });
    imported.grantDeadLetters(newCaller(api, 'All'));
    const statements = statementsOf(Template.fromStack(api), /^All/);
    expect(statements.map(({ Action, Resource }) => [[Action].flat()[0], Resource]).slice(0, 2)).toEqual([
      ['sqs:ReceiveMessage', arn('dead')],
      ['sqs:SendMessage', [arn('mail'), arn('mail-p5')]],
    ]);
  });

  const { wakeQueueArn: _wake, deadLetterQueues: _dead, ...unwoken } = ATTRIBUTES;
  it.each<[string, unknown, RegExp]>([
    [
      'a misspelt one',
      { ...ATTRIBUTES, wakeQueue: 'x' },
      /'wakeQueue' is no option\. Allowed are appName, .*wakeQueueArn/,
    ],
    ['no queues', { ...ATTRIBUTES, queues: {} }, /queues is empty/],
    ['no app', { ...ATTRIBUTES, appName: '' }, /appName is missing/],
    ['no table', { ...ATTRIBUTES, stateTableName: undefined }, /stateTableName is missing/],
    ['shards', { ...ATTRIBUTES, timerShards: 65 }, /timerShards: 65 given; a whole number from 1 to 64/],
    ['a default queue that is none', { ...ATTRIBUTES, defaultQueue: 'mail' }, /queue 'mail' is none of its queues/],
    ['a route to none', { ...ATTRIBUTES, taskQueues: { a: 'mail' } }, /queue 'mail' is none of its queues/],
    [
      'dead letters of no queue',
      { ...ATTRIBUTES, deadLetterQueues: { mail: 'arn:aws:sqs:eu-central-1:111122223333:x' } },
      /queue 'mail' is none of its queues/,
    ],
    [
      'dead letters of another Region',
      { ...ATTRIBUTES, deadLetterQueues: { default: 'arn:aws:sqs:us-east-1:111122223333:x' } },
      /dead-letter queue of 'default': it is in Region us-east-1/,
    ],
    ['a FIFO queue alone', unwoken, /queue 'orders' is FIFO, and so wakeQueueArn is needed/],
    [
      'a URL',
      { ...unwoken, queues: { default: 'https://sqs/1/x' } },
      /'https:\/\/sqs\/1\/x' is no ARN of an SQS queue/,
    ],
    [
      'another Region',
      { ...unwoken, queues: { default: 'arn:aws:sqs:us-east-1:111122223333:q' } },
      /queue 'default': it is in Region us-east-1, and stack 'Api' in eu-central-1: a function signs its requests for its own Region/,
    ],
    [
      'another account',
      { ...unwoken, queues: { default: 'arn:aws:sqs:eu-central-1:999999999999:q' } },
      /it is in account 999999999999, and stack 'Api' in 111122223333: tables are addressed by name/,
    ],
  ])('%s is refused', (_what, attributes, message) => {
    const api = new Stack(newApp(), 'Api', { env: PLACE });
    expect(() => TaskService.fromAttributes(api, 'Shop', attributes as TaskServiceAttributes)).toThrow(message);
  });

  it('is one variable with the service itself, which a function takes from one of them only', () => {
    const app = newApp();
    const api = new Stack(app, 'Api', { env: PLACE });
    const caller = newCaller(api);
    const twice = ['A', 'B'].map((id) => TaskService.fromAttributes(api, id, ATTRIBUTES));
    for (const same of twice) same.grantEnqueue(caller);
    const other = TaskService.fromAttributes(api, 'C', { ...ATTRIBUTES, stateTableName: 'other' });
    expect(() => other.grantEnqueue(caller)).toThrow(
      'was granted by two services whose variable is CELERIAC_SERVICE_SHOP',
    );
  });
});

describe('fromParameter', () => {
  const NAME = '/celeriac/shop';
  const { template: made } = synth();
  // As it would be after the deployment.
  const value = rendered(parameterOf(made).Value)
    .replaceAll('<AWS::Partition>', 'aws')
    .replaceAll(
      /<TasksQueues(\w+)>/g,
      (_all, name: string) =>
        `https://sqs.eu-central-1.amazonaws.com/111122223333/${name}${/orders|Fifo/.test(name) ? '.fifo' : ''}`,
    )
    .replaceAll(/<(Tasks\w+)>/g, '$1');
  const key = `ssm:account=${PLACE.account}:parameterName=${NAME}:region=${PLACE.region}`;
  const looking = (context: Record<string, unknown>, env: Partial<typeof PLACE> = PLACE): Stack =>
    new Stack(newApp(context), 'Api', { env });

  it('is the service that wrote it', () => {
    const stack = looking({ [key]: value });
    const service = TaskService.fromParameter(stack, 'Shop', NAME);
    expect(service.appName).toBe('shop');
    expect(service.queue('orders').fifo).toBe(true);
    const own = make();
    expect(grantedBy(service, stack)).toEqual(grantedBy(own.service, own.stack));
    const told = toldOf(Template.fromStack(stack), 'shop')[0];
    const deployed = readDeployedService(value);
    const { celery: _celery, ...letters } = deployed.environment.deadLetterQueues;
    expect(told).toEqual({ ...toldIn(deployed.variables, 'shop'), deadLetterQueues: letters });
    expect(statementsOf(Template.fromStack(stack), /^All/).flatMap(({ Resource }) => Resource)).toContain(
      service.queue('celery').queueArn,
    );
  });

  it('is looked up by CDK: until then everything stands for it', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] }, builtinCloudFormationValidation: false });
    const stack = new Stack(app, 'Api', { env: PLACE });
    const service = TaskService.fromParameter(stack, 'Shop', NAME);
    service.grantSchedules(newCaller(stack));
    service.grantDeadLetters(newCaller(stack, 'Letters'));
    expect([service.queue('any'), service.queue('any')].map(({ queueName }) => queueName)).toEqual(['any', 'any']);
    expect(app.synth().manifest.missing).toMatchObject([{ key, props: { parameterName: NAME, ...PLACE } }]);
  });

  it.each<[string, () => Stack, string, RegExp]>([
    ['a stack of no place', () => looking({}, {}), NAME, /stack 'Api' needs env: \{ account, region \}/],
    ['no name', () => looking({}), 'shop', /a name such as '\/celeriac\/shop' is allowed/],
    ['another text', () => looking({ [key]: 'text' }), NAME, /no description of a deployed service/],
    [
      'a service of another place',
      () => looking({ [key]: value.replace('"account":"111122223333"', '"account":"999999999999"') }),
      NAME,
      /a service in account 999999999999 and Region eu-central-1, and stack 'Api' is in 111122223333/,
    ],
  ])('%s is refused', (_what, stack, name, message) => {
    expect(() => TaskService.fromParameter(stack(), 'Shop', name)).toThrow(message);
  });

  it('cdk-nag finds nothing in whoever is granted everything', () => {
    const app = newApp({ [key]: value });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const stack = new Stack(app, 'Api', { env: PLACE });
    const service = TaskService.fromParameter(stack, 'Shop', NAME);
    const role = new Role(stack, 'All', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    service.grantSchedules(role);
    service.grantResults(role);
    service.grantManage(role);
    service.grantLocks(role);
    service.grantHistory(role);
    service.grantDeadLetters(role);
    expect(() => app.synth()).not.toThrow();
  });
});
