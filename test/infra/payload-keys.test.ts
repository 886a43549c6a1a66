/** Keys of an app's codec: who is granted their use, for exactly which ARNs, and who is told of them. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Celeriac } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { TaskService, type TaskServiceProps } from 'celeriac/infra';
import { describe, expect, it } from 'vitest';

import { ENTRY, newApp, newCaller, rendered, type Statement, statementsOf } from './stacks.ts';

const env = { account: '111122223333', region: 'eu-central-1' };
const GRANTS = ['grantEnqueue', 'grantOutbox', 'grantResults', 'grantSchedules', 'grantLocks', 'grantPause'] as const;
const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:vault/keys-AbCdEf';
const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234';
const codec = aesGcm({ secret: () => process.env['VAULT_KEYS'] ?? '' });

function manifest(options: { readonly isProcess?: boolean; readonly isPlain?: boolean } = {}) {
  const app = new Celeriac('vault', {
    queues: { default: options.isProcess === true ? { worker: 'process' } : {} },
    ...(options.isPlain === true ? {} : { codec }),
  });
  app.task('charge', () => 1);
  return app.manifest();
}

function synth(
  payloadKeys: (stack: Stack) => TaskServiceProps['payloadKeys'],
  options: Parameters<typeof manifest>[0] = {},
) {
  const stack = new Stack(newApp(), 'Shop', { env });
  const app = manifest(options);
  const service = new TaskService(stack, 'Tasks', { app, entry: ENTRY, payloadKeys: payloadKeys(stack) ?? {} });
  for (const grant of GRANTS) service[grant](newCaller(stack, grant));
  return { stack, service, template: Template.fromStack(stack) };
}

const ofSecret = (stack: Stack) => ({ VAULT_KEYS: Secret.fromSecretCompleteArn(stack, 'Keys', SECRET_ARN) });
const ofKms = (stack: Stack) => ({ VAULT_KEY: Key.fromKeyArn(stack, 'Key', KEY_ARN) });

/** Statements on secrets and keys. */
function onKeys(statements: readonly Statement[]): string[] {
  return statements
    .flatMap(({ Action, Resource, Condition }) =>
      [Action]
        .flat()
        .filter((action) => /^(?:kms|secretsmanager):/.test(action))
        .map((action) => `${action} ${[Resource].flat().map(rendered).join()} ${JSON.stringify(Condition ?? {})}`),
    )
    .toSorted();
}

const CONTEXT = JSON.stringify({ StringEquals: { 'kms:EncryptionContext:celeriac': 'codec' } });
const READS = `secretsmanager:GetSecretValue ${SECRET_ARN} {}`;
const ENCRYPTS = `kms:GenerateDataKey ${KEY_ARN} ${CONTEXT}`;
const DECRYPTS = `kms:Decrypt ${KEY_ARN} ${CONTEXT}`;

const WHO: readonly (readonly [RegExp, readonly string[], readonly string[]])[] = [
  [/^TasksWorkersdefaultRole/, [READS], [DECRYPTS, ENCRYPTS]],
  [/^TasksSweeperRole/, [READS], [DECRYPTS, ENCRYPTS]],
  [/^grantEnqueueServiceRole/, [READS], [ENCRYPTS]],
  [/^grantOutboxServiceRole/, [READS], [ENCRYPTS]],
  [/^grantResultsServiceRole/, [READS], [DECRYPTS]],
  [/^grantSchedulesServiceRole/, [READS, READS], [DECRYPTS, ENCRYPTS]],
  [/^grantLocksServiceRole/, [], []],
  [/^grantPauseServiceRole/, [], []],
];

it.each(WHO)('%s may use the keys as it has to', (role, ofRing, ofKey) => {
  expect([...new Set(onKeys(statementsOf(synth(ofSecret).template, role)))]).toEqual([...new Set(ofRing)]);
  expect(onKeys(statementsOf(synth(ofKms).template, role))).toEqual(ofKey);
});

it('tells whoever uses them where they are, and nobody else', () => {
  const { template, service } = synth(ofSecret);
  const told = Object.entries(template.findResources('AWS::Lambda::Function'))
    .filter(([, { Properties }]) => Properties.Environment?.Variables?.VAULT_KEYS === SECRET_ARN)
    .map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));
  expect(told.toSorted()).toEqual(
    [
      'TasksWorkersdefaultFunction',
      'TasksSweeperFunction',
      'grantEnqueue',
      'grantOutbox',
      'grantResults',
      'grantSchedules',
    ].toSorted(),
  );
  expect(service.environment()).toMatchObject({ VAULT_KEYS: SECRET_ARN });
});

