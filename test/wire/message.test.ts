import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../lib/wire/encode-message.ts';
import { InvalidMessage, InvalidOption, MessageTooLarge, NotSerializable } from '../../lib/base/errors.ts';
import { LATEST_DUE_MS, SQS_MAX_MESSAGE_BYTES } from '../../lib/base/limits.ts';
import type { Message } from '../../lib/wire/message.ts';
import { signature } from '../../lib/wire/signature.ts';
import { NO_LINKS, UNSAID, WIRE_SAMPLES, type WireSample } from './samples.ts';

type Json = Record<string, unknown>;

const ID = '00000000-0000-4000-8000-000000000001';
const ADD: Message = {
  ...UNSAID,
  id: ID,
  rootId: ID,
  task: 'proj.tasks.add',
  args: [2, 3],
  argsrepr: '(2, 3)',
  kwargsrepr: '{}',
  queue: 'celery',
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const unbase64 = (text: string): string => Buffer.from(text, 'base64').toString();
const expected = ({ message }: WireSample): Message => ({ ...UNSAID, rootId: message.id, ...message });

/** The envelope without our reader's help. */
function open(body: string): { envelope: Json; headers: Json; properties: Json; triple: unknown } {
  const envelope = JSON.parse(unbase64(body)) as { headers: Json; properties: Json; body: string };
  return {
    envelope,
    headers: envelope.headers,
    properties: envelope.properties,
    triple: JSON.parse(unbase64(envelope.body)),
  };
}

/** An SQS body from parts; the rest is as Celery would have it. */
function wire(
  parts: { envelope?: Json; headers?: Json; properties?: Json; body?: unknown; text?: string } = {},
): string {
  return JSON.stringify({
    body: parts.text ?? JSON.stringify(parts.body ?? [[1], {}, null]),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'proj.tasks.add', id: ID, ...parts.headers },
    properties: { delivery_info: { exchange: '', routing_key: 'celery' }, ...parts.properties },
    ...parts.envelope,
  });
}

function reason(body: string): string {
  try {
    decodeMessage(body);
  } catch (error) {
    if (error instanceof InvalidMessage) return error.message;
    throw error;
  }
  throw new Error('it was read');
}

describe('messages that Celery sent', () => {
  it.each(WIRE_SAMPLES)('reads $name', (sample) => {
    expect(decodeMessage(sample.body)).toStrictEqual(expected(sample));
  });

  // Typed values lose their Python type (a decimal is text), times their microseconds; the smallest message gains headers.
  const LOSSY = new Set(['typed JSON values', 'the smallest message']);
  it.each(WIRE_SAMPLES.filter(({ name }) => !LOSSY.has(name)))('writes $name as Celery does', (sample) => {
    const theirs = open(sample.body);
    const ours = open(encodeMessage(expected(sample)));
    expect(ours.triple).toEqual(theirs.triple);
    expect({ ...ours.envelope, body: '', headers: {}, properties: {} }).toEqual({
      ...theirs.envelope,
      body: '',
      headers: {},
      properties: {},
    });
    expect(Object.keys(ours.headers)).toEqual(Object.keys(theirs.headers));
    const toMilliseconds = (time: unknown): unknown =>
      typeof time === 'string' ? `${time.slice(0, 23)}${time.length > 19 ? '000' : ''}+00:00` : time;
    const { eta, expires } = theirs.headers;
    expect(ours.headers).toEqual({
      ...theirs.headers,
      lang: 'js',
      eta: toMilliseconds(eta),
      expires: toMilliseconds(expires),
    });
    const { expiration: _amqpOnly, ...properties } = theirs.properties;
    expect(Object.keys(ours.properties)).toEqual(Object.keys(properties));
    expect(ours.properties).toEqual({ ...properties, delivery_tag: ours.properties['delivery_tag'] });
  });
});

