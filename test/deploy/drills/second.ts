/** The same service later: one more queue, another cron, another concurrency. */
import { drills } from './drills.ts';

export const second = drills({
  version: 2,
  queues: { default: {}, second: { concurrency: 5 }, ordered: { fifo: true }, third: { priorities: [0, 5] } },
  minutes: '*/2',
});
export const { app } = second;
