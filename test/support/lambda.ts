/** What Lambda gives a worker: its bundle as CDK makes it, and events as SQS's event source makes them. */
import { resolve } from 'node:path';

import type { SQSEvent } from 'aws-lambda';
import type { Delivery } from 'celeriac';
import { build, type BuildOptions } from 'esbuild';

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

/** How CDK's construct bundles any function for Lambda. */
export const LAMBDA_BUNDLE: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  logLevel: 'error',
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

/**
 * What `infra` adds for a handler of this package.
 *
 * @param entry The module that exports the app.
 */
export function handlerOptions(entry: string, sdk: 'lean' | 'full'): BuildOptions {
  return {
    mainFields: ['module', 'main'],
    conditions: [...(sdk === 'lean' ? ['@celeriac/lean'] : []), '@celeriac/deployed', '@celeriac/source', 'module'],
    alias: {
      '@aws-sdk/credential-provider-node': resolve('handlers/environment-credentials.ts'),
      '@celeriac/entry': resolve(entry),
    },
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
    ...LAMBDA_BUNDLE,
    ...handlerOptions(entry, sdk),
    entryPoints: [`handlers/${handler}.ts`],
    outfile,
  });
}
