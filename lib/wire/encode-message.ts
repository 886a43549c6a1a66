/** Message -> SQS body: Celery protocol 2 (celery/app/amqp.py), as kombu's SQS transport writes it. */
import type { JsonObject } from './fields.ts';
import { without } from './envelope.ts';
import { type Packed, writeEnvelope, type WriteOptions } from './write-envelope.ts';
import { InvalidOption } from '../base/errors.ts';
import { formatIsoTime } from '../base/iso-time.ts';
import { encodeJson, type EncodeOptions } from './json.ts';
import { CELERIAC_HEADER, CELERY_HEADERS, KOMBU_PROPERTIES, type Message } from './message.ts';
import { givenArguments } from './signature.ts';
import { derivedId } from '../base/ids.ts';

const PERSISTENT = 2;

export interface EncodeMessageOptions extends EncodeOptions {
  /** What Celery calls the message's queue. Default: what we call it. */
  readonly routingKey?: string;
}

/** The SQS body of a message, exactly as kombu's SQS transport writes it. Throws NotSerializable, MessageTooLarge, InvalidOption. */
export function encodeMessage(message: Message, options: EncodeMessageOptions = {}): string {
  return packMessage(message, options).text;
}

/** The same; what is large is packed as `packing` says. */
export function packMessage(
  message: Message,
  options: EncodeMessageOptions & Pick<WriteOptions, 'packing' | 'inPlace'> = {},
): Packed {
  // One by one, so that an error names `args[0].user` and not a path inside the triple.
  const body = [
    encodeJson(givenArguments(message.args), 'args', options),
    encodeJson(message.kwargs, 'kwargs', options),
    encodeJson(message.embed, 'embed', options),
  ];
  const properties = propertiesOf(message, options.routingKey ?? message.queue);
  const { packing, inPlace = false } = options;
  const { compression, stored } = message;
  const packed = writeEnvelope(message.task, headersOf(message), properties, `[${body.join(',')}]`, {
    compression,
    packing,
    salt: stored?.salt,
    inPlace,
  });
  const { payload } = packed;
  // A retry's body is the one before it, as a rule.
  return payload === undefined || payload.key !== stored?.key
    ? packed
    : { ...packed, payload: { ...payload, storedMs: stored.storedMs } };
}

function headersOf(message: Message): JsonObject {
  for (const name of Object.keys(message.headers)) {
    if (name !== CELERIAC_HEADER && !CELERY_HEADERS.has(name)) continue;
    throw new InvalidOption(
      `headers: '${name}' is a header of the protocol itself; any other name is allowed, such as 'x-${name}'.`,
    );
  }
  return {
    lang: 'js',
    task: message.task,
    id: message.id,
    shadow: message.shadow,
    eta: message.etaMs === null ? null : formatIsoTime(message.etaMs, 'eta'),
    expires: message.expiresMs === null ? null : formatIsoTime(message.expiresMs, 'expires'),
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
    ...(Object.keys(message.celeriac).length === 0 ? {} : { [CELERIAC_HEADER]: message.celeriac }),
  };
}

/** Without `expiration`: a time to live counted from sending, which AMQP brokers alone read. `expires` says it all. */
function propertiesOf(message: Message, routingKey: string): JsonObject {
  return {
    correlation_id: message.id,
    reply_to: message.replyTo ?? '',
    ...without(message.properties, (name) => KOMBU_PROPERTIES.has(name)),
    delivery_mode: PERSISTENT,
    // Python's Task.retry sends to the default queue unless both stand here.
    delivery_info: { exchange: '', routing_key: routingKey },
    priority: message.priority,
    body_encoding: 'base64',
    // One per attempt, and the same one whenever the attempt is encoded again.
    delivery_tag: derivedId(`delivery-tag:${message.id}:${message.retries}`),
  };
}
