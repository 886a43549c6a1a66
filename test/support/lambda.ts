/** What Lambda gives a worker: its bundle as CDK makes it, and events as SQS's event source makes them. */
import { resolve } from 'node:path';

import type { SQSEvent } from 'aws-lambda';
import type { Delivery } from 'celeriac';
import { build } from 'esbuild';

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

/** @param entry The module that exports the app. */
export async function bundleWorker(
  entry: string,
  outfile: string,
  handler: 'worker' | 'sweeper' = 'worker',
  sdk: 'lean' | 'full' = 'lean',
): Promise<void> {
  await build({
    entryPoints: [`handlers/${handler}.ts`],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: [...(sdk === 'lean' ? ['@celeriac/lean'] : []), '@celeriac/deployed', '@celeriac/source', 'module'],
    logLevel: 'error',
    alias: {
      '@aws-sdk/credential-provider-node': resolve('handlers/environment-credentials.ts'),
      '@celeriac/entry': resolve(entry),
    },
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
}
