/** SQS body -> message: protocol 2 and 1, from anybody. It is read, or refused with a reason, and nothing else. */
import { type Envelope, nameOf, readEnvelope, readOuterEnvelope, type ReadOptions, without } from './envelope.ts';
import {
  isCount,
  isObject,
  type JsonObject,
  readArray,
  readBoolean,
  readCount,
  readDueTime,
  readName,
  readNames,
  readObject,
  readOptionalName,
  readSignatures,
  readTime,
  readTimeLimit,
  requireSignature,
  textOr,
  wrong,
} from './fields.ts';
import { InvalidMessage } from '../base/errors.ts';
import { decodeTyped } from './json-typed.ts';
import { MAX_RETRIES, MAX_TASK_ID_CHARACTERS, MAX_TASK_NAME_CHARACTERS } from '../base/limits.ts';
import {
  CELERIAC_HEADER,
  type CeleriacHeader,
  CELERY_HEADERS,
  type Embed,
  KOMBU_PROPERTIES,
  type Message,
  PAYLOAD_FIELD,
} from './message.ts';
import { isName } from './message-bounds.ts';
import { argsRepr, kwargsRepr } from './repr.ts';
import { readGroupHeader } from './group-header.ts';
import { groupIdOf } from '../base/sqs-text.ts';

// What is no number is left out: it would have to be one.
const COUNTS: ReadonlySet<string> = new Set([
  'hops',
  'unknown',
  'slot',
  'pace',
  'lates',
  'place',
  'grant',
  'deliveries',
  'part',
]);

/** Reads an SQS body. Throws InvalidMessage with a reason; never anything else. */
export function decodeMessage(body: string, options?: ReadOptions): Message {
  try {
    const envelope = readEnvelope(body, options);
    return Object.hasOwn(envelope.headers, 'task') ? readProtocol2(envelope) : readProtocol1(envelope);
  } catch (error) {
    if (error instanceof InvalidMessage) throw error;
    throw new InvalidMessage(`The message cannot be read: ${nameOf(error)} while it was.`);
  }
}

/**
 * What its envelope tells of a message; arguments and what follows are empty. Reads no body: that may be what stopped
 * every worker. Throws InvalidMessage, and nothing else.
 */
export function decodeHeaders(body: string): Message {
  try {
    const { headers, properties } = readOuterEnvelope(body);
    const surroundings = readEnvelopeFields({ headers, properties, payload: null, compression: undefined });
    // Protocol 1 has its task in its body; its id stands here too.
    const fields = Object.hasOwn(headers, 'task') ? headers : { task: 'unknown', id: properties['correlation_id'] };
    const embed = { callbacks: null, errbacks: null, chain: null, chord: null };
    return { ...readFields(fields), args: [], kwargs: {}, embed, ...surroundings };
  } catch (error) {
    if (error instanceof InvalidMessage) throw error;
    throw new InvalidMessage(`The message cannot be read: ${nameOf(error)} while it was.`);
  }
}

function readProtocol2(envelope: Envelope): Message {
  const { headers, payload } = envelope;
  if (!Array.isArray(payload) || payload.length !== 3) {
    throw wrong('body', payload, 'an array of three, args, kwargs and embed,');
  }
  const [args, kwargs, embed] = payload as readonly unknown[];
  return {
    ...readFields(headers),
    args: readArray(decodeTyped(args), 'args'),
    kwargs: readObject(decodeTyped(kwargs), 'kwargs'),
    // As it came: a later step may be Python's, which has types that are unknown here.
    embed: readEmbed(embed),
    ...readEnvelopeFields(envelope),
  };
}

/** Celery 3: no headers, everything in the body (`proto1_to_proto2`, celery/worker/strategy.py). */
function readProtocol1(envelope: Envelope): Message {
  const { payload } = envelope;
  if (!isObject(payload) || !Object.hasOwn(payload, 'task')) {
    throw new InvalidMessage(
      'The message names no task, neither in its headers (protocol 2) nor in its body (protocol 1).',
    );
  }
  const { callbacks, errbacks, chord, ...raw } = payload;
  const fields = readObject(decodeTyped(raw), 'body');
  const args = readArray(fields['args'] ?? [], 'args');
  const kwargs = readObject(fields['kwargs'] ?? {}, 'kwargs');
  return {
    ...readFields({ ...fields, group: fields['taskset'] ?? fields['group'] }),
    argsrepr: argsRepr(args),
    kwargsrepr: kwargsRepr(kwargs),
    args,
    kwargs,
    embed: readEmbed({ callbacks, errbacks, chord }),
    ...readEnvelopeFields(envelope),
  };
}

