/** Which queues a worker process receives from, and in which order. Pure. */
import { ImproperlyConfigured } from '../base/errors.ts';
import { declaredQueue } from '../options/declared-queue.ts';
import type { QueueManifest } from '../options/manifest.ts';

type Queues = Readonly<Record<string, QueueManifest>>;

/** Where messages are received from: a queue, or one of its lanes. */
export interface Line {
  readonly queue: string;
  readonly fifo: boolean;
  /** Among the lanes of one queue: 0 is the most urgent. */
  readonly rank: number;
}

/**
 * Lines of each queue, the most urgent first. A lane may be named itself: it is received from alone then, unless it has the queue's name.
 *
 * @param names by our names or Celery's; absent: every queue whose worker is a process
 * @throws QueueNotFound; ImproperlyConfigured where there is none, and for a queue on which others work
 */
export function linesOf(names: readonly string[] | undefined, queues: Queues): Line[][] {
  const given = names?.map((name) => declaredQueue(name, queues));
  const all = given ?? processQueues(queues);
  if (all.length > 0) return [...new Set(all)].map((name) => lines(name, queues));
  throw new ImproperlyConfigured(
    "No queue of the app has a process for its worker. Declare one, queues: { video: { worker: 'process' } }, or name queues.",
  );
}

function processQueues(queues: Queues): string[] {
  return Object.keys(queues).filter((name) => {
    const queue = queues[name];
    return queue?.worker === 'process' && queue.laneOf === undefined;
  });
}

function lines(name: string, queues: Queues): Line[] {
  const { lanes, fifo = false, external } = queues[name] ?? {};
  if (external === true)
    throw new ImproperlyConfigured(
      `Queue '${name}' is external: others work on it. Leave out external: true where it is declared, or name another queue.`,
    );
  const own = lanes?.map(([, lane]) => lane) ?? [name];
  return own.map((queue, rank) => ({ queue, fifo, rank }));
}
