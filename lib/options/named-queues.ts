/** Every queue that a manifest names is declared: told when a stack is synthesized, not by the first call in production. Pure. */
import { declaredQueue, requireExternal } from './declared-queue.ts';
import type { AppManifest } from './manifest.ts';

/**
 * An app's own declarations were checked as they were made; a manifest may also be read back from a file, and be older
 * than its queues. What a function in the routes decides is known at the call alone.
 *
 * @throws QueueNotFound naming the task or entry, the queue and the declared ones; InvalidOption for a task of
 * `app.remote()` whose queue has its worker here
 */
export function checkNamedQueues({ name, queues, defaultQueue, tasks, beat }: AppManifest): void {
  declaredQueue(defaultQueue, queues, `default queue of app '${name}'`);
  for (const [task, { queue, remote, routed }] of Object.entries(tasks)) {
    declaredQueue(queue, queues, `queue of task '${task}'`);
    if (remote === true && routed !== true) requireExternal(task, queue, { queues });
  }
  for (const entry of beat) declaredQueue(entry.queue, queues, `schedule entry '${entry.name}'`);
}
