import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { Celeriac } from '../../lib/app/app.ts';
import { InvalidOption, QueueNotFound } from '../../lib/base/errors.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { readEnvironment } from '../../lib/options/environment.ts';
import { serviceVariable } from '../../lib/options/service-variable.ts';
import { ENTRY, newApp, newCaller, statementsOf, toldOf } from './stacks.ts';

const REGION = 'eu-central-1';
const ARN = `arn:aws:sqs:${REGION}:111122223333:proj-celery`;

function manifestOf(fifo = false): AppManifest {
  const app = new Celeriac('shop', { queues: { default: {}, celery: { external: true, fifo } } });
  app.task('pack', { timeLimit: 120 }, () => 1);
  app.remote('proj.add', { queue: 'celery' });
  return app.manifest();
}

const MANIFEST = manifestOf();

interface Made {
  readonly stack: Stack;
  readonly service: TaskService;
  readonly template: Template;
}

/** `bring` makes the queues that exist already. */
function synth(
  props: Partial<TaskServiceProps> = {},
  bring: (stack: Stack) => Readonly<Record<string, IQueue>> = () => ({}),
): Made {
  const stack = new Stack(newApp(), 'Test', { env: { region: REGION, account: '111122223333' } });
  const externalQueues = bring(stack);
  const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, externalQueues, ...props });
  service.grantEnqueue(newCaller(stack));
  return { stack, service, template: Template.fromStack(stack) };
}

function imported(arn = ARN): (stack: Stack) => Readonly<Record<string, IQueue>> {
  return (stack) => ({ celery: Queue.fromQueueArn(stack, 'Existing', arn) });
}

describe('an external queue that the service makes', () => {
  const { template, service } = synth();

  it('has a dead-letter queue and redrive, and neither worker nor mapping', () => {
    // default, celery, a dead-letter queue of each, lost, missed ticks.
    template.resourceCountIs('AWS::SQS::Queue', 6);
    // The worker of default and the sweeper of lost.
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
    // Those, and the caller.
    template.resourceCountIs('AWS::Lambda::Function', 3);
    expect(service.deadLetterQueue('celery').queueArn).not.toBe(service.deadLetterQueue('default').queueArn);
    expect(() => service.worker('celery')).toThrow("Queue 'celery' is external: its workers run elsewhere");
    expect(() => service.worker('nowhere')).toThrow(QueueNotFound);
    expect(service.worker('default')).toBeDefined();
  });

  it('hides messages as long as queues that kombu makes', () => {
    const redrive = {
      maxReceiveCount: 50,
      deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Lost'), 'Arn'] },
    };
    template.hasResourceProperties('AWS::SQS::Queue', { VisibilityTimeout: 1800, RedrivePolicy: redrive });
    const shorter = { celery: { visibilityTimeout: Duration.seconds(20), maxReceiveCount: 3 } };
    const made = synth({ queues: shorter });
    made.template.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 20,
      RedrivePolicy: { maxReceiveCount: 3 },
    });
    // Nobody throttles there.
    expect(Annotations.fromStack(made.stack).findWarning('*', Match.stringLikeRegexp('maxReceiveCount'))).toEqual([]);
    const ours = synth({ queues: { default: { maxReceiveCount: 3 } } });
    expect(Annotations.fromStack(ours.stack).findWarning('*', Match.stringLikeRegexp('maxReceiveCount'))).toHaveLength(
      1,
    );
  });

  it('every function knows that it is external, and may send to it', () => {
    const told = toldOf(template, 'shop');
    expect(told).toHaveLength(3);
    for (const { externalQueues, queues } of told) {
      expect(externalQueues).toEqual(['celery']);
      expect(queues['celery']).toContain('TasksQueuesMaincelery');
    }
    for (const who of [/TasksWorkersdefault/, /Sweeper/, /Caller/]) {
      const send = statementsOf(template, who).find(({ Action }) => Action === 'sqs:SendMessage');
      expect(JSON.stringify(send?.Resource)).toContain('TasksQueuesMaincelery');
    }
    // What was lost is put behind its own queue.
    const sweeper = told.find(({ rulePrefix }) => rulePrefix !== undefined);
    expect(sweeper?.deadLetterQueues?.['celery']).toContain('TasksQueuesDeadLetterscelery');
  });

  it('an app without one says nothing of it', () => {
    const { template: plain } = synth({ app: new Celeriac('shop', {}).manifest() });
    expect(toldOf(plain, 'shop').map(({ externalQueues }) => externalQueues)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('the variable is read as it was written', () => {
    const source = { [serviceVariable('shop')]: JSON.stringify(toldOf(template, 'shop')[0]) };
    expect(readEnvironment('shop', source).externalQueues).toEqual(['celery']);
  });

  it.each([
    ['timeout', { timeout: Duration.seconds(30) }],
    ['memoryMiB', { memoryMiB: 1024 }],
  ])('%s has no meaning for it', (field, overrides) => {
    const failing = (): Made => synth({ queues: { celery: overrides } });
    expect(failing).toThrow(InvalidOption);
    expect(failing).toThrow(`queues.celery.${field}: given for an external queue, which has no worker here`);
  });

  it('its own limits are checked', () => {
    expect(() => synth({ queues: { celery: { visibilityTimeout: Duration.hours(13) } } })).toThrow(
      "visibility timeout of queue 'celery' is 46800; 0 to 43200 is allowed",
    );
    expect(() => synth({ queues: { celery: { maxReceiveCount: 0 } } })).toThrow(
      "maxReceiveCount of queue 'celery' is 0",
    );
  });

  it('counts among what fits into the environment', () => {
    const queues = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [`external-${index}`, { fifo: false, external: true as const }]),
    );
    expect(() => synth({ app: { ...MANIFEST, tasks: {}, queues: { default: { fifo: false }, ...queues } } })).toThrow(
      'Lambda takes',
    );
    const names = Object.keys(queues).join(',').length;
    const bytes = (app: AppManifest): number => {
      try {
        synth({ app });
      } catch (error) {
        return Number(/takes about (\d+) bytes/.exec(String(error))?.[1]);
      }
      return 0;
    };
    const own = Object.fromEntries(Object.keys(queues).map((name) => [name, { fifo: false }]));
    const base = { default: { fifo: false }, more: { fifo: false } };
    expect(
      bytes({ ...MANIFEST, tasks: {}, queues: { ...base, ...queues } }) -
        bytes({ ...MANIFEST, tasks: {}, queues: { ...base, ...own } }),
      // As JSON: a word, and quotes instead of commas alone.
    ).toBe(names + ',"externalQueues":[]'.length + 2 * Object.keys(queues).length);
  });

  it('cdk-nag finds nothing', () => {
    const app = newApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const nagged = new TaskService(new Stack(app, 'Nag'), 'Tasks', { app: MANIFEST, entry: ENTRY });
    expect(nagged.queue('celery').fifo).toBe(false);
    expect(() => app.synth()).not.toThrow();
  });
});

