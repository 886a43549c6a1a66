/** What `infra` needs to know of an app, as plain data: it never loads task code at deploy time. */

import type { Schedule } from '../schedules/schedule.ts';

/** A declared queue, as the stack sees it. */
export interface QueueManifest {
  /** Ordered groups: an SQS FIFO queue. */
  readonly fifo: boolean;
  /** Most tasks at once, over all workers; of a queue with lanes, its own lane's share. Absent: as many as Lambda starts. */
  readonly concurrency?: number;
  /** Tasks of one batch that run at once. Absent: the app's. */
  readonly batchConcurrency?: number;
  /** Messages per invocation. Default 10, fewer where `batchConcurrency` is. */
  readonly batchSize?: number;
  /** How long an invocation waits for its batch to fill. Default 0. */
  readonly batchWindowSeconds?: number;
  /** Consumed elsewhere: it has no worker. */
  readonly external?: true;
  /** Its worker is a process, `celeriac worker`: it has no function. */
  readonly worker?: 'process';
  /** Its lanes, the most urgent first: from which priority on, and the name of the queue. Absent where it has none. */
  readonly lanes?: readonly Lane[];
  /** Priority of messages that name none. Default 0. */
  readonly defaultPriority?: number;
  /** Of a lane: the queue whose messages it takes, and whose worker and dead-letter queue it shares. */
  readonly laneOf?: string;
}

/** From which priority on a lane is taken, and Celery's name of its queue. */
export type Lane = readonly [priority: number, queue: string];

/** What a queue with lanes was declared with. */
export interface LaneOptions {
  /** From which priorities on there is a lane: whole numbers from 0 to 9, 0 among them; 0 is the most urgent. */
  readonly priorities: readonly number[];
  /** Priority of messages that name none. Default 0. */
  readonly defaultPriority?: number;
}

/** A declared task, as the stack sees it. */
export interface TaskManifest {
  /** Where its option or the routes send it. */
  readonly queue: string;
  /** Hard limit of a run; absent where it has none. */
  readonly timeLimitSeconds?: number;
  /** Soft limit of a run; absent where it has none. */
  readonly softTimeLimitSeconds?: number;
  /** How often it may start, as it was given: `'100/m'`; absent for no limit. */
  readonly rateLimit?: string;
  /** How many of it, or of a key of it, may run at the same time; absent for no limit. */
  readonly concurrency?: number;
  /** A call may find that another task stands for it: `unique`, `throttle` or `debounce`. Absent for none. */
  readonly marked?: true;
  /** It does not run beside itself; absent: it does. */
  readonly oneInstance?: true;
  /** It runs elsewhere; `app.remote()` has named it. */
  readonly remote?: true;
  /** A function in the routes decides at each call; `queue` is the default one. Absent where the queue is known. */
  readonly routed?: true;
}

/** A declared schedule entry, and what fires it. */
export interface BeatManifest {
  /** Name of the entry. */
  readonly name: string;
  /** Name of the task that each tick sends. */
  readonly task: string;
  /** Celery's name of the queue that ticks go to. */
  readonly queue: string;
  /** When it is due. */
  readonly schedule: Schedule;
  /** Whether it is declared as enabled. */
  readonly enabled: boolean;
  /** Fired by an EventBridge rule, or by the sweep. */
  readonly firedBy: 'rule' | 'sweep';
  /** Why it is swept. */
  readonly reason: string;
  /** Of a rule: EventBridge's `cron(...)` or `rate(...)`. */
  readonly expression?: string;
  /** Of a rule: the input template, with `<time>` for `$.time`. */
  readonly template?: string;
  /** An overdue tick that is older is left out; absent: none is. */
  readonly startingDeadlineSeconds?: number;
  /** Its next due instants may be fewer than its schedule's: milliseconds since the epoch. */
  readonly startMs?: number;
  /** No tick at or after it, milliseconds since the epoch; absent: for ever. */
  readonly expiresMs?: number;
  /** Whether it has one tick only; absent: false. */
  readonly oneOff?: boolean;
}

