/** Requests over connections that are kept: node:https without what the SDK puts around it. */
import type { Agent, IncomingMessage } from 'node:http';

import type { Clock } from '../../base/time.ts';
import { abortError } from './errors.ts';

// An ES import of them costs 25 ms: it reads every member, and one of those loads a WebSocket client.
const { Agent: HttpsAgent, request: httpsRequest } = process.getBuiltinModule('node:https');
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

/** As the SDK's: its handlers take these. */
export interface HttpRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HandlerOptions {
  readonly abortSignal?: AbortSignal | undefined;
  /** Milliseconds until an answer begins. */
  readonly requestTimeout?: number | undefined;
}

export interface RequestHandler {
  handle(request: HttpRequest, options?: HandlerOptions): Promise<{ readonly response: HttpResponse }>;
  destroy?(): void;
}

/** Milliseconds. Names are those of the SDK's NodeHttpHandler. */
export interface HttpHandlerOptions {
  /** Until there is a connection. Default 3,100; 0 for no limit. */
  readonly connectionTimeout?: number | undefined;
  /** Until an answer begins. Default none. */
  readonly requestTimeout?: number | undefined;
  /** Without a byte on the connection. Default 30,000, half as much again as the longest poll of SQS; 0 for no limit. */
  readonly socketTimeout?: number | undefined;
}

// As the SDK: what is beyond waits in memory.
const MOST_SOCKETS = 50;
const CONNECTION_TIMEOUT_MS = 3100;
const SOCKET_TIMEOUT_MS = 30_000;
// AWS's NAT gateways and VPC endpoints forget a connection after 350 s of silence, also while Lambda freezes the process: no timer sees that.
const LONGEST_IDLE_MS = 300_000;
const LOST = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

export class HttpHandler implements RequestHandler {
  readonly #options: HttpHandlerOptions;
  readonly #clock: Clock;
  readonly #agents = new Map<string, Agent>();
  #usedMs = 0;

  constructor(options: HttpHandlerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  destroy(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  handle(request: HttpRequest, options: HandlerOptions = {}): Promise<{ readonly response: HttpResponse }> {
    const { abortSignal, requestTimeout = this.#options.requestTimeout ?? 0 } = options;
    if (abortSignal?.aborted) return Promise.reject(abortError(abortSignal));
    const { connectionTimeout = CONNECTION_TIMEOUT_MS, socketTimeout = SOCKET_TIMEOUT_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const sent = this.#request(request, socketTimeout);
      const timers: (() => void)[] = [];
      const fail = (error: Error): void => {
        for (const cancel of timers.splice(0)) cancel();
        sent.destroy();
        reject(error);
      };
      const limit = (ms: number, what: string): (() => void) => {
        if (ms <= 0) return () => {};
        const cancel = this.#clock.schedule(ms, () => fail(timeoutError(what, ms)));
        timers.push(cancel);
        return cancel;
      };
      limit(requestTimeout, 'no answer began');
      sent.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', limit(connectionTimeout, 'no connection was made'));
      });
      let response: IncomingMessage | undefined;
      sent.on('timeout', () => {
        const error = timeoutError('nothing was heard', socketTimeout);
        response?.destroy(error);
        fail(error);
      });
      const aborted = (): void => {
        if (abortSignal === undefined) return;
        const error = abortError(abortSignal);
        response?.destroy(error);
        fail(error);
      };
      abortSignal?.addEventListener('abort', aborted, { once: true });
      sent.once('close', () => abortSignal?.removeEventListener('abort', aborted));
      sent.on('error', (error: Error & { readonly code?: string }) =>
        fail(LOST.has(error.code ?? '') ? Object.assign(error, { name: 'TimeoutError' }) : error),
      );
      sent.on('response', (answer) => {
        response = answer;
        for (const cancel of timers.splice(0)) cancel();
        resolve({ response: { statusCode: answer.statusCode ?? 0, headers: joined(answer), body: answer } });
      });
      sent.end(request.body);
    });
  }

  #request(
    { protocol, hostname, port, method, path, headers }: HttpRequest,
    timeout: number,
  ): ReturnType<typeof httpRequest> {
    const agent = this.#agent(protocol);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const options = { host, port, method, path, headers, agent, timeout };
    return protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
  }

  #agent(protocol: string): Agent {
    let agent = this.#agents.get(protocol);
    if (agent === undefined) {
      agent = new (protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: MOST_SOCKETS });
      this.#agents.set(protocol, agent);
    }
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#usedMs > LONGEST_IDLE_MS)
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    this.#usedMs = nowMs;
    return agent;
  }
}

function timeoutError(what: string, ms: number): Error {
  return Object.assign(new Error(`${what} within ${ms} ms`), { name: 'TimeoutError' });
}

function joined({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
