/** Queues that an app knows, asked for by name. */
import { ownQueueName } from '../wire/queue-name.ts';
import { InvalidOption, QueueNotFound } from '../base/errors.ts';
import { quoted } from '../base/quote.ts';
import type { QueueManifest } from './manifest.ts';
import { didYouMean } from '../base/nearest.ts';

/** An app's queues, as its settings have them. */
interface Declared {
  readonly queues: Readonly<Record<string, QueueManifest>>;
}

/** Whether it is a FIFO queue; false of one that is not declared. */
export function isFifo(queue: string, { queues }: Declared): boolean {
  return queues[queue]?.fifo ?? false;
}

/** The lane of a queue that takes messages of this priority; of a lane, and of a queue without lanes, itself. */
export function laneFor(queue: string, priority: number, { queues }: Declared): string {
  return queues[queue]?.lanes?.findLast(([step]) => step <= priority)?.[1] ?? queue;
}

/** The queue that a lane belongs to; of what is no lane, itself. */
export function queueOfLane(queue: string, { queues }: Declared): string {
  return queues[queue]?.laneOf ?? queue;
}

/** How many of a batch run side by side: a batch is of one queue. */
export function batchConcurrencyOf(
  [first]: readonly { readonly queue: string }[],
  { queues, batchConcurrency }: Declared & { readonly batchConcurrency: number },
): number {
  return queues[first?.queue ?? '']?.batchConcurrency ?? batchConcurrency;
}

/** @throws QueueNotFound */
export function requireQueue(queue: string, { queues }: Declared): string {
  return declaredQueue(queue, queues);
}

/** @throws InvalidOption: a worker here would only find that it does not know the task. */
export function requireExternal(task: string, queue: string, { queues }: Declared): void {
  const declared = queues[ownQueueName(queue, queues)];
  if (declared === undefined || declared.external === true) return;
  throw new InvalidOption(
    `Task ${quoted(task)} runs elsewhere, and queue ${quoted(queue)} has its worker here. Declare the queue of its own workers as \`queues: { celery: { external: true } }\`, and name it in app.remote() or in routes.`,
  );
}

/**
 * What we call a declared queue, by our name of it or Celery's.
 *
 * @param field what names it, for the error text.
 * @throws QueueNotFound
 */
export function declaredQueue(
  given: string,
  queues: Readonly<Record<string, QueueManifest>>,
  field: string | undefined = undefined,
): string {
  const queue = ownQueueName(given, queues);
  if (Object.hasOwn(queues, queue)) return queue;
  const names = Object.keys(queues);
  const prefix = field === undefined ? '' : `${field}: `;
  throw new QueueNotFound(
    `${prefix}Queue ${quoted(given)} is not declared. Declared are: ${names.join(', ')}.${didYouMean(given, names)} Add it to the app's queues, or correct the name.`,
  );
}
