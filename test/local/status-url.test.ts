/** Status addresses on this machine: `result.statusUrl()` as on AWS, and asked by HTTP. */
import { request } from 'node:http';

import { Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('shop', { logger: silentLogger });
const add = app.task('add', (x: number, y: number) => x + y);
let goOn = (): void => {};
const working = app.task('working', { bind: true }, async (self) => {
  await self.progress(3, 10);
  await new Promise<void>((resolve) => {
    goOn = resolve;
  });
  return 'done';
});
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { statusUrl: true });
});
afterAll(() => cloud.stop());

const told = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('an address of a task', () => {
  it('shows its progress, and then its result', async () => {
    const result = await working.delay();
    const url = await result.statusUrl();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/tasks\//);
    const shown = { id: result.id, status: 'PROGRESS', result: { current: 3, total: 10 } };
    await expect.poll(() => told(url), { timeout: PATIENCE_MS }).toMatchObject({ task: shown });
    goOn();
    expect(await result.get({ timeout: PATIENCE_SECONDS })).toBe('done');
    expect(await told(url)).toEqual({ task: { id: result.id, status: 'SUCCESS', result: 'done' } });
  });

  it('is made by other processes too, which are told the same variables', async () => {
    const result = await add.delay(1, 2);
    await result.get({ timeout: PATIENCE_SECONDS });
    for (const [name, value] of Object.entries(cloud.variables())) vi.stubEnv(name, value);
    try {
      const url = await Celeriac.fromEnvironment('shop').result(result.id).statusUrl();
      expect(await told(url)).toEqual({ task: { id: result.id, status: 'SUCCESS', result: 3 } });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('never shows another task, whatever of it is changed', async () => {
    const [own, other] = [await add.delay(1, 2), await add.delay(3, 4)];
    for (const result of [own, other]) await result.get({ timeout: PATIENCE_SECONDS });
    const url = await own.statusUrl();
    const theirs = await other.statusUrl();
    const signatureOf = (text: string): string => new URL(text).searchParams.get('signature') ?? '';
    const changes = fc.oneof(
      fc.constantFrom(
        url.replace(own.id, other.id),
        url.replace(own.id, encodeURIComponent(`${own.id}/../${other.id}`)),
        url.replace(own.id, `${own.id}%2f..%2f${other.id}`),
        url.replace(`/tasks/${own.id}`, `/tasks/${own.id}/../${other.id}`),
        url.replace(signatureOf(url), signatureOf(theirs)),
        url.replace(signatureOf(url), ''),
        `${url}&signature=${signatureOf(theirs)}`,
        `${url}&expires=9999999999`,
        url.replace(/expires=\d+/, 'expires=9999999999'),
        url.replace('/tasks/', '//tasks/'),
        url.replace('/status', ''),
      ),
      fc.tuple(fc.nat(42), fc.constantFrom('A', 'B', '_', '-')).map(([at, sign]) => {
        const signature = signatureOf(url);
        return url.replace(signature, `${signature.slice(0, at)}${sign}${signature.slice(at + 1)}`);
      }),
      fc.uuid().map((id) => url.replace(own.id, id)),
    );
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        fc.pre(changed !== url);
        const answer = await fetch(changed);
        expect([changed, answer.status, await answer.text()]).toEqual([changed, 403, '{"error":"forbidden"}']);
      }),
      { numRuns: 60 },
    );
  });
});

describe('who may ask', () => {
  const headersFor = async (origin: string): Promise<string | null> =>
    (await fetch(await (await add.delay(1, 1)).statusUrl(), { headers: { origin } })).headers.get(
      'access-control-allow-origin',
    );

  it('pages of this machine, and no others', async () => {
    expect(await headersFor('http://localhost:5173')).toBe('http://localhost:5173');
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null'])
      expect(await headersFor(origin)).toBeNull();
  });

  it('nobody under another name for this machine', async () => {
    const url = new URL(await (await add.delay(1, 1)).statusUrl());
    const status = await new Promise((resolve, reject) => {
      request(url, { headers: { host: `evil.example:${url.port}` } }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('with GET and HEAD', async () => {
    const url = await (await add.delay(1, 1)).statusUrl();
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

it('a cloud without it, or that was stopped, has no addresses', async () => {
  const other = new Celeriac('other', { logger: silentLogger });
  const task = other.task('a', () => 1);
  const started = await LocalCloud.start(other, { statusUrl: { key: 'k'.repeat(40) } });
  const result = await task.delay();
  const url = await result.statusUrl();
  await started.stop();
  await expect(result.statusUrl()).rejects.toThrow('CELERIAC_STATUS_URL_OTHER is missing');
  await expect(fetch(url)).rejects.toThrow();
});
