/** What may be said of the functions of a service: bounds, who wins, and what comes of it in the template. */
import { type App, Duration, Size, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  type Function as LambdaFn,
  LayerVersion,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';

import { type FunctionProps, type GivenTo, TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { validateFunctionProps, validateTogether } from '../../infra/function-props.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { decide, type Statement as IamStatement } from '../support/iam/policy.ts';
import { ENTRY, newApp, statementsOf } from './stacks.ts';

const MANIFEST: AppManifest = {
  name: 'shop',
  defaultQueue: 'default',
  queues: { default: { fifo: false }, mail: { fifo: false, concurrency: 10 }, py: { fifo: false, external: true } },
  tasks: { 'mail.send': { queue: 'mail' } },
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
};
const TEMPLATE_FUNCTIONS = { default: /^TasksWorkersdefault/, mail: /^TasksWorkersmail/, sweeper: /^TasksSweeper/ };
type Props = Readonly<Record<string, unknown>>;

function make(
  props: (stack: Stack) => Partial<TaskServiceProps>,
  app: App = newApp(),
  env?: { readonly region: string; readonly account: string },
): [TaskService, Stack] {
  const stack = new Stack(app, 'Test', env === undefined ? {} : { env });
  return [new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, ...props(stack) }), stack];
}

function functionsOf(template: Template): Record<keyof typeof TEMPLATE_FUNCTIONS, Props> {
  const found = Object.entries(template.findResources('AWS::Lambda::Function'));
  const of = (pattern: RegExp): Props =>
    found.flatMap(([id, fn]) => (pattern.test(id) ? [(fn as { Properties: Props }).Properties] : []))[0] ?? {};
  return {
    default: of(TEMPLATE_FUNCTIONS.default),
    mail: of(TEMPLATE_FUNCTIONS.mail),
    sweeper: of(TEMPLATE_FUNCTIONS.sweeper),
  };
}

function variablesOf(properties: Props): Props {
  return (properties['Environment'] as { Variables: Props }).Variables;
}

const some = <T>(count: number): readonly T[] => Array.from({ length: count }, () => ({}) as T);

describe('numbers', () => {
  const whole = (field: string, given: number, least: string, most: string): string =>
    `queues.mail.${field}: ${given} given; a whole number from ${least} to ${most} is allowed.`;
  it.each<[FunctionProps, string | undefined]>([
    [{}, undefined],
    [{ memoryMiB: 127 }, whole('memoryMiB', 127, '128', '10240')],
    [{ memoryMiB: 128 }, undefined],
    [{ memoryMiB: 128.5 }, whole('memoryMiB', 128.5, '128', '10240')],
    [{ memoryMiB: 10_240 }, undefined],
    [{ memoryMiB: 10_241 }, whole('memoryMiB', 10_241, '128', '10240')],
    [{ timeout: Duration.seconds(0) }, whole('timeout in seconds', 0, '1', '900')],
    [{ timeout: Duration.millis(1500) }, whole('timeout in seconds', 1.5, '1', '900')],
    [{ timeout: Duration.seconds(1) }, undefined],
    [{ timeout: Duration.seconds(900) }, undefined],
    [{ timeout: Duration.seconds(901) }, whole('timeout in seconds', 901, '1', '900')],
    [{ ephemeralStorageMiB: 511 }, whole('ephemeralStorageMiB', 511, '512', '10240')],
    [{ ephemeralStorageMiB: 512 }, undefined],
    [{ ephemeralStorageMiB: 10_240 }, undefined],
    [{ ephemeralStorageMiB: 10_241 }, whole('ephemeralStorageMiB', 10_241, '512', '10240')],
    [{ provisionedConcurrency: 0 }, whole('provisionedConcurrency', 0, '1', '1250')],
    [{ provisionedConcurrency: 1 }, undefined],
    [{ provisionedConcurrency: 1250 }, undefined],
    [{ provisionedConcurrency: 1251 }, whole('provisionedConcurrency', 1251, '1', '1250')],
    [{ layers: [] }, undefined],
    [{ layers: some(5) }, undefined],
    [{ layers: some(6) }, whole('layers, the number of them', 6, '0', '5')],
    [{ securityGroups: [] }, whole('securityGroups, the number of them', 0, '1', '5')],
    [{ securityGroups: some(1) }, undefined],
    [{ securityGroups: some(5) }, undefined],
    [{ securityGroups: some(6) }, whole('securityGroups, the number of them', 6, '1', '5')],
  ])('%j', (props, error) => {
    const validate = (): void => validateFunctionProps(props, 'queues.mail.');
    if (error === undefined) expect(validate).not.toThrow();
    else expect(validate).toThrow(error);
  });

  it.each([
    [9, 10, undefined],
    [10, 10, undefined],
    [11, 10, "provisionedConcurrency: 11 given, and the queue's concurrency is kept by 10 workers"],
    [11, undefined, undefined],
  ])('%s warm workers of at most %s', (provisionedConcurrency, concurrency, error) => {
    const validate = (): void => validateTogether({ provisionedConcurrency }, '', concurrency);
    if (error === undefined) expect(validate).not.toThrow();
    else expect(validate).toThrow(error);
  });
});

