import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { PayloadKeys } from './payload-keys.ts';
import type { TaskQueues } from './queues.ts';
import type { TaskTables } from './tables.ts';
import { TaskFunction, type TaskFunctionOptions } from './task-function.ts';
import { FEW_RECEIVES, type WorkerPlan } from './validate.ts';
import { type UsedFlow, workerRights } from './worker-rights.ts';

export interface WorkerFunctionProps extends TaskFunctionOptions {
  /** Celery's name of the queue it consumes. */
  readonly queue: string;
  readonly plan: WorkerPlan;
  readonly queues: TaskQueues;
  readonly tables: TaskTables;
  readonly payloadKeys: PayloadKeys;
  /** What tasks of the service use: calls may send them to any queue. */
  readonly flow: UsedFlow;
  /** Rules send ticks to its queue. */
  readonly ticked: boolean;
}

/** Runs the tasks of one queue, may send to every queue of the service, and rejects into its own dead-letter queue only. */
export class WorkerFunction extends TaskFunction {
  /** Ids of the event source mappings that feed it, by Celery's name of their queue: lanes have one each. */
  readonly eventSources: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: WorkerFunctionProps) {
    const { plan, queues } = props;
    super(scope, id, {
      ...props,
      handler: 'worker',
      description: `Runs the tasks of queue '${props.queue}'`,
      timeoutSeconds: plan.timeoutSeconds,
      memoryMiB: plan.memoryMiB,
      rights: workerRights({ ...props, fed: plan.sources.map(({ queue }) => queue) }),
    });
    props.payloadKeys.addTo(this.function);
    if (plan.maxReceiveCount < FEW_RECEIVES) {
      Annotations.of(this).addWarningV2(
        'celeriac:fewReceives',
        `maxReceiveCount of queue '${props.queue}' is ${plan.maxReceiveCount}; throttled polls count as receives, so messages that never ran may be given up. Use ${FEW_RECEIVES} or more: tasks are limited by maxDeliveries.`,
      );
    }
    const made = plan.sources.map(({ queue, batchSize, workers }) => {
      const id = queue === props.queue ? 'Source' : `Source${queue.slice(props.queue.length)}`;
      const source = this.feedFrom(queues.pair(queue).queue, id, {
        batchSize,
        ...(plan.batchWindowSeconds === 0 ? {} : { maximumBatchingWindowInSeconds: plan.batchWindowSeconds }),
        // Never reserved concurrency: its throttles burn receives of messages that never ran.
        ...(workers === undefined ? {} : { scalingConfig: { maximumConcurrency: workers } }),
      });
      return [queue, source.ref] as const;
    });
    this.eventSources = Object.fromEntries(made);
  }
}
