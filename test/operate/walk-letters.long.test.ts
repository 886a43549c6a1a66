/** Looking through dead-letter queues that are larger than SQS lets anybody hide: each letter once, to an end, and all shown. */
import { describe, expect, it } from 'vitest';

import { LetterQueue, MOST_IN_FLIGHT, QUICK, walked } from '../support/letter-queue.ts';

describe('a queue of 250,000 letters', () => {
  it('all of them meant: each once, and no more than are received together are hidden', async () => {
    const queue = new LetterQueue(250_000, QUICK);
    expect(await walked(queue, () => true)).toEqual({ isComplete: true, seen: 250_000, left: 0 });
    expect(queue.mostInFlight).toBe(10);
  });

  it('few of them meant, where letters that are shown lie behind the others: all are seen, slice by slice', async () => {
    const queue = new LetterQueue(250_000, QUICK);
    const { seen, left } = await walked(queue, (index) => index % 50_000 === 49_999);
    expect([seen, left]).toEqual([250_000, 249_995]);
    expect(queue.mostInFlight).toBeLessThan(MOST_IN_FLIGHT);
  });

  it('few of them meant, where they come in their old order: it ends, and says that it has not seen all', async () => {
    const queue = new LetterQueue(250_000, { ...QUICK, shown: 'front' });
    expect(await walked(queue, () => false)).toMatchObject({ isComplete: false, left: 250_000 });
  });
});
