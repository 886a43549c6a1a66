/** Tells whoever watches a worker process how it is: on this machine alone, to no web page. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { errorText } from '../base/error-text.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import type { ProcessWorker } from './process-worker.ts';

const LOOPBACK = '127.0.0.1';

export interface HealthServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** `/health` and `/metrics`. @param port 0 for any. @throws ImproperlyConfigured where it cannot be had */
export async function serveHealth(worker: ProcessWorker, port: number): Promise<HealthServer> {
  const server = createServer((request, response) => answer(worker, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new ImproperlyConfigured(`Port ${port} of ${LOOPBACK} cannot be had: ${errorText(error).message}`, {
          cause: error,
        }),
      ),
    );
    server.listen(port, LOOPBACK, resolve);
  });
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${LOOPBACK}:${own}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(worker: ProcessWorker, request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  // A page in a browser, or a name that somebody has pointed at this machine.
  if (request.headers.origin !== undefined || !isOwnHost(request.headers.host))
    return send(403, 'text/plain', 'Ask from this machine, by its loopback address.\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'GET is allowed.\n');
  const [path] = (request.url ?? '').split('?');
  if (path === '/metrics') return send(200, 'text/plain; version=0.0.4; charset=utf-8', worker.metrics.text());
  if (path !== '/health') return send(404, 'text/plain', 'There are /health and /metrics.\n');
  const { status, ...rest } = worker.health;
  return send(status === 'failing' ? 503 : 200, 'application/json', `${JSON.stringify({ status, ...rest })}\n`);
}

function isOwnHost(host: string | undefined): boolean {
  const name = host?.replace(/:\d+$/, '');
  return name === LOOPBACK || name === 'localhost';
}
