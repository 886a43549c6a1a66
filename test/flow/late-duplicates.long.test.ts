/** More ways than in late-duplicates.test.ts, wherever the two stand in the line and however often they were sent. `SEEDS=1000` looks further. */
import fc from 'fast-check';
import type { TaskOptions } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { expectOnce, type Given, others, runTwice } from './late-duplicates.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 8);

const WAYS: Readonly<Record<string, Given>> = {
  'a rate slot with a large message': { options: { rateLimit: '1/h' }, large: true, sent: [1, ...others(6), 1] },
  'a slot of its concurrency, with large messages': {
    options: { concurrency: 1 },
    large: true,
    seconds: 890,
    sent: [0, 1, ...others(16), 1],
  },
  'its turn to be the one instance': {
    options: { oneInstance: { whenLocked: 'wait' } },
    seconds: 890,
    sent: [0, 1, ...others(16), 1],
  },
  'a rate slot, and a slot of its concurrency after it': {
    options: { rateLimit: '60/m', concurrency: 1 },
    seconds: 890,
    sent: [0, 1, ...others(16), 1, 1],
  },
};

describe('runs once, though its second message waits for', () => {
  it.each(Object.entries(WAYS))('%s', async (_way, given) => {
    await expectOnce(given);
  });
});

it('runs once each that was sent more than once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<TaskOptions>(
        { concurrency: 1 },
        { concurrency: 2 },
        { oneInstance: { whenLocked: 'wait' } },
        { rateLimit: '2/h' },
        { rateLimit: '4/h', concurrency: 1 },
      ),
      fc.array(fc.nat({ max: 12 }), { minLength: 15, maxLength: 30 }),
      fc.constantFrom(0.001, 1, 300),
      async (options, sent, apartSeconds) => {
        const { runs } = await runTwice({ options, sent, apartSeconds, seconds: 890 });
        expect(runs.length).toBe(new Set(sent).size);
      },
    ),
    { numRuns: SEEDS },
  );
});
