/**
 * Objects on this machine, as much of S3 as payloads need: PUT, GET and DELETE of one object, by the path of its bucket. In memory, without
 * a limit of their size: the server that the queues come from takes 11 MiB.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { systemClock } from '../base/time.ts';
import type { AskedRequest, Authorize, Denial } from './authorize.ts';
import { objectRefusalOf } from './gate.ts';
import { type LocalServer, listening } from './servers.ts';

interface Stored {
  readonly bytes: Buffer;
  readonly storedMs: number;
}

const KEY = /Credential=([^/,\s]+)/;
const PATH = /^\/([^/]+)\/(.+)$/s;
const ACTIONS: Readonly<Record<string, string>> = {
  PUT: 'S3.PutObject',
  GET: 'S3.GetObject',
  DELETE: 'S3.DeleteObject',
};
// What S3 asks for beside the right to an object that is not there, before it says so.
const LIST = 'S3.ListBucket';

/** @param authorize is asked of each request, as of the other servers'; its input is `{ Bucket, Key }`, or of `S3.ListBucket` `{ Bucket }` */
export function startS3(port = 0, authorize?: Authorize): Promise<LocalServer> {
  const objects = new Map<string, Stored>();
  const server = createServer((request, response) => {
    answer(request, response, objects, authorize).catch(() => response.destroy());
  });
  return listening(server, port);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Map<string, Stored>,
  authorize: Authorize | undefined,
): Promise<void> {
  const refusal = objectRefusalOf(request);
  if (refusal !== undefined) return refuse(response, 403, 'AccessDenied', refusal);
  const { method = '', url = '', headers } = request;
  const [key, Bucket = '', Key = ''] = PATH.exec(decodeURIComponent(url)) ?? [''];
  const accessKeyId = KEY.exec(headers.authorization ?? '')?.[1] ?? '';
  const found = objects.get(key);
  const asked: Pick<AskedRequest, 'target' | 'input'>[] = [{ target: ACTIONS[method] ?? '', input: { Bucket, Key } }];
  if (method === 'GET' && found === undefined) asked.push({ target: LIST, input: { Bucket } });
  for (const each of asked) {
    const denial = authorize?.({ accessKeyId, ...each });
    if (denial !== undefined) return refuse(response, 403, 'AccessDenied', textOf(denial));
  }
  if (method === 'PUT') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    objects.set(key, { bytes: Buffer.concat(chunks), storedMs: systemClock.nowMs() });
    response.writeHead(200).end();
  } else if (method === 'DELETE') {
    objects.delete(key);
    response.writeHead(204).end();
  } else if (found === undefined) refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.');
  else {
    const modified = new Date(found.storedMs).toUTCString();
    response.writeHead(200, { 'content-length': found.bytes.length, 'last-modified': modified }).end(found.bytes);
  }
}

function textOf({ body }: Denial): string {
  const { Message } = body as { readonly Message?: unknown };
  return typeof Message === 'string' ? Message : 'Access Denied';
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml', connection: 'close' })
    .end(`<Error><Code>${code}</Code><Message>${message.replaceAll(/[<&]/g, '')}</Message></Error>`);
}
