/** What `infra` needs to know of an app, as plain data: it never loads task code at deploy time. */

import type { Schedule } from '../schedules/schedule.ts';

export interface QueueManifest {
  /** Ordered groups: an SQS FIFO queue. */
  readonly fifo: boolean;
  /** Most workers at once: the event source mapping's `maximumConcurrency` (2 to 1,000). */
  readonly concurrency?: number;
  /** Messages per invocation. Default 10. */
  readonly batchSize?: number;
  /** How long an invocation waits for its batch to fill. Default 0. */
  readonly batchWindowSeconds?: number;
  /** Consumed elsewhere: it has no worker. */
  readonly external?: true;
}

export interface TaskManifest {
  /** Where routes send it, when they can say so without arguments. */
  readonly queue: string;
  readonly timeLimitSeconds?: number;
  readonly softTimeLimitSeconds?: number;
  /** It runs elsewhere; `app.remote()` has named it. */
  readonly remote?: true;
}

/** A declared schedule entry and the way it goes. */
export interface BeatManifest {
  readonly name: string;
  readonly task: string;
  readonly queue: string;
  readonly schedule: Schedule;
  readonly enabled: boolean;
  readonly way: 'rule' | 'sweep';
  /** Why it is swept. */
  readonly reason: string;
  /** Of a rule: EventBridge's `cron(...)` or `rate(...)`. */
  readonly expression?: string;
  /** Of a rule: the input template, with `<time>` for `$.time`. */
  readonly template?: string;
  readonly startingDeadlineSeconds?: number;
  /** Its next due instants may be fewer than its schedule's: milliseconds since the epoch. */
  readonly startMs?: number;
  readonly expiresMs?: number;
  readonly oneOff?: boolean;
}

export interface AppManifest {
  readonly name: string;
  readonly defaultQueue: string;
  readonly queues: Readonly<Record<string, QueueManifest>>;
  readonly tasks: Readonly<Record<string, TaskManifest>>;
  readonly resultExpiresSeconds: number;
  readonly timerShards: number;
  readonly beat: readonly BeatManifest[];
  /** Patterns of the routes that match none of the tasks; absent where there are none. */
  readonly idleRoutes?: readonly string[];
}

/** Environment variables by which a deployed function finds its queues and tables. All JSON or plain text. */
export const ENVIRONMENT = {
  /** App name. */
  app: 'CELERIAC_APP',
  /** JSON: Celery queue name -> queue URL. */
  queues: 'CELERIAC_QUEUES',
  /** JSON: Celery queue name -> URL of its dead-letter queue. Not needed to enqueue. */
  deadLetterQueues: 'CELERIAC_DEAD_LETTER_QUEUES',
  /** Table of results. */
  resultsTable: 'CELERIAC_RESULTS_TABLE',
  /** Table of timers, locks, groups and schedules. */
  stateTable: 'CELERIAC_STATE_TABLE',
  /** Shards of the timer index. */
  timerShards: 'CELERIAC_TIMER_SHARDS',
  /** JSON: task name -> queue, for tasks that routes send elsewhere than to the default queue. */
  taskQueues: 'CELERIAC_TASK_QUEUES',
  /** Names of all tasks, packed (lib/base/task-names.ts). Absent where they take too much room. */
  tasks: 'CELERIAC_TASKS',
  /** Names of the queues that are consumed elsewhere, with commas between them. Absent where there are none. */
  externalQueues: 'CELERIAC_EXTERNAL_QUEUES',
  /** URL of the wake-up queue. Absent where there are no FIFO queues. */
  wakeQueue: 'CELERIAC_WAKE_QUEUE',
  /** What the names of the beat's rules begin with. Absent where entries have no rules. */
  rulePrefix: 'CELERIAC_RULE_PREFIX',
  /** Name of the default queue. */
  defaultQueue: 'CELERIAC_DEFAULT_QUEUE',
} as const;

/** Queue by task, for tasks that go elsewhere than to the default queue: what a function without the app's routes is told. */
export function taskQueuesOf({ tasks, defaultQueue }: AppManifest): Record<string, string> {
  const elsewhere = Object.entries(tasks).filter(([, { queue }]) => queue !== defaultQueue);
  return Object.fromEntries(elsewhere.map(([name, { queue }]) => [name, queue]));
}

/** Whether any queue keeps order: the service then has a wake-up queue. */
export function hasFifoQueue({ queues }: Pick<AppManifest, 'queues'>): boolean {
  return Object.values(queues).some(({ fifo }) => fifo);
}

/** Names of the queues that are consumed elsewhere. */
export function externalQueuesOf({ queues }: AppManifest): string[] {
  return Object.keys(queues).filter((name) => queues[name]?.external === true);
}

// ------------------------------------------------------------ environment

/** What a deployed function knows of its service. */
export interface Environment {
  readonly app: string;
  readonly queues: Readonly<Record<string, string>>;
  readonly deadLetterQueues: Readonly<Record<string, string>>;
  readonly resultsTable: string;
  readonly stateTable: string;
  readonly timerShards: number;
  readonly taskQueues: Readonly<Record<string, string>>;
  /** Names of queues that are consumed elsewhere. */
  readonly externalQueues: readonly string[];
  readonly defaultQueue: string;
  /** URL of the queue that tells when timers of FIFO queues are due; undefined where there are no FIFO queues. */
  readonly wakeQueue?: string | undefined;
  /** What the names of the beat's rules begin with; undefined where there are none. */
  readonly rulePrefix?: string | undefined;
}
