/** Requests are signed as the SDK's own signer signs them, byte for byte, and as the specification says. */
import { createHash, createHmac } from 'node:crypto';

import * as dynamodb from '@aws-sdk/client-dynamodb';
import { seededRandom } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { HttpRequest } from '../../lib/aws/lean/http.ts';
import * as lean from '../../lib/aws/lean/index.ts';
import { call, commandOf, CREDENTIALS, Recorder, type ServiceName, sleepless } from './wire.ts';

interface Signing {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly nowMs: number;
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

const token = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }).filter((each) => each.trim() === each);
const signing: fc.Arbitrary<Signing> = fc.record({
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1', 'us-iso-east-1'),
  endpoint: fc.constantFrom(undefined, 'http://127.0.0.1:4566', 'https://vpce-1.sqs.invalid', 'http://[::1]:8000/a/b'),
  nowMs: fc.integer({ min: Date.UTC(2001, 0, 1), max: Date.UTC(2090, 0, 1) }),
  credentials: fc
    .record({ accessKeyId: token, secretAccessKey: token, sessionToken: fc.option(token, { nil: undefined }) })
    .map(({ sessionToken, ...keys }) => ({ ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) })),
});

async function sent(given: Signing, what: Parameters<typeof commandOf>[1]): Promise<HttpRequest> {
  const recorder = new Recorder();
  const parts = {
    clock: sleepless([], { nowMs: () => given.nowMs }),
    random: seededRandom(1),
    ids: { next: () => 'a6a1a8f4-0000-4000-8000-000000000000' },
  };
  const { region, credentials, endpoint } = given;
  const options = {
    region,
    credentials,
    requestHandler: recorder,
    md5: false,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  const client = what.service === 'SQS' ? new lean.SQSClient(options, parts) : new lean.DynamoDBClient(options, parts);
  await client.send(commandOf('lean', what));
  const [request] = recorder.requests;
  return request ?? expect.fail('nothing was sent');
}

interface SdkSigner {
  sign(request: object, options: object): Promise<{ readonly headers: Readonly<Record<string, string>> }>;
}

type SdkSignerClass = new (options: object) => SdkSigner;

/** The class that the SDK's clients sign with, and the hash that they give it. */
const { signer: made, sha256 } = new dynamodb.DynamoDBClient({ region: 'us-east-1', credentials: CREDENTIALS })
  .config as unknown as { readonly signer: () => Promise<SdkSigner>; readonly sha256: unknown };
const Signer = (await made()).constructor as SdkSignerClass;

function sdkSigner(service: ServiceName, { region, credentials }: Signing): SdkSigner {
  return new Signer({ region, credentials, sha256, service: service === 'SQS' ? 'sqs' : 'dynamodb' });
}

/** The request before it was signed. */
function unsigned({ headers, ...rest }: HttpRequest): object {
  const {
    authorization: _a,
    'x-amz-date': _d,
    'x-amz-security-token': _t,
    'x-amz-content-sha256': _h,
    ...kept
  } = headers;
  return { ...rest, headers: kept };
}

/** From the page of the specification, without the SDK. */
function bySpecification(request: HttpRequest, service: string, { region, credentials }: Signing): string {
  const date = request.headers['x-amz-date'] ?? '';
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const [, names = ''] = /SignedHeaders=([^,]*)/.exec(request.headers['authorization'] ?? '') ?? [];
  const lower = new Map(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const lines = names.split(';').map((name) => `${name}:${(lower.get(name) ?? '').trim().replaceAll(/\s+/g, ' ')}\n`);
  const hash = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
  const canonical = `POST\n${request.path}\n\n${lines.join('')}\n${names}\n${hash(request.body ?? '')}`;
  const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const key = [date.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key as Buffer, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash(canonical)}`).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

describe('a signature', () => {
  it('is the one of the SDK, of 10,000 requests', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(signing, call, async (given, what) => {
        const request = await sent(given, what);
        const signer = sdkSigner(what.service, given);
        const { headers } = await signer.sign(unsigned(request), { signingDate: new Date(given.nowMs) });
        expect(request.headers['authorization']).toBe(headers['authorization']);
        expect(request.headers).toEqual(headers);
        compared += 1;
      }),
      // On a machine however busy.
      { numRuns: 10_000, interruptAfterTimeLimit: 200_000 },
    );
    expect(compared).toBe(10_000);
  }, 240_000);

  it('is the one of the specification, and covers all that says what is done, and as whom', async () => {
    await fc.assert(
      fc.asyncProperty(signing, call, async (given, what) => {
        const request = await sent(given, what);
        const service = what.service === 'SQS' ? 'sqs' : 'dynamodb';
        expect(request.headers['authorization']).toBe(bySpecification(request, service, given));
        const covered = (/SignedHeaders=([^,]*)/.exec(request.headers['authorization'] ?? '')?.[1] ?? '').split(';');
        const needed = ['host', 'content-type', 'x-amz-date', 'x-amz-target', 'x-amz-content-sha256'];
        if (given.credentials.sessionToken !== undefined) needed.push('x-amz-security-token');
        expect(covered).toEqual(expect.arrayContaining(needed));
      }),
      { numRuns: 1000 },
    );
  });
});