describe('encodeMessage', () => {
  it('is base64 with padding, and pure', () => {
    const body = encodeMessage(ADD);
    expect(body).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    expect(encodeMessage(ADD)).toBe(body);
    const tag = open(body).properties['delivery_tag'];
    expect(tag).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(open(encodeMessage({ ...ADD, retries: 1 })).properties['delivery_tag']).not.toBe(tag);
  });

  it('names the argument that is no JSON', () => {
    const path = (message: Partial<Message>): string => {
      try {
        return encodeMessage({ ...ADD, ...message });
      } catch (error) {
        return error instanceof NotSerializable ? error.path : String(error);
      }
    };
    expect(path({ args: [1, { user: { id: 1n } }] })).toBe('args[1].user.id');
    expect(path({ kwargs: { when: new Set() } })).toBe('kwargs.when');
    expect(path({ embed: { ...NO_LINKS, callbacks: [signature('t', { args: [Number.NaN] })] } })).toBe(
      'embed.callbacks[0].args[0]',
    );
    expect(path({ headers: { 'x-map': new Map() } })).toBe('headers["x-map"]');
    expect(path({ etaMs: Number.NaN })).toBe('eta');
  });

  it.each(['task', 'id', 'eta', 'stamps', 'compression', 'celeriac'])('refuses the custom header %s', (name) => {
    expect(() => encodeMessage({ ...ADD, headers: { [name]: 'x' } })).toThrow(InvalidOption);
  });

  it('writes its own header only when there is something in it', () => {
    expect(open(encodeMessage(ADD)).headers).not.toHaveProperty('celeriac');
    expect(open(encodeMessage({ ...ADD, celeriac: { hops: 2 } })).headers['celeriac']).toEqual({ hops: 2 });
  });

  it('refuses what SQS does not take, naming both sizes', () => {
    // 4/3 twice, and the headers.
    const fits = 'x'.repeat(588_000);
    expect(encodeMessage({ ...ADD, args: [fits] }).length).toBeLessThanOrEqual(SQS_MAX_MESSAGE_BYTES);
    const send = (): string => encodeMessage({ ...ADD, args: [fits + fits.slice(0, 5000)] });
    expect(send).toThrow(MessageTooLarge);
    expect(send).toThrow(/has 10\d{5} bytes; SQS takes 1048576 bytes/);
  });
});

