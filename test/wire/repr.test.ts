import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REPR_CHARACTERS } from '../../lib/base/limits.ts';
import { argsRepr, kwargsRepr, pythonRepr } from '../../lib/wire/repr.ts';

describe('argsRepr: what celery.utils.saferepr gives', () => {
  it.each<[args: unknown[], shown: string]>([
    [[], '()'],
    [[1], '(1,)'],
    [[2, 3], '(2, 3)'],
    [[[2, 4]], '([2, 4],)'],
    [[null, true, false], '(None, True, False)'],
    [["it's"], String.raw`('it\'s',)`],
    [['say "x"'], `('say "x"',)`],
    // Celery quotes text, and escapes nothing else in it.
    [['tab\t\\ line\nend'], "('tab\t\\ line\nend',)"],
    [['é😀'], "('é😀',)"],
    [
      [1.5, 0.1, -2, 1e-7, 0.00001, 0.0001, 1e21, 123456789012],
      '(1.5, 0.1, -2, 1e-07, 1e-05, 0.0001, 1e+21, 123456789012)',
    ],
    [[Number.NaN, Infinity, -Infinity], '(nan, inf, -inf)'],
    [[{ y: 2 }, { 'a b': [1, { c: [1] }] }], "({'y': 2}, {'a b': [1, {...}]})"],
    [[[[[1]]]], '([[[...]]],)'],
    [[[], {}, ''], "([], {}, '')"],
    [[Uint8Array.of(97, 98, 99), Uint8Array.of(255, 254)], "(b'abc', b'fffe')"],
    [
      [new Date('2026-01-02T03:04:05.678Z')],
      '(datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc),)',
    ],
    [[new Date('2026-01-02T03:04:00Z')], '(datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc),)'],
  ])('%j', (args, shown) => {
    expect(argsRepr(args)).toBe(shown);
  });

  // The bracket that would cross the limit is lost in Celery, too.
  it.each<[what: string, args: unknown[], shown: string]>([
    ['long text', ['x'.repeat(2000), 1], `('${'x'.repeat(1023)}...', ...)`],
    ['long text, at a space', ['word '.repeat(500)], `('${'word '.repeat(204).trim()}...', ...`],
    ['code points, not halves of them', ['😀'.repeat(1100)], `('${'😀'.repeat(1023)}...', ...`],
    ['many elements', [Array.from({ length: 600 }, () => 'ab')], `([${"'ab', ".repeat(170)}'ab...', ...],)`],
    ['open brackets are closed', [[['x'.repeat(2000), 'q']], 5], `([['${'x'.repeat(1021)}...', ...]])`],
  ])('cuts %s', (_what, args, shown) => {
    expect(argsRepr(args)).toBe(shown);
  });
});

describe('kwargsRepr and pythonRepr', () => {
  it('shows a dict and a value', () => {
    expect(kwargsRepr({ y: 2 })).toBe("{'y': 2}");
    expect(kwargsRepr({})).toBe('{}');
    expect(pythonRepr([1])).toBe('[1]');
    expect(pythonRepr('x')).toBe("'x'");
    expect(pythonRepr(undefined)).toBe('None');
  });

  it('shows a key __proto__ as a key', () => {
    expect(kwargsRepr(JSON.parse('{"__proto__": 1}') as Record<string, unknown>)).toBe("{'__proto__': 1}");
  });

  it('survives whatever it is given', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(pythonRepr(cycle)).toBe('[<Recursion>]');
    expect(pythonRepr(new Map())).toBe('<Map object>');
    expect(pythonRepr(() => 1)).toBe('<function>');
    expect(pythonRepr(Symbol('s'))).toBe('<symbol>');
    expect(pythonRepr(10n)).toBe('10');
    expect(pythonRepr(new Date(Number.NaN))).toBe('<invalid date>');
    const throwing = {
      get key(): never {
        throw new Error('no');
      },
    };
    expect(pythonRepr(throwing)).toBe('<unrepresentable>');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(pythonRepr(proxy)).toBe('<unrepresentable>');
  });

  it('is bounded for anything', () => {
    // The piece that crosses the limit is cut to what was left, its quotes may be escaped, and brackets close.
    const longest = MAX_REPR_CHARACTERS * 3 + 100;
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
        (value) => {
          expect(pythonRepr(value).length).toBeLessThan(longest);
        },
      ),
    );
    expect(pythonRepr(Array.from({ length: 1_000_000 }, () => 'x'.repeat(10))).length).toBeLessThan(longest);
    expect(pythonRepr('x'.repeat(10_000_000)).length).toBeLessThan(longest);
  });
});
