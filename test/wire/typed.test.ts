/** Values of Python's types: written, passed on, and refused where they are none. */
import { typed } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { decodeJson, decodeJsonKeepingTypes, encodeJson } from '../../lib/wire/json.ts';
import { decodeTyped } from '../../lib/wire/json-typed.ts';

describe('typed', () => {
  it.each([
    [typed.decimal('-12.30'), '{"__type__":"decimal","__value__":"-12.30"}', '-12.30'],
    [typed.date('2030-01-31'), '{"__type__":"date","__value__":"2030-01-31"}', '2030-01-31'],
    [typed.time('07:30:00'), '{"__type__":"time","__value__":"07:30:00"}', '07:30:00'],
    [
      typed.uuid('9ECB6B1E-3F0A-4A3C-8F5C-0D5A2F6F6F10'),
      '{"__type__":"uuid","__value__":{"hex":"9ecb6b1e3f0a4a3c8f5c0d5a2f6f6f10"}}',
      '9ecb6b1e-3f0a-4a3c-8f5c-0d5a2f6f6f10',
    ],
  ])('%j is written as kombu writes it, and is text here', (value, json, text) => {
    expect(encodeJson([value])).toBe(`[${json}]`);
    expect(decodeJson(json)).toBe(text);
  });

  it.each([
    ['decimal', () => typed.decimal('12,30')],
    ['decimal', () => typed.decimal(12.3 as unknown as string)],
    ['date', () => typed.date('31.1.2030')],
    ['time', () => typed.time('7:30')],
    ['uuid', () => typed.uuid('9ecb6b1e')],
  ])('typed.%s() refuses what is none', (name, make) => {
    expect(make).toThrow(new RegExp(`^typed\\.${name}\\(\\): .* given; text such as '`));
  });

  it('the same keys in an object of the caller stay refused: Python would decode it', () => {
    expect(() => encodeJson({ __type__: 'decimal', __value__: '1' })).toThrow('exactly the keys');
  });
});

describe('values that are only passed on', () => {
  const TEXT =
    '[{"__type__":"decimal","__value__":"1.50"},{"deep":[{"__type__":"uuid","__value__":{"hex":"00"}},{"__type__":"later","__value__":1}]}]';

  it('are written as they came, of unknown types too', () => {
    expect(encodeJson(decodeJsonKeepingTypes(TEXT))).toBe(TEXT);
  });

  it('stay in links and chains, and are decoded in arguments', () => {
    const decimal = { __type__: 'decimal', __value__: '1.50' };
    const sig = { task: 'proj.pay', args: [decimal], kwargs: {}, options: {}, subtask_type: null, immutable: false };
    const body = JSON.stringify([[decimal], {}, { chain: [sig], callbacks: [sig] }]);
    const envelope = {
      body,
      'content-type': 'application/json',
      headers: { task: 't', id: 'one' },
      properties: { delivery_info: { exchange: '', routing_key: 'celery' } },
    };
    const message = decodeMessage(JSON.stringify(envelope));
    expect(message.args).toEqual(['1.50']);
    expect(message.embed.chain?.[0]?.args).toEqual([decimal]);
    expect(encodeJson(message.embed)).toContain('"args":[{"__type__":"decimal","__value__":"1.50"}]');
  });
});

describe('integers that a number cannot hold', () => {
  const LONG = '[9007199254740993,-123456789012345678901234567890,1.5,12345678901234567]';

  it('are passed on whole, and are numbers in arguments', () => {
    expect(encodeJson(decodeJsonKeepingTypes(LONG), 'args', { asPython: true })).toBe(LONG);
    expect(decodeTyped(decodeJsonKeepingTypes(LONG))).toEqual(JSON.parse(LONG));
    expect(decodeJsonKeepingTypes('["9007199254740993", 1e30]')).toEqual(['9007199254740993', 1e30]);
  });

  it('of a caller are refused', () => {
    expect(() => encodeJson([9007199254740993n], 'args')).toThrow('args[0] is a BigInt;');
  });
});

describe('numbers that JSON has not', () => {
  it('are written where they came in a message, and refused elsewhere', () => {
    expect(encodeJson([Number.NaN, Infinity, -Infinity], 'args', { asPython: true })).toBe('[NaN,Infinity,-Infinity]');
    expect(decodeJson('[NaN,Infinity,-Infinity]')).toEqual([Number.NaN, Infinity, -Infinity]);
    expect(() => encodeJson([Number.NaN], 'args')).toThrow('args[0] is NaN');
  });
});
