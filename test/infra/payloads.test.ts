/** The bucket of large payloads: what it is made of, and who may do what with it. */
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Celeriac, type Duration, type LargePayloadsOptions } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { payloadDays } from '../../infra/payloads.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp, newCaller, policies, rendered, type Statement, statementsOf } from './stacks.ts';

const MANIFEST: AppManifest = {
  name: 'shop',
  defaultQueue: 'default',
  queues: { default: { fifo: false } },
  tasks: {},
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
  payloadKeepSeconds: 5_184_000,
};
const GRANTS = [
  'grantEnqueue',
  'grantOutbox',
  'grantResults',
  'grantManage',
  'grantSchedules',
  'grantLocks',
  'grantHistory',
  'grantExplain',
  'grantDeadLetters',
] as const;

const env = { region: 'eu-west-1', account: '111122223333' };

function templateOf(props: Partial<TaskServiceProps> = {}): Template {
  const stack = new Stack(newApp(), 'Shop', { env });
  const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, ...props });
  for (const grant of GRANTS) service[grant](newCaller(stack, grant));
  return Template.fromStack(stack);
}

/** Such as `PutObject messages/*`; of the bucket itself `ListBucket`. */
function onBucket(statements: readonly Statement[]): string[] {
  return statements
    .flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap((action) =>
          action.startsWith('s3:')
            ? [Resource]
                .flat()
                .map((resource) => `${action.slice(3)} ${rendered(resource).split('/').slice(1).join('/')}`.trim())
            : [],
        ),
    )
    .toSorted((left, right) => left.localeCompare(right));
}

const BOTH = [
  'GetObject messages/*',
  'GetObject results/*',
  'ListBucket',
  'PutObject messages/*',
  'PutObject results/*',
];
const READS_RESULTS = ['GetObject results/*', 'ListBucket'];

it('is private, encrypted, asked by TLS alone, and empties itself', () => {
  const template = templateOf();
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'Retain',
    Properties: {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: {
        Rules: [
          { Status: 'Enabled', ExpirationInDays: 60, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
        ],
      },
    },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
    },
  });
});

it('goes with the stack where the tables do', () => {
  templateOf({ removalPolicy: RemovalPolicy.DESTROY }).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
});

describe('who may', () => {
  const template = templateOf();
  const of = (name: string): string[] => onBucket(statementsOf(template, new RegExp(`^${name}ServiceRole`)));

  it.each([
    ['grantEnqueue', ['PutObject messages/*']],
    ['grantOutbox', ['PutObject messages/*']],
    ['grantSchedules', ['PutObject messages/*']],
    ['grantResults', READS_RESULTS],
    ['grantHistory', READS_RESULTS],
    ['grantExplain', READS_RESULTS],
    ['grantManage', ['DeleteObject results/*']],
    ['grantLocks', []],
    ['grantDeadLetters', BOTH],
  ])('%s', (grant, rights) => {
    expect(of(grant)).toEqual(rights);
  });

  it('a worker reads and writes both, and a task may forget results; the sweeper reads no arguments', () => {
    expect(onBucket(statementsOf(template, /Workersdefault.*Policy/))).toEqual(['DeleteObject results/*', ...BOTH]);
    expect(onBucket(statementsOf(template, /Sweeper.*Policy/))).toEqual(
      BOTH.filter((right) => right !== 'GetObject messages/*'),
    );
  });
});

it('whoever reads is told what is gone: lists that bucket, and nobody else lists any', () => {
  const stack = new Stack(newApp(), 'Shop', { env });
  const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY });
  for (const grant of GRANTS) service[grant](newCaller(stack, grant));
  service.addStatusUrl({ auth: 'signed' });
  service.addMonitor({ auth: { password: { users: new Secret(stack, 'Users') } } });
  const template = Template.fromStack(stack);
  const [bucket = ''] = Object.keys(template.findResources('AWS::S3::Bucket'));
  const all = policies(template).map(({ logicalId, statements }) => ({ logicalId, rights: onBucket(statements) }));
  const those = (pattern: RegExp): string[] =>
    all.filter(({ rights }) => rights.some((right) => pattern.test(right))).map(({ logicalId }) => logicalId);
  expect(those(/^ListBucket/)).toEqual(those(/^GetObject/));
  for (const name of [/Workersdefault/, /Sweeper/, /StatusUrl/, /Monitor/, /^grantResults/, /^grantDeadLetters/])
    expect(those(/^ListBucket/)).toContainEqual(expect.stringMatching(name));
  const listed = policies(template)
    .flatMap(({ statements }) => statements)
    .filter(({ Action }) => [Action].flat().includes('s3:ListBucket'));
  for (const { Resource, Condition } of listed)
    expect([rendered(Resource), Condition]).toEqual([`<${bucket}.Arn>`, undefined]);
});

