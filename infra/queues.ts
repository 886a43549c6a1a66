import { Annotations, Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { QueueNotFound } from '../lib/errors.ts';
import { physicalQueueNames, type QueueNames, type QueuePlan, SWEEPER_TIMEOUT_SECONDS } from './validate.ts';

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
// A burst of throttles alone takes about this many receives from messages that never ran.
const FEW_RECEIVES = 10;

/** All queues of a service. Rejects go to each queue's own dead-letter queue; what no worker ever handled goes to `lost`. */
export class TaskQueues extends Construct {
  /** By Celery's name. */
  readonly pairs: Readonly<Record<string, QueuePair>>;
  /** One per queue type, since SQS redrives within a type. */
  readonly lost: readonly Queue[];
  /** Firings of EventBridge rules that could not be delivered. */
  readonly missedTicks: Queue;

  constructor(scope: Construct, id: string, props: TaskQueuesProps) {
    super(scope, id);
    const names = props.queueNamePrefix === undefined ? {} : physicalQueueNames(props.queueNamePrefix, props.plans);
    // Scopes of their own: a queue of the user's may have any name.
    const scopes = { main: new Construct(this, 'Main'), deadLetters: new Construct(this, 'DeadLetters') };
    const lost = new Map<boolean, Queue>();
    const pairs: Record<string, QueuePair> = {};
    for (const [name, plan] of Object.entries(props.plans)) {
      const lostQueue = lost.get(plan.fifo) ?? this.#lostQueue(plan.fifo);
      lost.set(plan.fifo, lostQueue);
      pairs[name] = makePair(scopes, name, plan, lostQueue, names[name]);
    }
    this.pairs = pairs;
    this.lost = [...lost.values()];
    this.missedTicks = new Queue(this, 'MissedTicks', { ...secured(false), retentionPeriod: LOST_RETENTION });
    isDeadLetterQueue(this.missedTicks, 'It is the dead-letter queue of the rules.');
  }

  get all(): Queue[] {
    return Object.values(this.pairs).map((pair) => pair.queue);
  }

  get allDeadLetters(): Queue[] {
    return Object.values(this.pairs).map((pair) => pair.deadLetterQueue);
  }

  /** @throws QueueNotFound */
  pair(name: string): QueuePair {
    const pair = Object.hasOwn(this.pairs, name) ? this.pairs[name] : undefined;
    if (pair !== undefined) return pair;
    throw new QueueNotFound(`Queue '${name}' is not declared. Declared are: ${Object.keys(this.pairs).join(', ')}.`);
  }

  #lostQueue(fifo: boolean): Queue {
    return new Queue(this, fifo ? 'LostFifo' : 'Lost', {
      ...secured(fifo),
      retentionPeriod: LOST_RETENTION,
      visibilityTimeout: LOST_VISIBILITY,
    });
  }
}

function makePair(
  scopes: { readonly main: Construct; readonly deadLetters: Construct },
  name: string,
  plan: QueuePlan,
  lost: Queue,
  names: QueueNames | undefined,
): QueuePair {
  const deadLetterQueue = new Queue(scopes.deadLetters, name, {
    ...secured(plan.fifo),
    ...(names === undefined ? {} : { queueName: names.deadLetterQueue }),
    retentionPeriod: Duration.seconds(plan.deadLetterRetentionSeconds),
  });
  isDeadLetterQueue(
    deadLetterQueue,
    'Rejected messages are sent to it, each with its reason; no redrive policy names it.',
  );
  const queue = new Queue(scopes.main, name, {
    ...secured(plan.fifo),
    ...(names === undefined ? {} : { queueName: names.queue }),
    retentionPeriod: Duration.seconds(plan.retentionSeconds),
    visibilityTimeout: Duration.seconds(plan.visibilitySeconds),
    deadLetterQueue: { queue: lost, maxReceiveCount: plan.maxReceiveCount },
  });
  if (plan.maxReceiveCount < FEW_RECEIVES) {
    Annotations.of(queue).addWarningV2(
      'celeriac:fewReceives',
      `maxReceiveCount of queue '${name}' is ${plan.maxReceiveCount}; throttled polls count as receives, so messages that never ran may be given up. Use ${FEW_RECEIVES} or more: tasks are limited by maxDeliveries.`,
    );
  }
  return { queue, deadLetterQueue };
}

function secured(fifo: boolean): QueueProps {
  // `fifo: false` is not the same as none: CloudFormation refuses it.
  return { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...(fifo ? { fifo: true } : {}) };
}

/** cdk-nag takes a queue for a dead-letter queue only when a redrive policy names it. */
export function isDeadLetterQueue(queue: Queue, reason: string): void {
  Validations.of(queue).acknowledge({ id: 'AwsSolutions::AwsSolutions-SQS3', reason });
}
