/** Large payloads over the AWS adapters: SQS, DynamoDB and S3 on this machine. */
import { Celeriac, chain, chord, silentLogger } from 'celeriac';
import type { Authorize, LocalCloud } from 'celeriac/local';
import { blobsConformance } from 'celeriac/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { S3Blobs } from '../../lib/aws/s3-blobs.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';
import type { LocalServer } from '../../lib/local/servers.ts';
import { startS3 } from '../../lib/local/s3-server.ts';

const MEGABYTE = 1_000_000;
const credentials = () => Promise.resolve({ accessKeyId: 'local', secretAccessKey: 'local' });

describe('blobs in S3', () => {
  let server: LocalServer;
  const over: S3Blobs[] = [];
  beforeAll(async () => {
    server = await startS3();
    over.push(new S3Blobs({ bucket: 'shop-payloads', endpoint: server.endpoint, region: 'us-east-1', credentials }));
  });
  afterAll(() => server.stop());
  const late = new Proxy({} as S3Blobs, {
    get: (_target, name) => {
      const [blobs] = over;
      const method = Reflect.get(blobs as object, name) as (...args: unknown[]) => unknown;
      return method.bind(blobs);
    },
  });
  for (const each of blobsConformance(late)) it(each.name, () => each.run());

  it('tell a web page nothing, and nobody without a signature', async () => {
    const url = `${server.endpoint}/shop-payloads/messages/x`;
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(url, { headers: { origin: 'https://example.org' } })).status).toBe(403);
  });
});

describe('who may not all', () => {
  let server: LocalServer;
  const asked: string[] = [];
  const authorize: Authorize = ({ accessKeyId, target, input }) => {
    asked.push([accessKeyId, target, ...Object.values(input)].join(' '));
    const allowed = accessKeyId === 'lister' || (accessKeyId === 'reader' && target === 'S3.GetObject');
    return allowed ? undefined : { status: 403, body: { Message: `${accessKeyId} may not: ${target}` } };
  };
  beforeAll(async () => {
    server = await startS3(0, authorize);
    await as('lister').put('results/a/here', Uint8Array.of(1));
  });
  afterAll(() => server.stop());
  const as = (accessKeyId: string): S3Blobs =>
    new S3Blobs({
      bucket: 'shop-payloads',
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: () => Promise.resolve({ accessKeyId, secretAccessKey: 'local' }),
    });
  const denied = (message: string) => ({
    name: 'AccessDenied',
    message: expect.stringContaining(message) as string,
    $metadata: { httpStatusCode: 403 },
  });

  it('are told of what is gone as on AWS: that it is to who may list, that they may not to all others', async () => {
    expect(await as('lister').get('results/a/gone', 10)).toBeUndefined();
    await expect(as('reader').get('results/a/gone', 10)).rejects.toMatchObject(denied('reader may not: S3.ListBucket'));
    await expect(as('nobody').get('results/a/gone', 10)).rejects.toMatchObject(denied('nobody may not: S3.GetObject'));
  });

  it('are asked for the right to list of nothing that is there, and of nothing that they delete', async () => {
    asked.length = 0;
    expect([...((await as('reader').get('results/a/here', 10))?.bytes ?? [])]).toEqual([1]);
    await as('lister').delete(['results/a/gone']);
    expect(asked).toEqual([
      'reader S3.GetObject shop-payloads results/a/here',
      'lister S3.DeleteObject shop-payloads results/a/gone',
    ]);
  });
});

describe('on the embedded cloud, each function under its own role', () => {
  const app = new Celeriac('bulky', {
    queues: { default: {} },
    logger: silentLogger,
    largePayloads: { compression: 'none' },
  });
  const make = app.task('make', (bytes: number) => 'x'.repeat(bytes));
  const double = app.task('double', (text: string) => text + text);
  const length = app.task('length', (text: string) => text.length);
  const lengths = app.task('lengths', (texts: readonly string[]) => texts.map((text) => text.length));
  const fail = app.task('fail', (text: string): number => {
    throw new Error(`no ${text.length}`);
  });
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await startCloud(app);
  });
  afterAll(() => cloud.stop());

  it('an argument and a result of 20 MB pass through a chain and a chord', async () => {
    const given = await length.delay('y'.repeat(20 * MEGABYTE));
    const through = await chain(make.s(10 * MEGABYTE), double.s(), length.s()).delay();
    const body = await chord([make.s(20 * MEGABYTE), make.s(MEGABYTE)], lengths.s()).delay();
    expect(await given.get({ timeout: PATIENCE_SECONDS })).toBe(20 * MEGABYTE);
    expect(await through.get({ timeout: PATIENCE_SECONDS })).toBe(20 * MEGABYTE);
    expect(await body.get({ timeout: PATIENCE_SECONDS })).toEqual([20 * MEGABYTE, MEGABYTE]);
  });

  it('a failure tells its caller, and a result is forgotten with what it has stored', async () => {
    const failed = await fail.delay('z'.repeat(MEGABYTE));
    await expect(failed.get({ timeout: PATIENCE_SECONDS })).rejects.toThrow('no 1000000');
    const made = await make.delay(MEGABYTE);
    expect((await made.get({ timeout: PATIENCE_SECONDS })).length).toBe(MEGABYTE);
    await made.forget();
    expect(await app.result(made.id).state()).toBe('PENDING');
  });
});