it('names of secrets, and secrets under a key of their own', () => {
  const { template } = synth((stack) => ({
    VAULT_KEYS: Secret.fromSecretNameV2(stack, 'Named', 'vault/keys'),
    OLD_KEYS: Secret.fromSecretAttributes(stack, 'Old', {
      secretCompleteArn: SECRET_ARN,
      encryptionKey: Key.fromKeyArn(stack, 'Key', KEY_ARN),
    }),
  }));
  const via = JSON.stringify({ StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' } });
  const told = onKeys(statementsOf(template, /^TasksWorkersdefaultRole/));
  expect(told).toHaveLength(3);
  expect(told).toContain(`kms:Decrypt ${KEY_ARN} ${via}`);
  expect(told).toContain(READS);
  expect(told).toContainEqual(
    expect.stringMatching(/^secretsmanager:GetSecretValue \S+:secret:vault\/keys-\?{6} \{\}$/),
  );
});

it('a worker that is a process has them in its policy and its environment', () => {
  const { template, service } = synth(ofKms, { isProcess: true });
  const [policy] = Object.values(template.findResources('AWS::IAM::ManagedPolicy'));
  expect(onKeys(policy?.['Properties'].PolicyDocument.Statement)).toEqual([DECRYPTS, ENCRYPTS]);
  expect(service.workerEnvironment()).toMatchObject({ VAULT_KEY: KEY_ARN });
});

it('a service of another stack grants them too', () => {
  const stack = new Stack(newApp(), 'Api', { env });
  const service = TaskService.fromAttributes(stack, 'Vault', {
    appName: 'vault',
    queues: { default: 'arn:aws:sqs:eu-central-1:111122223333:vault-default' },
    resultsTableName: 'vault-results',
    stateTableName: 'vault-state',
    payloadKeys: ofKms(stack),
  });
  service.grantEnqueue(newCaller(stack, 'caller'));
  expect(onKeys(statementsOf(Template.fromStack(stack), /^callerServiceRole/))).toEqual([ENCRYPTS]);
  expect(service.environment()).toMatchObject({ VAULT_KEY: KEY_ARN });
});

it('whoever is no function gets the rights alone', () => {
  const stack = new Stack(newApp(), 'Shop', { env });
  const service = new TaskService(stack, 'Tasks', { app: manifest(), entry: ENTRY, payloadKeys: ofKms(stack) });
  const role = new Role(stack, 'Container', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
  service.grantResults(role).assertSuccess();
  expect(onKeys(statementsOf(Template.fromStack(stack), /^Container/))).toEqual([DECRYPTS]);
});

describe('refuses', () => {
  const given = (payloadKeys: unknown, options: Parameters<typeof manifest>[0] = {}) => {
    const stack = new Stack(newApp(), 'Shop', { env });
    const props = { app: manifest(options), entry: ENTRY, payloadKeys } as TaskServiceProps;
    return () => new TaskService(stack, 'Tasks', props);
  };
  const elsewhere = 'arn:aws:kms:us-east-1:111122223333:key/1234';

  it.each([
    ['text', 'vault/keys', 'payloadKeys: a string given; a Secret of aws-secretsmanager or a Key of aws-kms'],
    ['null', null, 'payloadKeys: null given'],
    ['nothing', {}, 'payloadKeys: an object given'],
    ['a list', [1], 'payloadKeys: a list given'],
    ['a key itself', { VAULT_KEYS: 'k1:AAAA' }, 'payloadKeys.VAULT_KEYS: a string given; a Secret'],
    ['undefined in it', { VAULT_KEYS: undefined }, 'payloadKeys.VAULT_KEYS: undefined given'],
    ['a name of ours', { CELERIAC_KEYS: undefined }, "'CELERIAC_KEYS' begins with CELERIAC_"],
    ['no name of a variable', { 'vault-keys': undefined }, "'vault-keys' is no name of a variable"],
  ])('%s', (_what, payloadKeys, message) => {
    expect(given(payloadKeys)).toThrow(message);
  });

  it('a key of another Region, and keys of an app that encrypts nothing', () => {
    const other = new Stack(newApp(), 'Other', { env });
    expect(given({ VAULT_KEY: Key.fromKeyArn(other, 'Far', elsewhere) })).toThrow(
      'payloadKeys.VAULT_KEY: it is in us-east-1, and the service in eu-central-1.',
    );
    expect(given(ofKms(other), { isPlain: true })).toThrow(
      "payloadKeys: given, and app 'vault' encrypts nothing. Give the app the option codec",
    );
  });
});
