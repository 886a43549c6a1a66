/** The system's browser, and the monitor's page as it is built now. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Browser, chromium } from 'playwright-core';
import { build, type Rolldown } from 'vite';

import type { PageFiles } from '../../lib/monitor/page-files.ts';

export const CHROMIUM: string | undefined = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) =>
  existsSync(path),
);

export function launched(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
}

/** In memory: two that build at a time do not take each other's files away. */
export async function builtPage(): Promise<PageFiles> {
  const configFile = fileURLToPath(new URL('../../lib/monitor/page/vite.config.ts', import.meta.url));
  const options = { configFile, logLevel: 'silent', build: { write: false } } as const;
  const { output } = (await build(options)) as Rolldown.RolldownOutput;
  const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' } as const;
  return new Map(
    output.flatMap((file) => {
      const type = types[file.fileName.split('.').at(-1) as keyof typeof types];
      const body = new TextEncoder().encode(file.type === 'chunk' ? file.code : String(file.source));
      const name = `/${file.fileName}`;
      return type === undefined
        ? []
        : [[name, { body, contentType: `${type}; charset=utf-8`, isImmutable: name.startsWith('/assets/') }] as const];
    }),
  );
}

export interface Served {
  readonly url: string;
  readonly host: string;
  stop(): Promise<void>;
}

/** @param made is given the host and port before it answers anything */
export async function servedOn(made: (host: string) => Pick<Hono, 'fetch'>): Promise<Served> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const listener = getRequestListener(made(host).fetch, { overrideGlobalObjects: false });
  server.on('request', (request, response) => void listener(request, response));
  return {
    host,
    url: `http://${host}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