describe('what is refused', () => {
  const anything = (value: unknown): Partial<TaskServiceProps> => value as Partial<TaskServiceProps>;
  it.each<[Partial<TaskServiceProps>, string]>([
    [anything({ enviroment: {} }), "TaskService: 'enviroment' is no option."],
    [anything({ enviroment: {} }), "Did you mean 'environment'?"],
    [anything({ bundling: { nodeModule: ['sharp'] } }), "bundling: 'nodeModule' is no option."],
    [anything({ bundling: { format: 'cjs' } }), "bundling: 'format' is no option. Allowed are assetHash, banner"],
    [anything({ queues: { mail: { memoryMib: 1 } } }), "queues.mail: 'memoryMib' is no option."],
    [anything({ queues: { mail: { memoryMib: 1 } } }), "Did you mean 'memoryMiB'?"],
    [anything({ queues: { py: { retentoin: 1 } } }), "queues.py: 'retentoin' is no option."],
    [anything({ sweeper: { timeout: Duration.seconds(5) } }), "sweeper: 'timeout' is no option."],
    [{ queues: { py: { memoryMiB: 512 } } }, 'queues.py.memoryMiB: given for an external queue'],
    [{ queues: { py: { environment: {} } } }, 'queues.py.environment: given for an external queue'],
    [{ memoryMiB: 1 }, 'memoryMiB: 1 given'],
    [{ sweeper: { memoryMiB: 1 } }, 'sweeper.memoryMiB: 1 given'],
    [{ timeout: Duration.seconds(901) }, 'timeout in seconds: 901 given'],
    [{ vpcSubnets: {} }, 'vpcSubnets: given without vpc'],
    [{ securityGroups: some(1) }, 'securityGroups: given without vpc'],
    [{ environment: { CELERIAC_APP: 'x' } }, "environment: 'CELERIAC_APP' begins with CELERIAC_"],
    [
      { queues: { mail: { environment: { AWS_REGION: 'x' } } } },
      "queues.mail.environment: 'AWS_REGION' is set by Lambda",
    ],
    [{ environment: { 'A-B': 'x' } }, "environment: 'A-B' is no name of a variable"],
    [{ environment: { A: 'x' } }, "environment: 'A' is no name of a variable"],
    [{ environment: { '1A': 'x' } }, "environment: '1A' is no name of a variable"],
    [anything({ environment: { PORT: 80 } }), 'environment.PORT: 80 given; text is allowed'],
    [anything({ secrets: { KEY: 'arn:x' } }), 'secrets.KEY: a string given; a Secret of aws-secretsmanager'],
    [{ secrets: { CELERIAC_KEY: some<Secret>(1)[0] as Secret } }, "secrets: 'CELERIAC_KEY' begins with CELERIAC_"],
    [{ functionProps: { functionName: 'x' } }, "functionProps.functionName: 'x' given for every function"],
    [anything({ functionProps: { role: {} } }), 'functionProps.role: decided by the service. Each function has a role'],
    [
      anything({ queues: { mail: { functionProps: { reservedConcurrentExecutions: 1 } } } }),
      'queues.mail.functionProps.reservedConcurrentExecutions: decided by the service. Its throttles use up',
    ],
    [anything({ functionProps: { handler: 'x' } }), 'functionProps.handler: decided by the service'],
    [anything({ functionProps: { memorySize: 1 } }), 'give it beside functionProps, as memoryMiB'],
    [anything({ functionProps: { descripton: 'x' } }), "functionProps: 'descripton' is no option."],
    [anything({ functionProps: { descripton: 'x' } }), "Did you mean 'description'?"],
  ])('%j: %s', (props, error) => {
    expect(() => make(() => props)).toThrow(error);
  });

  it('a secret and a variable of one name, also where one is of the queue', () => {
    const both = (stack: Stack): Partial<TaskServiceProps> => ({
      environment: { KEY: 'x' },
      queues: { mail: { secrets: { KEY: new Secret(stack, 'Secret') } } },
    });
    expect(() => make(both)).toThrow('queues.mail.secrets.KEY: environment has a variable of this name too');
  });
});

