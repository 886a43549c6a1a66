/** What the poller asks SQS, and what it makes of answers that leave things out. */
import { describe, expect, it } from 'vitest';

import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '#aws-sdk';

import { peekDeadLetters, SqsPoller } from '../../lib/aws/poller.ts';

const URL = 'https://sqs/mail';

function rig(answer: object): { client: SQSClient; asked: unknown[][] } {
  const asked: unknown[][] = [];
  const send = (command: { readonly input: object }, ...more: unknown[]): Promise<object> => {
    asked.push([command.constructor, command.input, ...more]);
    return Promise.resolve(answer);
  };
  return { client: { send } as unknown as SQSClient, asked };
}

const NAMES = new Map([['blog-mail', 'mail']]);

describe('receiving', () => {
  it('asks for ten messages with all they have, and ends with its signal', async () => {
    const { client, asked } = rig({});
    const { signal } = new AbortController();
    expect(await new SqsPoller(client, 'mail', URL).receive(7, signal)).toEqual([]);
    expect(asked).toEqual([
      [
        ReceiveMessageCommand,
        {
          QueueUrl: URL,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 7,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        },
        { abortSignal: signal },
      ],
    ]);
  });

  it.each<[object, number | undefined, object]>([
    [{}, 5, { MaxNumberOfMessages: 5 }],
    [{ max: 3 }, undefined, { MaxNumberOfMessages: 3 }],
    [{ max: 50 }, undefined, { MaxNumberOfMessages: 10 }],
    [{}, 50, { MaxNumberOfMessages: 10 }],
    [{ visibilitySeconds: 0 }, undefined, { MaxNumberOfMessages: 10, VisibilityTimeout: 0 }],
    [{ visibilitySeconds: 43 }, undefined, { MaxNumberOfMessages: 10, VisibilityTimeout: 43 }],
  ])('of %j, in batches of %j, asks for %j', async (taking, batchSize, expected) => {
    const { client, asked } = rig({});
    const poller = new SqsPoller(client, 'mail', URL, batchSize === undefined ? {} : { batchSize });
    await poller.receive(7, new AbortController().signal, taking);
    const { MaxNumberOfMessages, VisibilityTimeout } = (asked[0]?.[1] ?? {}) as Record<string, unknown>;
    expect({ MaxNumberOfMessages, ...(VisibilityTimeout === undefined ? {} : { VisibilityTimeout }) }).toEqual(
      expected,
    );
  });

  it.each([
    [{}, { messageId: '', receipt: '', body: '', queue: 'lost', receiveCount: 1 }],
    [
      { MessageId: 'm', ReceiptHandle: 'r', Body: 'b', Attributes: { ApproximateReceiveCount: '3' } },
      { messageId: 'm', receipt: 'r', body: 'b', queue: 'lost', receiveCount: 3 },
    ],
    [
      { Body: 'b', Attributes: { MessageGroupId: 'g', DeadLetterQueueSourceArn: 'arn:aws:sqs:eu:1:blog-mail' } },
      { messageId: '', receipt: '', body: 'b', queue: 'lost', receiveCount: 1, groupId: 'g', lostFrom: 'mail' },
    ],
    // Of a queue that is not this service's.
    [
      { Attributes: { DeadLetterQueueSourceArn: 'arn:aws:sqs:eu:1:other-mail' } },
      { messageId: '', receipt: '', body: '', queue: 'lost', receiveCount: 1 },
    ],
  ])('reads %j', async (message, delivery) => {
    const { client } = rig({ Messages: [message] });
    expect(await new SqsPoller(client, 'lost', URL, { names: NAMES }).receive(0, new AbortController().signal)).toEqual(
      [delivery],
    );
  });
});

describe('deleting', () => {
  it('is one request, and none for nothing', async () => {
    const { client, asked } = rig({});
    const poller = new SqsPoller(client, 'mail', URL);
    await poller.delete([]);
    expect(asked).toEqual([]);
    await poller.delete(['r1', 'r2']);
    const Entries = [
      { Id: '0', ReceiptHandle: 'r1' },
      { Id: '1', ReceiptHandle: 'r2' },
    ];
    expect(asked).toEqual([[DeleteMessageBatchCommand, { QueueUrl: URL, Entries }]]);
  });
});

describe('looking at dead letters', () => {
  it('takes nothing away, and reads what is there', async () => {
    const MessageAttributes = {
      reason: { DataType: 'String', StringValue: 'worker lost' },
      odd: { DataType: 'Binary' },
    };
    const { client, asked } = rig({ Messages: [{}, { Body: 'b', MessageAttributes }] });
    expect(await peekDeadLetters(client, URL)).toEqual([
      { body: '', attributes: {} },
      { body: 'b', attributes: { reason: 'worker lost', odd: '' } },
    ]);
    const input = { QueueUrl: URL, MaxNumberOfMessages: 10, VisibilityTimeout: 0, MessageAttributeNames: ['All'] };
    expect(asked).toEqual([[ReceiveMessageCommand, input]]);
    expect(await peekDeadLetters(rig({}).client, URL)).toEqual([]);
  });
});
