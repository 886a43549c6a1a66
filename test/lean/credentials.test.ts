/** Credentials of functions and containers: asked for once, renewed in time, and sent nowhere else. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { type Credentials, environmentCredentials, fromContainer, Renewed } from '../../lib/aws/lean/credentials.ts';
import type { CredentialVariables } from '../../lib/aws/lean/environment.ts';
import { sleepless } from './wire.ts';

const START_MS = 1_900_000_000_000;
const NONE: CredentialVariables = {
  accessKeyId: undefined,
  secretAccessKey: undefined,
  sessionToken: undefined,
  relativeUri: undefined,
  fullUri: undefined,
  token: undefined,
  tokenFile: undefined,
};

const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

interface Container {
  readonly fullUri: string;
  readonly requests: IncomingMessage[];
}

const GIVEN = {
  AccessKeyId: 'AK',
  SecretAccessKey: 'SK',
  Token: 'T',
  Expiration: new Date(START_MS + 3_600_000).toISOString(),
};

async function container(
  answer: (number: number) => { status?: number; body?: unknown } = () => ({}),
): Promise<Container> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const { status = 200, body = GIVEN } = answer(requests.length);
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { fullUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/role?id=1`, requests };
}

describe('a container’s endpoint', () => {
  it('gives credentials that expire', async () => {
    const { fullUri, requests } = await container();
    expect(await fromContainer({ ...NONE, fullUri, token: 'a token' }, sleepless())).toEqual({
      accessKeyId: 'AK',
      secretAccessKey: 'SK',
      sessionToken: 'T',
      expiration: new Date(START_MS + 3_600_000),
    });
    expect(requests[0]).toMatchObject({ method: 'GET', url: '/role?id=1', headers: { authorization: 'a token' } });
  });

  it('is asked with the token of the file as it is now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'celeriac-token-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const tokenFile = join(folder, 'token');
    const { fullUri, requests } = await container();
    for (const token of ['first', 'second']) {
      writeFileSync(tokenFile, token);
      await fromContainer({ ...NONE, fullUri, tokenFile, token: 'unused' }, sleepless());
    }
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['first', 'second']);
    writeFileSync(tokenFile, 'a\r\nhost: b');
    await expect(fromContainer({ ...NONE, fullUri, tokenFile }, sleepless())).rejects.toThrow(/line break/);
  });

  it('is asked again where it fails, and not for ever', async () => {
    const late = await container((number) => (number < 4 ? { status: 500 } : {}));
    const slept: number[] = [];
    await fromContainer({ ...NONE, fullUri: late.fullUri }, sleepless(slept));
    expect(slept).toEqual([1000, 1000, 1000]);
    for (const answer of [{ status: 404 }, { body: '{}' }, { body: 'garbage' }, { body: { ...GIVEN, Token: 5 } }]) {
      const never = await container(() => answer);
      await expect(fromContainer({ ...NONE, fullUri: never.fullUri }, sleepless())).rejects.toMatchObject({
        name: 'CredentialsProviderError',
      });
      expect(never.requests).toHaveLength(4);
    }
  });

  it.each(['http://example.com/', 'http://127.0.0.1.example.com/', 'http://10.0.0.1/', 'ftp://127.example.com/'])(
    'is never at %s',
    async (fullUri) => {
      await expect(fromContainer({ ...NONE, fullUri, token: 'a secret' }, sleepless())).rejects.toThrow(/is allowed/);
    },
  );
});

describe('renewal', () => {
  const credentials = (number: number, expiresMs: number): Credentials => ({
    accessKeyId: String(number),
    secretAccessKey: 's',
    expiration: new Date(expiresMs),
  });

  it('asks once for all who ask meanwhile, keeps the answer, and renews it five minutes before its end', async () => {
    let nowMs = START_MS;
    let asked = 0;
    const renewed = new Renewed(
      () => {
        asked += 1;
        return Promise.resolve(credentials(asked, nowMs + 3_600_000));
      },
      sleepless([], { nowMs: () => nowMs }),
    );
    const first = await Promise.all(Array.from({ length: 10 }, () => renewed.get()));
    expect(first.map(({ accessKeyId }) => accessKeyId)).toEqual(Array.from({ length: 10 }, () => '1'));
    nowMs += 3_299_000;
    expect((await renewed.get()).accessKeyId).toBe('1');
    nowMs += 2000;
    const second = await Promise.all(Array.from({ length: 10 }, () => renewed.get()));
    expect(new Set(second.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['2']));
    expect(asked).toBe(2);
  });

  it('that fails leaves what is still valid; after that it tells', async () => {
    let nowMs = START_MS;
    let asked = 0;
    const renewed = new Renewed(
      () => {
        asked += 1;
        return asked === 1 ? Promise.resolve(credentials(1, START_MS + 600_000)) : Promise.reject(new Error('down'));
      },
      sleepless([], { nowMs: () => nowMs }),
    );
    await renewed.get();
    nowMs += 400_000;
    expect((await renewed.get()).accessKeyId).toBe('1');
    nowMs += 200_001;
    await expect(renewed.get()).rejects.toThrow('down');
  });
});

describe('the environment', () => {
  const stub = (variables: Readonly<Record<string, string>>): void => {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
    const container_ = ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
    for (const name of [...names, ...container_, 'AWS_CONTAINER_AUTHORIZATION_TOKEN'])
      vi.stubEnv(name, variables[name]);
  };

  it('comes first, with its session token; the container’s endpoint is next; without either it is told', async () => {
    const { fullUri, requests } = await container();
    const ask = environmentCredentials(sleepless([], { nowMs: () => START_MS }));
    stub({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_CONTAINER_CREDENTIALS_FULL_URI: fullUri });
    expect(await ask()).toEqual({ accessKeyId: 'a', secretAccessKey: 'b' });
    stub({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' });
    expect(await ask()).toEqual({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' });
    stub({});
    await expect(ask()).rejects.toThrow(/Could not load credentials.*AWS_ACCESS_KEY_ID/);
    expect(requests).toHaveLength(0);
    stub({ AWS_CONTAINER_CREDENTIALS_FULL_URI: fullUri, AWS_CONTAINER_AUTHORIZATION_TOKEN: 't' });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ sessionToken }) => sessionToken)).toEqual(['T', 'T', 'T']);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['t']);
  });
});
