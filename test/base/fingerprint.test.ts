/** Failures that people call the same have the same fingerprint, whatever ids, addresses and numbers their texts have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fingerprintOf, shapeOfError } from '../../lib/base/fingerprint.ts';

const hex = (least: number, most: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: least, maxLength: most });
// No digit after letters of its own: it is told from words by one.
const madeUpId = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...Array.from('ABCXYZabcxyz0123456789_-')), minLength: 16, maxLength: 40 }),
    fc.nat(9),
  )
  .map(([text, digit]) => `a${digit}${text}z`);

/** What differs from one occurrence of an error to the next. */
const VARIABLES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  number: fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.nat().map((number) => number.toLocaleString('en')),
  ),
  address: fc.oneof(
    hex(1, 16).map((digits) => `0x${digits}`),
    hex(1, 12).map((digits) => `0X${digits.toUpperCase()}`),
  ),
  hash: fc.tuple(hex(7, 64), fc.nat(9)).map(([digits, one]) => `${digits}${one}`),
  uuid: fc.uuid(),
  id: madeUpId,
  time: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((at) => at.toISOString()),
  'host and port': fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `${ip}:${port}`),
  'IPv6 address': fc.ipV6().filter((text) => !/\d+\.\d+/.test(text)),
  'e-mail address': fc.emailAddress().filter((text) => !/['`"]/.test(text)),
  path: fc
    .webPath()
    .filter((text) => !/['`"]/.test(text))
    .map((path) => `https://api.example.org/${path}`),
  'quoted text': fc.string({ maxLength: 60 }).map((text) => `'${text.replaceAll(/['\r\n\u2028\u2029]/g, '')}'`),
};
const word = fc.constantFrom(
  'connect',
  'refused',
  'for',
  'of',
  'Bad-Gateway',
  'row',
  'std::bad',
  'total',
  "can't",
  'é',
);
const words = fc.array(word, { minLength: 1, maxLength: 4 }).map((all) => all.join(' '));

describe.each(Object.entries(VARIABLES))('%s', (_name, variable) => {
  it('makes no difference', () => {
    fc.assert(
      fc.property(words, words, variable, variable, (before, after, one, other) => {
        const text = (value: string): string => `RangeError: ${before.replaceAll("'", '')} ${value} ${after}`;
        expect(shapeOfError(text(one))).toBe(shapeOfError(text(other)));
        expect(fingerprintOf('t', text(one))).toBe(fingerprintOf('t', text(other)));
      }),
      { numRuns: 100 },
    );
  });
});

it('words make one, and so do the task and the name of the error', () => {
  fc.assert(
    fc.property(words, words, (one, other) => {
      expect(shapeOfError(one) === shapeOfError(other)).toBe(one === other);
    }),
  );
  expect(fingerprintOf('a', 'Error: x')).not.toBe(fingerprintOf('b', 'Error: x'));
  expect(fingerprintOf('a', 'Error: x')).not.toBe(fingerprintOf('a', 'TypeError: x'));
});

it.each([
  ['at 0xdeadbeef', 'at 0xcafe'],
  ['Object <Pool object at 0x7f3a> is closed', 'Object <Pool object at 0x7fffdeadbeef> is closed'],
  ['user_42 is gone', 'user_43 is gone'],
  ['it took 1.5 s', 'it took 12 s'],
  ['connect ECONNREFUSED 127.0.0.1:80', 'connect ECONNREFUSED 10.1.2.3:8080'],
  ['connect ECONNREFUSED ::1:80', 'connect ECONNREFUSED fe80::ab:12:80'],
  ['no file 01ARZ3NDEKTSV4RRFFQ69G5FAV here', 'no file 01BX5ZZKBKACTAV9WEVGEMMVRZ here'],
  ['ada@example.org is blocked', 'bob.x+y@mail.example.com is blocked'],
  ['GET https://a.test/users/1?x=ada refused', 'GET https://a.test/users/two refused'],
  ['GET https://ada:secret@a.test/ refused', 'GET https://a.test refused'],
  [`'${'x'.repeat(1500)}' is too long`, `'${'y'.repeat(3000)}' is too long`],
])('%s, and the like', (one, other) => {
  expect(shapeOfError(one)).toBe(shapeOfError(other));
});

it.each([
  ['GET https://a.test/1 refused', 'GET https://b.test/1 refused'],
  ['std::bad', 'std::worse'],
  ['the row of mail', 'the row of orders'],
])('%s, but not %s', (one, other) => {
  expect(shapeOfError(one)).not.toBe(shapeOfError(other));
});

it('takes no longer for text that somebody has made to take long', () => {
  const before = process.cpuUsage();
  for (const part of ['a-1', ':', '0:', 'a@', '1.', '#.', 'x://', "'", '1e', 'a.']) shapeOfError(part.repeat(400_000));
  // Of the processor's time, whoever else wants it; in the square of the length it would take minutes.
  expect(process.cpuUsage(before).user / 1_000_000).toBeLessThan(5);
});
