/** The figures of docs/notifications.md. */
import { expect, it } from 'vitest';

import { noticeCounts } from './notices.ts';

it('a thousand failures ask as much as one, and a digest and what counts for it', async () => {
  const one = await noticeCounts(1);
  const many = await noticeCounts(1000);
  expect(one.atOnce).toEqual({ mark: 1, send: 1, told: 1 });
  expect(many.atOnce).toEqual(one.atOnce);
  expect([one.mails, many.mails]).toEqual([1, 2]);
  // What failed in a window is known in the next one, which ends too.
  expect(many.whole).toMatchObject({ takeDigest: 2, close: 2, putMinute: 1 });
  expect(many.windowBytes).toBeLessThan(6 * 1024);
});
