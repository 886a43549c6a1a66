/** What a Celery app gets of a service: rights and settings, and the real Celery at work with them. */
import { type App, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Group, PolicyStatement, Role, ServicePrincipal, User } from 'aws-cdk-lib/aws-iam';
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { Celeriac } from '../../lib/app/app.ts';
import { InvalidOption } from '../../lib/base/errors.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { celeryQueueName, physicalQueueName } from '../../lib/wire/queue-name.ts';
import type { QueueOptions } from '../../lib/options/queue-options.ts';
import { askPython, reasonToSkip } from '../support/python.ts';
import { ENTRY, newApp, newCaller, policies, type Statement } from './stacks.ts';

const REGION = 'eu-central-1';
const ENVIRONMENT = { region: REGION, account: '111122223333' };
const IMPORTED = `arn:aws:sqs:${REGION}:111122223333:legacy`;

const OWN: Readonly<Record<string, QueueOptions>> = { default: {}, 'mail.bulk': {}, orders: { fifo: true } };
const EXTERNAL: Readonly<Record<string, QueueOptions>> = { celery: { external: true }, legacy: { external: true } };

function manifestOf(queues: Readonly<Record<string, QueueOptions>>): AppManifest {
  const app = new Celeriac('shop', { queues, resultExpires: '2d' });
  app.task('report', () => 1);
  if ('orders' in queues) app.task('orders.pack', { queue: 'orders' }, () => 1);
  if ('mail.bulk' in queues) app.task('mail.send', { queue: 'mail.bulk' }, () => 1);
  if ('celery' in queues) app.remote('proj.add', { queue: 'celery' });
  return app.manifest();
}

const MANIFEST = manifestOf({ ...OWN, ...EXTERNAL });

interface Made {
  readonly stack: Stack;
  readonly service: TaskService;
}

function made(props: Partial<TaskServiceProps> = {}): Made {
  const stack = new Stack(newApp(), 'Test', { env: ENVIRONMENT });
  const app = props.app ?? MANIFEST;
  const brought = 'legacy' in ('queues' in app ? app.queues : {});
  const externalQueues: Readonly<Record<string, IQueue>> = brought
    ? { legacy: Queue.fromQueueArn(stack, 'Legacy', IMPORTED) }
    : {};
  return { stack, service: new TaskService(stack, 'Tasks', { app, entry: ENTRY, externalQueues, ...props }) };
}

interface Resource {
  readonly Type: string;
  readonly Properties?: { readonly QueueName?: string; readonly FifoQueue?: boolean };
}

/** What AWS makes of a value in a template: addresses of queues, names of tables. */
function deployed(template: Template, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => deployed(template, each));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [key, inner] = entries[0] ?? [];
  if (key === 'Fn::Join') {
    const [separator, parts] = deployed(template, inner) as [string, string[]];
    return parts.join(separator);
  }
  if (key === 'Ref' && inner === 'AWS::URLSuffix') return 'amazonaws.com';
  if (key === 'Ref') {
    const { Type, Properties = {} } = (template.toJSON() as { Resources: Record<string, Resource> }).Resources[
      String(inner)
    ] ?? { Type: '' };
    if (Type !== 'AWS::SQS::Queue') return inner;
    const name = Properties.QueueName ?? `${String(inner)}${Properties.FifoQueue === true ? '.fifo' : ''}`;
    return `https://sqs.${REGION}.amazonaws.com/111122223333/${name}`;
  }
  return Object.fromEntries(entries.map(([name, each]) => [name, deployed(template, each)]));
}

interface CelerySettings extends Record<string, unknown> {
  readonly broker_transport_options: { readonly predefined_queues: Readonly<Record<string, { readonly url: string }>> };
}

/** The settings as an output of the stack gives them. */
function settingsOf({ stack, service }: Made): CelerySettings {
  expect(new CfnOutput(stack, 'Celery', { value: stack.toJsonString(service.celerySettings()) }).value).toBeDefined();
  const template = Template.fromStack(stack);
  const { Value } = template.findOutputs('Celery')['Celery'] as { Value: unknown };
  return JSON.parse(String(deployed(template, Value))) as CelerySettings;
}

interface Rights {
  readonly actions: readonly string[];
  readonly on: readonly string[];
}

function rightsIn(template: Template, pattern: RegExp): Rights[] {
  const targets = ({ Resource }: Statement): string[] =>
    [Resource].flat().map((each) => {
      if (typeof each === 'string') return each;
      const [logicalId = ''] = (each as { 'Fn::GetAtt'?: [string, string] })['Fn::GetAtt'] ?? [];
      return logicalId.replace(/[0-9A-F]{8}$/, '');
    });
  return policies(template)
    .filter(({ logicalId }) => pattern.test(logicalId))
    .flatMap(({ statements }) => statements)
    .map((statement) => ({ actions: [statement.Action].flat(), on: targets(statement) }));
}

