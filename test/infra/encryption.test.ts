/** A key of the user's: what is encrypted with it, who may use it, and that nobody else may. */
import { Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp, newCaller, policies, type Statement } from './stacks.ts';

const MANIFEST: AppManifest = {
  name: 'shop',
  defaultQueue: 'default',
  queues: { default: { fifo: false }, orders: { fifo: true }, py: { fifo: false, external: true } },
  tasks: {},
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
};
const GRANTS = [
  'grantEnqueue',
  'grantOutbox',
  'grantResults',
  'grantManage',
  'grantSchedules',
  'grantLocks',
  'grantHistory',
  'grantCelery',
  'grantDeadLetters',
  'grantExplain',
] as const;

function make(stack: Stack, props: Partial<TaskServiceProps> = {}): TaskService {
  const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, ...props });
  for (const grant of GRANTS) service[grant](newCaller(stack, grant));
  return service;
}

const VIA = /^(sqs|dynamodb)\.eu-west-1\.amazonaws\.com$/;
const env = { region: 'eu-west-1', account: '111122223333' };

/** By service, the actions on keys that a policy's statements grant. */
function onKeys(statements: readonly Statement[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { Action, Condition } of statements) {
    const actions = [Action].flat().filter((action) => action.startsWith('kms:'));
    if (actions.length === 0) continue;
    const { 'kms:ViaService': via = 'anybody' } = (Condition?.['StringEquals'] ?? {}) as { 'kms:ViaService'?: string };
    const service = VIA.exec(via)?.[1] ?? via;
    found[service] = [...new Set([...(found[service] ?? []), ...actions])].toSorted();
  }
  return found;
}

const SEND = ['kms:Decrypt', 'kms:GenerateDataKey'];
const READ = ['kms:Decrypt', 'kms:DescribeKey'];
const WRITE = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

describe('encryptionKey', () => {
  const stack = new Stack(newApp(), 'Test', { env });
  const service = make(stack, { encryptionKey: new Key(stack, 'Key') });
  const template = Template.fromStack(stack);

  it('encrypts every queue, both tables and every log', () => {
    const key = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] };
    template.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: key, SqsManagedSseEnabled: Match.absent() });
    template.allResourcesProperties('AWS::DynamoDB::GlobalTable', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: key });
    template.resourceCountIs('AWS::Logs::LogGroup', 3);
    expect(service.queues.everyOne).toHaveLength(Object.keys(template.findResources('AWS::SQS::Queue')).length);
  });

  it.each<[RegExp, Record<string, string[]>]>([
    [/^TasksWorkersdefault/, { sqs: SEND, dynamodb: WRITE }],
    [/^TasksWorkersorders/, { sqs: SEND, dynamodb: WRITE }],
    [/^TasksSweeper/, { sqs: SEND, dynamodb: WRITE }],
    [/^grantEnqueue/, { sqs: SEND, dynamodb: WRITE }],
    [/^grantOutbox/, { dynamodb: WRITE }],
    [/^grantResults/, { dynamodb: READ }],
    [/^grantManage/, { dynamodb: WRITE }],
    [/^grantLocks/, { dynamodb: WRITE }],
    [/^grantHistory/, { dynamodb: READ }],
    [/^grantExplain/, { dynamodb: READ }],
    [/^grantSchedules/, { sqs: SEND, dynamodb: WRITE }],
    [/^grantDeadLetters/, { sqs: SEND, dynamodb: WRITE }],
    [/^grantCelery.*DefaultPolicy/, { sqs: SEND, dynamodb: WRITE }],
  ])('%s has what its calls take, and by their services alone', (who, rights) => {
    const found = policies(template).filter(({ logicalId }) => who.test(logicalId));
    expect(found).toHaveLength(1);
    expect(onKeys(found[0]?.statements ?? [])).toEqual(rights);
  });

  it("its policy lets logs be written and rules send; CDK's own statement stays", () => {
    const [key] = Object.values(template.findResources('AWS::KMS::Key')) as {
      Properties: { KeyPolicy: { Statement: (Statement & { Sid?: string; Principal: unknown })[] } };
    }[];
    const statements = key?.Properties.KeyPolicy.Statement ?? [];
    expect(statements.map(({ Sid }) => Sid)).toEqual([undefined, 'CeleriacLogs', 'CeleriacRules']);
    expect(statements[1]).toMatchObject({
      Action: WRITE,
      Principal: { Service: 'logs.eu-west-1.amazonaws.com' },
      Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': expect.anything() } },
    });
    expect(JSON.stringify(statements[1]?.Condition)).toContain(':log-group:*');
    expect(statements[2]).toMatchObject({ Action: SEND, Principal: { Service: 'events.amazonaws.com' } });
  });
});

it('without a key nobody has a right on one', () => {
  const stack = new Stack(newApp(), 'Test', { env });
  make(stack);
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain('kms:');
});

it('a queue that somebody else encrypts brings its own key', () => {
  const stack = new Stack(newApp(), 'Test', { env });
  const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/1';
  make(stack, {
    externalQueues: {
      py: Queue.fromQueueAttributes(stack, 'Py', { queueArn: 'arn:aws:sqs:eu-west-1:111122223333:py', keyArn }),
    },
  });
  const found = policies(Template.fromStack(stack));
  const rights = (who: RegExp): unknown => onKeys(found.find(({ logicalId }) => who.test(logicalId))?.statements ?? []);
  expect(rights(/^grantEnqueue/)).toEqual({ sqs: SEND });
  expect(rights(/^TasksWorkersdefault/)).toEqual({ sqs: SEND });
  expect(rights(/^grantResults/)).toEqual({});
});

it('a key whose policy is elsewhere is warned of', () => {
  const stack = new Stack(newApp(), 'Test', { env });
  make(stack, { encryptionKey: Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/1') });
  const warnings = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('must let logs\\.eu-west-1'));
  expect(warnings).toHaveLength(1);
});

it('alarms may tell a topic that is encrypted', () => {
  const stack = new Stack(newApp(), 'Test', { env });
  const masterKey = new Key(stack, 'Key');
  make(stack, { alarms: { topic: new Topic(stack, 'Topic', { masterKey }) } });
  Template.fromStack(stack).hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({ Action: SEND, Principal: { Service: 'cloudwatch.amazonaws.com' } }),
      ]),
    },
  });
});

it.each<[unknown, string]>([
  ['arn:aws:kms:eu:1:key/1', "encryptionKey: 'arn:aws:kms:eu:1:key/1' given; a Key of aws-kms is allowed."],
  [
    Key.fromKeyArn(new Stack(newApp(), 'Other'), 'Key', 'arn:aws:kms:us-east-1:111122223333:key/1'),
    "the key is in us-east-1, and the service in eu-west-1. Give a key of the service's own region.",
  ],
])('refused: %#', (encryptionKey, error) => {
  const stack = new Stack(newApp(), 'Test', { env });
  expect(() => make(stack, { encryptionKey: encryptionKey as IKey })).toThrow(error);
});

it('refused where the region is not known', () => {
  const stack = new Stack(newApp(), 'Test');
  expect(() => make(stack, { encryptionKey: new Key(stack, 'Key') })).toThrow("the stack's region is not known");
});

it('cdk-nag finds nothing', () => {
  const app = newApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new Stack(app, 'Nag', { env });
  const encryptionKey = new Key(stack, 'Key', { enableKeyRotation: true });
  expect(new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, encryptionKey }).settings.alarms).toEqual({});
  expect(() => app.synth()).not.toThrow();
});