describe('who wins', () => {
  it("a queue's word counts more than the service's; variables of both are put together", () => {
    const [service, stack] = make(() => ({
      memoryMiB: 1024,
      timeout: Duration.seconds(100),
      architecture: Architecture.X86_64,
      logLevel: ApplicationLogLevel.WARN,
      ephemeralStorageMiB: 600,
      environment: { REGION: 'eu', CURRENCY: 'EUR' },
      functionProps: { description: 'ours', systemLogLevelV2: SystemLogLevel.INFO },
      queues: {
        mail: {
          memoryMiB: 256,
          timeout: Duration.seconds(30),
          architecture: Architecture.ARM_64,
          logLevel: ApplicationLogLevel.DEBUG,
          ephemeralStorageMiB: 700,
          environment: { CURRENCY: 'USD' },
          functionProps: { functionName: 'shop-mail' },
        },
      },
      sweeper: { memoryMiB: 300, environment: { CURRENCY: '-' } },
    }));
    const functions = functionsOf(Template.fromStack(stack));
    expect(functions.default).toMatchObject({
      MemorySize: 1024,
      Timeout: 100,
      Architectures: ['x86_64'],
      Description: 'ours',
      LoggingConfig: { ApplicationLogLevel: 'WARN', SystemLogLevel: 'INFO' },
      EphemeralStorage: { Size: 600 },
      Environment: { Variables: { REGION: 'eu', CURRENCY: 'EUR' } },
    });
    expect(functions.mail).toMatchObject({
      FunctionName: 'shop-mail',
      MemorySize: 256,
      Timeout: 30,
      Architectures: ['arm64'],
      LoggingConfig: { ApplicationLogLevel: 'DEBUG', SystemLogLevel: 'INFO' },
      EphemeralStorage: { Size: 700 },
      Environment: { Variables: { REGION: 'eu', CURRENCY: 'USD' } },
    });
    expect(functions.sweeper).toMatchObject({
      MemorySize: 300,
      Timeout: 90,
      Architectures: ['x86_64'],
      Environment: { Variables: { REGION: 'eu', CURRENCY: '-' } },
    });
    expect(Object.keys(service.workers)).toEqual(['default', 'mail']);
    expect(service.workers['mail']).toBe(service.worker('mail'));
  });

  it("what is said of all workers' memory is not said of the sweeper, and an undefined prop hides nothing", () => {
    const nothing = { memoryMiB: undefined } as unknown as FunctionProps;
    const [, stack] = make(() => ({ memoryMiB: 2048, queues: { mail: nothing } }));
    const functions = functionsOf(Template.fromStack(stack));
    expect([functions.mail['MemorySize'], functions.sweeper['MemorySize']]).toEqual([2048, 512]);
  });

  it('a network of its own takes nothing of the other one', () => {
    const [, stack] = make((scope) => {
      const [one, other] = ['One', 'Other'].map((id) => new Vpc(scope, id, { maxAzs: 1, natGateways: 0 })) as [
        Vpc,
        Vpc,
      ];
      const subnets = { vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED } };
      return {
        vpc: one,
        ...subnets,
        securityGroups: [new SecurityGroup(scope, 'Group', { vpc: one })],
        queues: { mail: { vpc: other, ...subnets } },
      };
    });
    const groups = ({ VpcConfig }: Props): string =>
      JSON.stringify((VpcConfig as { SecurityGroupIds: unknown }).SecurityGroupIds);
    const functions = functionsOf(Template.fromStack(stack));
    expect(groups(functions.default)).toContain('["Group');
    expect(groups(functions.sweeper)).toBe(groups(functions.default));
    expect(groups(functions.mail)).not.toContain('["Group');
  });
});

