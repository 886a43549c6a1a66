/**
 * Between the SDK's clients and a server: what SQS and DynamoDB answer on a bad day and no emulator ever does. A plan
 * decides over each request; the SDK's own retries are above it, so that each of their tries is a request of its own.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { DynamoDBClient, SQSClient } from '#aws-sdk';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { seededRandom } from 'celeriac/testing';

import type { Clients } from '../../lib/aws/connect.ts';
import { systemRandom, type Random } from '../../lib/base/time.ts';

export type Input = Readonly<Record<string, unknown>>;

/** One request on its way. */
export interface ServiceRequest {
  readonly service: 'SQS' | 'DynamoDB';
  /** As in `SendMessageBatch`. */
  readonly operation: string;
  readonly input: Input;
  /** Its place among all requests of its handler, from 1. */
  readonly number: number;
}

export interface Answer {
  readonly status: number;
  readonly body: Input;
  /** What arrives of it, where that is not the whole. */
  readonly arrives?: string;
}

/** Sends the request on, or a part of it, and gives the server's answer. */
export type Forward = (input?: Input) => Promise<Answer>;

/** What becomes of a request: an answer, or an error of the connection. */
export type Fault = (request: ServiceRequest, forward: Forward, random: Random) => Promise<Answer>;

/** undefined: the request passes untouched. */
export type Plan = (request: ServiceRequest, random: Random) => Fault | undefined;

type Handle = NodeHttpHandler['handle'];
type Sent = Parameters<Handle>[0];

export class FaultyService extends NodeHttpHandler {
  readonly requests: ServiceRequest[] = [];
  /** Requests that did not pass untouched. */
  faults = 0;
  readonly #plan: Plan;
  readonly #randomOf: (request: ServiceRequest) => Random;

  constructor(plan: Plan, randomOf: (request: ServiceRequest) => Random = () => systemRandom) {
    super({});
    this.#plan = plan;
    this.#randomOf = randomOf;
  }

  override async handle(...[sent, options]: Parameters<Handle>): ReturnType<Handle> {
    const request = requestOf(sent, this.requests.length + 1);
    this.requests.push(request);
    const random = this.#randomOf(request);
    const fault = this.#plan(request, random);
    if (fault === undefined) return super.handle(sent, options);
    this.faults += 1;
    const forward: Forward = async (input) => {
      const { response } = await super.handle(input === undefined ? sent : withInput(sent, input), options);
      return { status: response.statusCode, body: JSON.parse(await text(response.body as Readable)) as Input };
    };
    return responseOf(await fault(request, forward, random), request);
  }
}

function requestOf({ headers, body }: Sent, number: number): ServiceRequest {
  const [prefix = '', operation = ''] = (headers['x-amz-target'] ?? '').split('.');
  const json = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
  const service = prefix === 'AmazonSQS' ? 'SQS' : 'DynamoDB';
  return { service, operation, input: JSON.parse(json) as Input, number };
}

function withInput(sent: Sent, input: Input): Sent {
  const body = JSON.stringify(input);
  const headers = { ...sent.headers, 'content-length': String(Buffer.byteLength(body)) };
  return Object.assign(Object.create(Object.getPrototypeOf(sent) as object) as Sent, sent, { body, headers });
}

function responseOf(
  { status, body, arrives = JSON.stringify(body) }: Answer,
  { service }: ServiceRequest,
): Awaited<ReturnType<Handle>> {
  const { __type: named = '' } = body as { readonly __type?: string };
  const type = named.replace(/^.*#/, '');
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    // SQS tells the names of its older protocol beside those of the newer one.
    ...(service === 'SQS' && status >= 400
      ? { 'x-amzn-query-error': `${type};${status < 500 ? 'Sender' : 'Receiver'}` }
      : {}),
  };
  const response = { statusCode: status, reason: '', headers, body: Readable.from([arrives]) };
  return { response } as unknown as Awaited<ReturnType<Handle>>;
}

/** A process that ends at one of its requests, before or after it is done: nothing that it asks afterwards is heard. */
export function dyingAt(at: number, when: 'before' | 'after', died: Fault): Plan {
  return ({ number }) => {
    if (number < at) return undefined;
    if (number > at || when === 'before') return died;
    return async (request, forward, random) => {
      await forward();
      return died(request, forward, random);
    };
  };
}

/** Draws that follow from the request itself and from how often it came: the same in whatever order requests come. */
export function drawsOf(seed: number): (request: ServiceRequest) => Random {
  const times = new Map<string, number>();
  return ({ operation, input }) => {
    // A server's port is another one each time.
    const said = JSON.stringify(input, sorted).replaceAll(/http:\/\/[^/"]+/g, '');
    const key = createHash('sha256').update(`${seed} ${operation} ${said}`).digest('hex');
    const time = (times.get(key) ?? 0) + 1;
    times.set(key, time);
    return seededRandom(Number.parseInt(key.slice(0, 8), 16) + time * 7919);
  };
}

/** Clients write the members of an object in an order of their own. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

const MOST_TRIES = 8;

interface Token {
  readonly getRetryCount: () => number;
  readonly getRetryDelay: () => number;
}

const token = (count: number): Token => ({ getRetryCount: () => count, getRetryDelay: () => 0 });

/** The SDK's own judgement of what to try again, without its pauses. */
const AT_ONCE = {
  acquireInitialRetryToken: () => Promise.resolve(token(0)),
  refreshRetryTokenForRetry: (last: Token, { errorType }: { readonly errorType: string }): Promise<Token> =>
    last.getRetryCount() + 1 < MOST_TRIES && (errorType === 'TRANSIENT' || errorType === 'THROTTLING')
      ? Promise.resolve(token(last.getRetryCount() + 1))
      : Promise.reject(new Error('no further try')),
  recordSuccess: () => undefined,
} as unknown as NonNullable<DynamoDBClientConfig['retryStrategy']>;

/** Clients for servers of the tests, over a faulty service. */
export function clientsOver(
  handler: NodeHttpHandler,
  endpoints: { readonly sqs: string; readonly dynamodb: string },
): Clients {
  const common = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: handler,
    retryStrategy: AT_ONCE,
  };
  return {
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
  };
}
