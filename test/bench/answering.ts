/** A server on this machine that answers as Celery's webhooks do. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answering {
  /** Where it is, and what lets tasks ask it. */
  readonly place: { readonly url: string; readonly allowHttp: true; readonly allowPrivate: readonly ['127.0.0.1'] };
  readonly stop: () => void;
}

export async function answering(): Promise<Answering> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"status":"success","retval":1}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    place: {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      allowHttp: true,
      allowPrivate: ['127.0.0.1'],
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
