/** Stands before a server of the embedded cloud and asks of each request whether its sender may make it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { errorMessage } from '../base/error-text.ts';
import { type Answer, forward, read } from './forward.ts';

/** A request as IAM sees it. */
export interface AskedRequest {
  /** Of the request's signature: who sent it. */
  readonly accessKeyId: string;
  /** As in `DynamoDB_20120810.PutItem`; of objects as in `S3.GetObject`. */
  readonly target: string;
  /** The request's body, read; of objects `{ Bucket, Key }`. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** The answer to a request that its sender may not make. */
export interface Denial {
  /** HTTP status, 400 for DynamoDB's AccessDeniedException. */
  readonly status: number;
  /** HTTP headers beside the content type. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: object;
  /** Of a batch of statements: answers of those that are denied, by index. The others are executed. */
  readonly statements?: ReadonlyMap<number, object>;
}

/** undefined lets it through. */
export type Authorize = (request: AskedRequest) => Denial | undefined;

const KEY = /Credential=([^/,\s]+)/;
const JSON_TYPE = 'application/x-amz-json-1.0';

/** A server to be listened on; `target` listens nowhere. */
export function authorizing(target: Server, authorize: Authorize): Server {
  return createServer((incoming, outgoing) => {
    handle(incoming, outgoing, target, authorize).catch((error: unknown) => {
      if (outgoing.destroyed) return;
      outgoing.writeHead(500).end(errorMessage(error));
    });
  });
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: Server,
  authorize: Authorize,
): Promise<void> {
  const body = await read(incoming);
  // A long poll whose caller is gone must not take messages for nobody.
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const pass = (bytes: Buffer): Promise<Answer> => forward(incoming.headers, bytes, target, gone.signal);
  const denial = authorize(requestOf(incoming, body));
  const answer = denial === undefined ? await pass(body) : await denied(denial, body, pass);
  outgoing.writeHead(answer.status, answer.headers).end(answer.body);
}

function requestOf({ headers }: IncomingMessage, body: Buffer): AskedRequest {
  return {
    accessKeyId: KEY.exec(headers.authorization ?? '')?.[1] ?? '',
    target: String(headers['x-amz-target']),
    input: JSON.parse(body.toString('utf8')) as Record<string, unknown>,
  };
}

async function denied(denial: Denial, body: Buffer, pass: (bytes: Buffer) => Promise<Answer>): Promise<Answer> {
  const { statements } = denial;
  if (statements === undefined) return answerOf(denial.status, denial.body, denial.headers);
  const { Statements = [], ...rest } = JSON.parse(body.toString('utf8')) as { readonly Statements?: unknown[] };
  const allowed = Statements.filter((_, index) => !statements.has(index));
  const done = allowed.length === 0 ? [] : await executed(allowed, rest, pass);
  return answerOf(200, { Responses: Statements.map((_, index) => statements.get(index) ?? done.shift() ?? {}) });
}

async function executed(
  Statements: readonly unknown[],
  rest: object,
  pass: (bytes: Buffer) => Promise<Answer>,
): Promise<object[]> {
  const { body } = await pass(Buffer.from(JSON.stringify({ ...rest, Statements })));
  const { Responses = [] } = JSON.parse(body.toString('utf8')) as { readonly Responses?: readonly object[] };
  return [...Responses];
}

function answerOf(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': JSON_TYPE, ...headers }, body: Buffer.from(JSON.stringify(body)) };
}
