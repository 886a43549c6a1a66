/** A priority that changes nothing is most likely not meant so: it is told, once for each queue. */
import type { App } from './app.ts';

const told = new WeakMap<App['settings'], Set<string>>();

/** @param queue where the message goes. */
export function tellOfNoLanes(task: string, priority: number, queue: string, { settings, logger, eager }: App): void {
  const { lanes, laneOf, fifo } = settings.queues[queue] ?? {};
  // In the caller nothing waits.
  if (lanes !== undefined || laneOf !== undefined || eager !== undefined) return;
  const queues = told.get(settings) ?? new Set<string>();
  told.set(settings, queues);
  if (queues.has(queue)) return;
  queues.add(queue);
  const fix =
    fifo === true
      ? 'A FIFO queue keeps its order, and has none: leave priority out, or send urgent tasks to a queue of their own.'
      : `Declare queues: { '${queue}': { priorities: [0, 5] } }, or leave priority out.`;
  logger.log(
    'warn',
    `Queue '${queue}' has no lanes: nothing overtakes there, and priority ${priority} of task ${task} changes nothing. ${fix}`,
    { task, queue },
  );
}