const SENDING = ['sqs:SendMessage', 'sqs:GetQueueAttributes'];
const CONSUMING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'];
const RESULTS = ['DescribeTable', 'DescribeTimeToLive', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'].map(
  (action) => `dynamodb:${action}`,
);
const LISTING = { actions: ['sqs:ListQueues'], on: ['*'] };

describe('grantCelery', () => {
  it('sending to all queues, consuming the external ones, the table of results, and nothing else', () => {
    const { stack, service } = made();
    service.grantCelery(newCaller(stack)).assertSuccess();
    const rights = rightsIn(Template.fromStack(stack), /^Caller/);
    const main = (name: string): string => `TasksQueuesMain${name}`;
    expect(rights).toHaveLength(4);
    expect(rights).toEqual(
      expect.arrayContaining([
        { actions: SENDING, on: [main('default'), main('mailbulk'), main('orders'), main('celery'), IMPORTED] },
        { actions: CONSUMING, on: [main('celery'), IMPORTED] },
        { actions: RESULTS, on: ['TasksTablesResults'] },
        LISTING,
      ]),
    );
  });

  it('without an external queue there is nothing to consume', () => {
    const { stack, service } = made({ app: manifestOf(OWN) });
    service.grantCelery(newCaller(stack));
    const actions = rightsIn(Template.fromStack(stack), /^Caller/).flatMap((rights) => rights.actions);
    expect(actions.toSorted()).toEqual([...SENDING, ...RESULTS, 'sqs:ListQueues'].toSorted());
  });

  it.each([
    ['a user', (stack: Stack) => new User(stack, 'Caller')],
    ['a group', (stack: Stack) => new Group(stack, 'Caller')],
    [
      'a role',
      (stack: Stack) => new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') }),
    ],
    [
      'a role from elsewhere',
      (stack: Stack) => Role.fromRoleArn(stack, 'Caller', 'arn:aws:iam::111122223333:role/celery'),
    ],
  ] as const)('%s may have it, twice too', (_what, make) => {
    const { stack, service } = made();
    const grantee = make(stack);
    service.grantCelery(grantee);
    service.grantCelery(grantee).assertSuccess();
    expect(rightsIn(Template.fromStack(stack), /^Caller/)).toContainEqual(LISTING);
  });

  it('tells when the grantee takes no policy', () => {
    const { service } = made();
    expect(() => service.grantCelery(new ServicePrincipal('ec2.amazonaws.com')).assertSuccess()).toThrow();
  });

  it("works across stacks, since the grantee's policies stay in its own", () => {
    const { stack, service } = made();
    const other = new Stack(stack.node.root as App, 'Other', { env: ENVIRONMENT });
    service.grantCelery(new User(other, 'Caller'));
    expect(rightsIn(Template.fromStack(other), /^Caller/)).toContainEqual(LISTING);
    expect(rightsIn(Template.fromStack(stack), /ListQueues/)).toEqual([]);
  });

  it("cdk-nag finds nothing, and still finds another '*' of the grantee", () => {
    const synth = (more: readonly PolicyStatement[]): void => {
      const app = newApp();
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
      const stack = new Stack(app, 'Nag');
      const role = new Role(stack, 'Celery', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
      new TaskService(stack, 'Tasks', {
        app: manifestOf({ ...OWN, celery: { external: true } }),
        entry: ENTRY,
      }).grantCelery(role);
      for (const statement of more) role.addToPolicy(statement);
      app.synth();
    };
    expect(() => synth([])).not.toThrow();
    expect(() => synth([new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] })])).toThrow();
  });
});

