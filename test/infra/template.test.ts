/** A service as a template that no CDK deploys: what it needs of an account, where its code lies, what it tells. */
import type { App, Stack } from 'aws-cdk-lib';
import { CfnOutput } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Celeriac, crontab } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { withLocalPaths } from '../../infra/local-code.ts';
import type { TaskServiceProps } from '../../infra/task-service.ts';
import { type CloudFormationTemplate, type TemplateOptions, templateStack } from '../../infra/template.ts';
import { outputNames, pascalCase } from '../../infra/template-outputs.ts';
import { ENTRY, newApp } from './stacks.ts';

function shop(): Celeriac {
  const app = new Celeriac('shop', {
    queues: { default: {}, 'emails.high': { concurrency: 5 }, orders: { fifo: true }, celery: { external: true } },
  });
  const report = app.task('shop.report', () => 'done');
  app.task('shop.mail', { queue: 'emails.high' }, () => 'sent');
  app.beat({ nightly: { task: report.s(), schedule: crontab({ minute: 0, hour: 3 }) } });
  return app;
}

function synth(
  props: Partial<TaskServiceProps> | ((stack: Stack) => TaskServiceProps) = {},
  options: Partial<TemplateOptions> = {},
  app: App = newApp(),
): CloudFormationTemplate {
  const given = typeof props === 'function' ? props : { app: shop(), entry: ENTRY, ...props };
  const { stack, code } = templateStack(app, given, { stackName: 'shop-tasks', ...options });
  const { template } = app.synth().getStackArtifact(stack.artifactId) as { readonly template: CloudFormationTemplate };
  return withLocalPaths(template, (hash) => code.pathOf(hash));
}

function ofType(template: CloudFormationTemplate, type: string): readonly Readonly<Record<string, unknown>>[] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties ?? {});
}

const GRANTS = [
  'Enqueue',
  'Results',
  'Manage',
  'Schedules',
  'Outbox',
  'Locks',
  'History',
  'DeadLetters',
  'Explain',
  'Pause',
  'Celery',
];

describe('a template', () => {
  const template = synth();
  const text = JSON.stringify(template);

  it('needs nothing of a bootstrapped account, and no parameters', () => {
    expect(Object.keys(template).toSorted()).toEqual(['Metadata', 'Outputs', 'Resources']);
    expect(text).not.toMatch(/cdk-|CDKMetadata|aws:cdk|aws:asset|BootstrapVersion|LOCAL-CODE/);
  });

  it('has the code of each function as a path, as `aws cloudformation package` and `sam package` take it', () => {
    const functions = ofType(template, 'AWS::Lambda::Function');
    expect(functions).toHaveLength(4);
    for (const { Code } of functions) expect(Code).toMatch(/^\.\/code\/[0-9a-f]{16}$/);
  });

  it('is the same each time', () => {
    expect(JSON.stringify(synth())).toBe(text);
  });

  it('has rules of other names under another stack name, and is the same otherwise', () => {
    const ruleOf = (each: CloudFormationTemplate): unknown =>
      ofType(each, 'AWS::Events::Rule').find(({ Name }) => Name !== undefined)?.['Name'];
    const other = synth({}, { stackName: 'shop-tasks-staging' });
    expect(ruleOf(other)).not.toBe(ruleOf(template));
    expect(Object.keys(other.Resources)).toEqual(Object.keys(template.Resources));
  });

  it('tells the variables of a caller, each in an output of its own', () => {
    let environment: Readonly<Record<string, unknown>> = {};
    const { Outputs } = synth(
      {},
      {
        extend: (service, stack) => {
          environment = stack.resolve(service.environment()) as Readonly<Record<string, unknown>>;
        },
      },
    );
    expect(Object.keys(environment).length).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(environment))
      expect([name, Outputs[pascalCase(name)]?.Value]).toEqual([name, value]);
    expect(JSON.stringify(Object.values(environment))).toContain('celeriac-shop-');
    expect(text.match(/"Export"/)).toBeNull();
  });

  it('has a policy for each grant, and says its ARN', () => {
    for (const grant of GRANTS) {
      const { Ref: id = '' } = (template.Outputs[`${grant}PolicyArn`]?.Value ?? {}) as { readonly Ref?: string };
      expect([grant, template.Resources[id]?.Type]).toEqual([grant, 'AWS::IAM::ManagedPolicy']);
    }
    expect(ofType(template, 'AWS::IAM::ManagedPolicy')).toHaveLength(GRANTS.length);
    // IAM takes no more of a managed policy, white space not counted: what CDK would split would have two ARNs.
    for (const { PolicyDocument: policy } of ofType(template, 'AWS::IAM::ManagedPolicy'))
      expect(JSON.stringify(policy).length).toBeLessThan(6144);
    expect(Object.keys(template.Outputs)).toContain('CelerySettings');
  });

  it('tells queues, functions and roles by the names of queues', () => {
    const named = Object.keys(template.Outputs).filter((name) => /^(Default|EmailsHigh|Orders|Celery)[A-Z]/.test(name));
    const worked = ['DeadLetterQueueArn', 'QueueArn', 'WorkerFunctionName', 'WorkerRoleName'];
    expect(named.filter((name) => !/^Celery(PolicyArn|Settings)$/.test(name)).toSorted()).toEqual(
      [
        ...['Default', 'EmailsHigh', 'Orders'].flatMap((queue) => worked.map((what) => `${queue}${what}`)),
        'CeleryDeadLetterQueueArn',
        'CeleryQueueArn',
      ].toSorted(),
    );
  });

  it('is small enough to be read, and every name is one of CloudFormation', () => {
    for (const id of [...Object.keys(template.Resources), ...Object.keys(template.Outputs)])
      expect(id).toMatch(/^[A-Za-z0-9]{1,255}$/);
    expect(Object.keys(template.Outputs).length).toBeLessThan(200);
  });
});

