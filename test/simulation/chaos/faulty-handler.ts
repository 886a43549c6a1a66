/** An HTTP handler for the SDK's clients on a bad network: requests and answers get lost, servers are slow, throttle and fail. */
import { Readable } from 'node:stream';

import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Random } from '../../../lib/time.ts';

export interface NetworkFaults {
  readonly droppedRequest: number;
  readonly droppedResponse: number;
  readonly serverError: number;
  readonly throttle: number;
  readonly slow: number;
  /** A batch of DynamoDB's of which nothing was processed. */
  readonly unprocessed: number;
}

export type NetworkCounts = Record<keyof NetworkFaults, number>;

export const SOME_FAULTS: NetworkFaults = {
  droppedRequest: 0.01,
  droppedResponse: 0.01,
  serverError: 0.01,
  throttle: 0.02,
  slow: 0.02,
  unprocessed: 0.2,
};

type Handle = NodeHttpHandler['handle'];
type Answer = Awaited<ReturnType<Handle>>;

export class FaultyHandler extends NodeHttpHandler {
  readonly #faults: NetworkFaults;
  readonly #random: Random;
  readonly counts: NetworkCounts = {
    droppedRequest: 0,
    droppedResponse: 0,
    serverError: 0,
    throttle: 0,
    slow: 0,
    unprocessed: 0,
  };

  constructor(faults: NetworkFaults, random: Random) {
    super({});
    this.#faults = faults;
    this.#random = random;
  }

  override async handle(...[request, options]: Parameters<Handle>): Promise<Answer> {
    if (this.#hit('droppedRequest')) throw reset();
    if (this.#hit('throttle')) return failure(400, 'ThrottlingException');
    if (this.#hit('serverError')) return failure(500, 'InternalServerError');
    const left = unprocessed(request);
    if (left !== undefined && this.#hit('unprocessed')) return answer(200, left);
    if (this.#hit('slow')) await new Promise((resolve) => setTimeout(resolve, 50 + this.#random.next() * 500));
    const response = await super.handle(request, options);
    if (!this.#hit('droppedResponse')) return response;
    (response.response.body as Readable).destroy();
    throw reset();
  }

  #hit(kind: keyof NetworkFaults): boolean {
    if (this.#random.next() >= this.#faults[kind]) return false;
    this.counts[kind] += 1;
    return true;
  }
}

function reset(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
}

/** What DynamoDB answers when it had no room for any of a batch; undefined for other requests. */
function unprocessed({ headers, body }: Parameters<Handle>[0]): object | undefined {
  const operation = headers['x-amz-target']?.split('.')[1];
  if (operation !== 'BatchWriteItem' && operation !== 'BatchGetItem') return undefined;
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
  const { RequestItems } = JSON.parse(text) as { readonly RequestItems: object };
  return operation === 'BatchWriteItem'
    ? { UnprocessedItems: RequestItems }
    : { Responses: {}, UnprocessedKeys: RequestItems };
}

function failure(statusCode: number, type: string): Answer {
  return answer(statusCode, { __type: type, message: 'fault' });
}

function answer(statusCode: number, content: object): Answer {
  const body = Readable.from([JSON.stringify(content)]);
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return { response: { statusCode, reason: '', headers, body } } as unknown as Answer;
}
