import { App, type CfnElement, NestedStack, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { toldIn, toldOf } from './stacks.ts';

import { beatTable } from '../../infra/beat-table.ts';
import { TaskService } from '../../infra/index.ts';
import { Celeriac } from '../../lib/app/app.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import type { AppOptions } from '../../lib/options/settings.ts';
import { crontab } from '../../lib/schedules/crontab.ts';
import type { BeatEntry } from '../../lib/beat/entry.ts';

const ENTRY = 'examples/blog/tasks.ts';
const DAILY = crontab({ minute: 30, hour: 7 });

function manifestOf(entries: Readonly<Record<string, BeatEntry>>, options: AppOptions = {}): AppManifest {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {}, orders: { fifo: true } }, ...options });
  app.task('report', (...args: unknown[]) => args.length);
  app.task('mail.send', { queue: 'mail' }, (to: string) => to);
  app.task('orders.pack', { queue: 'orders' }, () => 1);
  return app.beat(entries).manifest();
}

function many(count: number, task = 'report'): Record<string, BeatEntry> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`entry ${index}`, { task, schedule: DAILY, enabled: index > 0 }]),
  );
}

interface Made {
  readonly stack: Stack;
  readonly service: TaskService;
  readonly caller: LambdaFn;
  readonly template: Template;
}

function synth(app: AppManifest, stackName = 'Test'): Made {
  const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), stackName);
  const service = new TaskService(stack, 'Tasks', { app, entry: ENTRY });
  const caller = new LambdaFn(stack, 'Caller', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'i.h',
    code: Code.fromInline('exports.h = async () => {}'),
  });
  service.grantSchedules(caller);
  return { stack, service, caller, template: Template.fromStack(stack) };
}

interface RuleProperties {
  readonly Name: string;
  readonly ScheduleExpression: string;
  readonly State: string;
  readonly Targets: readonly {
    readonly Arn: unknown;
    readonly InputTransformer: { readonly InputPathsMap: unknown; readonly InputTemplate: string };
    readonly RetryPolicy: { readonly MaximumRetryAttempts: number; readonly MaximumEventAgeInSeconds: number };
    readonly DeadLetterConfig: { readonly Arn: unknown };
  }[];
}

/** Properties of the entries' rules: all but the sweeper's own. */
function rulesOf(template: Template): Readonly<Record<string, RuleProperties>> {
  const rules = Object.values(template.findResources('AWS::Events::Rule')).map(
    (rule) => (rule as { Properties: RuleProperties }).Properties,
  );
  return Object.fromEntries(rules.filter(({ Name }) => Name !== undefined).map((rule) => [rule.Name, rule]));
}

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

interface Policy {
  readonly id: string;
  readonly queues: string;
  readonly statements: readonly Statement[];
  readonly document: unknown;
}

function policiesOf(template: Template, type: string): Policy[] {
  return Object.entries(template.findResources(type)).map(([id, resource]) => {
    const { PolicyDocument, Queues } = (
      resource as { Properties: { PolicyDocument: { Statement: Statement[] }; Queues?: unknown } }
    ).Properties;
    return { id, queues: JSON.stringify(Queues), statements: PolicyDocument.Statement, document: PolicyDocument };
  });
}

function eventsStatements(template: Template, pattern: RegExp): Statement[] {
  return policiesOf(template, 'AWS::IAM::Policy')
    .filter(({ id }) => pattern.test(id))
    .flatMap(({ statements }) => statements)
    .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('events:')));
}

const SWITCHING = ['events:EnableRule', 'events:DisableRule'];

const MIXED = manifestOf({
  morning: { task: 'report', schedule: DAILY, options: { expires: '5m' }, startingDeadline: '10m' },
  often: { task: 'mail.send', args: ['ann'], schedule: '5m', enabled: false },
  soon: { task: 'report', schedule: '1m', startingDeadline: 60 },
  late: { task: 'report', schedule: '1d', startingDeadline: '1d' },
  local: { task: 'report', schedule: crontab({ hour: 7 }, { timezone: 'Europe/Berlin' }) },
  ordered: { task: 'orders.pack', schedule: DAILY },
});

