/** SQS body -> message. What comes in is untrusted: it is read, or refused with a reason, and nothing else. */
import { CeleriacError, InvalidMessage } from './errors.ts';
import { decodeJson } from './json.ts';
import { MAX_TASK_ID_CHARACTERS, MAX_TASK_NAME_CHARACTERS, SQS_MAX_MESSAGE_BYTES } from './limits.ts';
import {
  CELERIAC_HEADER,
  CELERY_HEADERS,
  type CeleriacHeader,
  type Embed,
  KOMBU_PROPERTIES,
  type Message,
} from './message.ts';
import { readSignature, type Signature } from './signature.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Reads an SQS body, base64 or plain at both layers, protocol 2 or 1. Throws InvalidMessage with a reason; never anything else. */
export function decodeMessage(body: string): Message {
  try {
    if (Buffer.byteLength(body) > SQS_MAX_MESSAGE_BYTES)
      throw new InvalidMessage(`the body is larger than ${SQS_MAX_MESSAGE_BYTES} bytes`);
    return read(parseEnvelope(body));
  } catch (error) {
    if (CeleriacError.is(error)) throw error;
    throw new InvalidMessage(`the message cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseEnvelope(body: string): Fields {
  const text = maybeBase64(body);
  let envelope: unknown;
  try {
    envelope = decodeJson(text);
  } catch (error) {
    throw new InvalidMessage(`the body is no JSON envelope: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(envelope)) throw new InvalidMessage('the body is JSON, but no envelope object');
  if (!isRecord(envelope['properties']))
    throw new InvalidMessage('the envelope has no properties: it was not written by Celery or Celeriac');
  return envelope;
}

/** kombu's rule: what looks like base64, round-trips and is UTF-8 was encoded; anything else is taken as it is. */
function maybeBase64(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return text;
  const bytes = Buffer.from(trimmed, 'base64');
  if (bytes.toString('base64') !== trimmed) return text;
  const decoded = bytes.toString('utf8');
  return Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : text;
}

function read(envelope: Fields): Message {
  const properties = envelope['properties'] as Fields;
  const headers = envelope['headers'] ?? {};
  if (!isRecord(headers)) throw new InvalidMessage('headers are no object');
  const type = envelope['content-type'];
  if (type !== 'application/json') {
    throw new InvalidMessage(
      `content type ${JSON.stringify(type ?? null)} is not accepted; application/json is (pickle never: it runs code)`,
    );
  }
  if (headers['compression'] !== undefined && headers['compression'] !== null) {
    throw new InvalidMessage(`compression ${JSON.stringify(headers['compression'])} is not supported; send without it`);
  }
  const body = parseBody(envelope, properties);
  if (typeof headers['task'] === 'string') return protocol2(headers, properties, body);
  if (isRecord(body) && typeof body['task'] === 'string') return protocol1(body, headers, properties);
  throw new InvalidMessage('there is no task name, neither in the headers (protocol 2) nor in the body (protocol 1)');
}

function parseBody(envelope: Fields, properties: Fields): unknown {
  const raw = envelope['body'];
  // kombu may hand on a body that is already parsed.
  if (typeof raw !== 'string') return raw;
  const text = properties['body_encoding'] === 'base64' ? Buffer.from(raw, 'base64').toString('utf8') : raw;
  try {
    return decodeJson(text);
  } catch (error) {
    throw new InvalidMessage(`the task body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function protocol2(headers: Fields, properties: Fields, body: unknown): Message {
  if (!Array.isArray(body) || body.length !== 3) throw new InvalidMessage('the body is not [args, kwargs, embed]');
  const [args, kwargs, embed] = body as readonly unknown[];
  return build({ ...headers }, properties, args, kwargs, embed);
}

function protocol1(body: Fields, headers: Fields, properties: Fields): Message {
  const embed = {
    callbacks: body['callbacks'],
    errbacks: body['errbacks'],
    chain: body['chain'],
    chord: body['chord'],
  };
  const fields = { ...headers, ...body, group: body['taskset'] ?? body['group'] };
  const custom = Object.fromEntries(Object.entries(fields).filter(([name]) => !PROTOCOL1_BODY.has(name)));
  return build(custom, properties, body['args'] ?? [], body['kwargs'] ?? {}, embed);
}

const PROTOCOL1_BODY: ReadonlySet<string> = new Set([
  'args',
  'kwargs',
  'callbacks',
  'errbacks',
  'chain',
  'chord',
  'taskset',
  'utc',
]);

function build(headers: Fields, properties: Fields, args: unknown, kwargs: unknown, embed: unknown): Message {
  const id = text(headers['id'], 'id', MAX_TASK_ID_CHARACTERS);
  if (!Array.isArray(args)) throw new InvalidMessage('args are no array');
  if (!isRecord(kwargs)) throw new InvalidMessage('kwargs are no object');
  const delivery = isRecord(properties['delivery_info']) ? properties['delivery_info'] : {};
  return {
    id,
    task: text(headers['task'], 'task', MAX_TASK_NAME_CHARACTERS),
    args,
    kwargs,
    embed: readEmbed(embed),
    retries: count(headers['retries'] ?? 0, 'retries'),
    etaMs: instant(headers['eta'], 'eta'),
    expiresMs: instant(headers['expires'], 'expires'),
    rootId: stringOr(headers['root_id'], id),
    parentId: stringOr(headers['parent_id'], null),
    groupId: stringOr(headers['group'], null),
    groupIndex: typeof headers['group_index'] === 'number' ? headers['group_index'] : null,
    timeLimit: readTimeLimit(headers['timelimit']),
    ignoreResult: typeof headers['ignore_result'] === 'boolean' ? headers['ignore_result'] : null,
    argsrepr: stringOr(headers['argsrepr'], ''),
    kwargsrepr: stringOr(headers['kwargsrepr'], ''),
    queue: stringOr(delivery['routing_key'], ''),
    priority: typeof properties['priority'] === 'number' ? properties['priority'] : 0,
    shadow: stringOr(headers['shadow'], null),
    origin: stringOr(headers['origin'], null),
    replyTo:
      typeof properties['reply_to'] === 'string' && properties['reply_to'] !== '' ? properties['reply_to'] : null,
    replacedTaskNesting: typeof headers['replaced_task_nesting'] === 'number' ? headers['replaced_task_nesting'] : 0,
    stampedHeaders: isStringArray(headers['stamped_headers']) ? headers['stamped_headers'] : null,
    stamps: isRecord(headers['stamps']) ? headers['stamps'] : {},
    headers: without(headers, (name) => CELERY_HEADERS.has(name) || name === CELERIAC_HEADER),
    properties: without(properties, (name) => KOMBU_PROPERTIES.has(name)),
    celeriac: readOwn(headers[CELERIAC_HEADER]),
  };
}

/** Missing keys, {} and null are all accepted, as Celery does. */
function readEmbed(value: unknown): Embed {
  const fields: Fields = isRecord(value) ? value : {};
  const chord = fields['chord'] ?? null;
  const body = chord === null ? null : readSignature(chord);
  if (body === undefined) throw new InvalidMessage('embed.chord is no signature');
  return {
    callbacks: readSignatures(fields['callbacks'], 'callbacks'),
    errbacks: readSignatures(fields['errbacks'], 'errbacks'),
    chain: readSignatures(fields['chain'], 'chain'),
    chord: body,
  };
}

function readSignatures(value: unknown, field: string): readonly Signature[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) throw new InvalidMessage(`embed.${field} is no array`);
  return value.map((item: unknown) => {
    const sig = readSignature(item);
    if (sig === undefined) throw new InvalidMessage(`embed.${field} holds something that is no signature`);
    return sig;
  });
}

function readTimeLimit(value: unknown): Message['timeLimit'] {
  if (!Array.isArray(value)) return [null, null];
  const seconds = (item: unknown): number | null => (typeof item === 'number' && item > 0 ? item : null);
  return [seconds(value[0]), seconds(value[1])];
}

/** Our own header, from whoever sent it: counters that are none are dropped. */
function readOwn(value: unknown): CeleriacHeader {
  if (!isRecord(value)) return {};
  const result: Record<string, unknown> = { ...value };
  for (const name of ['hops', 'unknown']) {
    const given = result[name];
    if (!(typeof given === 'number' && Number.isSafeInteger(given) && given >= 0)) delete result[name];
  }
  if (typeof result['groupId'] !== 'string' || result['groupId'] === '') delete result['groupId'];
  return result;
}

// An ISO 8601 instant as dateutil.isoparse takes it, in the forms that occur.
const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

function instant(value: unknown, field: string): number | null {
  if (value === undefined || value === null) return null;
  const match = typeof value === 'string' ? ISO.exec(value) : null;
  if (match) {
    const [, date = '', time = '00:00', fraction = '', offset = 'Z'] = match;
    const zone = offset.length === 3 ? `${offset}:00` : offset.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
    const clock = time.length === 5 ? `${time}:00` : time;
    // Without an offset it is UTC; JavaScript alone would take it for local time.
    const ms = Date.parse(`${date}T${clock}.${`${fraction}000`.slice(0, 3)}${zone.toUpperCase()}`);
    if (!Number.isNaN(ms)) return ms;
  }
  throw new InvalidMessage(`${field} ${JSON.stringify(value)} is no ISO 8601 instant`);
}

function count(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidMessage(`${field} ${JSON.stringify(value)} is no count`);
}

function text(value: unknown, field: string, longest: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= longest) return value;
  throw new InvalidMessage(`${field} is missing, or no text of 1 to ${longest} characters`);
}

function stringOr<T>(value: unknown, fallback: T): string | T {
  return typeof value === 'string' ? value : fallback;
}

function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(fields: Fields, leaveOut: (name: string) => boolean): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !leaveOut(name)));
}