describe('what a template may be made of', () => {
  it('constructs of the stack: a queue that exists already, which has no dead-letter queue here', () => {
    const template = synth((stack) => ({
      app: shop(),
      entry: ENTRY,
      externalQueues: { celery: Queue.fromQueueArn(stack, 'Celery', 'arn:aws:sqs:us-east-1:111122223333:celery') },
    }));
    expect(template.Outputs['CeleryQueueArn']?.Value).toBe('arn:aws:sqs:us-east-1:111122223333:celery');
    expect(template.Outputs).not.toHaveProperty('CeleryDeadLetterQueueArn');
  });

  it('more of the stack', () => {
    const template = synth(
      {},
      { extend: (service, stack) => void new CfnOutput(stack, 'App', { value: service.manifest.name }) },
    );
    expect(template.Outputs['App']?.Value).toBe('shop');
  });

  it('no asset that is not code: no tool but CDK would upload it', () => {
    const withAsset = (path: string, use: (asset: Asset, stack: Stack) => void) => (): CloudFormationTemplate =>
      synth({}, { extend: (_, stack) => use(new Asset(stack, 'Asset', { path }), stack) });
    expect(withAsset('README.md', () => undefined)).toThrow(/README\.md|'Asset'.*folder or a \.zip/);
    expect(
      withAsset('examples/blog', (asset, stack) => void new CfnOutput(stack, 'Where', { value: asset.s3ObjectUrl })),
    ).toThrow('Outputs.Where.Value refers to an asset other than the code');
  });
});

describe('names of outputs', () => {
  it.each([
    ['CELERIAC_RESULTS_TABLE', 'CeleriacResultsTable'],
    ['default', 'Default'],
    ['emails.high', 'EmailsHigh'],
    ['orderItems', 'OrderItems'],
    ['mail_2', 'Mail2'],
  ])('%s: %s', (name, output) => {
    expect(pascalCase(name)).toBe(output);
  });

  it('any queues have names of their own, of letters and digits', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 }),
        (queues) => {
          const names = [...outputNames(queues).values()];
          expect(names).toHaveLength(queues.length);
          expect(new Set(names).size).toBe(queues.length);
          for (const name of names) expect(name).toMatch(/^[A-Za-z0-9]+$/);
        },
      ),
    );
  });

  it('two that would share one are told apart, and their own names stay as they are', () => {
    const names = outputNames(['emails.high', 'emails-high', 'mail']);
    expect(names.get('mail')).toBe('Mail');
    expect(names.get('emails.high')).toMatch(/^EmailsHigh[0-9A-Z]+$/);
    expect(names.get('emails.high')).not.toBe(names.get('emails-high'));
  });
});
