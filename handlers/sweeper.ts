/** Lambda entry of the sweeper: the one-minute rule, and the service's lost and wake-up queues. */
import type { Context, ScheduledEvent, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as entry from '@celeriac/entry';
import { deployedSources } from '#deployed/app/deployed-sources';
import type { Celeriac } from '../lib/app/app.ts';
import { deliveriesOf, invocationOf, isSqsEvent } from '../lib/aws/sqs-event.ts';
import { readEnvironment } from '../lib/options/environment.ts';
import { WAKE_QUEUE } from '../lib/ports/wake-up.ts';
import { codeVersion } from './code-version.ts';
import { appOf } from './load-app.ts';

/** The app of the entry. A module that throws makes each invocation fail, and the messages come back. */
export const app: Celeriac = appOf(entry);

const eventSources = deployedSources();
/** Read once, at the first sweep. */
let version: string | undefined;

/** Handles the one-minute rule's event, and SQS events of the lost and wake-up queues. */
export const handler = async (event: SQSEvent | ScheduledEvent, context: Context): Promise<SQSBatchResponse> => {
  if (isSqsEvent(event)) {
    const { queues, wakeQueue } = readEnvironment(app.name);
    const deliveries = deliveriesOf(event, wakeQueue === undefined ? queues : { ...queues, [WAKE_QUEUE]: wakeQueue });
    // One event has the messages of one queue.
    return deliveries[0]?.queue === WAKE_QUEUE
      ? app.consumeWakeUps(deliveries)
      : app.consumeLost(deliveries, invocationOf(context));
  }
  version ??= codeVersion(import.meta.url);
  await app.sweep({ eventSources, version });
  return { batchItemFailures: [] };
};
