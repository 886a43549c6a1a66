/** A caller that dies at one of its requests to AWS: killed, as when its machine is gone. */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';

import { read } from '../../lib/local/forward.ts';

/** Which request it does not survive, from 1 on: `'before'` it is sent, or `'behind'` what it did, without an answer. */
export interface Death {
  readonly request: number;
  readonly when: 'before' | 'behind';
}

export interface Life {
  /** The operations that it asked for, the last one included. */
  readonly asked: readonly string[];
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
}

/**
 * Runs a program whose requests go through this process, which kills it.
 *
 * @param endpoint of the emulator, by https
 * @throws Error where it fails by itself
 */
export async function live(
  script: readonly string[],
  environment: NodeJS.ProcessEnv,
  endpoint: string,
  death?: Death,
): Promise<Life> {
  const asked: string[] = [];
  const gate = createServer((incoming, response) => {
    pass(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((listening) => {
    gate.listen(0, '127.0.0.1', listening);
  });
  const here = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
  // In the URLs of queues, too.
  const env = JSON.parse(JSON.stringify(environment).replaceAll(endpoint, here)) as NodeJS.ProcessEnv;
  const child = spawn(process.execPath, ['--conditions=@celeriac/source', ...script], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(incoming);
    asked.push(String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '');
    const dies = death?.request === asked.length ? death.when : undefined;
    if (dies === 'before') return void child.kill('SIGKILL');
    const answer = await passedOn(incoming, body, endpoint);
    if (dies === 'behind') return void child.kill('SIGKILL');
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  };
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...ended) => resolve(ended));
    });
    if (code !== 0 && signal !== 'SIGKILL')
      throw new Error(`The caller ended with ${code ?? signal}:\n${text.slice(-2000)}`);
    return { asked, code, signal };
  } finally {
    gate.closeAllConnections();
    gate.close();
  }
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

function passedOn({ headers, url = '/' }: IncomingMessage, body: Buffer, endpoint: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(url, endpoint),
      { method: 'POST', headers: { ...headers, connection: 'close' } },
      (response) => {
        read(response).then(
          (answer) =>
            resolve({
              status: response.statusCode ?? 500,
              type: response.headers['content-type'] ?? 'application/json',
              body: answer,
            }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
