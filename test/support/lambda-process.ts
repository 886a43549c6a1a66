/** Lambda's runtime in short: loads the bundle named by its argument, calls its handler once, and sends the answer. */
import type { Context } from 'aws-lambda';

const { handler } = (await import(process.argv[2] ?? '')) as {
  handler: (event: unknown, context: Partial<Context>) => Promise<unknown>;
};

process.once('message', (event) => {
  void handler(event, { awsRequestId: 'request', getRemainingTimeInMillis: () => 30_000 }).then((answer) =>
    process.send?.(answer as object),
  );
});
