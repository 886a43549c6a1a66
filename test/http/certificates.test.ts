/** HTTPS to real servers on loopback, whose certificates are refused: nothing is sent, and the error says why. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';

import { Celeriac, HttpRequestFailed, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { type Certificate, selfSigned } from '../support/self-signed.ts';

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});

async function serve(certificate: Certificate) {
  const asked: string[] = [];
  const server = createServer(certificate, (request, response) => {
    asked.push(request.url ?? '');
    response.end('{"status":"success","retval":1}');
  });
  // Who refuses a certificate ends the connection.
  server.on('tlsClientError', () => {});
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/in`, asked };
}

/** @returns the result of a task that asks it, retried once */
async function asking(url: string) {
  const app = new Celeriac('http', { logger: silentLogger });
  const task = app.http('ask', { url, allowPrivate: ['127.0.0.1'], maxRetries: 1, defaultRetryDelay: 1 });
  const world = new World(app);
  const result = await task.delay();
  await world.run();
  await world.advance('10m');
  return { result, world };
}

describe('a certificate', () => {
  it('that nobody has signed: told by its name, tried again, and nothing is sent', async () => {
    const { url, asked } = await serve(selfSigned('IP:127.0.0.1'));
    const { result, world } = await asking(url);
    const error = await result.get().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HttpRequestFailed);
    expect(String(error)).toMatch(
      /has a certificate that is not accepted: .*\(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Nothing/,
    );
    expect(String(error)).toContain('NODE_EXTRA_CA_CERTS');
    expect(asked).toEqual([]);
    world[Symbol.dispose]();
  });

  it('of another host, by an authority that is known', async () => {
    const certificate = selfSigned('DNS:other.example');
    const known = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...known, certificate.cert.toString()]);
    try {
      const { url, asked } = await serve(certificate);
      const { result, world } = await asking(url);
      await expect(result.get()).rejects.toThrow(/certificate that is not accepted: .*ERR_TLS_CERT_ALTNAME_INVALID/);
      expect(asked).toEqual([]);
      world[Symbol.dispose]();
    } finally {
      tls.setDefaultCACertificates(known);
    }
  });

  it('is refused though the environment says to take all', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const { url, asked } = await serve(selfSigned('IP:127.0.0.1'));
    const { result, world } = await asking(url);
    await expect(result.get()).rejects.toThrow(/not accepted/);
    expect(asked).toEqual([]);
    world[Symbol.dispose]();
  });

  it('of an authority that is known is taken', async () => {
    const certificate = selfSigned('IP:127.0.0.1');
    const known = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...known, certificate.cert.toString()]);
    try {
      const { url, asked } = await serve(certificate);
      const { result, world } = await asking(url);
      expect([await result.get(), asked]).toEqual([1, ['/in']]);
      world[Symbol.dispose]();
    } finally {
      tls.setDefaultCACertificates(known);
    }
  });
});
