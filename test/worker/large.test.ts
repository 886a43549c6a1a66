/** Small messages that unpack to large ones are told from the others by their envelope, however that is written. */
import { deflateSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { LARGE_UNPACKED_BYTES } from '../../lib/base/limits.ts';
import { isLargeUnpacked, oneAtATime } from '../../lib/worker/large.ts';

function envelope(body: string, headers: object = { compression: 'application/x-gzip' }): string {
  return JSON.stringify({
    body,
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers,
    properties: {},
  });
}
const packed = (bytes: number): string => deflateSync('x'.repeat(bytes)).toString('base64');
const inBase64 = (text: string): string => Buffer.from(text).toString('base64');
const escaped = (text: string): string => text.replace('compression', '\\u0063ompression');

describe('a message that unpacks to', () => {
  it.each([
    [LARGE_UNPACKED_BYTES, false],
    [LARGE_UNPACKED_BYTES + 1, true],
  ])('%i bytes is large: %s', (bytes, large) => {
    const text = envelope(packed(bytes));
    for (const body of [text, inBase64(text), escaped(text), inBase64(escaped(text))])
      expect(isLargeUnpacked(body)).toBe(large);
  });

  it.each([
    ['is not compressed', envelope('x'.repeat(LARGE_UNPACKED_BYTES + 1), {})],
    ['says so of its body alone', envelope(`compression ${'x'.repeat(LARGE_UNPACKED_BYTES + 1)}`, {})],
    ['names no compression', envelope(packed(LARGE_UNPACKED_BYTES + 1), { compression: 7 })],
    ['cannot be unpacked', envelope('AAAA')],
    ['cannot be read', '{"compression'],
    ['is empty', ''],
  ])('nothing, since it %s, is not', (_what, body) => {
    expect([isLargeUnpacked(body), isLargeUnpacked(inBase64(body))]).toEqual([false, false]);
  });
});

it('one at a time, in order, whatever becomes of those before', async () => {
  const steps: string[] = [];
  const run = oneAtATime();
  const turn = (name: string, fails: boolean) => async (): Promise<string> => {
    steps.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const all = await Promise.allSettled([run(turn('a', true)), run(turn('b', false)), run(turn('c', false))]);
  expect(all).toMatchObject([{ reason: { message: 'a' } }, { value: 'b' }, { value: 'c' }]);
  expect(steps).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});