describe('decodeMessage: what else is accepted', () => {
  it('takes base64 or plain text at both layers', () => {
    const envelope = wire();
    const inner = wire({ text: base64('[[1], {}, null]'), properties: { body_encoding: 'base64' } });
    for (const body of [envelope, base64(envelope), inner, base64(inner), ` ${base64(inner)}\n`]) {
      expect(decodeMessage(body)).toStrictEqual({
        ...UNSAID,
        id: ID,
        rootId: ID,
        task: 'proj.tasks.add',
        args: [1],
        queue: 'celery',
      });
    }
  });

  it.each([null, {}, { callbacks: null }, { chain: [] }])('takes the embed %j', (embed) => {
    const chain = embed !== null && 'chain' in embed ? [] : null;
    expect(decodeMessage(wire({ body: [[], {}, embed] })).embed).toEqual({ ...NO_LINKS, chain });
  });

  it('reads protocol 1', () => {
    const link = { task: 'proj.tasks.next', args: [1], kwargs: {}, options: {}, subtask_type: null, immutable: true };
    const body = {
      task: 'proj.tasks.add',
      id: ID,
      args: [2, 3],
      kwargs: { y: 1 },
      retries: 2,
      eta: '2030-01-02T03:04:05',
      expires: null,
      utc: true,
      taskset: 'g1',
      timelimit: [60, null],
      callbacks: [link],
      errbacks: null,
      chord: link,
    };
    expect(decodeMessage(base64(wire({ envelope: { headers: {} }, body })))).toStrictEqual({
      ...UNSAID,
      id: ID,
      rootId: ID,
      task: 'proj.tasks.add',
      args: [2, 3],
      kwargs: { y: 1 },
      retries: 2,
      etaMs: Date.parse('2030-01-02T03:04:05Z'),
      groupId: 'g1',
      timeLimit: [60, null],
      queue: 'celery',
      argsrepr: '(2, 3)',
      kwargsrepr: "{'y': 1}",
      embed: { ...NO_LINKS, callbacks: [link], chord: link },
    });
    const smallest = wire({ envelope: { headers: null }, body: { task: 't', id: 'x' } });
    expect(decodeMessage(smallest)).toMatchObject({ task: 't', id: 'x', args: [], kwargs: {}, argsrepr: '()' });
  });

  it.each([
    ['2030-01-02T03:04:05', '2030-01-02T03:04:05Z'],
    ['2030-01-02T03:04:05.678912', '2030-01-02T03:04:05.678Z'],
    ['2030-01-02T03:04:05Z', '2030-01-02T03:04:05Z'],
    ['2030-01-02T03:04:05.6+01:30', '2030-01-02T01:34:05.600Z'],
    ['2030-01-02T03:04:05-08', '2030-01-02T11:04:05Z'],
    ['2030-01-02', '2030-01-02T00:00:00Z'],
    ['20300102T030405', '2030-01-02T03:04:05Z'],
  ])('reads the time %s', (text, iso) => {
    const message = decodeMessage(wire({ headers: { eta: text, expires: { __type__: 'datetime', __value__: text } } }));
    expect(message).toMatchObject({ etaMs: Date.parse(iso), expiresMs: Date.parse(iso) });
  });

  it('reads NaN and leaves unknown typed values alone', () => {
    const message = decodeMessage(wire({ text: '[[NaN, {"__type__": "money", "__value__": "1"}], {}, null]' }));
    expect(message.args).toEqual([Number.NaN, { __type__: 'money', __value__: '1' }]);
  });

  it('keeps what Celery does not define, and only that', () => {
    const headers = { lang: 'py', periodic_task_name: 'tick', traceparent: '00', stamps: {} };
    const message = decodeMessage(
      wire({ headers, properties: { correlation_id: 'x', expiration: '1', DelaySeconds: 30 } }),
    );
    expect(message.headers).toEqual({ periodic_task_name: 'tick', traceparent: '00' });
    expect(message.properties).toEqual({ DelaySeconds: 30 });
  });

  it('drops what is wrong in its own header', () => {
    const own = (celeriac: unknown): unknown => decodeMessage(wire({ headers: { celeriac } })).celeriac;
    expect(own({ hops: 3, unknown: 0, groupId: 'g', entry: 'tick' })).toEqual({
      hops: 3,
      unknown: 0,
      groupId: 'g',
      entry: 'tick',
    });
    expect(own({ hops: -1, unknown: 1.5, groupId: '' })).toEqual({});
    expect(own({ hops: '3', groupId: 5 })).toEqual({});
    for (const wrong of [null, 5, 'x', [1]]) expect(own(wrong)).toEqual({});
  });

  it('shows wrong informational fields as missing', () => {
    const wrong = {
      headers: { argsrepr: null, shadow: 5, origin: [] },
      properties: { priority: 'high', delivery_info: null },
    };
    expect(decodeMessage(wire(wrong))).toMatchObject({
      argsrepr: '',
      shadow: null,
      origin: null,
      priority: 0,
      queue: '',
    });
  });
});

