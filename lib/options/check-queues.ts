/** What people say of queues, checked at the declaration. Deployed functions leave it out: the same was checked at synth. */
import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { quoted } from '../base/quote.ts';
import {
  ESM_MAX_BATCH_SIZE,
  ESM_MAX_BATCH_SIZE_WITH_WINDOW,
  ESM_MAX_CONCURRENCY,
  ESM_MAX_WINDOW_SECONDS,
  ESM_MIN_CONCURRENCY,
  MAX_BATCH_CONCURRENCY,
  MAX_PRIORITY,
  SQS_MAX_QUEUE_NAME_CHARACTERS,
} from '../base/limits.ts';
import { laneName, NAME, type QueueOptions } from './queue-options.ts';

const QUEUE_KEYS: ReadonlySet<string> = new Set<keyof QueueOptions>([
  'fifo',
  'concurrency',
  'batchConcurrency',
  'batchSize',
  'batchWindow',
  'external',
  'worker',
  'priorities',
  'defaultPriority',
]);
const OF_WORKERS = ['concurrency', 'batchConcurrency', 'batchSize', 'batchWindow'] as const;

/** @param batchConcurrency the app's. @throws InvalidOption */
export function checkQueues(queues: Readonly<Record<string, QueueOptions>>, batchConcurrency: number): void {
  for (const [name, options] of Object.entries(queues)) {
    checkName(name);
    refuseUnknownKeys(options, QUEUE_KEYS, `queues.${name}`);
    const largestBatch = checkBatch(name, options);
    checkLanes(name, options, queues);
    const each = checkBatchConcurrency(name, options, Math.min(batchConcurrency, largestBatch));
    checkConcurrency(name, options, each);
    checkExternal(name, options);
    checkWorker(name, options);
  }
  if (Object.keys(queues).length === 0)
    throw new InvalidOption('queues: declare at least one queue, such as { default: {} }.');
}

function checkName(name: string): void {
  if (NAME.test(name) && name.length <= SQS_MAX_QUEUE_NAME_CHARACTERS) return;
  throw new InvalidOption(
    `queues: '${name}' is no queue name; letters, digits, '.', '_' and '-' are allowed, at most ${SQS_MAX_QUEUE_NAME_CHARACTERS} characters.`,
  );
}

/** @returns messages that an invocation may have. */
function checkBatch(name: string, { batchWindow, batchSize, fifo }: QueueOptions): number {
  const windowSeconds = batchWindow === undefined ? 0 : durationSeconds(batchWindow, `queues.${name}.batchWindow`);
  const ordered = fifo !== undefined && booleanOption(fifo, `queues.${name}.fifo`);
  if (windowSeconds > ESM_MAX_WINDOW_SECONDS || (ordered && windowSeconds > 0)) {
    throw new InvalidOption(
      `queues.${name}.batchWindow: ${windowSeconds} s given; 0 to ${ESM_MAX_WINDOW_SECONDS} s is allowed, and only 0 on a FIFO queue.`,
    );
  }
  const largest = windowSeconds >= 1 && !ordered ? ESM_MAX_BATCH_SIZE_WITH_WINDOW : ESM_MAX_BATCH_SIZE;
  return batchSize === undefined ? ESM_MAX_BATCH_SIZE : integerIn(batchSize, 1, largest, `queues.${name}.batchSize`);
}

/** @returns tasks of a batch that may run at once. */
function checkBatchConcurrency(name: string, { batchConcurrency }: QueueOptions, otherwise: number): number {
  if (batchConcurrency === undefined) return otherwise;
  return integerIn(batchConcurrency, 1, MAX_BATCH_CONCURRENCY, `queues.${name}.batchConcurrency`);
}

const ONE_AT_A_TIME =
  'For one task at a time give the task itself `concurrency: 1` or `oneInstance`, or send to a FIFO queue with one groupKey for all.';

