/** The queues of a service, and how much lies in each. */
import type { Environment } from '../options/manifest.ts';
import type { Pause } from '../ports/pauses.ts';
import type { QueueDepths } from '../ports/queue-depths.ts';
import { withLanes } from './known-queue.ts';

/** A queue as it stands. SQS's counts may be a minute old. */
export interface QueueStatus {
  /** Celery's name of the queue. */
  readonly queue: string;
  /** To be received now. */
  readonly ready: number;
  /** Received by workers, and not done with. */
  readonly inFlight: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
  /** In its dead-letter queue; absent where it has none of its own. */
  readonly dead?: number;
  /** `external`: its workers are elsewhere. */
  readonly state: 'running' | 'paused' | 'external';
  /** Of one that is paused. */
  readonly paused?: { readonly by: string; readonly since: Date; readonly why?: string };
}

/** Every queue of a service, lanes too, in the order of their names. */
export async function queueList(
  environment: Environment,
  depths: QueueDepths,
  pauses: readonly Pause[] = [],
): Promise<QueueStatus[]> {
  const { queues, externalQueues, deadLetterQueues } = environment;
  const paused = new Map(pauses.flatMap((pause) => withLanes(pause.queue, environment).map((queue) => [queue, pause])));
  const names = Object.keys(queues).toSorted();
  const withLetters = names.filter((queue) => Object.hasOwn(deadLetterQueues, queue));
  const counts = await depths.count([
    ...names.map((queue) => ({ queue })),
    ...withLetters.map((queue) => ({ queue, deadLetter: true })),
  ]);
  return names.map((queue, index) => {
    const dead = counts[names.length + withLetters.indexOf(queue)];
    return {
      queue,
      ready: counts[index]?.ready ?? 0,
      inFlight: counts[index]?.inFlight ?? 0,
      delayed: counts[index]?.delayed ?? 0,
      ...(withLetters.includes(queue) && dead !== undefined ? { dead: dead.ready + dead.inFlight + dead.delayed } : {}),
      ...(externalQueues.includes(queue) ? { state: 'external' } : stateOf(paused.get(queue))),
    };
  });
}

function stateOf(pause: Pause | undefined): Pick<QueueStatus, 'state' | 'paused'> {
  if (pause === undefined) return { state: 'running' };
  const { by, sinceMs, why } = pause;
  return { state: 'paused', paused: { by, since: new Date(sinceMs), ...(why === undefined ? {} : { why }) } };
}
