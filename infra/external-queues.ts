/** Queues that exist already and that Celery's own workers consume: what a service accepts of them. */
import { type Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

import { InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import { type AppManifest, externalQueuesOf } from '../lib/options/manifest.ts';

/** @throws QueueNotFound, InvalidOption when the app has not declared a queue as it is given here. */
export function validateExternalQueues(
  stack: Stack,
  manifest: AppManifest,
  queues: Readonly<Record<string, IQueue>>,
): void {
  const external = externalQueuesOf(manifest);
  for (const [name, queue] of Object.entries(queues)) {
    const declared = Object.hasOwn(manifest.queues, name) ? manifest.queues[name] : undefined;
    if (declared === undefined) {
      throw new QueueNotFound(
        `externalQueues: '${name}' is not declared by app '${manifest.name}'. External queues of it are: ${external.join(', ') || 'none'}.`,
      );
    }
    if (!external.includes(name)) {
      throw new InvalidOption(
        `externalQueues: queue '${name}' of app '${manifest.name}' has its worker here. Declare it as queues: { '${name}': { external: true } }, or leave it out.`,
      );
    }
    const { lanes = declared.laneOf === undefined ? [] : (manifest.queues[declared.laneOf]?.lanes ?? []) } = declared;
    const missing = lanes.find(([, lane]) => !Object.hasOwn(queues, lane));
    if (missing !== undefined) {
      throw new InvalidOption(
        `externalQueues: '${name}' is given, and '${missing[1]}', a lane of the same queue, is not. Give all of them, or none: ${lanes.map(([, lane]) => lane).join(', ')}.`,
      );
    }
    if (queue.fifo !== declared.fifo) {
      throw new InvalidOption(
        `externalQueues: '${name}' is a ${typeOf(queue.fifo)} queue, and the app declares a ${typeOf(declared.fifo)} one. Declare fifo: ${queue.fifo}; or, where its ARN is a token that hides the name, give Queue.fromQueueAttributes(scope, id, { queueArn, fifo: ${declared.fifo} }).`,
      );
    }
    // A region of its own would need a client of its own: requests are signed for one.
    if (Token.compareStrings(queue.env.region, stack.region) === TokenComparison.DIFFERENT) {
      throw new InvalidOption(
        `externalQueues: '${name}' is in ${queue.env.region}, and the service in ${stack.region}. Give a queue of the service's own region.`,
      );
    }
  }
}

function typeOf(fifo: boolean): string {
  return fifo ? 'FIFO' : 'standard';
}
