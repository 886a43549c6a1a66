/** What people say of queues. */
import type { Duration } from '../base/duration.ts';

/**
 * Options of a queue and of the worker that consumes it. An external queue takes `fifo`, `priorities` and `defaultPriority`
 * only.
 */
export interface QueueOptions {
  /** Ordered groups on an SQS FIFO queue. Default false. */
  readonly fifo?: boolean;
  /**
   * Most tasks at once, over all workers: 2 to 1,000 times `batchConcurrency`. Where that number has no split over workers, as near as can be from
   * below. With `priorities` the lanes share it evenly, or have what is given for each: `{ 0: 15, 5: 5 }`. Default: as many
   * as Lambda starts workers for.
   */
  readonly concurrency?: number | Readonly<Record<number, number>>;
  /**
   * Most tasks of one batch that run at once. 1 for tasks that need a whole processor or much memory: each then has a
   * worker to itself. Default: the app's.
   */
  readonly batchConcurrency?: number;
  /** Messages per invocation, 1 to 10 (10,000 with a window). Default 10, or what surely runs where `batchConcurrency` is lower. */
  readonly batchSize?: number;
  /** How long an invocation waits for its batch to fill. Default 0. */
  readonly batchWindow?: Duration;
  /** Consumed elsewhere, by Celery's workers in Python say: the service has no worker for it. Default false. */
  readonly external?: boolean;
  /**
   * `process`: its tasks are run by `celeriac worker`, in a container or on a machine of yours, for as long as they take. Default
   * `function`: by a Lambda function, up to 15 minutes.
   */
  readonly worker?: 'function' | 'process';
  /**
   * From which priorities on there is a lane, 0 to 9, 0 among them: `[0, 5]` makes two SQS queues, for 0 to 4 and for 5 to 9.
   * 0 is the most urgent. Lanes drain side by side, and none delays another. Default: no lanes.
   */
  readonly priorities?: readonly number[];
  /** Priority of messages that name none. The queue's own name is that lane's. Default 0. */
  readonly defaultPriority?: number;
}

/** Of queues and apps. */
export const NAME: RegExp = /^[A-Za-z0-9_.-]+$/;

/** What the lane of a queue is called that is not the default one. */
export function laneName(queue: string, priority: number): string {
  return `${queue}-p${priority}`;
}
