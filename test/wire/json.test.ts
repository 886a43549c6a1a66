import { isDeepStrictEqual } from 'node:util';
import { runInThisContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotSerializable } from '../../lib/base/errors.ts';
import { decodeJson, decodeJsonKeepingTypes, encodeJson } from '../../lib/wire/json.ts';
import { MAX_INTEGER_DIGITS, MAX_JSON_DEPTH } from '../../lib/base/limits.ts';

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function refusal(value: unknown, root?: string): NotSerializable {
  try {
    encodeJson(value, root);
  } catch (error) {
    if (error instanceof NotSerializable) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** What is left of a value in JSON: no undefined. */
function withoutUndefined(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return Array.from(value, withoutUndefined);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutUndefined(inner)]));
}

// What encodeJson takes. Dates of years beyond Python's are not part of it.
const sendable = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false, -0),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '__type__')), tie('value')),
  ),
})).value;

describe('encodeJson', () => {
  it('writes plain data as JSON', () => {
    expect(encodeJson({ a: [1, 'x', null, true, -1.5e300] })).toBe('{"a":[1,"x",null,true,-1.5e+300]}');
    expect(encodeJson(-0)).toBe('-0');
    expect(encodeJson(Object.assign(Object.create(null) as object, { a: 1 }))).toBe('{"a":1}');
  });

  it("writes kombu's typed values", () => {
    expect(encodeJson(new Date('2026-01-02T03:04:05.678Z'))).toBe(
      '{"__type__":"datetime","__value__":"2026-01-02T03:04:05.678000+00:00"}',
    );
    expect(encodeJson(new Date('2026-01-02T03:04:05Z'))).toBe(
      '{"__type__":"datetime","__value__":"2026-01-02T03:04:05+00:00"}',
    );
    expect(encodeJson(Uint8Array.of(255, 254))).toBe('{"__type__":"base64","__value__":"//4="}');
    expect(encodeJson(Buffer.from('abc').subarray(1))).toBe('{"__type__":"base64","__value__":"YmM="}');
  });

  class User {
    name = 'x';
  }
  const match = /a/.exec('a');
  it.each<[what: string, value: unknown, given: RegExp]>([
    ['a BigInt', 1n, /BigInt/],
    ['a function', () => 1, /function/],
    ['a symbol', Symbol('s'), /symbol/],
    ['NaN', Number.NaN, /NaN/],
    ['Infinity', -Infinity, /-Infinity/],
    ['a Map', new Map(), /Map/],
    ['a Set', new Set(), /Set/],
    ['a RegExp', /x/, /RegExp/],
    ['a Promise', Promise.resolve(), /Promise/],
    ['an Error', new Error('x'), /Error/],
    ['a URL, which has toJSON', new URL('https://example.com'), /URL/],
    ['a class instance', new User(), /User/],
    ['a boxed number', Object(1), /Number/],
    ['another typed array', new Float64Array(1), /Float64Array/],
    ['an invalid Date', new Date(Number.NaN), /invalid/],
    ['a Date Python cannot hold', new Date('+012345-01-01T00:00:00Z'), /years 1 to 9999/],
    ['a symbol as key', { [Symbol('s')]: 1 }, /symbol/],
    ['an array with more than elements', match, /array/],
    ['what Celery would decode', { __type__: 'datetime', __value__: 'x' }, /__type__/],
  ])('refuses %s and says where', (_what, value, given) => {
    const error = refusal([{ user: { id: value } }], 'args');
    expect(error.path).toBe('args[0].user.id');
    expect(error.message).toMatch(/^args\[0\]\.user\.id\b/);
    expect(error.message).toMatch(given);
  });

  it('does with undefined what JSON.stringify does', () => {
    const holes: unknown[] = [1];
    holes[2] = undefined;
    const value = { a: undefined, b: [undefined, { c: undefined }], holes };
    expect(encodeJson(value)).toBe(JSON.stringify(value));
    expect(encodeJson(undefined)).toBe('null');
  });

  it('a key that is left out makes no typed value', () => {
    const one = { __type__: 'datetime', __value__: '2026-01-01T00:00:00', more: undefined };
    expect(refusal(one).message).toContain('exactly the keys');
    expect(encodeJson({ __type__: 'datetime', __value__: undefined, x: 1 })).toBe('{"__type__":"datetime","x":1}');
    expect(encodeJson({ __type__: 'datetime', __value__: undefined })).toBe('{"__type__":"datetime"}');
  });

  class Point {
    readonly x = 1;
    #hidden = 2;
    sum(): number {
      return this.x + this.#hidden;
    }
  }
  class Sealed {
    #hidden = 1;
    get(): number {
      return this.#hidden;
    }
  }
  const url = new URL('https://example.com/');
  const words = new URLSearchParams('a=1');
  const error = new TypeError('no');
  it.each<[value: object, hint: string, does: unknown]>([
    [new Map([['a', 1]]), 'Object.fromEntries(value)', { a: 1 }],
    [new Map([['a', 1]]), '[...value] where its keys are no text', [['a', 1]]],
    [new Set([1, 2]), '[...value]', [1, 2]],
    [error, '{ name: value.name, message: value.message }', { name: 'TypeError', message: 'no' }],
    [/x/, 'value.source', 'x'],
    [Object(1) as object, 'value.valueOf()', 1],
    [new Float64Array([1.5]), 'Array.from(value)', [1.5]],
    [new BigInt64Array([1n]), 'Array.from(value, String)', ['1']],
    [new ArrayBuffer(1), 'new Uint8Array(value)', new Uint8Array(1)],
    [
      new DataView(new ArrayBuffer(2), 1),
      'new Uint8Array(value.buffer, value.byteOffset, value.byteLength)',
      new Uint8Array(1),
    ],
    [url, 'value.toJSON()', 'https://example.com/'],
    [words, '[...value]', [['a', '1']]],
    [new Point(), '{ ...value }', { x: 1 }],
  ])('%o: what is advised gives its data', (value, hint, does) => {
    expect(refusal(value).message).toContain(hint);
    // What a reader would paste.
    const expression = hint.replace(/ where .*/, '');
    const pasted: unknown = runInThisContext(`(value) => (${expression})`);
    const made = (pasted as (value: unknown) => unknown)(value);
    expect(made).toEqual(does);
    expect(decodeJson(encodeJson(made))).toEqual(does);
  });

  it('advises no expression that would give nothing', () => {
    expect(refusal(new Sealed()).message).toContain('pass its data as a plain object');
    expect(refusal(Promise.resolve(1)).message).toContain('await it first');
    expect(refusal(new WeakMap()).message).toContain('pass its data as a plain object');
    expect(refusal([1n]).message).toContain('String(value)');
  });

  it('writes paths as code would', () => {
    expect(refusal([1, { 'odd key': [1n] }], 'args').path).toBe('args[1]["odd key"][0]');
    expect(refusal({ 'a"b': 1n }).path).toBe(String.raw`value["a\"b"]`);
    expect(refusal({ $a_1: 1n }).path).toBe('value.$a_1');
  });

  it('refuses cycles, but not one object in two places', () => {
    const shared = { x: 1 };
    expect(encodeJson([shared, shared])).toBe('[{"x":1},{"x":1}]');
    const cycle: Record<string, unknown> = { a: [] };
    (cycle['a'] as unknown[]).push(cycle);
    expect(refusal(cycle).path).toBe('value.a[0]');
  });

  it('takes a depth that decodeJson takes, and no more', () => {
    const deepest = nested(MAX_JSON_DEPTH);
    expect(decodeJson(encodeJson(deepest))).toEqual(deepest);
    // A message body and a result document put one more level around it.
    expect(decodeJson(`[${encodeJson(deepest)}]`)).toEqual([deepest]);
    expect(refusal(nested(MAX_JSON_DEPTH + 1)).message).toContain(String(MAX_JSON_DEPTH));
  });

  it('keeps __proto__ a key', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true}}');
    expect(encodeJson(value)).toBe('{"__proto__":{"polluted":true}}');
  });

  it('round-trips everything it takes', () => {
    fc.assert(
      fc.property(sendable, (value) => {
        // fast-check also makes objects without a prototype, which come back with one.
        expect(decodeJson(encodeJson(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('round-trips anything or refuses it', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withDate: true,
          withBigInt: true,
          withMap: true,
          withSet: true,
          withSparseArray: true,
          withTypedArray: true,
        }),
        (value) => {
          let text: string;
          try {
            text = encodeJson(value);
          } catch (error) {
            expect(error).toBeInstanceOf(NotSerializable);
            return;
          }
          expect(isDeepStrictEqual(decodeJson(text), withoutUndefined(value))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('decodeJson', () => {
  it.each<[text: string, value: unknown]>([
    ['"2026-01-02T03:04:05.678000+00:00"', new Date('2026-01-02T03:04:05.678Z')],
    ['"2026-01-02T03:04:05.678912"', new Date('2026-01-02T03:04:05.678Z')],
    ['"2026-01-02T03:04:05"', new Date('2026-01-02T03:04:05Z')],
    ['"2026-01-02 03:04:05+01:00"', new Date('2026-01-02T02:04:05Z')],
    ['"2026-01-02T03:04:05-0530"', new Date('2026-01-02T08:34:05Z')],
    ['"0001-01-01T00:00:00"', new Date('0001-01-01T00:00:00Z')],
  ])('reads datetime %s', (text, value) => {
    expect(decodeJson(`{"__type__": "datetime", "__value__": ${text}}`)).toEqual(value);
  });

  it('reads the other typed values of kombu', () => {
    const typed = (type: string, value: string): unknown =>
      decodeJson(`[{"__value__": ${value}, "__type__": "${type}"}]`);
    expect(typed('date', '"2026-01-02"')).toEqual(['2026-01-02']);
    expect(typed('time', '"03:04:00"')).toEqual(['03:04:00']);
    expect(typed('decimal', '"1.10"')).toEqual(['1.10']);
    expect(typed('uuid', '{"hex": "0123456789abcdef0123456789abcdef"}')).toEqual([
      '01234567-89ab-cdef-0123-456789abcdef',
    ]);
    expect(typed('bytes', '"é"')).toEqual([Uint8Array.of(0xc3, 0xa9)]);
    expect(typed('base64', '"//4="')).toEqual([Uint8Array.of(255, 254)]);
  });

  it.each([
    '{"__type__":"money","__value__":{"amount":[1]}}',
    '{"__type__":"datetime","__value__":"2026-02-30T00:00:00"}',
    '{"__type__":"datetime","__value__":"1Z"}',
    '{"__type__":"datetime","__value__":5}',
    '{"__type__":"uuid","__value__":null}',
    '{"__type__":["datetime"],"__value__":"2026-01-01"}',
    '{"__type__":"constructor","__value__":"x"}',
    '{"__type__":"date","__value__":"x","more":1}',
    '{"__type__":"date"}',
  ])('leaves %s as data, which can be sent on', (text) => {
    const value = decodeJson(text);
    expect(value).toEqual(JSON.parse(text));
    expect(encodeJson(value)).toBe(text);
  });

  it("reads Python's bare NaN and Infinity outside of text", () => {
    expect(decodeJson('[NaN, Infinity,-Infinity, "NaN, Infinity \\" NaN", {"NaN": NaN}, -0]')).toStrictEqual([
      Number.NaN,
      Infinity,
      -Infinity,
      'NaN, Infinity " NaN',
      { NaN: Number.NaN },
      -0,
    ]);
    expect(decodeJson('NaN')).toBeNaN();
    for (const wrong of [
      '1Infinity',
      '1.NaN',
      'Infinity5',
      'NaNNaN',
      '--Infinity',
      '-NaN',
      '[NaN',
      '{NaN: 1}',
      'nan',
    ]) {
      expect(() => decodeJson(wrong), wrong).toThrow(SyntaxError);
    }
    const long = JSON.stringify('x'.repeat(1_000_000));
    expect(decodeJson(`[NaN, ${long}]`)).toHaveLength(2);
  });

  it('refuses depth before parsing', () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => decodeJson(deep(1_000_000))).toThrow(/deeper/);
    expect(() => decodeJson(deep(MAX_JSON_DEPTH + 2))).toThrow(SyntaxError);
    expect(decodeJson(JSON.stringify(deep(1000)))).toBe(deep(1000));
    expect(decodeJson(String.raw`"\"[[[\\"`)).toBe(String.raw`"[[[` + '\\');
  });

  it.each([MAX_INTEGER_DIGITS + 1, 100_000, 8_000_000])('refuses an integer of %i digits', (digits) => {
    expect(() => decodeJsonKeepingTypes(`[${'9'.repeat(digits)}]`)).toThrow(`an integer of ${digits} characters`);
  });

  it('keeps long integers whole, and no other number', () => {
    const text = '[9007199254740993,-9007199254740993,-0,1.00000000000000001,1e400,123456789012345678e2]';
    const expected = [9007199254740993n, -9007199254740993n, -0, 1, Infinity, Number('123456789012345678e2')];
    expect(decodeJsonKeepingTypes(text)).toEqual(expected);
  });

  it('keeps __proto__ data, in rebuilt containers too', () => {
    const text =
      '{"__proto__": {"polluted": true}, "a": {"__proto__": {"__type__": "decimal", "__value__": "1"}}, "b": NaN}';
    for (const given of [text, text.replace('NaN', '1')]) {
      const value = decodeJson(given) as Record<string, Record<string, unknown>>;
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(value)).toEqual(['__proto__', 'a', 'b']);
      expect(Object.getOwnPropertyDescriptor(value['a'], '__proto__')?.value).toBe('1');
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('reads what JSON.parse reads, and throws SyntaxError only', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(decodeJson(text)).toStrictEqual(JSON.parse(text));
      }),
    );
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...'[]{}",:\\-1eNaInfity _tpvlu'.split(''), 'NaN', 'Infinity', '"__type__"'),
        }),
        (text) => {
          try {
            decodeJson(text);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