describe('rules of entries', () => {
  const { template, service } = synth(MIXED);
  const rules = rulesOf(template);
  const ruleOf = (entry: string): RuleProperties | undefined =>
    Object.values(rules).find(({ Name }) => Name.includes(`-${entry}-`));

  it('one for each entry that a rule says, by a name that can be computed', () => {
    expect(Object.keys(rules)).toHaveLength(4);
    for (const name of Object.keys(rules)) {
      expect(name).toMatch(/^celeriac-shop-[a-z0-9]+-[A-Za-z0-9_.-]+-[a-z0-9]{7}$/);
      expect(name.startsWith(`${service.rules.prefix}-`)).toBe(true);
    }
    expect(ruleOf('morning')).toMatchObject({ ScheduleExpression: 'cron(30 7 * * ? *)', State: 'ENABLED' });
    expect(ruleOf('often')).toMatchObject({ ScheduleExpression: 'rate(5 minutes)', State: 'DISABLED' });
    expect(ruleOf('soon')).toMatchObject({ ScheduleExpression: 'rate(1 minute)' });
    expect(ruleOf('late')).toMatchObject({ ScheduleExpression: 'rate(1 day)' });
    template.resourceCountIs('AWS::Events::Rule', 5);
  });

  it('each sends to its queue itself, with limits and a dead-letter queue', () => {
    for (const { Targets } of Object.values(rules)) {
      expect(Targets).toHaveLength(1);
      expect(Targets[0]).toMatchObject({
        InputTransformer: { InputPathsMap: { time: '$.time' } },
        RetryPolicy: { MaximumRetryAttempts: 20 },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringMatching(/MissedTicks/), 'Arn'] } },
      });
    }
    const target = ruleOf('often')?.Targets[0];
    expect(target?.Arn).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/QueuesMainmail/), 'Arn'] });
    expect(JSON.parse(target?.InputTransformer.InputTemplate ?? '')).toMatchObject({
      headers: { task: 'mail.send', celeriac: { beat: { entry: 'often', time: '<time>' } } },
    });
  });

  it("an entry's starting deadline is the age of its firings, as far as EventBridge goes", () => {
    const age = (entry: string): number | undefined => ruleOf(entry)?.Targets[0]?.RetryPolicy.MaximumEventAgeInSeconds;
    expect([age('morning'), age('often'), age('soon'), age('late')]).toEqual([600, 300, 60, 86_400]);
  });

  it('rules wait for the policy that lets them send', () => {
    for (const [, rule] of Object.entries(
      template.findResources('AWS::Events::Rule', { Properties: { Name: Match.anyValue() } }),
    ))
      expect((rule as { DependsOn?: string[] }).DependsOn).toEqual(
        expect.arrayContaining([expect.stringMatching(/QueuesMain.*Policy/)]),
      );
  });

  it('without entries there are no rules, no rights and no statements', () => {
    const none = synth(manifestOf({ swept: { task: 'report', schedule: 30 } }));
    none.template.resourceCountIs('AWS::Events::Rule', 1);
    expect(eventsStatements(none.template, /./)).toEqual([]);
    for (const { statements } of policiesOf(none.template, 'AWS::SQS::QueuePolicy'))
      expect(statements.filter(({ Sid }) => Sid === 'ScheduleRules')).toEqual([]);
  });
});

describe('queue policies', () => {
  it.each([1, 60])('%i rules of a queue take one statement', (count) => {
    const { template, service } = synth(
      manifestOf({ ...many(count), 'mail daily': { task: 'mail.send', schedule: DAILY } }),
    );
    const policies = policiesOf(template, 'AWS::SQS::QueuePolicy');
    const allowed = policies.filter(({ statements }) => statements.some(({ Sid }) => Sid === 'ScheduleRules'));
    expect(allowed).toHaveLength(3);
    expect(new Set(allowed.map(({ queues }) => /Main(default|mail)|MissedTicks/.exec(queues)?.[0]))).toEqual(
      new Set(['Maindefault', 'Mainmail', 'MissedTicks']),
    );
    for (const { statements, document } of allowed) {
      // A queue's ARN has at most 130 characters.
      const deployed = JSON.stringify(document).replace(/\{"Fn::GetAtt":\[[^\]]*\]\}/g, `"${'x'.repeat(130)}"`);
      expect(deployed.length).toBeLessThan(8192);
      expect(statements.length).toBeLessThanOrEqual(20);
      const [statement, ...others] = statements.filter(({ Sid }) => Sid === 'ScheduleRules');
      expect(others).toEqual([]);
      expect(statement).toMatchObject({
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnLike: { 'aws:SourceArn': expect.anything() } },
      });
      expect(JSON.stringify(statement?.Condition)).toContain(`:rule/${service.rules.prefix}-*"`);
    }
  });
});

