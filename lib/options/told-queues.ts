/** The queues of an app whose code is elsewhere, as the environment tells of them. */
import type { Environment } from './manifest.ts';
import { laneName, type QueueOptions } from './queue-options.ts';

/** Lanes are named as queues too, since each has a URL: their queue declares them. */
export function queuesTold({
  queues,
  externalQueues,
  lanes = {},
}: Pick<Environment, 'queues' | 'externalQueues' | 'lanes'>): Record<string, QueueOptions> {
  const made = new Set(
    // What somebody has written there by hand is checked as options of a queue are.
    Object.entries(lanes).flatMap(([name, { priorities }]) =>
      Array.isArray(priorities) ? priorities.map((priority: number) => laneName(name, priority)) : [],
    ),
  );
  const told = Object.entries(queues).filter(([queue]) => !made.has(queue));
  return Object.fromEntries(
    told.map(([queue, url]) => [
      queue,
      { fifo: url.endsWith('.fifo'), external: externalQueues.includes(queue), ...lanes[queue] },
    ]),
  );
}
