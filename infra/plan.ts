/** From a queue of the manifest and what the user overrides to a plan with every default filled in. */
import type { Duration } from 'aws-cdk-lib';

import { refuseUnknownKeys } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import {
  DEADLINE_MARGIN_SECONDS,
  DEFAULT_PROCESS_LEASE_SECONDS,
  DEFAULT_RETENTION_SECONDS,
  LAMBDA_MAX_TIMEOUT_SECONDS,
  PROCESS_VISIBILITY_MARGIN_SECONDS,
  SQS_MAX_RETENTION_SECONDS,
  SQS_MAX_VISIBILITY_SECONDS,
} from '../lib/base/limits.ts';
import { batchSizeOf, workersOf } from '../lib/options/at-once.ts';
import { type AppManifest, consumedQueuesOf } from '../lib/options/manifest.ts';
import { durationSecondsOf } from './duration-prop.ts';
import { type FunctionProps, validateFunctionProps, validateTogether, withDefaults } from './function-props.ts';
import { FUNCTION_PROPS, QUEUE_PROPS } from './known-props.ts';
import {
  longestTask,
  queueOfTask,
  type QueuePlan,
  type SourcePlan,
  validateQueuePlan,
  validateWorkerPlan,
  type WorkerPlan,
} from './validate.ts';

/** Overrides for one queue and its worker. */
export interface QueueOverrides extends FunctionProps {
  /**
   * How long a received message is hidden. @default timeout + batch window + 30 s; 30 minutes of an external queue, as
   * kombu's own have
   */
  readonly visibilityTimeout?: Duration;
  /** How long SQS keeps a message. @default 4 days */
  readonly retention?: Duration;
  /** How long rejected messages are kept; longer than `retention`. @default 14 days */
  readonly deadLetterRetention?: Duration;
  /** Receives before a message that no worker handled moves to the lost queue. @default 50 */
  readonly maxReceiveCount?: number;
}

/** What is made of an app's queues. */
export interface ServicePlan {
  /** Every queue that the service makes. */
  readonly queues: Readonly<Record<string, QueuePlan>>;
  /** Those of them that it consumes. */
  readonly workers: Readonly<Record<string, WorkerPlan>>;
  /** What is said of each worker, by the queue or else by the service. */
  readonly given: Readonly<Record<string, FunctionProps>>;
}

const DEFAULT_TIMEOUT_SECONDS = 60;
// Above the longest task: claims, commits, settling and a cold start of its neighbours.
const TIMEOUT_MARGIN_SECONDS = 30;
// AWS advises six timeouts, because early redelivery repeats runs. Claims absorb that, and recovery is quick.
const VISIBILITY_MARGIN_SECONDS = 30;
// What kombu gives the queues that it makes (kombu/transport/SQS.py, default_visibility_timeout).
const EXTERNAL_VISIBILITY_SECONDS = 1800;
// A process says so itself, at each receive; this is what others see that look into the queue.
const PROCESS_VISIBILITY_SECONDS = DEFAULT_PROCESS_LEASE_SECONDS + PROCESS_VISIBILITY_MARGIN_SECONDS;

/**
 * @param imported names of the queues that exist already and that others consume.
 * @param existing names of those that the service consumes.
 * @param shared what holds for every worker whose queue says nothing else.
 * @throws QueueNotFound for overrides of a queue that is not declared; ImproperlyConfigured, InvalidOption
 */
