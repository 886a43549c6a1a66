import { drills } from './drills.ts';

export const first = drills({
  version: 1,
  queues: { default: {}, second: { concurrency: 2 }, ordered: { fifo: true } },
  minutes: '*',
});
/** What is deployed: a worker's entry exports its app. */
export const { app } = first;