function checkConcurrency(name: string, { concurrency, priorities }: QueueOptions, each: number): void {
  if (concurrency === undefined) return;
  const most = ESM_MAX_CONCURRENCY * each;
  const field = `queues.${name}.concurrency`;
  const lanes = priorities?.length ?? 1;
  if (concurrency === 1) {
    throw new InvalidOption(
      `${field}: 1 given; a whole number from ${ESM_MIN_CONCURRENCY * lanes} to ${most * lanes} is allowed, since Lambda has ${ESM_MIN_CONCURRENCY} workers of a queue at least. ${ONE_AT_A_TIME}`,
    );
  }
  if (typeof concurrency !== 'object' || concurrency === null) {
    integerIn(concurrency, ESM_MIN_CONCURRENCY * lanes, most * lanes, field);
    return;
  }
  const wanted = (priorities ?? []).map(String);
  const given = Object.keys(concurrency);
  if (wanted.length === 0 || given.length !== wanted.length || !wanted.every((step) => given.includes(step))) {
    throw new InvalidOption(
      `${field}: ${shown(concurrency)} given; a number is allowed${wanted.length === 0 ? '' : `, or one for each of its priorities, such as { ${wanted.map((step) => `${step}: 10`).join(', ')} }`}.`,
    );
  }
  for (const [step, share] of Object.entries(concurrency))
    integerIn(share, ESM_MIN_CONCURRENCY, most, `${field}.${step}`);
}

function checkLanes(name: string, options: QueueOptions, queues: Readonly<Record<string, QueueOptions>>): void {
  const { priorities, defaultPriority, fifo } = options;
  if (priorities === undefined) {
    if (defaultPriority === undefined) return;
    throw new InvalidOption(
      `queues.${name}.defaultPriority: given without priorities. Add them, such as priorities: [0, 5], or leave it out.`,
    );
  }
  const field = `queues.${name}.priorities`;
  if (!Array.isArray(priorities) || priorities.length < 2 || !priorities.includes(0) || hasTwins(priorities)) {
    throw new InvalidOption(
      `${field}: ${shown(priorities)} given; two and more different priorities are allowed, 0, the most urgent, among them, such as [0, 5].`,
    );
  }
  for (const priority of priorities) integerIn(priority, 0, MAX_PRIORITY, field);
  if (fifo === true) {
    throw new InvalidOption(
      `${field}: given for a FIFO queue, which keeps its order: nothing overtakes in it. Leave priorities out, or fifo.`,
    );
  }
  if (defaultPriority !== undefined) integerIn(defaultPriority, 0, MAX_PRIORITY, `queues.${name}.defaultPriority`);
  // The queue itself is one of them; every name is refused, so that another default priority stays possible.
  for (const priority of priorities) {
    const lane = laneName(name, priority);
    if (Object.hasOwn(queues, lane)) {
      throw new InvalidOption(
        `queues.${lane}: this is what the lane of queue '${name}' for priority ${priority} is called. Give one of the two queues another name.`,
      );
    }
    checkName(lane);
  }
}

function hasTwins(values: readonly unknown[]): boolean {
  return new Set(values).size < values.length;
}

function checkExternal(name: string, options: QueueOptions): void {
  if (options.external === undefined || !booleanOption(options.external, `queues.${name}.external`)) return;
  const stray = OF_WORKERS.find((key) => options[key] !== undefined);
  if (stray === undefined) return;
  throw new InvalidOption(
    `queues.${name}.${stray}: given for an external queue, which has no worker here. Leave it out, or leave out \`external\`.`,
  );
}

/** A process bounds its tasks itself. */
function checkWorker(name: string, options: QueueOptions): void {
  const { worker } = options;
  if (worker === undefined) return;
  const field = `queues.${name}.worker`;
  if (worker !== 'function' && worker !== 'process')
    throw new InvalidOption(`${field}: ${shown(worker)} given; 'function' or 'process' is allowed.`);
  if (options.external === true)
    throw new InvalidOption(
      `${field}: given for an external queue, which has no worker here. Leave it out, or leave out \`external\`.`,
    );
  if (worker === 'function') return;
  const stray = OF_WORKERS.find((key) => options[key] !== undefined);
  if (stray === undefined) return;
  throw new InvalidOption(
    `queues.${name}.${stray}: given for a queue whose worker is a process, and it is said of Lambda's. Leave it out: each process is told its own, celeriac worker --concurrency 8.`,
  );
}

/**
 * @param chosen what the app says, or the first that fits
 * @param names of all queues
 * @param own those with workers here
 * @throws InvalidOption
 */
export function checkDefaultQueue(chosen: string, names: readonly string[], own: readonly string[]): void {
  if (!names.includes(chosen))
    throw new InvalidOption(
      `defaultQueue: ${quoted(chosen)} is not declared. Declared are ${names.join(', ')}.${didYouMean(chosen, names)}`,
    );
  if (own.length > 0 && !own.includes(chosen))
    throw new InvalidOption(
      `defaultQueue: ${quoted(chosen)} is external, and ${own.join(', ')} ${own.length === 1 ? 'has a worker' : 'have workers'} here. Name one of those.`,
    );
}