it('a key of the user encrypts it, and whoever puts or gets something may use it by way of S3', () => {
  const stack = new Stack(newApp(), 'Shop', { env });
  const service = new TaskService(stack, 'Tasks', {
    app: MANIFEST,
    entry: ENTRY,
    encryptionKey: new Key(stack, 'Key'),
  });
  for (const grant of ['grantEnqueue', 'grantResults'] as const) service[grant](newCaller(stack, grant));
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::S3::Bucket', {
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
      ],
    },
  });
  const viaS3 = (name: string): unknown[] =>
    statementsOf(template, new RegExp(`^${name}ServiceRole`))
      .filter(({ Condition }) => JSON.stringify(Condition ?? {}).includes('s3.eu-west-1.amazonaws.com'))
      .map(({ Action }) => Action);
  expect(viaS3('grantEnqueue')).toEqual(['kms:GenerateDataKey']);
  expect(viaS3('grantResults')).toEqual(['kms:Decrypt']);
});

it('one that exists is used, and none is made', () => {
  const stack = new Stack(newApp(), 'Shop', { env });
  const payloadBucket = Bucket.fromBucketName(stack, 'Own', 'own-payloads');
  new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, payloadBucket });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::S3::Bucket', 0);
  expect(JSON.stringify(template.findResources('AWS::Lambda::Function'))).toContain('own-payloads');
});

it('an app without the option has none, and refuses one', () => {
  const { payloadKeepSeconds: _keep, ...plain } = MANIFEST;
  const template = templateOf({ app: plain });
  template.resourceCountIs('AWS::S3::Bucket', 0);
  expect(JSON.stringify(template.toJSON())).not.toContain('s3:');
  const stack = new Stack(newApp(), 'Shop', { env });
  const payloadBucket = Bucket.fromBucketName(stack, 'Own', 'own');
  expect(() => new TaskService(stack, 'Tasks', { app: plain, entry: ENTRY, payloadBucket })).toThrow(
    "payloadBucket: given, and app 'shop' stores nothing in it. Give the app the option largePayloads",
  );
  expect(
    () =>
      new TaskService(new Stack(newApp(), 'Other', { env }), 'Tasks', {
        app: MANIFEST,
        entry: ENTRY,
        payloadBucket: 'name' as never,
      }),
  ).toThrow('payloadBucket: ');
});

it('a service that is imported grants the same', () => {
  const stack = new Stack(newApp(), 'Api', { env });
  const service = TaskService.fromAttributes(stack, 'Shop', {
    appName: 'shop',
    queues: { default: 'arn:aws:sqs:eu-west-1:111122223333:shop-default' },
    resultsTableName: 'shop-results',
    stateTableName: 'shop-state',
    payloadBucketName: 'shop-payloads',
  });
  service.grantEnqueue(newCaller(stack, 'grantEnqueue'));
  const template = Template.fromStack(stack);
  expect(onBucket(statementsOf(template, /^grantEnqueueServiceRole/))).toEqual(['PutObject messages/*']);
  expect(JSON.stringify(template.findResources('AWS::Lambda::Function'))).toContain('shop-payloads');
});

it('an object outlives its message, its dead letter and its result', () => {
  const days = (largePayloads: LargePayloadsOptions, resultExpires: Duration): number =>
    payloadDays(new Celeriac('shop', { queues: { default: {} }, largePayloads, resultExpires }).manifest());
  // An ETA of 30 days, 14 in the queue, 14 as a dead letter: still there.
  expect(days({}, '1d')).toBe(60);
  expect(days({}, '1d')).toBeGreaterThan(30 + 14 + 14);
  expect(days({ keep: '31d' }, '1d')).toBeGreaterThan(14 + 14);
  // Longer results take it along.
  expect(days({ keep: '31d' }, '90d')).toBeGreaterThan(90 + 2);
  expect(
    new Celeriac('shop', { queues: { default: {} }, largePayloads: { storeAboveBytes: null } }).manifest(),
  ).not.toHaveProperty('payloadKeepSeconds');
});

it('cdk-nag finds nothing', () => {
  const app = newApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new Stack(app, 'Nag', { env });
  const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY });
  expect(service.tables.payloads).toBeDefined();
  expect(() => app.synth()).not.toThrow();
});