/** An app as plain data: what `app.manifest()` returns and `TaskService` takes. */
export interface AppManifest {
  /** The app's name. */
  readonly name: string;
  /** Celery's name of the default queue. */
  readonly defaultQueue: string;
  /** Declared queues by Celery's name. */
  readonly queues: Readonly<Record<string, QueueManifest>>;
  /** Declared tasks by name, those of `app.remote()` among them. */
  readonly tasks: Readonly<Record<string, TaskManifest>>;
  /** How long results are kept. */
  readonly resultExpiresSeconds: number;
  /** Shards of the timer index. */
  readonly timerShards: number;
  /** Declared schedule entries. */
  readonly beat: readonly BeatManifest[];
  /** What the history keeps, where that is not all; absent for `'all'`. */
  readonly history?: 'failures' | 'off';
  /** How long large payloads are kept in their bucket, in seconds; absent where there is none. */
  readonly payloadKeepSeconds?: number;
  /** Its data is encrypted: it has a `codec`. Absent: it has none. */
  readonly codec?: true;
  /** Patterns of the routes that match none of the tasks; absent where there are none. */
  readonly idleRoutes?: readonly string[];
}

/**
 * Environment variables by which a function finds its queues and tables where somebody writes them by hand: plain text or
 * JSON, one for each field. CDK writes one for each service (service-variable.ts), with fields of the same names.
 */
export const ENVIRONMENT = {
  /** App name. Absent: the variables are any app's. */
  app: 'CELERIAC_APP',
  /** JSON: Celery queue name -> queue URL. */
  queues: 'CELERIAC_QUEUES',
  /** JSON: Celery queue name -> URL of its dead-letter queue. Not needed to enqueue. */
  deadLetterQueues: 'CELERIAC_DEAD_LETTER_QUEUES',
  /** Table of results. */
  resultsTable: 'CELERIAC_RESULTS_TABLE',
  /** Table of timers, locks, groups and schedules. */
  stateTable: 'CELERIAC_STATE_TABLE',
  /** Shards of the timer index, 1 to 64; the same for whoever sends and sweeps. Default 8. */
  timerShards: 'CELERIAC_TIMER_SHARDS',
  /** JSON: task name -> queue, for tasks that routes send elsewhere than to the default queue. */
  taskQueues: 'CELERIAC_TASK_QUEUES',
  /** Names of all tasks, packed (lib/base/task-names.ts). Absent where they take too much room. */
  tasks: 'CELERIAC_TASKS',
  /** Names of the queues that are consumed elsewhere, with commas between them. Absent where there are none. */
  externalQueues: 'CELERIAC_EXTERNAL_QUEUES',
  /** Names of the tasks that are unique, throttled or debounced, with commas between them. Absent where there are none. */
  markedTasks: 'CELERIAC_MARKED_TASKS',
  /** JSON: Celery queue name -> its `priorities` and `defaultPriority`. Absent where no queue has lanes. */
  lanes: 'CELERIAC_LANES',
  /** URL of the wake-up queue. Absent where there are no FIFO queues. */
  wakeQueue: 'CELERIAC_WAKE_QUEUE',
  /** What the names of the beat's rules begin with. Absent where entries have no rules. */
  rulePrefix: 'CELERIAC_RULE_PREFIX',
  /** Name of the default queue. Default: the first of the queues. */
  defaultQueue: 'CELERIAC_DEFAULT_QUEUE',
  /** JSON: who is told of failures (`NotifyTold`). Of workers and the sweeper alone. Absent where nobody is. */
  notify: 'CELERIAC_NOTIFY',
  /** Name of the bucket of large payloads. Absent where the app stores none. */
  payloadBucket: 'CELERIAC_PAYLOAD_BUCKET',
} as const;

/** Queue by task, for tasks that go elsewhere than to the default queue: what a function without the app's routes is told. */
export function taskQueuesOf({ tasks, defaultQueue }: AppManifest): Record<string, string> {
  const otherQueues = Object.entries(tasks).filter(([, { queue }]) => queue !== defaultQueue);
  return Object.fromEntries(otherQueues.map(([name, { queue }]) => [name, queue]));
}

/** What every sender is told of an app's queues and tasks. */
export function senderFacts(
  manifest: AppManifest,
): Required<Pick<Environment, 'externalQueues' | 'markedTasks' | 'taskQueues' | 'lanes'>> {
  return {
    externalQueues: externalQueuesOf(manifest),
    lanes: lanesOf(manifest),
    markedTasks: markedTasksOf(manifest),
    taskQueues: taskQueuesOf(manifest),
  };
}