describe('celerySettings', () => {
  const url = (name: string): { readonly url: string } => ({
    url: `https://sqs.${REGION}.amazonaws.com/111122223333/${name}`,
  });

  it('are what Celery needs, and no more', () => {
    expect(settingsOf(made({ queueNamePrefix: 'prod-' }))).toEqual({
      broker_url: 'sqs://',
      broker_transport_options: {
        region: REGION,
        predefined_queues: {
          default: url('prod-default'),
          'mail.bulk': url('prod-mail-bulk'),
          'mail-bulk': url('prod-mail-bulk'),
          'orders.fifo': url('prod-orders.fifo'),
          celery: url('prod-celery'),
          legacy: url('legacy'),
        },
      },
      result_backend: expect.stringMatching(/^dynamodb:\/\/@eu-central-1\/TasksTablesResults\w+\?ttl_seconds=172800$/),
      task_default_queue: 'celery',
      task_routes: {
        report: { queue: 'default' },
        'orders.pack': { queue: 'orders.fifo' },
        'mail.send': { queue: 'mail.bulk' },
      },
    });
  });

  it('without an external queue tasks go to the default one', () => {
    expect(settingsOf(made({ app: manifestOf({ orders: { fifo: true } }) }))).toMatchObject({
      task_default_queue: 'orders.fifo',
    });
  });

  it.each([
    ['a.b', { 'a.b': {}, 'a-b': {} }, "Queues 'a.b' and 'a-b' are both 'a-b' to Celery. Rename one of them."],
    ['x', { x: { fifo: true }, 'x.fifo': { fifo: true } }, "Queues 'x' and 'x.fifo' are both 'x.fifo' to Celery"],
    ['a standard x.fifo', { 'x.fifo': {} }, "Queue 'x.fifo' is a standard queue, and Celery takes it for a FIFO queue"],
  ] as const)('refuses what Celery would mix up: %s', (_what, queues, message) => {
    const { service } = made({ app: manifestOf(queues) });
    expect(() => service.celerySettings()).toThrow(InvalidOption);
    expect(() => service.celerySettings()).toThrow(message);
  });
});

interface Work {
  readonly calls: Readonly<Record<string, readonly string[]>>;
  readonly sent: Readonly<Record<string, string>>;
  readonly items: readonly (readonly string[])[];
}

const SCRIPT = new URL('celery_calls.py', import.meta.url);

describe.skipIf(reasonToSkip('rights and settings with Celery', 'celery, boto3') !== undefined)(
  'the real Celery',
  () => {
    const service = made({ queueNamePrefix: 'prod.' });
    const settings = settingsOf(service);
    const urls = Object.values(settings.broker_transport_options.predefined_queues).map(({ url }) => url);
    const addressOf = (name: string): string =>
      settings.broker_transport_options.predefined_queues[name]?.url ?? expect.fail(`no queue ${name}`);
    const tasks = ['report', 'orders.pack', 'mail.send', 'proj.add'];
    const expected = {
      report: addressOf('default'),
      'orders.pack': addressOf('orders.fifo'),
      'mail.send': addressOf('mail.bulk'),
      'proj.add': addressOf('celery'),
    };
    // One process each: kombu remembers addresses of queues for all of it.
    const work = async (given: object, consume: string): Promise<Work> => {
      const [answer] = await askPython<Work>(SCRIPT, [{ ask: 'work', settings: given, listed: urls, tasks, consume }]);
      return answer ?? expect.fail('no answer');
    };

    it('finds every queue by these settings, and calls what it may', async () => {
      const { calls, sent, items } = await work(settings, 'celery');
      expect(sent).toEqual(expected);
      expect(Object.keys(calls).toSorted()).toEqual([...SENDING, ...CONSUMING, ...RESULTS].toSorted());
      for (const action of CONSUMING) expect(calls[action]).toEqual([addressOf('celery')]);
      for (const action of RESULTS) expect(calls[action]).toEqual([expect.stringMatching(/^TasksTablesResults/)]);
      expect(items).toEqual([['id', 'result', 'timestamp', 'ttl']]);
    });

    it('finds them by the prefix alone, with ListQueues and without making any', async () => {
      const { broker_transport_options: _options, ...rest } = settings;
      const byPrefix = { ...rest, broker_transport_options: { region: REGION, queue_name_prefix: 'prod.' } };
      const { calls, sent } = await work(byPrefix, 'celery');
      expect(sent).toEqual(expected);
      expect(Object.keys(calls).toSorted()).toEqual(
        [...SENDING, ...CONSUMING, ...RESULTS, 'sqs:ListQueues'].toSorted(),
      );
    });

    it('names queues as we do', async () => {
      const names = ['default', 'mail.bulk', 'a_b-c.d', 'x.fifo', 'a.b.fifo', 'UPPER.lower', '-_.', '0'];
      const prefixes = ['', 'prod-', 'prod.blog_', 'a.fifo.'];
      const questions = prefixes.map((prefix) => ({
        ask: 'names',
        prefix,
        names: names.flatMap((name) => [...new Set([name, celeryQueueName(name, true)])]),
      }));
      const answers = await askPython<string[]>(SCRIPT, questions);
      for (const [index, { prefix, names: asked }] of questions.entries())
        expect(answers[index]).toEqual(asked.map((name) => physicalQueueName(prefix, name, name.endsWith('.fifo'))));
    });
  },
);
