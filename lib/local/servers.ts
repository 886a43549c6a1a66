/** SQS and DynamoDB on this machine: in this process, on loopback only, with nothing to install. */
import { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ImproperlyConfigured } from '../base/errors.ts';
import { type Authorize, authorizing } from './authorize.ts';
import { type Gate, guard } from './gate.ts';
import type { KeptQueues } from './kept-queues.ts';
import { messagesIn, queueMetrics } from './queue-metrics.ts';
import { partiqlProxy } from './partiql.ts';

/** A server on loopback. */
export interface LocalServer {
  /** Its URL. */
  readonly endpoint: string;
  /** Ends it, connections too. */
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
// Idle connections stay until the server stops. A limit would race with the next request of a client that was busy or
// starved meanwhile: it writes to a connection that is being closed, and reads ECONNRESET.
const KEEP_ALIVE_MS = 0;
const SQS: Gate = { service: 'AmazonSQS.' };
const DYNAMODB: Gate = { service: 'DynamoDB_20120810.' };

/**
 * The SQS server. Its own starter listens on every interface whatever its `host` option says; its app object obeys.
 * The gate lets nothing through to the other services that the package brings along (SNS, S3, STS).
 */
export async function startSqs(port = 0, authorize?: Authorize): Promise<LocalServer> {
  return sqsServer(port, authorize);
}

/** The same with queues that outlive the process. */
export async function startKeptSqs(port: number, kept: KeptQueues): Promise<LocalServer> {
  return sqsServer(port, undefined, kept);
}

async function sqsServer(port: number, authorize: Authorize | undefined, kept?: KeptQueues): Promise<LocalServer> {
  const { buildApp } = await required('fauxqs', () => import('fauxqs'));
  // The stores are the package's own.
  const app = buildApp({ logger: false, ...(kept === undefined ? {} : { stores: kept.stores as never }) });
  if (authorize !== undefined) {
    await app.ready();
    const front = await listening(guard(authorizing(app.server, authorize), SQS), port);
    return { endpoint: front.endpoint, stop: () => front.stop().then(() => app.close()) };
  }
  queueMetrics(guard(app.server, SQS), async (name) => {
    const { statusCode, body } = await app.inject({
      method: 'GET',
      url: `/_fauxqs/queues/${encodeURIComponent(name)}`,
    });
    return statusCode === 200 ? messagesIn(body) : undefined;
  });
  app.server.keepAliveTimeout = KEEP_ALIVE_MS;
  const endpoint = await app.listen({ port, host: LOOPBACK });
  return { endpoint, stop: async () => app.close() };
}

/** Without the proxy: what an adapter must also get along with. */
export async function startDynalite(port = 0): Promise<LocalServer> {
  return listening(guard(await dynaliteServer(), DYNAMODB), port);
}

/** DynamoDB with the batched conditional writes that the server alone lacks. Only the proxy listens. */
export async function startDynamodb(port = 0, authorize?: Authorize): Promise<LocalServer> {
  const server = partiqlProxy(await dynaliteServer());
  return listening(guard(authorize === undefined ? server : authorizing(server, authorize), DYNAMODB), port);
}

/** The same with tables on disk, which outlive the process. @param folder is used by no other process */
export async function startKeptDynamodb(port: number, folder: string): Promise<LocalServer> {
  return listening(guard(partiqlProxy(await dynaliteServer(folder)), DYNAMODB), port);
}

async function dynaliteServer(path?: string): Promise<Server> {
  const { default: dynalite } = await required('dynalite', () => import('dynalite'));
  const atOnce = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  return dynalite({ ...atOnce, ...(path === undefined ? {} : { path }) });
}

function listen(server: Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}

/** A server on loopback, guarded by whoever made it. */
export async function listening(server: Server, port: number): Promise<LocalServer> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, port);
  return { endpoint: endpointOf(server), stop: () => close(server) };
}

/**
 * Closes the connections alone. The tables' own close() would close the store too, while requests still run that
 * their clients do not wait for any more, and those fail outside of any request: an uncaught exception in whoever runs the
 * server. A store in memory needs no closing.
 */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    Server.prototype.close.call(server, () => resolve());
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
