/** Looking through a dead-letter queue takes long; larger ones: walk-letters.long.test.ts. */
import { expect, it } from 'vitest';

import { LetterQueue, QUICK, walked } from '../support/letter-queue.ts';

it('each letter is seen once, and all that stay are shown again', async () => {
  expect(await walked(new LetterQueue(2005, QUICK), (index) => index % 3 === 0)).toEqual({
    isComplete: true,
    seen: 2005,
    left: 1336,
  });
});

// Hidden for a quarter of an hour, which is over after so many letters.
const RECEIVE_MS = 10_000;
const MOST_HIDDEN = 900;

it.each([
  ['in their old place: what lies behind is not seen', 'front', MOST_HIDDEN],
  ['behind all others', 'back', 5000],
] as const)(
  'letters that come again before all were seen, %s: it ends, and does not say that it has seen all',
  async (_what, shown, most) => {
    const { isComplete, seen } = await walked(new LetterQueue(5000, { shown, receiveMs: RECEIVE_MS }), () => false);
    expect([isComplete, Math.abs(seen - most) <= 10]).toEqual([false, true]);
  },
);
