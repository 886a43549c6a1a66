/** What Lambda gives a worker: its bundle as CDK makes it, and events as SQS's event source makes them. */
import { parse, resolve } from 'node:path';

import type { SQSEvent } from 'aws-lambda';
import type { Delivery } from 'celeriac';

import { bundleArguments } from '../../infra/bundling.ts';
import { runEsbuild } from '../../infra/esbuild.ts';

export const ARN = 'arn:aws:sqs:us-east-1:000000000000';

export function eventOf(deliveries: readonly Delivery[], physicalName: string): SQSEvent {
  return {
    Records: deliveries.map((delivery) => ({
      messageId: delivery.messageId,
      receiptHandle: delivery.receipt,
      body: delivery.body,
      md5OfBody: '',
      messageAttributes: {},
      attributes: {
        ApproximateReceiveCount: String(delivery.receiveCount),
        SentTimestamp: '0',
        SenderId: '',
        ApproximateFirstReceiveTimestamp: '0',
      },
      eventSource: 'aws:sqs',
      eventSourceARN: `${ARN}:${physicalName}`,
      awsRegion: 'us-east-1',
    })),
  };
}

/**
 * Bundles as `infra` does.
 *
 * @param entry The module that exports the app.
 * @param outfile What a start reads; the chunks stand beside it.
 */
export function bundleWorker(
  entry: string,
  outfile: string,
  handler: 'worker' | 'sweeper' | 'monitor' | 'status' = 'worker',
  sdk: 'lean' | 'full' = 'lean',
  more: readonly string[] = [],
): void {
  const { dir, name } = parse(resolve(outfile));
  runEsbuild(
    [...bundleArguments(resolve(entry), handler, { sdk }), `--outdir=${dir}`, `--entry-names=${name}`, ...more],
    { folder: process.cwd(), environment: {} },
  );
}
