/** Lambda entry of the sweeper: the one-minute rule, and the service's lost and wake-up queues. */
import type { Context, ScheduledEvent, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { deliveriesOf, invocationOf, isSqsEvent } from '../lib/aws/sqs-event.ts';
import { readEnvironment } from '../lib/options/environment.ts';
import { WAKE_QUEUE } from '../lib/ports/wake-up.ts';
import { loadApp } from './load-app.ts';

const app = loadApp();

/** Handles the one-minute rule's event, and SQS events of the lost and wake-up queues. */
export const handler = async (event: SQSEvent | ScheduledEvent, context: Context): Promise<SQSBatchResponse> => {
  const loaded = await app;
  if (isSqsEvent(event)) {
    const { queues, wakeQueue } = readEnvironment(loaded.name);
    const deliveries = deliveriesOf(event, wakeQueue === undefined ? queues : { ...queues, [WAKE_QUEUE]: wakeQueue });
    // One event has the messages of one queue.
    return deliveries[0]?.queue === WAKE_QUEUE
      ? loaded.consumeWakeUps(deliveries)
      : loaded.consumeLost(deliveries, invocationOf(context));
  }
  await loaded.sweep();
  return { batchItemFailures: [] };
};
