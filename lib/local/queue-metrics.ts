/** CloudWatch, as far as commands ask it of queues: the age of a queue's oldest message, on the port of the embedded SQS. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { systemClock } from '../base/time.ts';
import { read } from './forward.ts';
import { refusalOf, refuse } from './gate.ts';

/** A message as the SQS server holds it. */
interface Lying {
  readonly sentTimestamp?: number;
  readonly approximateReceiveCount?: number;
}

/** What the SQS server tells of a queue; undefined for one that it has not. */
export type InspectQueue = (name: string) => Promise<readonly Lying[] | undefined>;

/** What the SQS server answers to whoever looks into a queue of it. What is delayed is left out: it has no age yet. */
export function messagesIn(text: string): readonly Lying[] {
  const { messages } = JSON.parse(text) as {
    readonly messages: { readonly ready: readonly Lying[]; readonly inflight: readonly { readonly message: Lying }[] };
  };
  return [...messages.ready, ...messages.inflight.map(({ message }) => message)];
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const FORM = 'application/x-www-form-urlencoded';
// SQS leaves out what was received so often.
const RECEIVES_LEFT_OUT = 3;

/** Stands before the server's gate. Everything but questions for metrics goes on to it; those are asked for the same as others. */
export function queueMetrics(server: Server, inspect: InspectQueue): Server {
  const inner = server.listeners('request') as Listener[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers['content-type'] !== FORM) {
      for (const listener of inner) listener.call(server, request, response);
      return;
    }
    const headers = { ...request.headers, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'CloudWatch.' };
    const refusal = refusalOf({ method: request.method, url: request.url, headers }, { service: 'CloudWatch.' });
    if (refusal !== undefined) return refuse(response, refusal);
    answer(request, response, inspect).catch(() => response.destroy());
  });
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, inspect: InspectQueue): Promise<void> {
  const form = new URLSearchParams((await read(request)).toString('utf8'));
  if (form.get('Action') !== 'GetMetricStatistics' || form.get('MetricName') !== 'ApproximateAgeOfOldestMessage')
    return refuse(response, 'of forms only questions for the age of the oldest message of a queue are served here');
  const nowMs = systemClock.nowMs();
  const seconds = oldestSeconds((await inspect(form.get('Dimensions.member.1.Value') ?? '')) ?? [], nowMs);
  const point =
    seconds === undefined
      ? ''
      : `<member><Timestamp>${new Date(nowMs).toISOString()}</Timestamp><Maximum>${seconds}</Maximum></member>`;
  response
    .writeHead(200, { 'content-type': 'text/xml' })
    .end(
      `<GetMetricStatisticsResponse><GetMetricStatisticsResult><Datapoints>${point}</Datapoints></GetMetricStatisticsResult></GetMetricStatisticsResponse>`,
    );
}

/** Undefined where none lies there that counts. */
export function oldestSeconds(messages: readonly Lying[], nowMs: number): number | undefined {
  const sent = messages
    .filter(({ approximateReceiveCount = 0 }) => approximateReceiveCount < RECEIVES_LEFT_OUT)
    .flatMap(({ sentTimestamp }) => (sentTimestamp === undefined ? [] : [sentTimestamp]));
  return sent.length === 0 ? undefined : Math.max(0, (nowMs - Math.min(...sent)) / 1000);
}
