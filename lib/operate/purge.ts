/** Emptying a queue and its lanes. What waits in tables stays: timers, and tasks that wait for a slot. */
import type { Environment } from '../options/manifest.ts';
import type { Purges } from '../ports/purges.ts';
import type { QueueDepths } from '../ports/queue-depths.ts';
import { checkQueue, withLanes } from './known-queue.ts';

/** A queue, or a lane of it, and what lay there. SQS's counts may be a minute old. */
export interface PurgedQueue {
  readonly queue: string;
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface PurgeParts {
  readonly environment: Pick<Environment, 'queues' | 'externalQueues' | 'lanes'>;
  readonly depths: QueueDepths;
  readonly purges: Purges;
}

/** What would be deleted. @throws InvalidOption for what is no queue of its own */
export async function countToPurge(
  queue: string,
  { environment, depths }: Pick<PurgeParts, 'environment' | 'depths'>,
): Promise<readonly PurgedQueue[]> {
  checkQueue(queue, environment, 'purge', { external: true });
  const names = withLanes(queue, environment);
  const counts = await depths.count(names.map((name) => ({ queue: name })));
  return names.map((name, index) => {
    const { ready = 0, inFlight = 0, delayed = 0 } = counts[index] ?? {};
    return { queue: name, ready, inFlight, delayed };
  });
}

/** @returns those that were purged less than a minute ago, and are left as they are. */
export async function purgeQueues(queues: readonly PurgedQueue[], { purges }: PurgeParts): Promise<readonly string[]> {
  const busy: string[] = [];
  for (const { queue } of queues) if ((await purges.purge(queue)) === 'busy') busy.push(queue);
  return busy;
}
