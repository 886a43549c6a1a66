/** SQS and DynamoDB on this machine: in this process, on loopback only, with nothing to install. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ImproperlyConfigured } from '../errors.ts';
import { type Gate, guard } from './gate.ts';
import { partiqlProxy } from './partiql.ts';

export interface LocalServer {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const SQS: Gate = { service: 'AmazonSQS.' };
const DYNAMODB: Gate = { service: 'DynamoDB_20120810.' };

/**
 * The SQS server. Its own starter listens on every interface whatever its `host` option says; its app object obeys.
 * The gate lets nothing through to the other services that the package brings along (SNS, S3, STS).
 */
export async function startSqs(port = 0): Promise<LocalServer> {
  const { buildApp } = await required('fauxqs', () => import('fauxqs'));
  const app = buildApp({ logger: false });
  guard(app.server, SQS);
  const endpoint = await app.listen({ port, host: LOOPBACK });
  return { endpoint, stop: async () => app.close() };
}

/** Without the proxy: what an adapter must also get along with. */
export async function startDynalite(port = 0): Promise<LocalServer> {
  const server = await listen(guard(await dynaliteServer(), DYNAMODB), port);
  return { endpoint: endpointOf(server), stop: () => close(server) };
}

/** DynamoDB with the batched conditional writes that the server alone lacks. Only the proxy listens. */
export async function startDynamodb(port = 0): Promise<LocalServer> {
  const inner = await dynaliteServer();
  const proxy = await listen(guard(partiqlProxy(inner), DYNAMODB), port);
  return { endpoint: endpointOf(proxy), stop: () => close(proxy) };
}

async function dynaliteServer(): Promise<Server> {
  const { default: dynalite } = await required('dynalite', () => import('dynalite'));
  return dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
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