type EnvelopeFields = Pick<
  Message,
  'queue' | 'priority' | 'replyTo' | 'headers' | 'properties' | 'celeriac' | 'compression'
>;
type Fields = Omit<Message, keyof EnvelopeFields | 'args' | 'kwargs' | 'embed'>;

/** The headers of protocol 2; protocol 1 has them in its body. */
function readFields(fields: JsonObject): Fields {
  const id = readName(fields['id'], 'id', MAX_TASK_ID_CHARACTERS);
  return {
    id,
    task: readName(fields['task'], 'task', MAX_TASK_NAME_CHARACTERS),
    retries: readCount(fields['retries'], 'retries', MAX_RETRIES) ?? 0,
    etaMs: readDueTime(fields['eta'], 'eta'),
    expiresMs: readTime(fields['expires'], 'expires'),
    rootId: readOptionalName(fields['root_id'], 'root_id', MAX_TASK_ID_CHARACTERS) ?? id,
    parentId: readOptionalName(fields['parent_id'], 'parent_id', MAX_TASK_ID_CHARACTERS),
    groupId: readOptionalName(fields['group'], 'group', MAX_TASK_ID_CHARACTERS),
    groupIndex: readCount(fields['group_index'], 'group_index'),
    timeLimit: readTimeLimit(fields['timelimit']),
    ignoreResult: readBoolean(fields['ignore_result'], 'ignore_result'),
    argsrepr: textOr(fields['argsrepr'], ''),
    kwargsrepr: textOr(fields['kwargsrepr'], ''),
    shadow: textOr(fields['shadow'], null),
    origin: textOr(fields['origin'], null),
    replacedTaskNesting: readCount(fields['replaced_task_nesting'], 'replaced_task_nesting') ?? 0,
    stampedHeaders: readNames(fields['stamped_headers'], 'stamped_headers'),
    stamps: readObject(fields['stamps'] ?? {}, 'stamps'),
  };
}

function readEnvelopeFields({ headers, properties, compression }: Envelope): EnvelopeFields {
  const { delivery_info: deliveryInfo, priority, reply_to: replyTo } = properties;
  return {
    queue: isObject(deliveryInfo) ? textOr(deliveryInfo['routing_key'], '') : '',
    // Its lane was chosen when it was sent: a wrong one changes nothing.
    priority: isCount(priority) ? priority : 0,
    // '' is how Celery says that nobody waits for a reply.
    replyTo: replyTo === '' ? null : textOr(replyTo, null),
    headers: without(headers, (name) => name === CELERIAC_HEADER || CELERY_HEADERS.has(name)),
    properties: without(properties, (name) => name === CELERIAC_HEADER || KOMBU_PROPERTIES.has(name)),
    // Python puts unknown options of a signature it sends for us among the properties.
    celeriac: readCeleriac(headers[CELERIAC_HEADER] ?? groupOption(properties)),
    ...(compression === undefined ? {} : { compression }),
  };
}

function groupOption({ [CELERIAC_HEADER]: group }: JsonObject): unknown {
  return group === undefined ? undefined : { group };
}

function readCeleriac(value: unknown): CeleriacHeader {
  if (!isObject(value)) return {};
  const { groupId } = value;
  const group = readGroupHeader(value['group']);
  const gather = readGather(value['gather']);
  const rest = without(value, (name) => {
    if (COUNTS.has(name)) return !isCount(value[name]);
    return name === 'group' || name === 'gather' || name === 'groupId' || name === PAYLOAD_FIELD;
  });
  return {
    ...rest,
    // One that SQS would refuse is kept by another name: its messages still belong together.
    ...(typeof groupId === 'string' && groupId !== '' ? { groupId: groupIdOf(groupId) } : {}),
    ...(group === undefined ? {} : { group }),
    ...(gather === undefined ? {} : { gather }),
  };
}

function readGather(value: unknown): CeleriacHeader['gather'] {
  const header = readGroupHeader(value);
  if (header === undefined || !isObject(value)) return undefined;
  const { groupId } = value;
  if (!isName(groupId, MAX_TASK_ID_CHARACTERS)) return undefined;
  return { groupId, size: header.size, policy: header.policy ?? 'celery' };
}

function readEmbed(value: unknown): Embed {
  const embed = readObject(value ?? {}, 'embed');
  const chord = embed['chord'] ?? null;
  return {
    callbacks: readSignatures(embed['callbacks'], 'embed.callbacks'),
    errbacks: readSignatures(embed['errbacks'], 'embed.errbacks'),
    chain: readSignatures(embed['chain'], 'embed.chain'),
    chord: chord === null ? null : requireSignature(chord, 'embed.chord'),
  };
}