describe('an external queue that exists already', () => {
  const { template, service } = synth({ queueNamePrefix: 'prod-' }, imported());

  it('nothing is made of it', () => {
    // default, its dead-letter queue, lost, missed ticks.
    template.resourceCountIs('AWS::SQS::Queue', 4);
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
    expect(service.queue('celery').queueArn).toBe(ARN);
    expect(() => service.deadLetterQueue('celery')).toThrow("Queue 'celery' is one of externalQueues");
    expect(() => service.worker('celery')).toThrow("Queue 'celery' is external");
  });

  it('every function may send to it, by its address', () => {
    for (const { externalQueues, queues, deadLetterQueues = {} } of toldOf(template, 'shop')) {
      expect(externalQueues).toEqual(['celery']);
      expect(queues['celery']).toContain('/111122223333/proj-celery');
      expect(deadLetterQueues).not.toHaveProperty('celery');
    }
    for (const who of [/TasksWorkersdefault/, /Sweeper/, /Caller/]) {
      const send = statementsOf(template, who).find(({ Action }) => Action === 'sqs:SendMessage');
      expect(send?.Resource).toContain(ARN);
    }
  });

  it.each([
    [
      'not declared',
      { externalQueues: { nowhere: null } },
      QueueNotFound,
      "externalQueues: 'nowhere' is not declared by app 'shop'. External queues of it are: celery.",
    ],
    [
      'not external',
      { externalQueues: { default: null } },
      InvalidOption,
      "externalQueues: queue 'default' of app 'shop' has its worker here",
    ],
    [
      'overrides',
      { externalQueues: { celery: null }, queues: { celery: { maxReceiveCount: 9 } } },
      InvalidOption,
      'queues.celery: given for one of externalQueues',
    ],
    [
      'another type',
      { app: manifestOf(true), externalQueues: { celery: null } },
      InvalidOption,
      "externalQueues: 'celery' is a standard queue, and the app declares a FIFO one",
    ],
  ])('is refused: %s', (_what, { externalQueues, ...props }, type, message) => {
    const failing = (): Made =>
      synth(props, (stack) => {
        const queue = Queue.fromQueueArn(stack, 'Existing', ARN);
        return Object.fromEntries(Object.keys(externalQueues).map((name) => [name, queue]));
      });
    expect(failing).toThrow(type);
    expect(failing).toThrow(message);
  });

  it('is refused: FIFO where a standard queue is declared, another region', () => {
    expect(() => synth({}, imported(`${ARN}.fifo`))).toThrow('is a FIFO queue, and the app declares a standard one');
    expect(() => synth({}, imported(ARN.replace(REGION, 'us-east-1')))).toThrow(
      "externalQueues: 'celery' is in us-east-1, and the service in eu-central-1",
    );
  });

  it('a FIFO queue may stand for one that is declared so, and a queue of the same stack for any', () => {
    const { service: ordered } = synth({ app: manifestOf(true) }, imported(`${ARN}.fifo`));
    expect(ordered.queue('celery').fifo).toBe(true);
    const beside = synth({}, (stack) => ({ celery: new Queue(stack, 'Own') }));
    expect(toldOf(beside.template, 'shop')[0]?.queues['celery']).toMatch(/^<Own/);
  });
});

describe('a service that only sends', () => {
  function producer(): Celeriac {
    const app = new Celeriac('shop', { queues: { celery: { external: true }, bulk: { external: true } } });
    app.remote('proj.add');
    return app;
  }

  it('has a sweeper for its timers and no worker', () => {
    const { template } = synth({ app: producer() });
    template.resourceCountIs('AWS::Lambda::Function', 2);
    // The lost queue feeds the sweeper.
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 1);
    expect(toldOf(template, 'shop').map(({ defaultQueue }) => defaultQueue)).toEqual(['celery', 'celery']);
  });

  it('may send to queues that all existed before', () => {
    const { template } = synth({ app: producer() }, (stack) => ({
      celery: Queue.fromQueueArn(stack, 'Celery', ARN),
      bulk: Queue.fromQueueArn(stack, 'Bulk', `${ARN}-bulk`),
    }));
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 0);
    for (const { Resource } of statementsOf(template, /Sweeper/)) expect(Resource).not.toEqual([]);
  });

  it('is refused a task that nobody would run', () => {
    const app = producer();
    app.task('pack', () => 1);
    expect(() => synth({ app })).toThrow(/^Task 'pack' would never run: every queue of app 'shop' is external/);
  });
});
