/** Message -> SQS body. */
import { InvalidOption, MessageTooLarge } from './errors.ts';
import { encodeJson } from './json.ts';
import { SQS_MAX_MESSAGE_BYTES } from './limits.ts';
import { CELERIAC_HEADER, CELERY_HEADERS, KOMBU_PROPERTIES, type Message } from './message.ts';
import { derivedId } from './time.ts';

/**
 * The SQS body of a message, exactly as kombu's SQS transport writes it: base64 of a JSON envelope whose
 * body is base64 of `[args, kwargs, embed]`. Pure.
 *
 * @throws NotSerializable naming the argument's path, MessageTooLarge, InvalidOption
 */
export function encodeMessage(message: Message): string {
  const body = `[${encodeJson(message.args, 'args')},${encodeJson(message.kwargs, 'kwargs')},${encodeJson(embedOf(message), 'embed')}]`;
  const envelope = {
    body: Buffer.from(body, 'utf8').toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: headersOf(message),
    properties: propertiesOf(message),
  };
  const text = Buffer.from(encodeJson(envelope, 'message'), 'utf8').toString('base64');
  if (text.length > SQS_MAX_MESSAGE_BYTES) {
    throw new MessageTooLarge(
      `The message of task '${message.task}' has ${text.length} bytes; SQS takes ${SQS_MAX_MESSAGE_BYTES}. Celery's format encodes arguments twice (about 1.8 times their size): store the data elsewhere and pass a reference.`,
    );
  }
  return text;
}

function embedOf(message: Message): Record<string, unknown> {
  const { callbacks, errbacks, chain, chord } = message.embed;
  return { callbacks, errbacks, chain, chord };
}

function headersOf(message: Message): Record<string, unknown> {
  const taken = Object.keys(message.headers).find((name) => CELERY_HEADERS.has(name) || name === CELERIAC_HEADER);
  if (taken !== undefined) {
    throw new InvalidOption(
      `headers: '${taken}' is a header of the protocol itself. Name yours otherwise, such as 'x-${taken}'.`,
    );
  }
  const base = {
    lang: 'js',
    task: message.task,
    id: message.id,
    shadow: message.shadow,
    eta: isoOf(message.etaMs),
    expires: isoOf(message.expiresMs),
    group: message.groupId,
    group_index: message.groupIndex,
    retries: message.retries,
    timelimit: message.timeLimit,
    root_id: message.rootId,
    parent_id: message.parentId,
    argsrepr: message.argsrepr,
    kwargsrepr: message.kwargsrepr,
    origin: message.origin,
    ignore_result: message.ignoreResult,
    replaced_task_nesting: message.replacedTaskNesting,
    stamped_headers: message.stampedHeaders,
    stamps: message.stamps,
    ...message.headers,
  };
  return Object.keys(message.celeriac).length === 0 ? base : { ...base, [CELERIAC_HEADER]: message.celeriac };
}

function propertiesOf(message: Message): Record<string, unknown> {
  const own = Object.fromEntries(Object.entries(message.properties).filter(([name]) => !KOMBU_PROPERTIES.has(name)));
  // kombu's `expiration` is left out: AMQP alone reads it, and it would need the time of sending.
  return {
    ...own,
    correlation_id: message.id,
    reply_to: message.replyTo ?? '',
    delivery_mode: 2,
    // Without it a Python worker's retry goes to the default queue, and its shutdown fails.
    delivery_info: { exchange: '', routing_key: message.queue },
    priority: message.priority,
    body_encoding: 'base64',
    delivery_tag: derivedId(`${message.id}/${message.retries}`),
  };
}

/** With microseconds and offset, as Python writes it. */
function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().replace('Z', '000+00:00');
}