describe('rights that come with it', () => {
  const [, stack] = make((scope) => ({
    vpc: new Vpc(scope, 'Vpc', { maxAzs: 1 }),
    queues: {
      mail: { tracing: Tracing.ACTIVE, functionProps: { environmentEncryption: new Key(scope, 'Key') } },
      default: { tracing: Tracing.DISABLED },
    },
  }));
  const template = Template.fromStack(stack);

  it('a network: what Lambda does with the role, which the code may not', () => {
    const network = [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ];
    for (const fn of ['Workersdefault', 'Workersmail', 'Sweeper'])
      expect(statementsOf(template, new RegExp(`^Tasks${fn}Network`))).toEqual([
        { Effect: 'Allow', Action: network, Resource: '*' },
        {
          Effect: 'Deny',
          Action: network,
          Resource: '*',
          Condition: { Null: { 'lambda:SourceFunctionArn': 'false' } },
        },
      ]);
  });

  it('of which a request with the credentials of the code is refused', () => {
    const statements = statementsOf(template, /^TasksWorkersmailNetwork/) as unknown as readonly IamStatement[];
    const asked = { action: 'ec2:CreateNetworkInterface', resource: 'arn:aws:ec2:eu:1:subnet/a' };
    const byCode = { 'lambda:SourceFunctionArn': ['arn:aws:lambda:eu:1:function:mail'] };
    expect(decide(statements, { ...asked, context: {} }).allowed).toBe(true);
    expect(decide(statements, { ...asked, context: byCode }).allowed).toBe(false);
  });

  it('a function waits for them', () => {
    for (const resource of Object.values(template.findResources('AWS::Lambda::Function')))
      expect((resource as { DependsOn: string[] }).DependsOn).toContainEqual(expect.stringMatching(/Network/));
  });

  it('traces: where they are, and nowhere else', () => {
    const functions = functionsOf(template);
    expect(functions.mail).toMatchObject({ TracingConfig: { Mode: 'Active' } });
    expect(functions.default).not.toHaveProperty('TracingConfig');
    expect(statementsOf(template, /^TasksWorkersmailTracing/)).toEqual([
      { Effect: 'Allow', Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Resource: '*' },
    ]);
    expect(statementsOf(template, /^(?:TasksSweeper|TasksWorkersdefault)Tracing/)).toEqual([]);
  });

  it('variables under a key: the right to decrypt', () => {
    expect(functionsOf(template).mail).toHaveProperty('KmsKeyArn');
    expect(statementsOf(template, /^TasksWorkersmailRoleDefaultPolicy/)).toContainEqual(
      expect.objectContaining({
        Action: 'kms:Decrypt',
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
      }),
    );
  });
});

