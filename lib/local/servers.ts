/** SQS and DynamoDB on this machine: in this process, on loopback only, with nothing to install. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ImproperlyConfigured } from '../errors.ts';
import { partiqlProxy } from './partiql.ts';

export interface LocalServer {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** The SQS server. Its own starter listens on every interface whatever its `host` option says; its app object obeys. */
export async function startSqs(port = 0): Promise<LocalServer> {
  const { buildApp } = await required('fauxqs', () => import('fauxqs'));
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port, host: LOOPBACK });
  return { endpoint, stop: async () => app.close() };
}

/** Without the proxy: what an adapter must also get along with. */
export async function startDynalite(port = 0): Promise<LocalServer> {
  const { default: dynalite } = await required('dynalite', () => import('dynalite'));
  const server: Server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await listen(server, port);
  return { endpoint: endpointOf(server), stop: () => close(server) };
}

/** DynamoDB with the batched conditional writes that the server alone lacks. */
export async function startDynamodb(port = 0): Promise<LocalServer> {
  const inner = await startDynalite();
  const proxy = await listen(partiqlProxy(inner.endpoint), port);
  return {
    endpoint: endpointOf(proxy),
    stop: async () => {
      await close(proxy);
      await inner.stop();
    },
  };
}

function listen(server: Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function endpointOf(server: Server): string {
  return `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
}

async function required<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new ImproperlyConfigured(
      `The embedded cloud needs the package '${name}'. Install it: npm install --save-dev fauxqs dynalite`,
      { cause: error },
    );
  }
}