describe('names of rules', () => {
  it('are legal and distinct, whatever the entries are called', () => {
    const names = [
      'a.b',
      'a b',
      'a-b',
      'a/b',
      'a_b',
      'A.b',
      '日本',
      '中国',
      '🐙',
      ' . ',
      'x'.repeat(200),
      `${'x'.repeat(199)}y`,
    ];
    const { template } = synth(
      manifestOf(Object.fromEntries(names.map((name) => [name, { task: 'report', schedule: DAILY }]))),
    );
    const rules = Object.keys(rulesOf(template));
    expect(new Set(rules).size).toBe(names.length);
    for (const name of rules) expect(name).toMatch(/^[.\-_A-Za-z0-9]{1,64}$/);
  });

  it('are legal under the longest name of an app', () => {
    const app = new Celeriac('a'.repeat(100));
    app.task('report', () => 1);
    const { template } = synth(app.beat({ ['n'.repeat(200)]: { task: 'report', schedule: DAILY } }).manifest());
    for (const name of Object.keys(rulesOf(template))) expect(name).toMatch(/^[.\-_A-Za-z0-9]{1,64}$/);
  });

  it('differ between stacks, and between services of one stack', () => {
    const names = ['Blue', 'Green'].flatMap((stackName) => Object.keys(rulesOf(synth(MIXED, stackName).template)));
    expect(new Set(names).size).toBe(8);
    const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Two');
    const prefixes = ['One', 'Other'].map(
      (id) => new TaskService(stack, id, { app: MIXED, entry: ENTRY }).rules.prefix,
    );
    expect(new Set(prefixes).size).toBe(2);
  });

  it('stay the same in a nested stack, whatever else there is', () => {
    const prefix = (before: number): string => {
      const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Outer');
      for (let index = 0; index < before; index += 1)
        expect(new NestedStack(stack, `More${index}`).stackName).toBeTruthy();
      return new TaskService(new NestedStack(stack, 'Inner'), 'Tasks', { app: MIXED, entry: ENTRY }).rules.prefix;
    };
    expect(prefix(3)).toBe(prefix(0));
  });
});

describe('rights to switch rules', () => {
  const { template, service } = synth(MIXED);

  it.each([
    // It alone looks whether a deployment has switched what an operator chose.
    [/Sweeper/, ['events:DescribeRule', ...SWITCHING]],
    [/Caller/, SWITCHING],
  ])('%s has %j on each rule, and on nothing else', (who, actions) => {
    const statements = eventsStatements(template, who);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatchObject({ Effect: 'Allow', Action: actions });
    const arns = [statements[0]?.Resource].flat().map((arn) => JSON.stringify(arn));
    expect(arns).toHaveLength(4);
    for (const name of Object.keys(rulesOf(template)))
      expect(arns.filter((arn) => arn.endsWith(`:rule/${name}"]]}`))).toHaveLength(1);
  });

  it('workers have none', () => {
    expect(eventsStatements(template, /Workers/)).toEqual([]);
  });

  it('grantSchedules gives a function the prefix too, and rights on schedules alone', () => {
    const caller = toldOf(template, 'shop').find(({ deadLetterQueues }) => deadLetterQueues === undefined);
    expect(caller?.rulePrefix).toBe(service.rules.prefix);
    const statements = policiesOf(template, 'AWS::IAM::Policy')
      .filter(({ id }) => id.startsWith('Caller'))
      .flatMap((policy) => policy.statements);
    expect(
      statements.find(
        ({ Action }) => [Action].flat().includes('dynamodb:BatchGetItem') && [Action].flat().includes('dynamodb:Query'),
      ),
    ).toMatchObject({
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['schedule'] } },
    });
  });

  it('environment() is what a Lambda function is given, for whatever is none', () => {
    const { stack, service, caller } = synth(MIXED);
    const resolved = stack.resolve(service.environment()) as Record<string, unknown>;
    const given = Template.fromStack(stack).findResources('AWS::Lambda::Function')[
      stack.getLogicalId(caller.node.defaultChild as CfnElement)
    ] as { readonly Properties: { readonly Environment: { readonly Variables: Record<string, unknown> } } };
    expect(resolved).toEqual(given.Properties.Environment.Variables);
    expect(toldIn(resolved, 'shop')).toMatchObject({ app: 'shop', rulePrefix: service.rules.prefix });
  });

  it('workers of queues that rules feed may ask whether an entry is switched off, and others not', () => {
    const { template } = synth(manifestOf({ morning: { task: 'mail.send', args: ['a'], schedule: DAILY } }));
    const asks = (queue: string): boolean =>
      policiesOf(template, 'AWS::IAM::Policy')
        .filter(({ id }) => id.startsWith(`TasksWorkers${queue}`))
        .flatMap((policy) => policy.statements)
        .some((statement) => JSON.stringify(statement).includes('"dynamodb:LeadingKeys":["schedule"]'));
    expect([asks('mail'), asks('default')]).toEqual([true, false]);
  });

  it('grantSchedules tells when the grantee takes no policy', () => {
    const grant = synth(MIXED).service.grantSchedules(new ServicePrincipal('ec2.amazonaws.com'));
    expect(() => grant.assertSuccess()).toThrow();
  });

  it('over 40 rules they are on one pattern', () => {
    for (const [count, arns] of [
      [40, 40],
      [41, 1],
    ] as const) {
      const made = synth(manifestOf(many(count)));
      expect(made.service.rules.ruleArns).toHaveLength(arns);
    }
    const made = synth(manifestOf(many(60)));
    const [statement] = eventsStatements(made.template, /Sweeper/);
    expect(JSON.stringify(statement?.Resource)).toContain(`:rule/${made.service.rules.prefix}-*"`);
  });
});

