/** A status address in a stack: signed or by IAM, with no right but to read results. */
import { Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Celeriac } from 'celeriac';
import { type AddedStatusUrl, type StatusUrlOptions, TaskService } from 'celeriac/infra';
import { expect, it } from 'vitest';

import { STATUS_VARIABLE, type StatusTold } from '../../lib/options/status-variable.ts';
import { ENTRY, newApp, rendered, statementsOf } from './stacks.ts';

function made(
  options: StatusUrlOptions,
  app = newApp(),
  use?: (added: AddedStatusUrl, stack: Stack) => void,
): Template {
  const stack = new Stack(app, 'Shop', { env: { account: '123456789012', region: 'eu-west-1' } });
  const shop = new Celeriac('shop', { queues: { default: {} } });
  shop.task('ping', () => 1);
  const added = new TaskService(stack, 'Tasks', { app: shop.manifest(), entry: ENTRY }).addStatusUrl(options);
  use?.(added, stack);
  return Template.fromStack(stack);
}

function variablesIn(template: Template, name: string): Readonly<Record<string, unknown>> {
  const found = Object.entries(template.findResources('AWS::Lambda::Function')).find(([id]) => id.includes(name));
  if (found === undefined) throw new Error(`there is no function ${name}`);
  const [, fn] = found as [string, { Properties: { Environment: { Variables: Record<string, unknown> } } }];
  return fn.Properties.Environment.Variables;
}

it('signed, it is open to browsers of listed origins, and reads results and its key', () => {
  const template = made({ auth: 'signed', cors: ['https://shop.example.org'] });
  template.hasResourceProperties('AWS::Lambda::Url', {
    AuthType: 'NONE',
    Cors: { AllowOrigins: ['https://shop.example.org'], AllowMethods: ['GET'], MaxAge: 3600 },
  });
  const told = JSON.parse(rendered(variablesIn(template, 'StatusUrl')[STATUS_VARIABLE])) as StatusTold;
  expect(told).toEqual({ app: 'shop', secret: expect.stringContaining('TasksStatusUrlKeys') });
  const actions = statementsOf(template, /^TasksStatusUrlRole/).flatMap(({ Action }) => [Action].flat());
  expect(actions.toSorted()).toEqual([
    'dynamodb:GetItem',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'secretsmanager:DescribeSecret',
    'secretsmanager:GetSecretValue',
  ]);
  expect(JSON.stringify(template.toJSON())).not.toContain('resolve:secretsmanager');
});

it('by IAM, it has no key, and callers are let in one by one', () => {
  const template = made({ auth: 'iam', results: false, errors: true }, newApp(), (added, stack) => {
    added.grantAsk(new Role(stack, 'Machine', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
    expect(added.secret).toBeUndefined();
    expect(() => added.environment()).toThrow('grantAsk()');
  });
  template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
  template.resourceCountIs('AWS::SecretsManager::Secret', 0);
  expect(JSON.parse(rendered(variablesIn(template, 'StatusUrl')[STATUS_VARIABLE]))).toEqual({
    app: 'shop',
    hideResults: true,
    showErrors: true,
  });
  const machine = statementsOf(template, /^MachineDefaultPolicy/).flatMap(({ Action }) => [Action].flat());
  expect(machine).toContain('lambda:InvokeFunctionUrl');
});

it('who signs is told where, and may read the key', () => {
  const template = made({ auth: 'signed' }, newApp(), (added, stack) => {
    const fn = new LambdaFn(stack, 'Api', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('1'),
    });
    added.grantSign(fn);
  });
  expect(JSON.parse(rendered(variablesIn(template, 'Api')['CELERIAC_STATUS_URL_SHOP']))).toEqual({
    url: expect.stringContaining('FunctionUrl'),
    secret: expect.stringContaining('TasksStatusUrlKeys'),
  });
  const actions = statementsOf(template, /^ApiServiceRoleDefaultPolicy/).flatMap(({ Action }) => [Action].flat());
  expect(actions).toEqual(['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret']);
});

it('cdk-nag finds nothing', () => {
  const app = newApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  made({ auth: 'signed', cors: ['*'] }, app);
  expect(() => app.synth()).not.toThrow();
});

it.each([
  [{}, "'signed' or 'iam'"],
  [{ auth: 'none' }, "'signed' or 'iam'"],
  [{ auth: 'signed', cors: 'https://a.example' }, 'cors of addStatusUrl()'],
  [{ auth: 'signed', cors: ['a.example'] }, 'cors of addStatusUrl()'],
  [{ auth: 'signed', cors: ['https://a.example/'] }, 'without a path'],
  [{ auth: 'signed', results: 'no' }, 'results of addStatusUrl()'],
  [{ auth: 'signed', error: true }, "'error' is no option"],
])('%j is refused', (options, message) => {
  expect(() => made(options as StatusUrlOptions)).toThrow(message);
});
