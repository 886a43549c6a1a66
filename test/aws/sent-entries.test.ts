/** What the broker sends, part by part, and what it makes of each entry of an answer. */
import { describe, expect, it } from 'vitest';

import { SendMessageBatchCommand, type SQSClient } from '#aws-sdk';

import { SqsBroker } from '../../lib/aws/sqs-broker.ts';
import type { OutgoingMessage } from '../../lib/ports/broker.ts';

const QUEUES = {
  mail: { url: 'https://sqs/mail', deadLetterUrl: 'https://sqs/mail-dead', fifo: false },
  orders: { url: 'https://sqs/orders.fifo', fifo: true },
};

function rig(answer: object): { broker: SqsBroker; asked: { batch: boolean; input: object }[] } {
  const asked: { batch: boolean; input: object }[] = [];
  const send = (command: { readonly input: object }): Promise<object> => {
    asked.push({ batch: command instanceof SendMessageBatchCommand, input: command.input });
    return Promise.resolve(answer);
  };
  return { broker: new SqsBroker({ client: { send } as unknown as SQSClient, queues: QUEUES }), asked };
}

describe('parts of a message', () => {
  it.each<[Omit<OutgoingMessage, 'body'>, object]>([
    [{ queue: 'mail' }, {}],
    [{ queue: 'mail', delaySeconds: 0 }, {}],
    [{ queue: 'mail', delaySeconds: 7 }, { DelaySeconds: 7 }],
    [{ queue: 'mail', groupId: 'fair' }, { MessageGroupId: 'fair' }],
    // A standard queue has no use for it.
    [{ queue: 'mail', deduplicationId: 'd' }, {}],
    [{ queue: 'orders' }, { MessageGroupId: 'default' }],
    [
      { queue: 'orders', groupId: 'g', deduplicationId: 'd' },
      { MessageGroupId: 'g', MessageDeduplicationId: 'd' },
    ],
    [
      { queue: 'mail', attributes: { reason: 'worker lost' } },
      { MessageAttributes: { reason: { DataType: 'String', StringValue: 'worker lost' } } },
    ],
  ])('%j', async (item, parts) => {
    const { broker, asked } = rig({ MessageId: 'm' });
    expect(await broker.send([{ ...item, body: 'b' }])).toEqual([{ ok: true, messageId: 'm' }]);
    const { url } = item.queue === 'mail' ? QUEUES.mail : QUEUES.orders;
    expect(asked).toEqual([{ batch: false, input: { QueueUrl: url, MessageBody: 'b', ...parts } }]);
  });

  it('a dead letter goes to the other queue, and nowhere where none is known', async () => {
    const { broker, asked } = rig({});
    const letter = { body: 'b', deadLetter: true };
    const [sent, unsent, unknown] = await broker.send([
      { ...letter, queue: 'mail' },
      { ...letter, queue: 'orders' },
      { body: 'b', queue: 'other' },
    ]);
    expect(asked.map(({ input }) => input)).toEqual([{ QueueUrl: 'https://sqs/mail-dead', MessageBody: 'b' }]);
    expect(sent).toEqual({ ok: true, messageId: '' });
    const refusal = { ok: false, code: 'QueueDoesNotExist', retryable: false };
    expect(unsent).toMatchObject({
      ...refusal,
      message: "no URL is known for the dead-letter queue of queue 'orders'",
    });
    expect(unknown).toMatchObject({ ...refusal, message: "no URL is known for queue 'other'" });
  });
});

describe('entries of an answer', () => {
  it('each has its outcome, wherever and however little it says', async () => {
    const { broker, asked } = rig({
      Successful: [{ Id: '2', MessageId: 'two' }, { Id: '0' }],
      Failed: [{ Id: '1' }, { Id: '3', Code: 'InvalidMessageContents', Message: 'odd', SenderFault: true }],
    });
    const items = Array.from({ length: 5 }, (_, index) => ({ queue: 'mail', body: `b${index}` }));
    expect(await broker.send(items)).toEqual([
      { ok: true, messageId: '' },
      { ok: false, code: 'Unknown', message: 'SQS gave no reason', retryable: true },
      { ok: true, messageId: 'two' },
      { ok: false, code: 'InvalidMessageContents', message: 'odd', retryable: false },
      { ok: false, code: 'NoOutcome', message: 'SQS did not report on this entry', retryable: true },
    ]);
    const Entries = items.map(({ body }, index) => ({ Id: String(index), MessageBody: body }));
    expect(asked).toEqual([{ batch: true, input: { QueueUrl: QUEUES.mail.url, Entries } }]);
  });

  it('of an answer that says nothing at all', async () => {
    const items = [0, 1].map((index) => ({ queue: 'mail', body: `b${index}` }));
    expect((await rig({}).broker.send(items)).map((outcome) => outcome.ok)).toEqual([false, false]);
  });
});