describe('what synth tells', () => {
  it('prints every entry, what fires it, its expression, why, and its next three ticks', () => {
    const { stack } = synth(MIXED);
    const [info] = Annotations.fromStack(stack).findInfo('/Test/Tasks/Beat', Match.anyValue());
    const text = info?.entry.data as string;
    expect(text).toMatch(/^entry +fired by +expression$/m);
    expect(text).toMatch(/^morning +rule +cron\(30 7 \* \* \? \*\)\n +next: (?:\d{4}-\d\d-\d\d 07:30(?:, )?){3}$/m);
    expect(text).toMatch(/^often +rule, disabled +rate\(5 minutes\)$/m);
    expect(text).toMatch(/^local +sweep +crontab \* 7 \* \* \* Europe\/Berlin\n +because: time zone Europe\/Berlin$/m);
    expect(text).toMatch(/^ordered +sweep +crontab 30 7 \* \* \* UTC\n +because: a FIFO queue$/m);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('the table, to the letter', () => {
    const manifest = manifestOf({
      weekly: { task: 'report', schedule: crontab('30 7 * * mon') },
      tick: { task: 'report', schedule: 10 },
      'on\nce': { task: 'report', schedule: { type: 'clocked', at: '2020-01-01T00:00:00Z' } },
    });
    expect(beatTable(manifest.beat, Date.parse('2030-01-01T00:00:05Z')).split('\n')).toEqual([
      'schedule entries, times in UTC',
      '',
      'entry   fired by  expression',
      `------  --------  ${'-'.repeat(32)}`,
      'weekly  rule      cron(30 7 ? * MON *)',
      '  next: 2030-01-07 07:30, 2030-01-14 07:30, 2030-01-21 07:30',
      'tick    sweep     every 10 s',
      '  because: seconds',
      '  next: 2030-01-01 00:00:15, 00:00:25, 00:00:35 (if deployed now)',
      'on ce   sweep     once at 2020-01-01T00:00:00.000Z',
      '  because: one-off',
      '  next: never',
    ]);
  });

  it('warns of entries that could be rules and are swept', () => {
    const entries: Record<string, BeatEntry> = {
      ...many(3),
      large: { task: 'report', args: ['x'.repeat(8000)], schedule: DAILY },
      local: { task: 'report', schedule: crontab({ hour: 7 }, { timezone: 'Europe/Berlin' }) },
    };
    const warningsOf = (app: AppManifest): string[] =>
      Annotations.fromStack(synth(app).stack)
        .findWarning('/Test/Tasks/Beat', Match.anyValue())
        .map(({ entry }) => entry.data as string);
    const [warning, ...others] = warningsOf(manifestOf(entries, { beatRuleLimit: 2 }));
    expect(others).toEqual([]);
    expect(warning).toContain('2 schedule entries could be rules and are swept');
    expect(warning).toContain('entry 2 (more than 2 rules (beatRuleLimit))');
    expect(warning).toMatch(/large \(a message of \d+ characters \(8192 are allowed\)\)/);
    expect(warningsOf(MIXED)).toEqual([]);
  });
});

describe('cdk-nag', () => {
  const US: StackProps = { env: { account: '123456789012', region: 'us-east-1' } };

  function check(
    rules: number,
    { props = {}, context = {} }: { props?: StackProps; context?: Readonly<Record<string, unknown>> } = {},
    more: (stack: Stack) => void = () => undefined,
  ): () => void {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [], ...context } });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const stack = new Stack(app, 'Nag', props);
    const service = new TaskService(stack, 'Tasks', { app: manifestOf(many(rules)), entry: ENTRY });
    for (const [index, scope] of [stack, new Stack(app, 'Web', props)].entries())
      service.grantSchedules(
        new Role(scope, `Operator${index}`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }),
      );
    more(stack);
    return () => app.synth();
  }

  it.each([
    ['3 rules', 3, {}],
    ['60 rules', 60, {}],
    ['60 rules in a Region', 60, { props: US }],
    ['60 rules under newer flags', 60, { props: US, context: { '@aws-cdk/core:enablePartitionLiterals': true } }],
  ] as const)('finds nothing with %s', (_what, rules, how) => {
    expect(check(rules, how)).not.toThrow();
  });

  it('would find any other pattern', () => {
    const wide = (stack: Stack): void => {
      const role = new Role(stack, 'Wide', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      role.addToPolicy(
        new PolicyStatement({ actions: SWITCHING, resources: ['arn:aws:events:eu-west-1:123456789012:rule/*'] }),
      );
    };
    expect(check(60, {}, wide)).toThrow('IAM5');
  });
});
