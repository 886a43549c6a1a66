/** A request passed on to a server in this process: no port and no socket file that anybody else could find. */
import { type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http';
import { duplexPair } from 'node:stream';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** @param signal ends the request when whoever asked is gone. */
export function forward(
  headers: IncomingHttpHeaders,
  body: Buffer,
  target: Server,
  signal?: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const [ours, theirs] = duplexPair();
    target.emit('connection', theirs);
    const outgoing = request(
      {
        createConnection: () => ours,
        method: 'POST',
        headers: { ...headers, 'content-length': body.length, connection: 'close' },
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        // How this connection ends is not how the caller's does.
        const { connection: _connection, ...answered } = response.headers;
        read(response).then(
          (answer) => resolve({ status: response.statusCode ?? 500, headers: answered, body: answer }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
