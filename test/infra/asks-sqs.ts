/** An app whose task uses the AWS SDK itself, with a command that the library does not know. */
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Celeriac } from 'celeriac';

export const app = new Celeriac('shop');

export const queues = app.task('queues', async () => {
  const { QueueUrls = [] } = await new SQSClient({}).send(new ListQueuesCommand({}));
  return QueueUrls.length;
});
