/** What `infra` needs to know of an app, as plain data: it never loads task code at deploy time. */

export interface QueueManifest {
  /** Ordered groups: an SQS FIFO queue. */
  readonly fifo: boolean;
  /** Most workers at once: the event source mapping's `maximumConcurrency` (2 to 1,000). */
  readonly concurrency?: number;
  /** Messages per invocation. Default 10. */
  readonly batchSize?: number;
  /** How long an invocation waits for its batch to fill. Default 0. */
  readonly batchWindowSeconds?: number;
}

export interface TaskManifest {
  /** Where routes send it, when they can say so without arguments. */
  readonly queue: string;
  readonly timeLimitSeconds?: number;
  readonly softTimeLimitSeconds?: number;
}

export interface AppManifest {
  readonly name: string;
  readonly defaultQueue: string;
  readonly queues: Readonly<Record<string, QueueManifest>>;
  readonly tasks: Readonly<Record<string, TaskManifest>>;
  readonly resultExpiresSeconds: number;
  readonly timerShards: number;
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
  /** Name of the default queue. */
  defaultQueue: 'CELERIAC_DEFAULT_QUEUE',
} as const;
