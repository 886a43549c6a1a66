import { Duration, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type IQueue, Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { ImproperlyConfigured, QueueNotFound } from '../lib/base/errors.ts';
import { NO_SOURCE, sourcesAllowed } from './redrive-allow.ts';
import { physicalQueueNames, type QueueNames, type QueuePlan, SWEEPER_TIMEOUT_SECONDS } from './validate.ts';

/** A queue of tasks and what lies behind it. */
export interface QueuePair {
  /** Where its tasks are sent to. */
  readonly queue: IQueue;
  /** Where rejected tasks lie, each with its reason. */
  readonly deadLetterQueue: IQueue;
}

/** A queue that takes those messages of another whose priorities are its own. */
export interface QueueLane {
  /** Where they are sent to. */
  readonly queue: IQueue;
  /** Celery's name of the queue it belongs to. */
  readonly of: string;
}

/** What the queues of a service are made of. */
export interface TaskQueuesProps {
  /** Queues to make, by Celery's name, with every default filled in. */
  readonly plans: Readonly<Record<string, QueuePlan>>;
  /** Fixed names for the queues, as Celery's `queue_name_prefix` makes them. @default - CloudFormation names them */
  readonly queueNamePrefix?: string;
  /** Queues that exist already and that the service consumes, by Celery's name. @default - none */
  readonly existing?: Readonly<Record<string, QueuePair>>;
  /** Of which queue a lane is, by Celery's name of both. @default - there are no lanes */
  readonly laneOf?: Readonly<Record<string, string>>;
  /** Queues that exist already and that others consume, by Celery's name. @default - none */
  readonly imported?: Readonly<Record<string, IQueue>>;
  /** Whether any queue is a FIFO queue, and timers have to be sent when they are due. */
  readonly hasFifoQueue: boolean;
  /** Encrypts every queue that is made. @default - a key that SQS owns */
  readonly encryptionKey?: IKey;
}

const LOST_RETENTION = Duration.days(14);
// The sweeper consumes it: Lambda refuses a visibility below the function's timeout.
const LOST_VISIBILITY = Duration.seconds(SWEEPER_TIMEOUT_SECONDS + 30);
// A wake-up is sent two minutes ahead at most; an older one is worth nothing, since sweeps have passed.
const WAKE_RETENTION = Duration.minutes(10);

/** All queues of a service. Rejects go to each queue's own dead-letter queue; what no worker ever handled goes to `lost`. */
export class TaskQueues extends Construct {
  /** What the service made or consumes, by Celery's name, lanes left out. */
  readonly pairs: Readonly<Record<string, QueuePair>>;
  /** The lanes of those, by Celery's name of each. */
  readonly lanes: Readonly<Record<string, QueueLane>>;
  /** What existed already, and others consume. */
  readonly imported: Readonly<Record<string, IQueue>>;
  /** One per queue type, since SQS redrives within a type. */
  readonly lost: readonly Queue[];
  /** Firings of EventBridge rules that could not be delivered. */
  readonly missedTicks: Queue;
  /** Messages with a delay that tell the sweeper when timers of FIFO queues are due. undefined without a FIFO queue. */
  readonly wakeUps: Queue | undefined;
  readonly #key: IKey | undefined;

  /**
   * Makes each queue with its dead-letter queue, and the service's own queues. `TaskService` calls it.
   *
   * @throws InvalidOption for a `queueNamePrefix` that gives two queues one name, or a name that SQS does not take.
   */
  constructor(scope: Construct, id: string, props: TaskQueuesProps) {
    super(scope, id);
    this.#key = props.encryptionKey;
    const names = props.queueNamePrefix === undefined ? {} : physicalQueueNames(props.queueNamePrefix, props.plans);
    // Scopes of their own: a queue of the user's may have any name.
    const scopes = { main: new Construct(this, 'Main'), deadLetters: new Construct(this, 'DeadLetters') };
    const lost = new Map<boolean, Queue>();
    const pairs: Record<string, QueuePair> = {};
    const lanes: Record<string, QueueLane> = {};
    for (const [name, plan] of Object.entries(props.plans)) {
      const lostQueue = lost.get(plan.fifo) ?? this.#lostQueue(plan.fifo, sourcesOf(plan.fifo, props.plans, names));
      lost.set(plan.fifo, lostQueue);
      const queue = makeQueue(scopes.main, name, plan, lostQueue, names[name], this.#key);
      if (plan.laneOf === undefined)
        pairs[name] = {
          queue,
          deadLetterQueue: makeDeadLetterQueue(scopes.deadLetters, name, plan, names[name], this.#key),
        };
      else lanes[name] = { queue, of: plan.laneOf };
    }
    for (const [name, pair] of Object.entries(props.existing ?? {})) {
      const of = props.laneOf?.[name];
      if (of === undefined) pairs[name] = pair;
      else lanes[name] = { queue: pair.queue, of };
    }
    this.pairs = pairs;
    this.lanes = lanes;
    this.imported = props.imported ?? {};
    this.lost = [...lost.values()];
    this.missedTicks = new Queue(this, 'MissedTicks', {
      ...secured(false, this.#key),
      retentionPeriod: LOST_RETENTION,
      redriveAllowPolicy: NO_SOURCE,
    });
    isDeadLetterQueue(this.missedTicks, 'It is the dead-letter queue of the rules.');
    this.wakeUps = props.hasFifoQueue ? this.#wakeQueue() : undefined;
  }

  /** Where messages are sent to, by Celery's name. */
  get byName(): Readonly<Record<string, IQueue>> {
    const made = Object.entries({ ...this.pairs, ...this.lanes }).map(([name, { queue }]) => [name, queue] as const);
    return { ...Object.fromEntries(made), ...this.imported };
  }

  /** Every queue that tasks are sent to, imported ones among them. */
  get all(): IQueue[] {
    return Object.values(this.byName);
  }

  /** Where a function that enqueues sends to. */
  get targets(): IQueue[] {
    return this.wakeUps === undefined ? this.all : [...this.all, this.wakeUps];
  }

  /** The dead-letter queue of each queue that the service made or consumes. */
  get allDeadLetters(): IQueue[] {
    return Object.values(this.pairs).map((pair) => pair.deadLetterQueue);
  }

  /** Queues with their lanes, and where their dead letters are, by Celery's name; not those of others' workers. */
  withLetters(
    external: readonly string[],
  ): Readonly<Record<string, { readonly own: readonly IQueue[]; readonly deadLetterQueue: IQueue }>> {
    const lanes = Object.values(this.lanes);
    const own = Object.entries(this.pairs).filter(([name]) => !external.includes(name));
    return Object.fromEntries(
      own.map(([name, { queue, deadLetterQueue }]) => [
        name,
        { own: [queue, ...lanes.filter(({ of }) => of === name).map((lane) => lane.queue)], deadLetterQueue },
      ]),
    );
  }

  /** Every queue that is sent to or received from, dead-letter queues and the service's own among them. */
  get everyOne(): IQueue[] {
    return [...this.targets, ...this.allDeadLetters, ...this.lost, this.missedTicks];
  }

  /** A queue by Celery's name, an imported one too. @throws QueueNotFound */
  queue(name: string): IQueue {
    const queue = new Map(Object.entries(this.byName)).get(name);
    if (queue !== undefined) return queue;
    throw new QueueNotFound(`Queue '${name}' is not declared. Declared are: ${Object.keys(this.byName).join(', ')}.`);
  }

  /** A queue and its dead-letter queue. @throws QueueNotFound; ImproperlyConfigured for a queue that existed already */
  pair(name: string): QueuePair {
    const own = this.queueOfLane(name);
    const pair = Object.hasOwn(this.pairs, own) ? this.pairs[own] : undefined;
    if (pair !== undefined) return { ...pair, queue: this.lanes[name]?.queue ?? pair.queue };
    this.queue(name);
    throw new ImproperlyConfigured(
      `Queue '${name}' is one of externalQueues: the service made neither it nor a dead-letter queue for it. Use the queue's own construct.`,
    );
  }

  /** The queue that a lane belongs to; of what is no lane, itself. */
  queueOfLane(name: string): string {
    return (Object.hasOwn(this.lanes, name) ? this.lanes[name]?.of : undefined) ?? name;
  }

  #wakeQueue(): Queue {
    const queue = new Queue(this, 'WakeUps', {
      ...secured(false, this.#key),
      retentionPeriod: WAKE_RETENTION,
      visibilityTimeout: LOST_VISIBILITY,
      redriveAllowPolicy: NO_SOURCE,
    });
    isDeadLetterQueue(queue, 'What it tells the sweeper, the next sweep finds out by itself: nothing of it is kept.');
    return queue;
  }

  #lostQueue(fifo: boolean, sources: readonly string[] | undefined): Queue {
    const id = fifo ? 'LostFifo' : 'Lost';
    return new Queue(this, id, {
      ...secured(fifo, this.#key),
      redriveAllowPolicy: sourcesAllowed(new Construct(this, `${id}Sources`), sources),
      retentionPeriod: LOST_RETENTION,
      visibilityTimeout: LOST_VISIBILITY,
    });
  }
}

/** Names of the queues of one type, where they are known beforehand. */
function sourcesOf(
  fifo: boolean,
  plans: TaskQueuesProps['plans'],
  names: Readonly<Record<string, QueueNames>>,
): string[] | undefined {
  const sources = Object.keys(plans).filter((name) => plans[name]?.fifo === fifo);
  const known = sources.flatMap((name) => names[name]?.queue ?? []);
  return known.length < sources.length ? undefined : known;
}

function makeDeadLetterQueue(
  scope: Construct,
  name: string,
  plan: QueuePlan,
  names: QueueNames | undefined,
  key: IKey | undefined,
): Queue {
  const deadLetterQueue = new Queue(scope, name, {
    ...secured(plan.fifo, key),
    ...(names === undefined ? {} : { queueName: names.deadLetterQueue }),
    retentionPeriod: Duration.seconds(plan.deadLetterRetentionSeconds),
    redriveAllowPolicy: NO_SOURCE,
  });
  isDeadLetterQueue(
    deadLetterQueue,
    'Rejected messages are sent to it, each with its reason; no redrive policy names it.',
  );
  return deadLetterQueue;
}

function makeQueue(
  scope: Construct,
  name: string,
  plan: QueuePlan,
  lost: Queue,
  names: QueueNames | undefined,
  key: IKey | undefined,
): Queue {
  return new Queue(scope, name, {
    ...secured(plan.fifo, key),
    ...(names === undefined ? {} : { queueName: names.queue }),
    retentionPeriod: Duration.seconds(plan.retentionSeconds),
    visibilityTimeout: Duration.seconds(plan.visibilitySeconds),
    deadLetterQueue: { queue: lost, maxReceiveCount: plan.maxReceiveCount },
  });
}

function secured(fifo: boolean, key: IKey | undefined): QueueProps {
  const encryption =
    key === undefined
      ? { encryption: QueueEncryption.SQS_MANAGED }
      : { encryption: QueueEncryption.KMS, encryptionMasterKey: key };
  // `fifo: false` is not the same as none: CloudFormation refuses it.
  return { ...encryption, enforceSSL: true, ...(fifo ? { fifo: true } : {}) };
}

/** cdk-nag takes a queue for a dead-letter queue only when a redrive policy names it. */
export function isDeadLetterQueue(queue: Queue, reason: string): void {
  Validations.of(queue).acknowledge({ id: 'AwsSolutions::AwsSolutions-SQS3', reason });
}
