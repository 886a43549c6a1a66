/** Tells handlers of what is sent. */
import { EnqueueFailed, InvalidMessage } from '../base/errors.ts';
import type { PublishSignal } from '../task/signals.ts';
import type { RetryPolicy } from '../options/settings.ts';
import { OWN_TASKS } from '../canvas/own-tasks.ts';
import { MAX_PAYLOAD_BYTES, MAX_PAYLOAD_JSON_VALUES } from '../base/limits.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import { decodeHeaders, decodeMessage } from '../wire/decode-message.ts';
import type { Message } from '../wire/message.ts';
import type { App } from './app.ts';
import { emitSignal } from './emit-signal.ts';
import { type Prepared, publish, type PublishPorts } from './publish.ts';

// Of what this process has made itself.
const LIMITS = { maxBytes: MAX_PAYLOAD_BYTES, maxValues: MAX_PAYLOAD_JSON_VALUES };

/**
 * `publish()`, with `beforeTaskPublish` of each before it and `afterTaskPublish` of those that were sent behind it. What
 * they are told is read from the bytes that are sent: it is what the worker will read. Without handlers nothing is read.
 *
 * @throws EnqueueFailed
 */
export async function publishTelling(
  app: App,
  items: readonly Prepared[],
  ports: PublishPorts,
  policy?: Required<RetryPolicy> | null,
): Promise<void> {
  const { signals, settings } = app;
  const sent = (): Promise<void> => publish(items, ports, settings, policy);
  const send = (): Promise<void> =>
    settings.telemetry === undefined
      ? sent()
      : settings.telemetry.send(
          items.map(({ outgoing, span }) => ({ queue: outgoing.queue, span })),
          sent,
        );
  // What runs in its caller is not sent: Celery's apply() publishes nothing.
  if (app.eager !== undefined || !(signals?.has('beforeTaskPublish') || signals?.has('afterTaskPublish')))
    return send();
  const told = items.map(signalOf);
  await tell(app, 'beforeTaskPublish', told);
  try {
    await send();
  } catch (error) {
    if (EnqueueFailed.is(error)) {
      const { outcomes } = error as EnqueueFailed;
      await tell(
        app,
        'afterTaskPublish',
        told.filter((_, index) => outcomes[index]?.ok === true),
      );
    }
    throw error;
  }
  await tell(app, 'afterTaskPublish', told);
}

async function tell(
  app: App,
  name: 'beforeTaskPublish' | 'afterTaskPublish',
  told: readonly PublishSignal[],
): Promise<void> {
  // The library's own tasks are no concern of users.
  for (const signal of told) if (!signal.task.startsWith(OWN_TASKS)) await emitSignal(app, name, signal);
}

/** What was stored by another process cannot be told: its arguments are empty then. */
function read({ body, payload }: OutgoingMessage): Message {
  try {
    return decodeMessage(body, { stored: payload?.bytes, packing: LIMITS });
  } catch (error) {
    if (InvalidMessage.is(error)) return decodeHeaders(body);
    throw error;
  }
}

function signalOf({ outgoing }: Prepared): PublishSignal {
  const { task, id, args, kwargs, retries, etaMs, headers } = read(outgoing);
  const eta = etaMs === null ? null : new Date(etaMs);
  return { task, id, queue: outgoing.queue, args, kwargs, retries, eta, headers };
}
