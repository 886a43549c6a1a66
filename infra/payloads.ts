/** The bucket of large arguments and results, and the rights on it. */
import { Duration, RemovalPolicy, Stack, Token, TokenComparison, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

import { shown } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption } from '../lib/base/errors.ts';
import type { AppManifest } from '../lib/options/manifest.ts';
import type { Rights } from './grants.ts';

// As keys begin with (lib/wire/packing.ts).
type PayloadKind = 'messages' | 'results';
const DAY_SECONDS = 86_400;
// Results are there for as long as their records, which DynamoDB deletes up to two days late; some records live for days longer.
const RECORD_MARGIN_DAYS = 7;

export interface PayloadBucketProps {
  readonly manifest: AppManifest;
  readonly existing: IBucket | undefined;
  readonly removalPolicy: RemovalPolicy | undefined;
  readonly encryptionKey?: IKey | undefined;
}

/** How long the bucket keeps an object. */
export function payloadDays({
  payloadKeepSeconds = 0,
  resultExpiresSeconds,
}: Pick<AppManifest, 'payloadKeepSeconds' | 'resultExpiresSeconds'>): number {
  const results = Math.ceil(resultExpiresSeconds / DAY_SECONDS) + RECORD_MARGIN_DAYS;
  return Math.max(Math.ceil(payloadKeepSeconds / DAY_SECONDS), results);
}

/** Undefined for an app that stores no payloads. @throws InvalidOption, ImproperlyConfigured */
export function payloadBucketOf(scope: Construct, props: PayloadBucketProps): IBucket | undefined {
  const { manifest, existing, removalPolicy = RemovalPolicy.RETAIN, encryptionKey } = props;
  if (manifest.payloadKeepSeconds === undefined) {
    if (existing === undefined) return undefined;
    throw new ImproperlyConfigured(
      `payloadBucket: given, and app '${manifest.name}' stores nothing in it. Give the app the option largePayloads, such as {}, or leave payloadBucket out.`,
    );
  }
  if (existing !== undefined) return checkedBucket(scope, existing);
  const bucket = new Bucket(scope, 'Payloads', {
    ...(encryptionKey === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }),
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    lifecycleRules: [
      { expiration: Duration.days(payloadDays(manifest)), abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
    removalPolicy,
  });
  acknowledgePatterns(scope, bucket);
  return bucket;
}

/** cdk-nag asks for a word on the rights that end in `/*`, and for a log of its requests. */
function acknowledgePatterns(scope: Construct, bucket: Bucket): void {
  const name = Stack.of(scope).getLogicalId(bucket.node.defaultChild as CfnBucket);
  for (const kind of ['messages', 'results'] satisfies PayloadKind[])
    Validations.of(scope.node.root).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${name}.Arn>/${kind}/*]`,
      reason:
        'Objects are named by task, and nobody knows their ids before; a role gets the kind that its code asks for.',
    });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions::AwsSolutions-S1',
    reason:
      'It has what queues and tables would have, none of which log who reads them; a log would cost more than the requests.',
  });
}

function checkedBucket(scope: Construct, bucket: IBucket): IBucket {
  if (typeof bucket !== 'object' || bucket === null || !('bucketArn' in bucket))
    throw new InvalidOption(`payloadBucket: ${shown(bucket)} given; a Bucket of aws-s3 is allowed.`);
  const { region } = Stack.of(scope);
  if (Token.compareStrings(bucket.env.region, region) === TokenComparison.DIFFERENT)
    throw new InvalidOption(
      `payloadBucket: the bucket is in ${bucket.env.region}, and the service in ${region}. Give one of the service's own Region: functions sign their requests for that.`,
    );
  return bucket;
}

const ACTIONS = { put: 's3:PutObject', get: 's3:GetObject', delete: 's3:DeleteObject' } as const;

/**
 * Some actions on the payloads of messages, of results, or of both; nothing where there is no bucket. Who gets may list too: S3 tells an object
 * that is gone from one that is not granted to nobody else. Without a condition on `s3:prefix`: AWS does not document that key for a GetObject.
 */
export function onPayloads(
  { payloads }: { readonly payloads?: Pick<IBucket, 'bucketArn'> | undefined },
  kinds: readonly PayloadKind[],
  actions: readonly (keyof typeof ACTIONS)[],
): Rights[] {
  if (payloads === undefined) return [];
  return [
    {
      actions: actions.map((action) => ACTIONS[action]),
      resourceArns: kinds.map((kind) => `${payloads.bucketArn}/${kind}/*`),
    },
    ...(actions.includes('get') ? [{ actions: ['s3:ListBucket'], resourceArns: [payloads.bucketArn] }] : []),
  ];
}
