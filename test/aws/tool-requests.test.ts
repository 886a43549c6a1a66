/** What commands ask of services: what there is none of is no error, and whatever else is refused is one that names it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ManualClock } from 'celeriac/testing';
import { afterEach, describe, expect, it } from 'vitest';

import { ToolRequests } from '../../lib/aws/tool-requests.ts';

let server: Server | undefined;
afterEach(() => new Promise<void>((done) => (server === undefined ? done() : server.close(() => done()))));

/** Each request is answered with this. */
async function toolOf(status: number, answer: string): Promise<ToolRequests> {
  server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status).end(answer));
  });
  const listening = server;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  return new ToolRequests({
    region: () => Promise.resolve('eu-central-1'),
    credentials: () => Promise.resolve({ accessKeyId: 'a', secretAccessKey: 'b' }),
    endpoint: () => endpoint,
    clock: new ManualClock(0),
  });
}

const json = (name: string): string => JSON.stringify({ __type: `com.amazonaws#${name}`, message: 'no' });
const xml = (name: string): string =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${name}</Code><Message>no</Message></Error></ErrorResponse>`;

type Ask = (tool: ToolRequests) => Promise<unknown>;
const ASKED: readonly (readonly [string, Ask, string | undefined, (name: string) => string, unknown])[] = [
  ['a parameter', (tool) => tool.parameter('p'), 'ParameterNotFound', json, undefined],
  ['a stack', (tool) => tool.stackParameters('s'), 'ValidationError', xml, undefined],
  ['an event source', (tool) => tool.eventSourceState('e'), 'ResourceNotFoundException', json, undefined],
  ['an event source, switched', (tool) => tool.switchEventSource('e', true), 'ResourceNotFoundException', json, false],
  ['the age of messages', (tool) => tool.oldestMessageSeconds('q'), undefined, xml, undefined],
];

describe.each(ASKED)('%s', (_what, ask, missing, body, none) => {
  if (missing !== undefined)
    it('that there is none of', async () => {
      const tool = await toolOf(400, body(missing));
      expect(await ask(tool)).toBe(none);
      tool.close();
    });

  it('that may not be asked for', async () => {
    const tool = await toolOf(403, body('AccessDenied'));
    await expect(ask(tool)).rejects.toMatchObject({ name: 'OperationalError', cause: { name: 'AccessDenied' } });
    tool.close();
  });
});
