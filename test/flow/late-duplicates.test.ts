/** Two messages of one attempt, of which the second waits until nobody knows any more that the first has run. */
import { describe, it } from 'vitest';

import { expectOnce, type Given, others } from './late-duplicates.ts';

const WAYS: Readonly<Record<string, Given>> = {
  'a rate slot that is hours away': { options: { rateLimit: '1/h' }, sent: [1, ...others(6), 1] },
  'a slot of its concurrency, when the first has ended': {
    options: { concurrency: 1 },
    seconds: 890,
    sent: [1, ...others(16), 1],
    apartSeconds: 60,
  },
  'a slot of its concurrency, while the first waits too': {
    options: { concurrency: 1 },
    seconds: 890,
    sent: [0, 1, ...others(16), 1],
  },
  // What SQS itself drops comes within five minutes.
  'those before it in its group': {
    options: {},
    fifo: true,
    seconds: 890,
    sent: [1, ...others(16), 1],
    apartSeconds: 60,
  },
  'a rate slot, at the head of its group': {
    options: { rateLimit: '1/h' },
    fifo: true,
    sent: [1, ...others(6), 1],
    apartSeconds: 60,
  },
};

describe('runs once, though its second message waits for', () => {
  it.each(Object.entries(WAYS))('%s', async (_way, given) => {
    await expectOnce(given);
  });
});