export function planQueues(
  manifest: AppManifest,
  overrides: Readonly<Record<string, QueueOverrides>>,
  imported: readonly string[] = [],
  shared: FunctionProps = {},
  existing: readonly string[] = [],
): ServicePlan {
  const stray = Object.keys(overrides).find((name) => !Object.hasOwn(manifest.queues, name));
  if (stray !== undefined) {
    throw new QueueNotFound(
      `Queue '${stray}' is not declared by app '${manifest.name}'. Declared are: ${Object.keys(manifest.queues).join(', ')}.`,
    );
  }
  for (const [name, { laneOf }] of Object.entries(manifest.queues)) {
    if (laneOf !== undefined && Object.hasOwn(overrides, name))
      throw new InvalidOption(
        `queues.${name}: given for a lane, which is made as its queue is. Set it for '${laneOf}'.`,
      );
  }
  const foreign = Object.keys(overrides).find((name) => imported.includes(name));
  if (foreign !== undefined) {
    throw new InvalidOption(
      `queues.${foreign}: given for one of externalQueues, which the service does not make. Set it where the queue is made.`,
    );
  }
  const queues: Record<string, QueuePlan> = {};
  const workers: Record<string, WorkerPlan> = {};
  const given: Record<string, FunctionProps> = {};
  for (const [name, { external, laneOf, worker }] of Object.entries(manifest.queues)) {
    if (imported.includes(name)) continue;
    if (laneOf !== undefined) {
      const of = workers[laneOf] ?? queues[laneOf];
      if (of !== undefined && !existing.includes(name)) queues[name] = { ...queueIn(of), laneOf };
      continue;
    }
    const own = overrides[name] ?? {};
    refuseUnknownKeys(own, QUEUE_PROPS, `queues.${name}`);
    if (external === true || worker === 'process') {
      const plan = planWithoutFunction(manifest, name, own);
      if (!existing.includes(name)) queues[name] = plan;
      else refuseQueueProps(name, own);
      continue;
    }
    validateFunctionProps(own, `queues.${name}.`);
    const together = withDefaults(shared, own);
    given[name] = together;
    workers[name] = planWorker(manifest, name, { ...own, ...together });
    validateTogether(together, `queues.${name}.`, allOf('workers', workers[name]));
    if (existing.includes(name)) refuseQueueProps(name, own);
    else queues[name] = workers[name];
  }
  refuseIdleTasks(manifest);
  return { queues, workers, given };
}

/** @throws InvalidOption for what is of the queue and not of its worker. */
function refuseQueueProps(name: string, own: QueueOverrides): void {
  const stray = Object.entries(own).find(
    ([field, value]) => value !== undefined && !(FUNCTION_PROPS as ReadonlySet<string>).has(field),
  );
  if (stray !== undefined)
    throw new InvalidOption(
      `queues.${name}.${stray[0]}: given for one of existingQueues, which the service does not make. Set it where the queue is made.`,
    );
}

/** @throws ImproperlyConfigured for a task of a service that only sends. */
function refuseIdleTasks(manifest: AppManifest): void {
  const { name, tasks } = manifest;
  const idle = Object.keys(tasks).find((task) => tasks[task]?.remote !== true);
  if (idle === undefined || consumedQueuesOf(manifest).length > 0) return;
  throw new ImproperlyConfigured(
    `Task '${idle}' would never run: every queue of app '${name}' is external, so the service has no worker. Declare a queue such as { default: {} }, or name the task with app.remote() where it runs elsewhere.`,
  );
}

/** Of an external queue, and of one whose worker is a process, which says itself how long it hides what it receives. */
function planWithoutFunction(app: AppManifest, name: string, overrides: QueueOverrides): QueuePlan {
  const isExternal = app.queues[name]?.external === true;
  const stray = [...FUNCTION_PROPS].find((field) => overrides[field] !== undefined);
  if (stray !== undefined) {
    const why = isExternal
      ? 'an external queue, which has no worker here'
      : 'a queue whose worker is a process, no function';
    throw new InvalidOption(
      `queues.${name}.${stray}: given for ${why}. visibilityTimeout, retention, deadLetterRetention and maxReceiveCount are allowed; leave it out.`,
    );
  }
  const longest = longestTask(app, name);
  if (!isExternal && longest !== undefined && longest.seconds > SQS_MAX_VISIBILITY_SECONDS) {
    throw new ImproperlyConfigured(
      `Task '${longest.name}' may run ${longest.seconds} s, and SQS hides a message for ${SQS_MAX_VISIBILITY_SECONDS} s at most, 12 hours. Lower its time limit, or cut it into a chain of shorter tasks.`,
    );
  }
  const plan = planQueue(app, name, overrides, isExternal ? EXTERNAL_VISIBILITY_SECONDS : PROCESS_VISIBILITY_SECONDS);
  validateQueuePlan(name, plan);
  return plan;
}

/** What a lane has of its queue. */
function queueIn(plan: QueuePlan): QueuePlan {
  const { fifo, visibilitySeconds, retentionSeconds, deadLetterRetentionSeconds, maxReceiveCount } = plan;
  return { fifo, visibilitySeconds, retentionSeconds, deadLetterRetentionSeconds, maxReceiveCount };
}

