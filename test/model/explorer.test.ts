import { describe, expect, it } from 'vitest';

import { canonical, explore, type Model, NEVER_ENDS } from './explorer.ts';

describe('the explorer', () => {
  const clock = (steps: Model<number>['steps'], more: Partial<Model<number>> = {}): Model<number> => ({
    initial: 0,
    steps,
    invariant: () => undefined,
    final: () => undefined,
    ...more,
  });
  const to = (next: number) => ({ name: `to ${next}`, next });
  it('counts equal states once and finds the shortest way', async () => {
    const ahead: Model<number>['steps'] = (at) => (at < 4 ? [to(at + 1), to(at + 2)] : []);
    expect(await explore(clock(ahead))).toEqual({ states: 6, steps: 8, ends: [4, 5], counterexample: undefined });
    const three = clock(ahead, { invariant: (at) => (at === 3 ? 'not 3' : undefined) });
    expect((await explore(three)).counterexample).toEqual({ broken: 'not 3', trace: ['to 1', 'to 3'] });
  });
  it('finds ends that miss something, and circles without an end', async () => {
    const end = clock((at) => (at < 2 ? [to(at + 1)] : []), { final: () => 'more' });
    expect((await explore(end)).counterexample).toEqual({ broken: 'more', trace: ['to 1', 'to 2'] });
    const circle = clock((at) => (at === 0 ? [to(1), to(2)] : at === 3 ? [] : at === 1 ? [to(3)] : [to(2)]));
    expect((await explore(circle)).counterexample).toEqual({ broken: NEVER_ENDS, trace: ['to 2'] });
  });
  it('does not count on what may never come', async () => {
    const rescued = clock((at) => (at === 0 ? [{ ...to(1), optional: true }] : []), {
      final: (at) => (at === 0 ? 'more' : undefined),
    });
    expect((await explore(rescued)).counterexample).toEqual({ broken: 'more', trace: [] });
    const circle = clock((at) => (at === 0 ? [to(0), { ...to(1), optional: true }] : []));
    expect((await explore(circle)).counterexample).toEqual({ broken: NEVER_ENDS, trace: [] });
  });
  it('refuses what is too large, and knows equal states by their parts', async () => {
    await expect(
      explore(
        clock((at) => [to(at + 1)]),
        100,
      ),
    ).rejects.toThrow('More than 100 states');
    expect(canonical({ a: [1, { b: 'x', c: null }], d: 2 })).toBe(canonical({ d: 2, a: [1, { c: null, b: 'x' }] }));
    expect(canonical({ a: ['1,2'] })).not.toBe(canonical({ a: ['1', '2'] }));
  });
});