/** Whether any queue keeps order: the service then has a wake-up queue. */
export function hasFifoQueue({ queues }: Pick<AppManifest, 'queues'>): boolean {
  return Object.values(queues).some(({ fifo }) => fifo);
}

/** Names of the tasks that are unique, throttled or debounced. */
export function markedTasksOf({ tasks }: Pick<AppManifest, 'tasks'>): string[] {
  return Object.keys(tasks).filter((name) => tasks[name]?.marked === true);
}

/** Names of the queues that are consumed elsewhere. */
export function externalQueuesOf({ queues }: AppManifest): string[] {
  return Object.keys(queues).filter((name) => queues[name]?.external === true);
}

/** Names of the queues that have a worker here, lanes left out: they have that of their queue. */
export function consumedQueuesOf({ queues }: AppManifest): string[] {
  return Object.keys(queues).filter((name) => queues[name]?.external !== true && queues[name]?.laneOf === undefined);
}

/** Those of them whose worker is a function. */
export function functionQueuesOf(manifest: AppManifest): string[] {
  return consumedQueuesOf(manifest).filter((name) => manifest.queues[name]?.worker !== 'process');
}

/** Those of them whose worker is a process. */
export function processQueuesOf(manifest: AppManifest): string[] {
  return consumedQueuesOf(manifest).filter((name) => manifest.queues[name]?.worker === 'process');
}

/** The queue of each lane, by name. */
export function laneOwners({ queues }: Pick<AppManifest, 'queues'>): Record<string, string> {
  const lanes = Object.entries(queues).flatMap(([name, { laneOf }]) => (laneOf === undefined ? [] : [[name, laneOf]]));
  return Object.fromEntries(lanes) as Record<string, string>;
}

/** Queues with lanes, as they were declared: what a function without the app's code is told. */
export function lanesOf({ queues }: Pick<AppManifest, 'queues'>): Record<string, LaneOptions> {
  const laned = Object.entries(queues).flatMap(([name, { lanes, defaultPriority }]) => {
    if (lanes === undefined) return [];
    const priorities = lanes.map(([priority]) => priority);
    return [[name, { priorities, ...(defaultPriority === undefined ? {} : { defaultPriority }) }] as const];
  });
  return Object.fromEntries(laned);
}

// ------------------------------------------------------------ environment

/** Who is told of failures, as a deployed function knows it. */
export interface NotifyTold {
  /** ARN of the SNS topic; absent where a process sends the mails. */
  readonly topic?: string | undefined;
  /** Within how many seconds what fails again is told in one mail. */
  readonly window: number;
  /** Address of the monitor, for links; absent for none. */
  readonly monitor?: string | undefined;
}

/** What a deployed function knows of its service. */
export interface Environment {
  /** The app's name. */
  readonly app: string;
  /** URLs of queues by Celery's name. */
  readonly queues: Readonly<Record<string, string>>;
  /** URLs of dead-letter queues by the name of their queue; empty for a function that only enqueues. */
  readonly deadLetterQueues: Readonly<Record<string, string>>;
  /** Name of the table of results. */
  readonly resultsTable: string;
  /** Name of the table of timers, groups and schedules. */
  readonly stateTable: string;
  /** Shards of the timer index. */
  readonly timerShards: number;
  /** Queue by task name, for tasks that do not go to the default queue. */
  readonly taskQueues: Readonly<Record<string, string>>;
  /** Names of queues that are consumed elsewhere. */
  readonly externalQueues: readonly string[];
  /** Names of tasks that are unique, throttled or debounced; undefined for none. */
  readonly markedTasks?: readonly string[];
  /** Queues with lanes, by Celery's name: what their priorities are. Absent where there are none. */
  readonly lanes?: Readonly<Record<string, LaneOptions>> | undefined;
  /** Celery's name of the default queue. */
  readonly defaultQueue: string;
  /** URL of the queue that tells when timers of FIFO queues are due; undefined where there are no FIFO queues. */
  readonly wakeQueue?: string | undefined;
  /** What the names of the beat's rules begin with; undefined where there are none. */
  readonly rulePrefix?: string | undefined;
  /** Who is told of failures; undefined where nobody is. */
  readonly notify?: NotifyTold | undefined;
  /** Name of the bucket of large payloads; undefined where the app stores none. */
  readonly payloadBucket?: string | undefined;
}
