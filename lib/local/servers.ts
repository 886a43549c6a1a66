/** SQS and DynamoDB on this machine: in this process, on loopback only, with nothing to install. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ImproperlyConfigured } from '../errors.ts';

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

export async function startDynamodb(port = 0): Promise<LocalServer> {
  const { default: dynalite } = await required('dynalite', () => import('dynalite'));
  const server: Server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  return {
    endpoint: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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