it('warm workers: the queue feeds the alias, of this queue alone', () => {
  const [, stack] = make(() => ({ queues: { mail: { provisionedConcurrency: 2 } } }));
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Alias', 1);
  template.hasResourceProperties('AWS::Lambda::Alias', {
    Name: 'live',
    FunctionName: { Ref: Match.stringLikeRegexp('^TasksWorkersmail') },
    ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
  });
  const [alias] = Object.keys(template.findResources('AWS::Lambda::Alias'));
  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')) as { Properties: Props }[];
  const fed = mappings.map(({ Properties }) => JSON.stringify(Properties['FunctionName']));
  expect(fed.filter((name) => name.includes(`"${alias}"`))).toHaveLength(1);
  expect(fed.find((name) => name.includes(`"${alias}"`))).toContain(':live');
});

describe('secrets and variables', () => {
  it('the variable holds the ARN, and the functions may read the value', () => {
    const [service, stack] = make((scope) => ({
      secrets: { BANK_SECRET: new Secret(scope, 'Bank') },
      queues: {
        mail: {
          secrets: {
            MAIL_PASSWORD: StringParameter.fromSecureStringParameterAttributes(scope, 'Mail', {
              parameterName: '/shop/mail',
              encryptionKey: new Key(scope, 'Key'),
            }),
          },
        },
      },
    }));
    service.grantSecret(new Secret(stack, 'Late'), 'LATE_SECRET', { queues: ['mail'] }).assertSuccess();
    service.addEnvironment('LATE', 'x');
    service.addEnvironment('LATER', 'y', { queues: ['default'] });
    const template = Template.fromStack(stack);
    const functions = functionsOf(template);
    const names = (fn: Props): string[] => Object.keys(variablesOf(fn)).filter((name) => !name.startsWith('CELERIAC_'));
    expect(names(functions.default).toSorted()).toEqual(['BANK_SECRET', 'LATE', 'LATER']);
    expect(names(functions.mail).toSorted()).toEqual(['BANK_SECRET', 'LATE', 'LATE_SECRET', 'MAIL_PASSWORD']);
    expect(names(functions.sweeper).toSorted()).toEqual(['BANK_SECRET', 'LATE']);
    expect(variablesOf(functions.sweeper)['BANK_SECRET']).toEqual({ Ref: expect.stringMatching(/^Bank/) });
    expect(JSON.stringify(variablesOf(functions.mail)['MAIL_PASSWORD'])).toContain(':parameter/shop/mail');
    const reads = (fn: string): string[] =>
      statementsOf(template, new RegExp(`^Tasks${fn}RoleDefaultPolicy`))
        .flatMap(({ Action }) => [Action].flat())
        .filter((action) => /^(?:secretsmanager|ssm|kms):/.test(action));
    const secret = ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'];
    expect(reads('Workersdefault').toSorted()).toEqual(secret);
    // The service's own parameter, too: what feeds a paused queue.
    expect(reads('Sweeper').toSorted()).toEqual([...secret, 'ssm:GetParameter']);
    expect([...new Set(reads('Workersmail'))].toSorted()).toEqual([
      'kms:Decrypt',
      ...secret,
      'ssm:GetParameter',
      'ssm:GetParameters',
    ]);
    expect(JSON.stringify(template.toJSON())).not.toContain('{{resolve:');
  });

  it('a queue that has no worker, or none at all, is told', () => {
    const [service, stack] = make(() => ({}));
    expect(() => service.addEnvironment('A1', 'x', { queues: ['py'] })).toThrow("Queue 'py' is external");
    expect(() => service.addEnvironment('A1', 'x', { queues: ['nowhere'] })).toThrow("Queue 'nowhere' is not declared");
    expect(() => service.addEnvironment('A1', 'x', { queues: [] })).toThrow('queues: [] names no worker');
    const misspelt = { queue: ['mail'] } as GivenTo;
    expect(() => service.addEnvironment('A1', 'x', misspelt)).toThrow("addEnvironment: 'queue' is no option.");
    expect(() => service.grantSecret(new Secret(stack, 'Key'), 'A1', misspelt)).toThrow(
      "grantSecret: 'queue' is no option. Allowed are queues. Did you mean 'queues'?",
    );
    expect(() => service.addEnvironment('CELERIAC_X', 'x')).toThrow('begins with CELERIAC_');
    expect(() => service.grantSecret('value' as unknown as Secret, 'A1')).toThrow('grantSecret.A1: a string given');
  });

  it("a secret's value in a variable is warned of", () => {
    const [, stack] = make((scope) => ({
      environment: { TOKEN_VALUE: new Secret(scope, 'Token').secretValue.unsafeUnwrap(), PLAIN: stackName(scope) },
    }));
    const warnings = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp("holds a secret's value"));
    expect(warnings).toHaveLength(3);
    expect(warnings.every(({ entry }) => JSON.stringify(entry.data).includes('TOKEN_VALUE'))).toBe(true);
  });

  it.each([
    ['by a prop', (value: string) => make(() => ({ environment: { BIG: value } }))],
    [
      'by addEnvironment',
      (value: string) => {
        const made = make(() => ({}));
        made[0].addEnvironment('BIG', value);
        return made;
      },
    ],
    [
      "by the function's own method",
      (value: string) => {
        const made = make(() => ({}));
        (made[0].worker('mail') as LambdaFn).addEnvironment('BIG', value);
        return made;
      },
    ],
  ] as const)('4 KB are counted whoever sets them: %s', (_who, makeWith) => {
    const template = (value: string): Template => Template.fromStack(makeWith(value)[1]);
    expect(() => template('x'.repeat(1500))).not.toThrow();
    expect(() => template('ä'.repeat(2048))).toThrow(
      /The environment of function Test\/Tasks\/\S+ takes at least \d+ bytes; Lambda takes 4096. The largest are BIG \(4099\), CELERIAC_/,
    );
  });
});

