/** States of single tasks by address, on this machine: what answers on AWS behind the function URL of `addStatusUrl`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { Celeriac } from '../app/app.ts';
import { signLocally } from '../app/local-signing.ts';
import { answerStatus, type StatusParts } from '../app/status-function.ts';
import { systemIds } from '../base/time.ts';
import { type StatusSigning, statusVariable } from '../options/status-variable.ts';
import { HOST } from './gate.ts';
import { listening, type LocalServer } from './servers.ts';

/** How states are told by address on this machine. */
export interface LocalStatusUrl {
  /** Where it listens; any other port where that one is taken. Default: one that is free. */
  readonly port?: number;
  /** Signs addresses, 32 characters or more. Default: made at random, so that addresses hold as long as the cloud. */
  readonly key?: string;
}

export interface LocalStatus extends LocalServer {
  /** The variable of other processes that sign. */
  readonly variables: Readonly<Record<string, string>>;
}

// Pages that are served on this machine; others have no business here, whatever address they have come by.
const ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/** Serves them until it is stopped; `statusUrl()` of the app's results gives such addresses meanwhile. */
export async function serveStatus(app: Celeriac, given: LocalStatusUrl): Promise<LocalStatus> {
  const { port = 0, key = `${systemIds.next()}${systemIds.next()}` } = given;
  const parts: StatusParts = {
    // Errors too: whoever looks has made them.
    told: { app: app.name, secret: 'local', showErrors: true },
    secret: () => Promise.resolve(key),
    ports: () => app.ports(),
    clock: app.clock,
    logger: app.logger,
  };
  const serve = (at: number): Promise<LocalServer> =>
    listening(
      createServer((request, response) => void answer(request, response, parts)),
      at,
    );
  const server = await serve(port).catch(() => serve(0));
  const signing: StatusSigning = { url: server.endpoint, keys: key };
  signLocally(app, signing);
  return {
    endpoint: server.endpoint,
    variables: { [statusVariable(app.name)]: JSON.stringify(signing) },
    stop: () => {
      signLocally(app, undefined);
      return server.stop();
    },
  };
}

/** Never rejects: what cannot be told is a status of its own. */
async function answer(request: IncomingMessage, response: ServerResponse, parts: StatusParts): Promise<void> {
  const { method = '', url = '', headers } = request;
  // A name that a page's owner points at this machine makes it "the same origin".
  if (!HOST.test(headers.host ?? '')) return void response.writeHead(403).end();
  const [path = '', ...query] = url.split('?');
  const { status, headers: own, body } = await answerStatus({ method, path, query: query.join('?') }, parts);
  const { origin } = headers;
  const allowed = origin !== undefined && ORIGIN.test(origin) ? { 'access-control-allow-origin': origin } : {};
  response.writeHead(status, { ...own, vary: 'origin', ...allowed }).end(method === 'HEAD' ? undefined : body);
}
