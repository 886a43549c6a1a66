/** Queues that exist before the service, and whose worker it becomes: what it accepts of them. */
import { Annotations, Stack, Token, TokenComparison } from 'aws-cdk-lib';
import { CfnQueue, type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import type { AppManifest } from '../lib/options/manifest.ts';
import type { QueuePair } from './queues.ts';
import { FEW_RECEIVES, type WorkerPlan } from './validate.ts';

/**
 * A queue that exists already, and where its rejected tasks are to lie. Both have to be in the service's region. A lane is given by its own
 * name, such as `mail-p5`, with the dead-letter queue of its queue.
 */
export interface ExistingQueue extends QueuePair {}

// Of a queue for which CloudFormation is given none. Source: SQS API reference, CreateQueue.
const DEFAULT_VISIBILITY_SECONDS = 30;

const PAIR_KEYS: ReadonlySet<string> = new Set<keyof ExistingQueue>(['queue', 'deadLetterQueue']);

/** @throws QueueNotFound, InvalidOption when the app has not declared a queue as it is given here, or a worker cannot consume it. */
export function validateExistingQueues(
  scope: Construct,
  manifest: AppManifest,
  existing: Readonly<Record<string, ExistingQueue>>,
): void {
  const owners = new Map<string, string>();
  const lanesLast = Object.entries(existing).toSorted(
    ([one], [other]) => laneRank(manifest, one) - laneRank(manifest, other),
  );
  for (const [name, pair] of lanesLast) {
    const what = `existingQueues.${name}`;
    const declared = Object.hasOwn(manifest.queues, name) ? manifest.queues[name] : undefined;
    if (declared === undefined)
      throw new QueueNotFound(
        `existingQueues: '${name}' is not declared by app '${manifest.name}'. Declared are: ${Object.keys(manifest.queues).join(', ')}.`,
      );
    if (declared.external === true)
      throw new InvalidOption(
        `${what}: the app declares it as external: its workers run elsewhere. Give it in externalQueues, or declare it without external.`,
      );
    refuseUnknownKeys(pair, PAIR_KEYS, what);
    for (const field of ['queue', 'deadLetterQueue'] as const) {
      const queue: IQueue | undefined = pair[field];
      if (typeof queue !== 'object' || !('queueArn' in queue))
        throw new InvalidOption(
          `${what}.${field}: ${shown(queue)} given; a Queue of aws-sqs is allowed. Both queue and deadLetterQueue have to be given.`,
        );
      if (queue.fifo !== declared.fifo)
        throw new InvalidOption(
          `${what}.${field}: a ${typeOf(queue.fifo)} queue given, and the app declares a ${typeOf(declared.fifo)} one. Declare fifo: ${queue.fifo}; or, where its ARN is a token that hides the name, give Queue.fromQueueAttributes(scope, id, { queueArn, fifo: ${declared.fifo} }).`,
        );
      const { region } = Stack.of(scope);
      if (Token.compareStrings(queue.env.region, region) === TokenComparison.DIFFERENT)
        throw new InvalidOption(
          `${what}.${field}: the queue is in ${queue.env.region}, and the service in ${region}. Give a queue of the service's own region.`,
        );
      if (field === 'deadLetterQueue' && declared.laneOf !== undefined) {
        checkLane(what, declared.laneOf, queue, existing);
        continue;
      }
      const owner = owners.get(queue.queueArn);
      if (owner !== undefined)
        throw new InvalidOption(`${what}.${field}: given as ${owner} too. Each has to be a queue of its own.`);
      owners.set(queue.queueArn, `${what}.${field}`);
    }
  }
}

function laneRank({ queues }: AppManifest, name: string): number {
  return queues[name]?.laneOf === undefined ? 0 : 1;
}

/** @throws InvalidOption for a lane whose queue is not given, or has another dead-letter queue. */
function checkLane(what: string, of: string, given: IQueue, existing: Readonly<Record<string, ExistingQueue>>): void {
  const own = Object.hasOwn(existing, of) ? existing[of] : undefined;
  if (own?.deadLetterQueue.queueArn === given.queueArn) return;
  throw new InvalidOption(
    own === undefined
      ? `${what}: a lane of queue '${of}', which is not given. Give existingQueues.${of} too, or leave the lane out: the service makes it.`
      : `${what}.deadLetterQueue: another one than that of queue '${of}', whose lane it is. Give the same.`,
  );
}

/** What can be seen of queues that are made in the same CDK app; of others their owner alone knows the settings. @throws InvalidOption */
export function checkExistingQueues(
  scope: Construct,
  existing: Readonly<Record<string, ExistingQueue>>,
  workers: Readonly<Record<string, WorkerPlan>>,
): void {
  for (const [name, { queue }] of Object.entries(existing)) {
    const plan =
      workers[name] ?? Object.values(workers).find(({ sources }) => sources.some((source) => source.queue === name));
    if (plan !== undefined) checkQueue(scope, name, queue, plan);
  }
}

function checkQueue(scope: Construct, name: string, queue: IQueue, plan: WorkerPlan): void {
  const { defaultChild } = queue.node;
  if (!(queue instanceof Queue) || !(defaultChild instanceof CfnQueue)) return;
  const visibilitySeconds = defaultChild.visibilityTimeout ?? DEFAULT_VISIBILITY_SECONDS;
  const least = plan.timeoutSeconds + plan.batchWindowSeconds;
  if (!Token.isUnresolved(visibilitySeconds) && visibilitySeconds <= least)
    throw new InvalidOption(
      `existingQueues.${name}.queue: its visibility timeout is ${visibilitySeconds} s; it must be longer than the function's timeout of ${plan.timeoutSeconds} s and the batch window of ${plan.batchWindowSeconds} s, or messages come back while they run. Raise it where the queue is made, or lower queues.${name}.timeout.`,
    );
  const { deadLetterQueue } = queue;
  if (deadLetterQueue === undefined || deadLetterQueue.maxReceiveCount < FEW_RECEIVES)
    Annotations.of(scope).addWarningV2(
      `celeriac:existingQueue:${name}`,
      deadLetterQueue === undefined
        ? `existingQueues.${name}.queue has no redrive policy: a message that no worker can handle, as where the code does not load, comes back until it expires. Give it a dead-letter queue with a maxReceiveCount of 50.`
        : `existingQueues.${name}.queue has a maxReceiveCount of ${deadLetterQueue.maxReceiveCount}; throttled polls count as receives, so messages that never ran may be given up. Use ${FEW_RECEIVES} or more: tasks are limited by maxDeliveries.`,
    );
}

function typeOf(fifo: boolean): string {
  return fifo ? 'FIFO' : 'standard';
}