it("names of tasks give way to the user's variables", () => {
  const tasks = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [
      `reports.${'abcdefghij'[index % 10]}${index * 7919}`,
      { queue: 'default' },
    ]),
  );
  const told = (bytes: number): string => {
    const [service, stack] = make(() => ({ app: { ...MANIFEST, tasks } }));
    service.addEnvironment('BIG', 'x'.repeat(bytes));
    return JSON.stringify(variablesOf(functionsOf(Template.fromStack(stack)).default)['CELERIAC_SERVICE_SHOP']);
  };
  expect(told(10)).toContain('tasks');
  expect(told(2900)).not.toContain('tasks');
});

function stackName(scope: Stack): string {
  return scope.stackName;
}

it('cdk-nag finds nothing where everything is used', () => {
  const app = newApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const [service, stack] = make(
    (scope) => ({
      memoryMiB: 1024,
      timeout: Duration.seconds(100),
      architecture: Architecture.ARM_64,
      vpc: Vpc.fromVpcAttributes(scope, 'Vpc', {
        vpcId: 'vpc-1',
        availabilityZones: ['a'],
        privateSubnetIds: ['subnet-1'],
      }),
      layers: [
        new LayerVersion(scope, 'Layer', {
          code: Code.fromAsset('docs'),
          compatibleRuntimes: [Runtime.NODEJS_24_X],
        }),
      ],
      tracing: Tracing.ACTIVE,
      logLevel: ApplicationLogLevel.WARN,
      ephemeralStorageMiB: Size.gibibytes(1).toMebibytes(),
      provisionedConcurrency: 1,
      environment: { CURRENCY: 'EUR' },
      secrets: { KEY: Secret.fromSecretCompleteArn(scope, 'Secret', `arn:aws:secretsmanager:eu:1:secret:a-123456`) },
      functionProps: { description: 'ours' },
      encryptionKey: new Key(scope, 'Key', { enableKeyRotation: true }),
    }),
    app,
    { region: 'eu-west-1', account: '111122223333' },
  );
  service.addEnvironment('LATE', 'x');
  expect(service.workers).toHaveProperty('mail');
  expect(stack.node.findAll().length).toBeGreaterThan(20);
  expect(() => app.synth()).not.toThrow();
});
