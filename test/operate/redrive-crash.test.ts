/** Redriving under every crash of whoever redrives, and of workers: each task has one end, and runs to it once. */
import { describe, it } from 'vitest';

import { awsAdapters } from '../support/fake-services/world-adapters.ts';
import { redrivesHold } from '../support/redrives.ts';

const SEEDS = Array.from({ length: 3 }, (_, seed) => seed);
const REPEATING = { duplicate: 0.2, reorder: 0.2 };
const BAD = { ...REPEATING, crash: 0.02, error: 0.02, lostResponse: 0.02, partialFailure: 0.05, clockSkewSeconds: 1 };

describe.each([
  ['memory', undefined],
  ['DynamoDB', awsAdapters()],
])('%s', (_name, adapters) => {
  const over = adapters === undefined ? {} : { adapters };
  it('whoever redrives dies at any request', async () => {
    for (const seed of SEEDS) await redrivesHold({ seed, ...over });
  });
  it('a FIFO queue', async () => {
    for (const seed of SEEDS.slice(0, 2)) await redrivesHold({ seed, fifo: true, ...over });
  });
  it('messages come twice and late', async () => {
    for (const seed of SEEDS) await redrivesHold({ seed, faults: REPEATING, ...over });
  });
  it('workers die too', async () => {
    for (const seed of SEEDS) await redrivesHold({ seed, faults: BAD, ...over });
  });
});
