/** What AWS would refuse at deploy time, refused at synth, with the fix. The numbers come from lib/base/limits.ts, in the check and in the message. */
import { InvalidOption } from '../lib/base/errors.ts';
import {
  ESM_MAX_BATCH_SIZE,
  ESM_MAX_BATCH_SIZE_WITH_WINDOW,
  ESM_MAX_CONCURRENCY,
  ESM_MAX_WINDOW_SECONDS,
  ESM_MIN_CONCURRENCY,
  LAMBDA_MAX_MEMORY_MIB,
  LAMBDA_MAX_TIMEOUT_SECONDS,
  LAMBDA_MIN_MEMORY_MIB,
  SQS_MAX_RECEIVE_COUNT,
  SQS_MAX_RETENTION_SECONDS,
  SQS_MAX_VISIBILITY_SECONDS,
  SQS_MIN_RETENTION_SECONDS,
} from '../lib/base/limits.ts';
import type { AppManifest, TaskManifest } from '../lib/options/manifest.ts';
import { physicalQueueName } from '../lib/wire/queue-name.ts';

/** One queue, every default filled in. */
export interface QueuePlan {
  readonly fifo: boolean;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly deadLetterRetentionSeconds: number;
  readonly maxReceiveCount: number;
  /** Of a lane: its queue, whose dead-letter queue it shares. */
  readonly laneOf?: string;
}

/** A queue that feeds a function. */
export interface SourcePlan {
  /** Celery's name of it. */
  readonly queue: string;
  readonly batchSize: number;
  /** Most tasks at once. */
  readonly concurrency: number | undefined;
  /** Most invocations at once: what lets as many tasks run. */
  readonly workers: number | undefined;
}

/** One queue and the function that consumes it. */
export interface WorkerPlan extends QueuePlan {
  /** The queue itself, and its lanes. */
  readonly sources: readonly SourcePlan[];
  readonly batchWindowSeconds: number;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
}

export function inRange(value: number, minimum: number, maximum: number, what: string, fix: string): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  throw new InvalidOption(`${what} is ${value}; ${minimum} to ${maximum} is allowed. ${fix}`);
}

/** @throws InvalidOption */
export function validateQueuePlan(name: string, plan: QueuePlan): void {
  const of = (field: string): string => `${field} of queue '${name}'`;
  inRange(
    plan.retentionSeconds,
    SQS_MIN_RETENTION_SECONDS,
    SQS_MAX_RETENTION_SECONDS,
    of('retention'),
    'Give seconds, up to 14 days.',
  );
  inRange(
    plan.deadLetterRetentionSeconds,
    SQS_MIN_RETENTION_SECONDS,
    SQS_MAX_RETENTION_SECONDS,
    of('dead-letter retention'),
    'Give seconds, up to 14 days.',
  );
  inRange(
    plan.maxReceiveCount,
    1,
    SQS_MAX_RECEIVE_COUNT,
    of('maxReceiveCount'),
    'Throttles burn receives, so keep it well above maxDeliveries.',
  );
  inRange(
    plan.visibilitySeconds,
    0,
    SQS_MAX_VISIBILITY_SECONDS,
    of('visibility timeout'),
    'SQS hides a message no longer than 12 hours.',
  );
  if (plan.deadLetterRetentionSeconds <= plan.retentionSeconds) {
    throw new InvalidOption(
      `${of('dead-letter retention')} is ${plan.deadLetterRetentionSeconds} s; it must be longer than the queue's ${plan.retentionSeconds} s, because SQS counts from the first send.`,
    );
  }
}

