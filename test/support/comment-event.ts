/** What the example's deployed worker is started with: its environment, and an event with a comment to check. */

export const WORKER_ENVIRONMENT: Readonly<Record<string, string>> = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  CELERIAC_APP: 'blog',
  CELERIAC_QUEUES: '{"default":"https://sqs.us-east-1.amazonaws.com/1/blog-default"}',
  CELERIAC_RESULTS_TABLE: 'results',
  CELERIAC_STATE_TABLE: 'state',
};

const COMMENT = { id: 'c', author: 'ada', text: 'hello' };

/** @param embed what stands in the embed of its message: links, further steps */
export function commentEvent(embed: object = {}): object {
  const message = {
    body: Buffer.from(JSON.stringify([[COMMENT], {}, embed])).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'js', task: 'comments.check', id: 'a', root_id: 'a', parent_id: null, group: null, retries: 0 },
    properties: {
      correlation_id: 'a',
      body_encoding: 'base64',
      delivery_info: { exchange: '', routing_key: 'default' },
    },
  };
  return {
    Records: [
      {
        messageId: 'm',
        receiptHandle: 'r',
        body: JSON.stringify(message),
        attributes: { ApproximateReceiveCount: '1' },
        messageAttributes: {},
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:1:blog-default',
        awsRegion: 'us-east-1',
      },
    ],
  };
}