/** What all sources of a function have together; undefined where one has no maximum. */
export function allOf(field: 'workers' | 'concurrency', { sources }: Pick<WorkerPlan, 'sources'>): number | undefined {
  return sources.reduce<number | undefined>((sum, { [field]: each }) => {
    return sum === undefined || each === undefined ? undefined : sum + each;
  }, 0);
}

function planQueue(
  app: AppManifest,
  name: string,
  overrides: QueueOverrides,
  defaultVisibilitySeconds: number,
): QueuePlan {
  return {
    fifo: app.queues[name]?.fifo ?? false,
    visibilitySeconds:
      durationSecondsOf(overrides.visibilityTimeout, `queues.${name}.visibilityTimeout`) ?? defaultVisibilitySeconds,
    retentionSeconds: durationSecondsOf(overrides.retention, `queues.${name}.retention`) ?? DEFAULT_RETENTION_SECONDS,
    deadLetterRetentionSeconds:
      durationSecondsOf(overrides.deadLetterRetention, `queues.${name}.deadLetterRetention`) ??
      SQS_MAX_RETENTION_SECONDS,
    maxReceiveCount: overrides.maxReceiveCount ?? 50,
  };
}

function planWorker(app: AppManifest, name: string, overrides: QueueOverrides): WorkerPlan {
  const manifest = app.queues[name];
  const longest = longestTask(app, name);
  const wanted = longest === undefined ? DEFAULT_TIMEOUT_SECONDS : Math.ceil(longest.seconds) + TIMEOUT_MARGIN_SECONDS;
  const timeoutSeconds =
    overrides.timeout?.toSeconds() ?? Math.min(LAMBDA_MAX_TIMEOUT_SECONDS, Math.max(DEFAULT_TIMEOUT_SECONDS, wanted));
  if (longest !== undefined && longest.seconds + DEADLINE_MARGIN_SECONDS > timeoutSeconds) {
    throw new ImproperlyConfigured(
      `Task '${longest.name}' may run ${longest.seconds} s, and its worker's timeout is ${timeoutSeconds} s (Lambda's longest is ${LAMBDA_MAX_TIMEOUT_SECONDS} s, ${DEADLINE_MARGIN_SECONDS} s are kept for its result). Lower its time limit, ${longest.seconds + DEADLINE_MARGIN_SECONDS > LAMBDA_MAX_TIMEOUT_SECONDS ? `or have a process run it, queues: { ${name}: { worker: 'process' } }: celeriac worker (docs/workers.md)` : `or raise the timeout of queue '${name}'`}.`,
    );
  }
  const batchWindowSeconds = manifest?.batchWindowSeconds ?? 0;
  const rounds = surelyRun(app, name, timeoutSeconds, longest?.seconds);
  const plan: WorkerPlan = {
    ...planQueue(app, name, overrides, timeoutSeconds + batchWindowSeconds + VISIBILITY_MARGIN_SECONDS),
    sources: [name, ...(manifest?.lanes ?? []).map(([, lane]) => lane).filter((lane) => lane !== name)].map((queue) =>
      planSource(app, queue, rounds),
    ),
    batchWindowSeconds,
    timeoutSeconds,
    memoryMiB: overrides.memoryMiB ?? 512,
  };
  validateWorkerPlan(name, plan);
  return plan;
}

function planSource(app: AppManifest, queue: string, rounds: number): SourcePlan {
  const manifest = app.queues[queue] ?? { fifo: false };
  return {
    queue,
    batchSize: batchSizeOf(manifest, rounds),
    concurrency: manifest.concurrency,
    workers: workersOf(manifest),
  };
}

/** How often the longest task runs within an invocation, one after another; once where a task has no limit. */
function surelyRun(app: AppManifest, queue: string, timeoutSeconds: number, longestSeconds = 0): number {
  const own = Object.values(app.tasks).filter((task) => queueOfTask(app, task) === queue);
  const limited = own.every((task) => (task.timeLimitSeconds ?? task.softTimeLimitSeconds) !== undefined);
  if (!limited || longestSeconds === 0) return 1;
  return Math.floor((timeoutSeconds - DEADLINE_MARGIN_SECONDS) / longestSeconds);
}
