import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { instantMs } from '../../lib/base/duration.ts';

describe('instants as users write them', () => {
  it.each([
    ['2030-01-31', Date.UTC(2030, 0, 31)],
    ['2030-01-31T10:20', Date.UTC(2030, 0, 31, 10, 20)],
    ['2030-01-31 10:20:30.5', Date.UTC(2030, 0, 31, 10, 20, 30, 500)],
    ['2030-01-31T10:20:30+0200', Date.UTC(2030, 0, 31, 8, 20, 30)],
    ['2030-01-31T10:20:30z', Date.UTC(2030, 0, 31, 10, 20, 30)],
  ])('%s', (text, expected) => {
    expect(instantMs(text, 'eta')).toBe(expected);
  });

  it.each(['2030-02-31', '2030-13-01', '2031-02-29T00:00:00Z', '2030-01-01T24:00:00Z', '2030-01-01T10:60', '2030', ''])(
    'refuses %s, which no calendar or clock has',
    (text) => {
      expect(() => instantMs(text, 'eta')).toThrow(/^eta: .*is no instant/);
    },
  );

  it('reads what Date writes', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2286-01-01'), noInvalidDate: true }), (date) => {
        expect(instantMs(date.toISOString(), 'eta')).toBe(date.getTime());
      }),
    );
  });
});
