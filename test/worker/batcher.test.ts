/** Requests of tasks that run side by side, gathered into calls. */
import { describe, expect, it } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { batched } from '../../lib/worker/batcher.ts';

interface Item {
  readonly key: string;
  readonly fails?: boolean;
}

/** Items in one moment; which of them shared a call, and what became of each. */
async function gathered(items: readonly Item[], limit: number) {
  const calls: string[][] = [];
  const send = batched(
    systemClock,
    limit,
    ({ key }: Item) => key,
    async (taken) => {
      calls.push(taken.map(({ key }) => key));
      await Promise.resolve();
      if (taken.some(({ fails }) => fails === true)) throw new Error('refused');
      return taken.map(({ key }) => `done ${key}`);
    },
  );
  const ends = await Promise.all(items.map(async (item) => send(item).catch((error: Error) => error.message)));
  return { calls, ends };
}

const of = (keys: string): Item[] => keys.split('').map((key) => ({ key }));

describe('what is ready in one moment', () => {
  it('shares calls, of so many at most, and each gets its own answer', async () => {
    expect(await gathered(of('abcde'), 2)).toEqual({
      calls: [['a', 'b'], ['c', 'd'], ['e']],
      ends: ['done a', 'done b', 'done c', 'done d', 'done e'],
    });
  });

  it('of one key never shares a call, and goes in its order', async () => {
    const { calls, ends } = await gathered(of('aabab'), 10);
    expect(calls).toEqual([['a', 'b'], ['a', 'b'], ['a']]);
    expect(ends).toEqual(['done a', 'done a', 'done b', 'done a', 'done b']);
  });

  it('an error is that of one alone: the others of its call are asked again, one by one', async () => {
    const { calls, ends } = await gathered([{ key: 'a' }, { key: 'b', fails: true }, { key: 'c' }], 10);
    expect(calls).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']]);
    expect(ends).toEqual(['done a', 'refused', 'done c']);
  });

  it('alone it is asked once', async () => {
    expect(await gathered([{ key: 'a', fails: true }], 10)).toEqual({ calls: [['a']], ends: ['refused'] });
  });
});

it('what comes while a call is under way shares the next', async () => {
  const calls: string[][] = [];
  let answer = (): void => {};
  const send = batched(
    systemClock,
    10,
    (key: string) => key,
    async (taken) => {
      calls.push([...taken]);
      if (calls.length === 1) await new Promise<void>((resolve) => (answer = resolve));
      return taken;
    },
  );
  const first = send('a');
  await expect.poll(() => calls.length).toBe(1);
  const later = [send('b')];
  // However long that takes, and however much comes meanwhile.
  for (let turn = 0; turn < 5; turn += 1) await systemClock.nextTurn();
  later.push(send('c'));
  for (let turn = 0; turn < 5; turn += 1) await systemClock.nextTurn();
  expect(calls).toEqual([['a']]);
  answer();
  expect(await Promise.all([first, ...later])).toEqual(['a', 'b', 'c']);
  expect(calls).toEqual([['a'], ['b', 'c']]);
});
