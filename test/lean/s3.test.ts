/** Our S3 client beside the SDK's own: the same addresses, signed alike, and the same bytes in a server that is none of ours. */
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { blobsConformance } from 'celeriac/testing';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { objectUrl, S3Blobs } from '../../lib/aws/s3-blobs.ts';
import { Signer } from '../../lib/aws/lean/sign.ts';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const KEY = 'messages/0b1e7a9c-1111-4222-8333-444455556666/00ff';

interface Sent {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

class Stopped extends Error {}

/** What the SDK would have sent. */
async function sentBySdk(client: S3Client, bucket: string, body?: Uint8Array): Promise<Sent> {
  let sent: Sent | undefined;
  client.middlewareStack.add(
    () => (args) => {
      sent = args.request as Sent;
      throw new Stopped();
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const input = { Bucket: bucket, Key: KEY };
  const call =
    body === undefined
      ? client.send(new GetObjectCommand(input))
      : client.send(new PutObjectCommand({ ...input, Body: body }));
  await expect(call).rejects.toThrow(Stopped);
  if (sent === undefined) throw new Error('nothing was sent');
  return sent;
}

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-4', 'cn-north-1', 'us-gov-west-1'] as const;
const KINDS = [
  { fips: false, dualStack: false },
  { fips: false, dualStack: true },
  { fips: true, dualStack: false },
  { fips: true, dualStack: true },
] as const;

// S3 in China has no FIPS endpoints: the SDK refuses to ask, and nobody can mean them.
const PLACES = REGIONS.flatMap((region) =>
  KINDS.flatMap((kind) => ['shop-payloads', 'shop.payloads'].map((bucket) => ({ region, bucket, ...kind }))),
).filter(({ region, fips }) => !(fips && region.startsWith('cn-')));

it.each(PLACES)(
  'an object of $bucket in $region is where the SDK has it: fips $fips, dual stack $dualStack',
  async (each) => {
    const { region, bucket, fips, dualStack } = each;
    const client = new S3Client({
      region,
      credentials: CREDENTIALS,
      useFipsEndpoint: fips,
      useDualstackEndpoint: dualStack,
    });
    const sent = await sentBySdk(client, bucket);
    const none = { endpoint: undefined, accountId: undefined, accountIdMode: undefined, maxAttempts: undefined };
    const url = objectUrl({ bucket }, region, KEY, { ...none, fips, dualStack });
    expect({ host: url.host, path: url.pathname }).toEqual({ host: sent.hostname, path: sent.path });
  },
);

it('a signature names the hash of the bytes, as S3 requires', async () => {
  const signer = new Signer(() => Promise.resolve(CREDENTIALS), { service: 's3', region: 'us-east-1' });
  const { headers } = await signer.sign(
    {
      protocol: 'https:',
      hostname: 'shop-payloads.s3.us-east-1.amazonaws.com',
      method: 'PUT',
      path: `/${KEY}`,
      query: {},
      headers: { host: 'shop-payloads.s3.us-east-1.amazonaws.com' },
      body: Buffer.from('abc'),
      port: undefined,
    },
    new Date(0),
  );
  // Of FIPS 180-2's first example.
  expect(headers['x-amz-content-sha256']).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(headers['authorization']).toContain('/us-east-1/s3/aws4_request');
  expect(headers['authorization']).toContain('x-amz-content-sha256');
});

describe('on a server of S3 that somebody else wrote', () => {
  const app = buildApp({ logger: false });
  let client: S3Client;
  let endpoint = '';
  beforeAll(async () => {
    endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
    client = new S3Client({ region: 'us-east-1', endpoint, credentials: CREDENTIALS, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'shop-payloads' }));
  });
  afterAll(async () => {
    client.destroy();
    await app.close();
  });
  const ours = (): S3Blobs =>
    new S3Blobs({
      bucket: 'shop-payloads',
      endpoint,
      region: 'us-east-1',
      credentials: () => Promise.resolve(CREDENTIALS),
    });

  for (const [index, { name }] of blobsConformance(new Proxy({} as S3Blobs, {})).entries())
    it(name, () => blobsConformance(ours())[index]?.run());

  it('the SDK reads what we have put, and we what the SDK has', async () => {
    await ours().put('messages/a/ours', Uint8Array.of(1, 2, 3));
    const read = await client.send(new GetObjectCommand({ Bucket: 'shop-payloads', Key: 'messages/a/ours' }));
    expect([...((await read.Body?.transformToByteArray()) ?? [])]).toEqual([1, 2, 3]);
    await client.send(
      new PutObjectCommand({ Bucket: 'shop-payloads', Key: 'messages/a/theirs', Body: Uint8Array.of(4) }),
    );
    expect([...((await ours().get('messages/a/theirs', 10))?.bytes ?? [])]).toEqual([4]);
  });
});
