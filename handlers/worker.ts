/** Lambda entry of a worker: an SQS batch in, a partial batch response out. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { deliveriesOf, invocationOf } from '../lib/aws/sqs-event.ts';
import { readEnvironment } from '../lib/options/environment.ts';
import { loadApp } from './load-app.ts';

// Loaded once per environment. A module that throws makes the invocation fail, and the messages come back.
const app = loadApp();

// Two parameters at most: Lambda's Node 24 runtime refuses callback handlers by their arity.
/** Handles an SQS event of a task queue, and answers which of its messages are to come again. */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const loaded = await app;
  return loaded.consume(deliveriesOf(event, readEnvironment(loaded.name).queues), invocationOf(context));
};
