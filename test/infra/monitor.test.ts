/** The monitor in a stack: never without a login, and with no right that it does not use. */
import { Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Celeriac, every } from 'celeriac';
import { type MonitorOptions, TaskService } from 'celeriac/infra';
import { describe, expect, it } from 'vitest';

import { MONITOR_VARIABLE, type MonitorTold } from '../../lib/options/monitor-variable.ts';
import { ENTRY, newApp, rendered, statementsOf } from './stacks.ts';

const OPS = { operators: ['group:operations'], viewers: ['*@example.org'] };
const ISSUER = 'https://login.example.org';

function manifest(): ReturnType<Celeriac['manifest']> {
  const app = new Celeriac('shop', { queues: { default: {}, mail: { concurrency: 2 } } });
  app.beat({ hourly: { task: app.task('ping', () => 1).s(), schedule: every('1h') } });
  return app.manifest();
}

type Options = (stack: Stack) => MonitorOptions;
const WAYS: Readonly<Record<string, Options>> = {
  iam: () => ({ auth: { iam: { operators: ['arn:aws:sts::123456789012:assumed-role/Ops/*'] } } }),
  password: (stack) => ({ auth: { password: { users: new Secret(stack, 'Users') } } }),
  oidc: (stack) => ({
    auth: { oidc: { issuer: ISSUER, clientId: 'tasks', clientSecret: new Secret(stack, 'Client'), ...OPS } },
  }),
};

function made(options: Options, app = newApp()): { readonly stack: Stack; readonly template: () => Template } {
  const stack = new Stack(app, 'Shop', { env: { account: '123456789012', region: 'eu-west-1' } });
  new TaskService(stack, 'Tasks', { app: manifest(), entry: ENTRY }).addMonitor(options(stack));
  return { stack, template: () => Template.fromStack(stack) };
}

const role = (template: Template): ReturnType<typeof statementsOf> => statementsOf(template, /^TasksMonitorRole/);

function toldIn(template: Template): MonitorTold {
  const found = Object.entries(template.findResources('AWS::Lambda::Function')).find(([id]) => id.includes('Monitor'));
  if (found === undefined) throw new Error('there is no monitor');
  const [, fn] = found as [string, { Properties: { Environment: { Variables: Record<string, unknown> } } }];
  const { Variables } = fn.Properties.Environment;
  return JSON.parse(rendered(Variables[MONITOR_VARIABLE])) as MonitorTold;
}

describe.each(Object.entries(WAYS))('with a login by %s', (way, options) => {
  const { template: of } = made(options);
  const template = of();

  it('is told how, and never a secret itself', () => {
    expect(toldIn(template)).toMatchObject({ app: 'shop', login: { way }, parameter: '/celeriac/shop' });
    const text = JSON.stringify(template.toJSON());
    expect(text).not.toContain('resolve:secretsmanager');
    expect(text.includes('GetSecretValue')).toBe(way !== 'iam');
  });

  it('has an address that asks for signatures where nobody logs in by a page', () => {
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: way === 'iam' ? 'AWS_IAM' : 'NONE' });
  });

  it('cdk-nag finds nothing', () => {
    const app = newApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    made((stack) => {
      const own = options(stack);
      // A secret of the test's own is none of the service's.
      for (const child of stack.node.children)
        if (child instanceof Secret)
          Validations.of(child).acknowledge({ id: 'AwsSolutions::AwsSolutions-SMG4', reason: 'of the test' });
      return own;
    }, app);
    expect(() => app.synth()).not.toThrow();
  });
});

it('that only shows has no right to change anything but its own notes', () => {
  const template = made((stack) => ({ ...WAYS['oidc']!(stack), readOnly: true })).template();
  const statements = role(template);
  const writing = statements.filter(
    ({ Action, Condition }) =>
      [Action].flat().some((action) => /Put|Update|Delete|Insert|Send|Enable|Disable/.test(action)) &&
      !/"(?:audit|rate#\*)"/.test(JSON.stringify(Condition ?? {})) &&
      ![Action].flat().some((action) => action.startsWith('logs:')),
  );
  expect(statements.length).toBeGreaterThan(5);
  expect(writing).toEqual([]);
  expect(toldIn(template).readOnly).toBe(true);
});

it.each([
  [{}, 'There is no monitor without a login'],
  [{ iam: OPS, oidc: { issuer: ISSUER, clientId: 'x', ...OPS } }, 'iam, oidc given; one of'],
  [{ none: true }, 'one of iam, password and oidc'],
  [{ iam: { operators: [] } }, 'nobody could log in'],
  [{ iam: { operators: ['*'] } }, 'lets in whoever has an account there'],
  [{ oidc: { issuer: 'http://login.example.org', clientId: 'x', ...OPS } }, 'https://'],
])('%j is refused', (auth, message) => {
  expect(() => made(() => ({ auth }) as MonitorOptions)).toThrow(message);
});

it('a misspelt option is refused', () => {
  expect(() => made((stack) => ({ ...WAYS['iam']!(stack), readonly: true }) as MonitorOptions)).toThrow('readonly');
});