describe('decodeMessage: what is refused', () => {
  it.each<[what: string, body: string, given: RegExp]>([
    ['no properties', '{"task": "proj.tasks.add", "id": "x", "args": [1, 2], "kwargs": {}}', /properties .*missing/],
    ['plain text', 'hello world', /no JSON/],
    ['nothing', '', /no JSON/],
    ['a number', '1234', /message is/i],
    ['no id', wire({ headers: { id: undefined } }), /^id is missing/],
    ['a numeric id', wire({ headers: { id: 7 } }), /^id is a number; text/],
    ['a long id', wire({ headers: { id: 'x'.repeat(129) } }), /^id is .* 128 characters/],
    ['two elements', wire({ body: [[1], {}] }), /body is an array of 2; an array of three/],
    ['an object as body', wire({ body: { args: [] } }), /body is an object/],
    ['no content type', wire({ envelope: { 'content-type': null } }), /content type is null.*never pickle/],
    [
      'pickle',
      wire({ envelope: { 'content-type': 'application/x-python-serialize' } }),
      /'application\/x-python-serialize'.*never pickle/,
    ],
    [
      'another encoding',
      wire({ envelope: { 'content-encoding': 'utf-16' } }),
      /^content encoding is text of 6 characters/,
    ],
    ['bzip2', wire({ headers: { compression: 'application/x-bz2' } }), /'application\/x-bz2'; zlib .* are read/],
    ['an unknown compression', wire({ headers: { compression: 7 } }), /compression is a number; zlib/],
    [
      'a body that is not compressed as it says',
      wire({ headers: { compression: 'application/x-gzip' } }),
      /not what application\/x-gzip makes/,
    ],
    ['eta as a number', wire({ headers: { eta: 1_893_553_445 } }), /^eta is a number; ISO 8601/],
    ['a day that does not exist', wire({ headers: { eta: '2030-02-30T00:00:00' } }), /^eta is text of 19 characters/],
    ['a wrong expires', wire({ headers: { expires: 'soon' } }), /^expires is text of 4 characters/],
    ['negative retries', wire({ headers: { retries: -1 } }), /^retries is a number; a whole number/],
    ['half a retry', wire({ headers: { retries: 1.5 } }), /^retries is a number/],
    ['retries as text', wire({ headers: { retries: '1' } }), /^retries is text/],
    ['args as an object', wire({ body: [{}, {}, null] }), /^args is an object; an array/],
    ['kwargs as an array', wire({ body: [[], [], null] }), /^kwargs is an array of 0; an object/],
    [
      'kwargs as a date',
      wire({ body: [[], { __type__: 'datetime', __value__: '2030-01-01' }, null] }),
      /^kwargs is a typed value/,
    ],
    ['embed as text', wire({ body: [[], {}, 'x'] }), /^embed is text/],
    ['callbacks as an object', wire({ body: [[], {}, { callbacks: {} }] }), /^embed.callbacks is an object/],
    [
      'a chain with no signature',
      wire({ body: [[], {}, { chain: [{ task: 't' }, { args: [] }] }] }),
      /^embed.chain\[1\] is an object; a signature/,
    ],
    ['a chord with no task', wire({ body: [[], {}, { chord: { task: 5 } }] }), /^embed.chord/],
    ['half a time limit', wire({ headers: { timelimit: [60] } }), /^timelimit/],
    ['ignore_result as a number', wire({ headers: { ignore_result: 1 } }), /^ignore_result/],
    ['an empty task name', wire({ headers: { task: '' } }), /^task is text of 0/],
    ['no task', wire({ envelope: { headers: { id: ID } } }), /names no task/],
    [
      'protocol 1 with wrong kwargs',
      wire({ envelope: { headers: {} }, body: { task: 't', id: 'x', kwargs: [] } }),
      /^kwargs/,
    ],
    ['deep nesting', wire({ text: `[${'['.repeat(5000)}` }), /deeper/],
    ['too many bytes', 'é'.repeat(SQS_MAX_MESSAGE_BYTES / 2 + 1), /1048578 bytes/],
  ])('%s', (_what, body, given) => {
    expect(reason(body)).toMatch(given);
    if (body.length < 10_000) expect(reason(base64(body))).toMatch(given);
  });

  it('never shows more than a piece of what came', () => {
    expect(reason(wire({ headers: { eta: 'x'.repeat(10_000) } })).length).toBeLessThan(300);
  });
});

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const record = fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), json, {
  noNullPrototype: true,
  maxKeys: 4,
});
const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const timeTo = (max: number) => nullable(fc.integer({ min: -62_135_596_800_000, max }));
const link = fc
  .record({
    task: fc.string(),
    args: fc.array(json, { maxLength: 3 }),
    kwargs: record,
    options: record,
    immutable: fc.boolean(),
    subtaskType: nullable(fc.constantFrom('chain', 'group', 'chord')),
  })
  .map(({ task, ...parts }) => signature(task, parts));
const seconds = nullable(fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0));

