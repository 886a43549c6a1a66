/** `celeriac peek`: a sample of what lies in a queue. */
import { type Command, Option } from 'commander';

import { queueAddresses } from '../../aws/connect.ts';
import { watched, withCeleriacErrors } from '../../aws/for-call.ts';
import { SqsPeeks } from '../../aws/sqs-peeks.ts';
import { SQS_MAX_BATCH_ENTRIES } from '../../base/limits.ts';
import { type Peeked, peekQueue, placeToPeek, type Sample } from '../../operate/peek.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { counted, instant } from '../format.ts';
import { type Column, type Output, printable } from '../output.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { count } from './count.ts';
import { TIME } from './task-schema.ts';

interface PeekOptions extends CommonOptions {
  readonly limit: number;
  readonly dead?: boolean;
  readonly body?: boolean;
}

const TEXT = { type: 'string' };
const COUNT = { type: 'integer', minimum: 0 };

/** A line of `celeriac peek --json`. */
export const PEEK_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    queue: TEXT,
    deadLetter: { const: true },
    messageId: TEXT,
    sent: TIME,
    receives: COUNT,
    id: TEXT,
    task: TEXT,
    retries: COUNT,
    eta: TIME,
    expires: TIME,
    args: TEXT,
    kwargs: TEXT,
    groupId: TEXT,
    reason: TEXT,
    unreadable: TEXT,
    body: TEXT,
  },
  required: ['queue', 'messageId', 'sent', 'receives'],
  additionalProperties: false,
};

const AFTER = `It is a sample, of one request: SQS shows what some of its servers have at the front, and what is delayed or in flight it does not show.
A look counts as a receive of each message that it shows. From the third on a message goes to the back of its queue, and CloudWatch leaves it out
of the age of the oldest; where the queue's redrive policy allows 50, the 51st sends it to the lost queue, from which its task ends as FAILURE. maxDeliveries counts
what workers begin, and no looks. FIFO queues are refused: there a look hides what stands behind it in its group.`;

export const peek: CommandModule = {
  define(command: Command, tools: Tools) {
    onService(command.argument('<queue>', 'a queue, one of its lanes, or a dead-letter queue by its own name'))
      .description('Shows some of the messages of a queue, which stay where they are.')
      .addOption(
        new Option('--limit <count>', `at most so many, up to ${SQS_MAX_BATCH_ENTRIES}`)
          .argParser(count)
          .default(SQS_MAX_BATCH_ENTRIES),
      )
      .option('--dead', 'its dead-letter queue instead')
      .option('--body', 'also the messages as they lie there')
      .addHelpText(
        'after',
        `${notes(['peek mail', 'peek mail --dead', 'peek mail-p5 --limit 3 --body --json'], 'sqs:ReceiveMessage on the queue: service.grantOperate(role)')}\n\n${AFTER}`,
      )
      .action((queue: string, options: PeekOptions) => look(queue, options, tools));
  },
};

async function look(name: string, options: PeekOptions, tools: Tools): Promise<void> {
  await tools.with(options, async ({ service, output }) => {
    const { environment, clients } = service;
    const queues = queueAddresses(environment.queues, environment.deadLetterQueues);
    const peeks = withCeleriacErrors(new SqsPeeks({ client: watched(clients.sqs, 'SQS', undefined), queues }));
    const { limit, dead = false } = options;
    const sample = await peekQueue(placeToPeek(name, environment, dead), { peeks, limit });
    show(sample, options, output, tools);
    const { deadLetter, messages } = sample;
    if (messages.length > 0)
      output.say(
        `A sample of ${counted(messages.length, 'message')}: each was received once more by this look. How much lies there: celeriac inspect queues`,
      );
    if (deadLetter) output.say('All of them, grouped and filtered: celeriac dlq list');
  });
}

function show({ queue, deadLetter, messages }: Sample, options: PeekOptions, output: Output, tools: Tools): void {
  const nowMs = tools.terminal.clock.nowMs();
  const rows = messages.map(({ body, ...message }) => ({
    queue,
    ...(deadLetter ? { deadLetter } : {}),
    ...message,
    ...(options.body === true ? { body } : {}),
  }));
  const columns: readonly Column<Peeked & Record<string, unknown>>[] = [
    { head: 'ID', of: ({ id }) => id ?? '–' },
    { head: 'TASK', of: ({ task, args = '', unreadable }) => (task === undefined ? (unreadable ?? '') : task + args) },
    { head: 'ATTEMPT', of: ({ retries }) => (retries === undefined ? '–' : retries + 1), right: true },
    { head: 'SENT', of: ({ sent }) => instant(sent, nowMs, options) },
    { head: 'RECEIVED', of: ({ receives }) => receives, right: true },
    ...(deadLetter ? [{ head: 'REASON', of: ({ reason }: Peeked) => reason ?? '–' }] : []),
  ];
  output.list(
    rows as (Peeked & Record<string, unknown>)[],
    columns,
    'None was seen. A look asks some of the servers of SQS, and sees nothing of what is delayed or in flight: celeriac inspect queues counts all.',
  );
  if (output.json || options.body !== true) return;
  for (const { messageId, body } of messages) tools.terminal.print(`\n${printable(messageId)}\n${printable(body)}`);
}
