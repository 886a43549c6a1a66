/** One delivery by hand, and all that came of it: what ran, what was sent and stored, what SQS and the stores were asked. */
import type { Celeriac, OutgoingMessage, Ports } from 'celeriac';
import { World } from 'celeriac/testing';

import type { TaskRecord } from '../../lib/ports/backend.ts';
import type { Delivery, Invocation } from '../../lib/ports/delivery.ts';
import type { Timer } from '../../lib/ports/timers.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import type { Message } from '../../lib/wire/message.ts';
import { checkedLines } from './log-lines.ts';
import { type Tap, tapped } from './port-taps.ts';

export const ID = 'the-id';
export const START_MS = Date.parse('2030-01-01T00:00:00Z');

/** A claim of another delivery, which died a moment ago. */
export const claimed = (more: object = {}) => ({
  id: ID,
  attempt: 0,
  owner: 'other',
  nowMs: START_MS - 2,
  leaseMs: START_MS - 1,
  name: 'job',
  queue: 'default',
  meta: '{"status":"STARTED","result":null}',
  expiresAtSeconds: START_MS / 1000 + 86_400,
  ...more,
});

/** As another program writes it: plain JSON, with these headers and arguments. */
export function envelope(headers: object = {}, args: readonly unknown[] = [], embed: object = {}): string {
  return JSON.stringify({
    body: JSON.stringify([args, {}, embed]),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'py', task: 'job', id: ID, root_id: ID, ...headers },
    properties: { correlation_id: ID, delivery_info: { routing_key: 'default' } },
  });
}

export interface Outcome {
  /** Whether SQS may delete it. */
  readonly acked: boolean;
  /** Seconds asked for, of whatever message. */
  readonly shown: readonly number[];
  /** Without dead letters. */
  readonly sent: readonly (OutgoingMessage & { readonly message: Message })[];
  /** Reasons. */
  readonly letters: readonly (string | undefined)[];
  readonly timers: readonly Timer[];
  readonly record: TaskRecord | undefined;
  readonly lines: readonly (readonly [level: string, text: string, fields: unknown])[];
  /** Requests by port and name. */
  readonly calls: readonly string[];
}

type Name = Parameters<typeof tapped>[2];

export interface Given {
  readonly app: Celeriac;
  readonly body?: string;
  readonly delivery?: Partial<Delivery>;
  /** Before it arrives. */
  readonly prepare?: (world: World) => unknown;
  /** Answers a request itself, or lets it go on. */
  readonly tap?: Tap;
  readonly ports?: (ports: Ports) => Ports;
  /** Length of its invocation. */
  readonly seconds?: number;
  readonly invocation?: Partial<Invocation>;
  /** That come with it. */
  readonly others?: readonly Partial<Delivery>[];
}

const TAPPED: Name = ['broker', 'backend', 'timers', 'groups', 'celeryGroups', 'marks'];

/** Its queue is 'default', and it is its first delivery, unless `delivery` says otherwise. */
export async function deliver(given: Given): Promise<Outcome & { readonly world: World }> {
  const { app, body = envelope(), delivery, prepare, tap = (_call, go) => go(), seconds = 60 } = given;
  const lines: [string, string, unknown][] = [];
  const logger = checkedLines({ log: (level, text, fields) => void lines.push([level, text, fields]) });
  const world = new World(app, { start: START_MS, logger });
  await prepare?.(world);
  const [shown, sent, letters, timers, calls]: [
    number[],
    Outcome['sent'][number][],
    (string | undefined)[],
    Timer[],
    string[],
  ] = [[], [], [], [], []];
  const noting: Tap = (call, go, args) => {
    calls.push(call);
    if (call === 'broker.changeVisibility') shown.push(args[2] as number);
    if (call === 'timers.put') timers.push(...(args[0] as readonly Timer[]));
    if (call === 'broker.send')
      for (const each of args[0] as readonly OutgoingMessage[])
        if (each.deadLetter === true) letters.push(each.attributes?.['reason']);
        else sent.push({ ...each, message: decodeMessage(each.body) });
    return tap(call, go, args);
  };
  const { ports = (own: Ports) => own } = given;
  app.use(tapped(ports(world.ports), noting, TAPPED));
  const one: Delivery = { messageId: 'm', receipt: 'r', body, queue: 'default', receiveCount: 1, ...delivery };
  const deadlineMs = world.clock.nowMs() + seconds * 1000;
  const { others = [] } = given;
  const { batchItemFailures } = await app.consume([one, ...others.map((each) => ({ ...one, ...each }))], {
    deadlineMs,
    requestId: 'request',
    ...given.invocation,
  });
  const [record] = await world.backend.get([ID], world.clock.nowMs());
  return { acked: batchItemFailures.length === 0, shown, sent, letters, timers, record, lines, calls, world };
}
