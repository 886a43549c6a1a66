/** A monitor on this machine: on loopback alone, for whoever has its token. */
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { getRequestListener } from '@hono/node-server';

import { errorText } from '../base/error-text.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { monitorApp } from './monitor-app.ts';
import { readPage } from './page-files.ts';
import type { MonitoredService } from './service.ts';
import { TokenAccess } from './token-access.ts';

export interface ServeOptions {
  readonly service: MonitoredService;
  /** 0 for any. */
  readonly port: number;
  /** Who works at this machine, for the audit list. */
  readonly user: string;
  readonly readOnly?: boolean;
  /** Of an earlier start, so that pages that are open stay valid. Default: a new one. */
  readonly token?: string;
}

export interface MonitorServer {
  /** With the token: for whoever started it alone. */
  readonly address: string;
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const TOKEN_BYTES = 24;
/** Built when the package is made: beside the server's own code. */
const PAGE = fileURLToPath(new URL('page/dist', import.meta.url));

/** @throws ImproperlyConfigured where the port cannot be had */
export async function serveMonitor(options: ServeOptions): Promise<MonitorServer> {
  const { service, port, user, readOnly = false } = options;
  const token = options.token ?? randomBytes(TOKEN_BYTES).toString('base64url');
  const hosts = new Set<string>();
  const app = monitorApp({
    service,
    access: new TokenAccess(token, user),
    page: await readPage(PAGE),
    readOnly,
    live: 'stream',
    isSecure: false,
    isOwnHost: (host) => hosts.has(host),
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new ImproperlyConfigured(
          `Port ${port} of ${LOOPBACK} cannot be had: ${errorText(error).message}. Give another: --port <port>.`,
          { cause: error },
        ),
      ),
    );
    server.listen(port, LOOPBACK, resolve);
  });
  const given = server.address();
  const own = typeof given === 'object' && given !== null ? given.port : port;
  // A name that somebody else has pointed at this machine is none of them.
  for (const name of [LOOPBACK, 'localhost']) hosts.add(`${name}:${own}`);
  const url = `http://${LOOPBACK}:${own}`;
  return {
    address: `${url}/?token=${token}`,
    url,
    token,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
