import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { physicalQueueName, type QueuePlan, SWEEPER_TIMEOUT_SECONDS } from './validate.ts';

/** A queue of tasks and what lies behind it. */
export interface QueuePair {
  readonly queue: Queue;
  /** Where rejected tasks lie, each with its reason. */
  readonly deadLetterQueue: Queue;
}

export interface TaskQueuesProps {
  readonly plans: Readonly<Record<string, QueuePlan>>;
  /** Fixed names for the queues, as Celery's `queue_name_prefix` makes them. @default - CloudFormation names them */
  readonly queueNamePrefix?: string;
}

const LOST_RETENTION = Duration.days(14);
// The sweeper consumes it: Lambda refuses a visibility below the function's timeout.
const LOST_VISIBILITY = Duration.seconds(SWEEPER_TIMEOUT_SECONDS + 30);

/** All queues of a service. Rejects go to each queue's own dead-letter queue; what no worker ever handled goes to `lost`. */
export class TaskQueues extends Construct {
  readonly pairs: Readonly<Record<string, QueuePair>>;
  /** One per queue type, since SQS redrives within a type. */
  readonly lost: readonly Queue[];

  constructor(scope: Construct, id: string, props: TaskQueuesProps) {
    super(scope, id);
    const lost = new Map<boolean, Queue>();
    const pairs: Record<string, QueuePair> = {};
    for (const [name, plan] of Object.entries(props.plans)) {
      const lostQueue = lost.get(plan.fifo) ?? this.#lostQueue(plan.fifo);
      lost.set(plan.fifo, lostQueue);
      pairs[name] = this.#pair(name, plan, lostQueue, props.queueNamePrefix);
    }
    this.pairs = pairs;
    this.lost = [...lost.values()];
  }

  #lostQueue(fifo: boolean): Queue {
    return new Queue(this, fifo ? 'LostFifo' : 'Lost', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: LOST_RETENTION,
      visibilityTimeout: LOST_VISIBILITY,
      ...(fifo ? { fifo: true } : {}),
    });
  }

  #pair(name: string, plan: QueuePlan, lost: Queue, prefix: string | undefined): QueuePair {
    const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...(plan.fifo ? { fifo: true } : {}) };
    const named = (suffix: string): { queueName?: string } =>
      prefix === undefined ? {} : { queueName: physicalQueueName(prefix, `${name}${suffix}`, plan.fifo) };
    const deadLetterQueue = new Queue(this, `${name}DeadLetters`, {
      ...common,
      ...named('-dead'),
      retentionPeriod: Duration.seconds(plan.deadLetterRetentionSeconds),
    });
    isDeadLetterQueue(
      deadLetterQueue,
      'Rejected messages are sent to it, each with its reason; no redrive policy names it.',
    );
    const queue = new Queue(this, name, {
      ...common,
      ...named(''),
      retentionPeriod: Duration.seconds(plan.retentionSeconds),
      visibilityTimeout: Duration.seconds(plan.visibilitySeconds),
      deadLetterQueue: { queue: lost, maxReceiveCount: plan.maxReceiveCount },
    });
    return { queue, deadLetterQueue };
  }
}

/** cdk-nag takes a queue for a dead-letter queue only when a redrive policy names it. */
export function isDeadLetterQueue(queue: Queue, reason: string): void {
  Validations.of(queue).acknowledge({ id: 'AwsSolutions::AwsSolutions-SQS3', reason });
}
