/** Keys of KMS: who needs which right on them follows from what they may do with queues and tables. */
import { Annotations, Stack, Token, TokenComparison } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { shown } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import type { Rights, Tables } from './grants.ts';

// Source: SQS developer guide, key management. SQS checks the sender's right to read what it encrypts, too.
const SENDING = ['kms:Decrypt', 'kms:GenerateDataKey'];
const RECEIVING = ['kms:Decrypt'];
// What CDK grants with a table's key, without its wildcards. DynamoDB asks for them in the name of whoever uses the table.
const READING = ['kms:Decrypt', 'kms:DescribeKey'];
const WRITING = [
  ...READING,
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];
// What rights on a bucket name of it (payloads.ts).
const PAYLOADS = ['/messages/*', '/results/*'];
const READS = /^dynamodb:(?:GetItem|BatchGetItem|Query|Describe\w+|PartiQLSelect)$/;

function needed(action: string): readonly string[] {
  if (action === 'sqs:SendMessage') return SENDING;
  if (action === 'sqs:ReceiveMessage') return RECEIVING;
  if (action === 's3:PutObject') return ['kms:GenerateDataKey'];
  if (action === 's3:GetObject') return ['kms:Decrypt'];
  if (!action.startsWith('dynamodb:')) return [];
  return READS.test(action) ? READING : WRITING;
}

/** What is encrypted with which key; whatever has no key of the user's is not here. */
export class EncryptionKeys {
  readonly #region: string;
  readonly #keys: ReadonlyMap<string, IKey>;

  constructor(scope: Construct, queues: readonly IQueue[], { results, state, payloads }: Tables) {
    this.#region = Stack.of(scope).region;
    const keyed: [string, IKey | undefined][] = [
      ...queues.map((queue): [string, IKey | undefined] => [queue.queueArn, queue.encryptionMasterKey]),
      ...[results, state].map((table): [string, IKey | undefined] => [table.tableArn, table.encryptionKey]),
      ...PAYLOADS.map((part): [string, IKey | undefined] => [`${payloads?.bucketArn}${part}`, payloads?.encryptionKey]),
    ];
    this.#keys = new Map(keyed.flatMap(([arn, key]) => (key === undefined ? [] : [[arn, key] as const])));
  }

  /** Rights on queues and tables, and behind them those on the keys, by way of SQS and DynamoDB alone. */
  with(rights: readonly Rights[]): Rights[] {
    const found = new Map<string, Map<string, Set<string>>>();
    for (const { actions, resourceArns } of rights)
      for (const action of actions)
        for (const arn of resourceArns) {
          const key = this.#keys.get(arn);
          if (key === undefined || needed(action).length === 0) continue;
          const services = found.get(key.keyArn) ?? new Map<string, Set<string>>();
          found.set(key.keyArn, services);
          const service = action.split(':')[0] ?? '';
          services.set(service, new Set([...(services.get(service) ?? []), ...needed(action)]));
        }
    const onKeys = [...found].flatMap(([keyArn, services]) =>
      [...services].map(([service, actions]): Rights => ({
        actions: [...actions].toSorted(),
        resourceArns: [keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `${service}.${this.#region}.amazonaws.com` } },
      })),
    );
    return [...rights, ...onKeys];
  }
}

/** @throws InvalidOption for what is no key, for a key of another region, and in a stack whose region is not known. */
export function validateKey(scope: Construct, key: IKey | undefined): void {
  if (key === undefined) return;
  if (typeof key !== 'object' || key === null || !('keyArn' in key))
    throw new InvalidOption(`encryptionKey: ${shown(key)} given; a Key of aws-kms is allowed.`);
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region))
    throw new InvalidOption(
      "encryptionKey: the stack's region is not known, and CDK writes the key of a table only where it is. Give the stack env: { account, region }.",
    );
  if (Token.compareStrings(key.env.region, region) === TokenComparison.DIFFERENT)
    throw new InvalidOption(
      `encryptionKey: the key is in ${key.env.region}, and the service in ${region}. Give a key of the service's own region.`,
    );
}

/** Lets services of AWS use the key where they act in nobody's name: logs that are written, and rules that send to queues. */
export function allowServices(scope: Construct, key: IKey): void {
  const stack = Stack.of(scope);
  const added = [
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CeleriacLogs',
        principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        actions: WRITING,
        resources: ['*'],
        // Names of log groups are made on deploy, and with the key: they cannot be told here.
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
              service: 'logs',
              resource: 'log-group:*',
            }),
          },
        },
      }),
    ),
    // The policies of the queues say which rules: SQS asks for the key only for a message that it takes.
    key.addToResourcePolicy(forService('CeleriacRules', 'events.amazonaws.com')),
  ];
  if (added.every(({ statementAdded }) => statementAdded)) return;
  Annotations.of(scope).addWarningV2(
    'celeriac:keyPolicy',
    `The policy of the key ${key.node.path} cannot be changed here. It must let logs.${stack.region}.amazonaws.com (${WRITING.join(', ')}) and events.amazonaws.com (${SENDING.join(', ')}) use the key, or log groups are not made and ticks of rules are lost.`,
  );
}

/** Lets alarms tell a topic that is encrypted. */
export function allowAlarms(key: IKey | undefined): void {
  key?.addToResourcePolicy(forService('CeleriacAlarms', 'cloudwatch.amazonaws.com'));
}

function forService(sid: string, service: string): PolicyStatement {
  return new PolicyStatement({
    sid,
    principals: [new ServicePrincipal(service)],
    actions: SENDING,
    resources: ['*'],
  });
}