const parts = { noNullPrototype: true } as const;
const messages: fc.Arbitrary<Message> = fc.record(
  {
    id: fc.string({ minLength: 1, maxLength: 128, unit: 'binary-ascii' }),
    task: fc.string({ minLength: 1, maxLength: 100 }),
    args: fc.array(
      fc.oneof(json, fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }), fc.uint8Array()),
    ),
    kwargs: record,
    embed: fc.record(
      {
        callbacks: nullable(fc.array(link)),
        errbacks: nullable(fc.array(link)),
        chain: nullable(fc.array(link)),
        chord: nullable(link),
      },
      parts,
    ),
    retries: fc.nat({ max: 1_000_000_000 }),
    etaMs: timeTo(LATEST_DUE_MS),
    expiresMs: timeTo(253_402_300_799_999),
    rootId: fc.string({ minLength: 1 }),
    parentId: nullable(fc.string({ minLength: 1 })),
    groupId: nullable(fc.string({ minLength: 1 })),
    groupIndex: nullable(fc.nat()),
    timeLimit: fc.tuple(seconds, seconds),
    ignoreResult: nullable(fc.boolean()),
    argsrepr: fc.string({ unit: 'binary' }),
    kwargsrepr: fc.string(),
    queue: fc.string(),
    priority: fc.nat({ max: 9 }),
    shadow: nullable(fc.string()),
    origin: nullable(fc.string()),
    replyTo: nullable(fc.string({ minLength: 1 })),
    replacedTaskNesting: fc.nat(),
    stampedHeaders: nullable(fc.array(fc.string())),
    stamps: record,
    headers: record,
    properties: record,
    celeriac: fc.record(
      { hops: fc.nat(), unknown: fc.nat(), groupId: fc.stringMatching(/^[!-~]{1,128}$/), entry: json },
      { ...parts, requiredKeys: [] },
    ),
  },
  parts,
);

describe('properties', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const read = decodeMessage(encodeMessage(message));
        expect(read).toEqual(message);
        // Unlike toEqual it looks at own __proto__ keys.
        expect(isDeepStrictEqual(read, message)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('reads a message or throws InvalidMessage, whatever comes', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const attempt = (body: string): void => {
      try {
        expect(decodeMessage(body)).toHaveProperty('id');
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidMessage);
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), attempt));
    fc.assert(fc.property(fc.json(), attempt));
    const layers = fc.record(
      { headers: record, properties: record, body: json, envelope: record },
      { ...parts, requiredKeys: [] },
    );
    fc.assert(fc.property(layers, (given) => attempt(wire(given))));
    // Any field of a valid message, replaced by anything.
    const field = fc.constantFrom(
      'task',
      'id',
      'eta',
      'expires',
      'group',
      'group_index',
      'retries',
      'timelimit',
      'root_id',
      'parent_id',
      'argsrepr',
      'ignore_result',
      'replaced_task_nesting',
      'stamped_headers',
      'stamps',
      'shadow',
      'compression',
      'celeriac',
      '__proto__',
    );
    fc.assert(
      fc.property(field, json, (name, value) => attempt(wire({ headers: { [name]: value } }))),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.tuple(json, json, json), (body) => attempt(wire({ body }))));
    // Any cut or changed character.
    const samples = fc.constantFrom(...WIRE_SAMPLES.map(({ body }) => body));
    const change = (text: string, at: number, by: string): string =>
      text.slice(0, at % text.length) + by + text.slice((at % text.length) + 1);
    const changed = (body: string, at: number, by: string): void =>
      [body, unbase64(body)].forEach((text) => attempt(change(text, at, by)));
    fc.assert(fc.property(samples, fc.nat(), fc.string({ maxLength: 3 }), changed), { numRuns: 1000 });
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('keeps __proto__ data everywhere', () => {
    const evil = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}') as Json;
    const message: Message = {
      ...ADD,
      args: [evil],
      kwargs: evil,
      headers: evil,
      properties: evil,
      stamps: evil,
      celeriac: evil,
    };
    const read = decodeMessage(encodeMessage(message));
    expect(isDeepStrictEqual(read, message)).toBe(true);
    expect(Object.getPrototypeOf(read.kwargs)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
