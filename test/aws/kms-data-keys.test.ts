/** Data keys by requests: what is asked of KMS, and which of its refusals are an answer. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ManualClock } from 'celeriac/testing';
import { afterEach, expect, it } from 'vitest';

import { decryptDataKey, generateDataKey } from '../../lib/aws/kms-data-keys.ts';
import { ToolRequests } from '../../lib/aws/tool-requests.ts';

const ARN = 'arn:aws:kms:eu-central-1:123456789012:key/1234';
const PLAIN = Buffer.alloc(32, 7);
const ENCRYPTED = Buffer.from('encrypted');

let server: Server | undefined;
afterEach(() => new Promise<void>((done) => (server === undefined ? done() : server.close(() => done()))));

/** Answers each request so, and notes it. */
async function kms(status: number, answer: object) {
  const asked: { readonly target: unknown; readonly authorization: string; readonly fields: unknown }[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { 'x-amz-target': target, authorization = '' } = request.headers;
      asked.push({ target, authorization, fields: JSON.parse(Buffer.concat(chunks).toString()) });
      response.writeHead(status).end(JSON.stringify(answer));
    });
  });
  const listening = server;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const requests = new ToolRequests({
    region: () => Promise.resolve('eu-central-1'),
    credentials: () => Promise.resolve({ accessKeyId: 'a', secretAccessKey: 'b' }),
    endpoint: () => endpoint,
    clock: new ManualClock(0),
  });
  return { requests, asked };
}

it('a new key is made of the KMS key, for this use alone', async () => {
  const answer = { Plaintext: PLAIN.toString('base64'), CiphertextBlob: ENCRYPTED.toString('base64') };
  const { requests, asked } = await kms(200, answer);
  const { plain, encrypted } = await generateDataKey(ARN, requests);
  expect([Buffer.from(plain), Buffer.from(encrypted)]).toEqual([PLAIN, ENCRYPTED]);
  expect(asked).toEqual([
    {
      target: 'TrentService.GenerateDataKey',
      authorization: expect.stringContaining('/eu-central-1/kms/aws4_request'),
      fields: { KeyId: ARN, KeySpec: 'AES_256', EncryptionContext: { celeriac: 'codec' } },
    },
  ]);
  requests.close();
});

it('a key is decrypted by the KMS key that is named', async () => {
  const { requests, asked } = await kms(200, { Plaintext: PLAIN.toString('base64') });
  expect(Buffer.from((await decryptDataKey(ARN, ENCRYPTED, requests)) ?? [])).toEqual(PLAIN);
  expect(asked.map(({ target, fields }) => ({ target, fields }))).toEqual([
    {
      target: 'TrentService.Decrypt',
      fields: { KeyId: ARN, CiphertextBlob: ENCRYPTED.toString('base64'), EncryptionContext: { celeriac: 'codec' } },
    },
  ]);
  requests.close();
});

it.each(['InvalidCiphertextException', 'IncorrectKeyException'])('%s: none of its keys', async (name) => {
  const { requests } = await kms(400, { __type: name });
  expect(await decryptDataKey(ARN, ENCRYPTED, requests)).toBeUndefined();
  requests.close();
});

it.each(['AccessDeniedException', 'DisabledException', 'NotFoundException'])(
  '%s is an error that names it',
  async (name) => {
    const { requests } = await kms(400, { __type: name });
    const error = { name: 'OperationalError', cause: { name } };
    await expect(decryptDataKey(ARN, ENCRYPTED, requests)).rejects.toMatchObject(error);
    await expect(generateDataKey(ARN, requests)).rejects.toMatchObject(error);
    requests.close();
  },
);
