/** Lambda entry of the sweeper: the one-minute rule, and the service's lost queue. */
import type { Context, ScheduledEvent, SQSBatchResponse, SQSEvent } from 'aws-lambda';

import { deliveriesOf, invocationOf, isSqsEvent } from '../lib/aws/sqs-event.ts';
import { DEADLINE_MARGIN_SECONDS } from '../lib/limits.ts';
import { readEnvironment } from '../lib/settings.ts';
import { loadApp } from './load-app.ts';

const app = loadApp();

export const handler = async (event: SQSEvent | ScheduledEvent, context: Context): Promise<SQSBatchResponse> => {
  const loaded = await app;
  const invocation = invocationOf(context);
  if (isSqsEvent(event)) return loaded.consumeLost(deliveriesOf(event, readEnvironment().queues), invocation);
  await loaded.sweep({ holdUntilMs: invocation.deadlineMs - DEADLINE_MARGIN_SECONDS * 1000 });
  return { batchItemFailures: [] };
};