/** @throws InvalidOption */
export function validateWorkerPlan(name: string, plan: WorkerPlan): void {
  const of = (field: string): string => `${field} of queue '${name}'`;
  validateQueuePlan(name, plan);
  inRange(
    plan.timeoutSeconds,
    1,
    LAMBDA_MAX_TIMEOUT_SECONDS,
    of('timeout'),
    'Lambda runs no longer; split the work or lower the limits of its tasks.',
  );
  inRange(plan.memoryMiB, LAMBDA_MIN_MEMORY_MIB, LAMBDA_MAX_MEMORY_MIB, of('memory'), 'Give MiB.');
  inRange(plan.batchWindowSeconds, 0, ESM_MAX_WINDOW_SECONDS, of('batch window'), 'Give whole seconds.');
  for (const { queue, workers, concurrency } of plan.sources) {
    if (workers === undefined) continue;
    inRange(
      workers,
      ESM_MIN_CONCURRENCY,
      ESM_MAX_CONCURRENCY,
      `maximum of workers of queue '${queue}'`,
      `They keep its concurrency of ${concurrency} tasks. For one at a time give the task \`concurrency: 1\`, or use a FIFO queue with a single group.`,
    );
  }
  if (plan.visibilitySeconds <= plan.timeoutSeconds + plan.batchWindowSeconds) {
    throw new InvalidOption(
      `${of('visibility timeout')} is ${plan.visibilitySeconds} s; it must be longer than the function's timeout of ${plan.timeoutSeconds} s and the batch window of ${plan.batchWindowSeconds} s, or messages come back while they run.`,
    );
  }
  for (const source of plan.sources) validateBatch({ ...plan, ...source }, of);
}

function validateBatch(plan: WorkerPlan & SourcePlan, of: (field: string) => string): void {
  if (plan.fifo && plan.batchWindowSeconds > 0) {
    throw new InvalidOption(
      `${of('batch window')} is ${plan.batchWindowSeconds} s; a FIFO queue takes none. Leave it out.`,
    );
  }
  const largest = plan.batchWindowSeconds >= 1 ? ESM_MAX_BATCH_SIZE_WITH_WINDOW : ESM_MAX_BATCH_SIZE;
  inRange(
    plan.batchSize,
    1,
    largest,
    of('batch size'),
    'More than 10 needs a batch window of at least a second, on a standard queue.',
  );
}

// A burst of throttles alone takes about this many receives from messages that never ran.
export const FEW_RECEIVES = 10;

export interface QueueNames {
  readonly queue: string;
  readonly deadLetterQueue: string;
}

/**
 * Names of all queues under a prefix.
 *
 * @throws InvalidOption when two of them would become one, as `a.b` and `a-b` do.
 */
export function physicalQueueNames(
  prefix: string,
  plans: Readonly<Record<string, QueuePlan>>,
): Readonly<Record<string, QueueNames>> {
  const owners = new Map<string, string>();
  const names: Record<string, QueueNames> = {};
  for (const [name, { fifo, laneOf }] of Object.entries(plans)) {
    const pair = {
      queue: physicalQueueName(prefix, name, fifo),
      deadLetterQueue: physicalQueueName(prefix, `${(laneOf ?? name).replace(/\.fifo$/, '')}-dead`, fifo),
    };
    for (const physical of laneOf === undefined ? Object.values(pair) : [pair.queue]) {
      const other = owners.get(physical);
      if (other !== undefined)
        throw new InvalidOption(
          `Queues '${other}' and '${name}' would both be named '${physical}'. Rename one of them.`,
        );
      owners.set(physical, name);
    }
    names[name] = pair;
  }
  return names;
}

/** Whose worker runs a task: a lane has that of its queue. */
export function queueOfTask({ queues }: AppManifest, { queue }: TaskManifest): string {
  return queues[queue]?.laneOf ?? queue;
}

/** The longest a task of the queue may run, and which one that is. */
export function longestTask(
  manifest: AppManifest,
  queue: string,
): { readonly name: string; readonly seconds: number } | undefined {
  let longest: { name: string; seconds: number } | undefined;
  for (const [name, task] of Object.entries(manifest.tasks)) {
    const seconds = task.timeLimitSeconds ?? task.softTimeLimitSeconds;
    if (queueOfTask(manifest, task) === queue && seconds !== undefined && seconds > (longest?.seconds ?? 0))
      longest = { name, seconds };
  }
  return longest;
}

/** Room to send what an outage left; the next sweep goes on where this one is ended. */
export const SWEEPER_TIMEOUT_SECONDS = 90;
