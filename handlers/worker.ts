/** Lambda entry of a worker: an SQS batch in, a partial batch response out. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as entry from '@celeriac/entry';
import type { Celeriac } from '../lib/app/app.ts';
import { deliveriesOf, invocationOf } from '../lib/aws/sqs-event.ts';
import { readEnvironment } from '../lib/options/environment.ts';
import { appOf } from './load-app.ts';

/** The app of the entry. A module that throws makes each invocation fail, and the messages come back. */
export const app: Celeriac = appOf(entry);

// Two parameters at most: Lambda's Node 24 runtime refuses callback handlers by their arity.
/** Handles an SQS event of a task queue, and answers which of its messages are to come again. */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
  app.consume(deliveriesOf(event, readEnvironment(app.name).queues), invocationOf(context));
