/** A function as Lambda runs it: AWS's own runtime client in a process of its own, and its Runtime API on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const FOLDER = resolve('test/runtime-client');
const CLIENT = resolve(FOLDER, 'node_modules/aws-lambda-ric/index.mjs');
const INVOCATION_MS = 30_000;

/** Why it cannot be started, which is said aloud; undefined where it can. */
export function reasonToSkipRuntime(what: string): string | undefined {
  if (existsSync(CLIENT)) return undefined;
  const reason = 'npm ci --ignore-scripts --prefix test/runtime-client was not run';
  // oxlint-disable-next-line no-console
  console.log(`Skipped: ${what}: ${reason}.`);
  return reason;
}

interface Waiting {
  readonly id: string;
  readonly event: unknown;
  readonly done: (response: unknown) => void;
  readonly fail: (error: Error) => void;
}

export class LambdaRuntime {
  /** What the function's log group would hold. */
  readonly lines: string[] = [];
  readonly #server: Server;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<string, Waiting>();
  #idle: ServerResponse | undefined;
  #process: ChildProcess | undefined;
  #count = 0;

  /** @param bundle An ES module that exports `handler`. */
  static async start(bundle: string, variables: Readonly<Record<string, string>>): Promise<LambdaRuntime> {
    const runtime = new LambdaRuntime();
    await new Promise<void>((listening) => runtime.#server.listen(0, '127.0.0.1', listening));
    runtime.#spawn(bundle, variables);
    return runtime;
  }

  private constructor() {
    this.#server = createServer((incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch((error: unknown) => outgoing.writeHead(500).end(String(error)));
    });
  }

  invoke(event: unknown): Promise<unknown> {
    this.#count += 1;
    const id = `00000000-0000-4000-8000-${String(this.#count).padStart(12, '0')}`;
    return new Promise((done, fail) => {
      this.#waiting.push({ id, event, done, fail });
      this.#hand();
    });
  }

  async stop(): Promise<void> {
    const child = this.#process;
    const ended = new Promise((exit) => child?.once('exit', exit));
    child?.kill();
    await ended;
    await new Promise((closed) => {
      this.#server.close(closed);
      this.#server.closeAllConnections();
    });
  }

  #spawn(bundle: string, variables: Readonly<Record<string, string>>): void {
    const { port } = this.#server.address() as AddressInfo;
    const child = spawn(process.execPath, ['--import', resolve(FOLDER, 'preload.mjs'), CLIENT], {
      env: {
        ...variables,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true',
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_LAMBDA_FUNCTION_NAME: 'worker',
        AWS_LAMBDA_FUNCTION_VERSION: '1',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: 'group',
        AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
        LAMBDA_TASK_ROOT: dirname(bundle),
        _HANDLER: `${basename(bundle).replace(/\.\w+$/, '')}.handler`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => this.lines.push(line));
    child.once('exit', (code) => this.#end(new Error(`The runtime ended with ${code}:\n${this.lines.join('\n')}`)));
  }

  #end(error: Error): void {
    for (const { fail } of [...this.#waiting.splice(0), ...this.#running.values()]) fail(error);
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const [, id = '', what = ''] = /\/runtime\/invocation\/([^/]+)(?:\/(\w+))?$/.exec(incoming.url ?? '') ?? [];
    if (id === 'next') {
      this.#idle = outgoing;
      this.#hand();
      return;
    }
    const body = await text(incoming);
    outgoing.writeHead(202).end();
    const running = this.#running.get(decodeURIComponent(id));
    this.#running.delete(decodeURIComponent(id));
    if (what === 'response') running?.done(JSON.parse(body));
    else if (running === undefined) this.#end(new Error(body));
    else running.fail(new Error(body));
  }

  #hand(): void {
    const outgoing = this.#idle;
    const next = outgoing === undefined ? undefined : this.#waiting.shift();
    if (outgoing === undefined || next === undefined) return;
    this.#idle = undefined;
    this.#running.set(next.id, next);
    outgoing
      .writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': next.id,
        'lambda-runtime-deadline-ms': String(Date.now() + INVOCATION_MS),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:worker',
      })
      .end(JSON.stringify(next.event));
  }
}
