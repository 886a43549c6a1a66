/** Large calls are many requests: they are bounded, so that neither sockets nor memory nor the service's limits run out. */
import { DynamoDBClient, SQSClient } from '#aws-sdk';
import { Celeriac, enqueueMany, type Signature, silentLogger, type Task } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { DynamodbTimers } from '../../lib/aws/dynamodb-timers.ts';
import { SqsBroker } from '../../lib/aws/sqs-broker.ts';
import { MemoryBackend, MemoryGroups, MemorySchedules } from '../../lib/memory/index.ts';

interface Load {
  most: number;
  requests: number;
  items: number;
}

/** Answers every request of a client itself, and counts how many wait at the same time. */
function answering(client: SQSClient | DynamoDBClient, sizeOf: (input: unknown) => number): Load {
  const load = { most: 0, requests: 0, items: 0 };
  let open = 0;
  const answer = async (input: unknown): Promise<{ output: object; response: unknown }> => {
    load.requests += 1;
    load.items += sizeOf(input);
    load.most = Math.max(load.most, (open += 1));
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    const { Entries = [] } = input as { readonly Entries?: readonly { readonly Id: string }[] };
    return { output: { $metadata: {}, Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })) }, response: {} };
  };
  (client.middlewareStack as SQSClient['middlewareStack']).add(() => (args) => answer(args.input) as never, {
    step: 'initialize',
    priority: 'low',
  });
  return load;
}

function wired(): { note: Task; sqs: Load; dynamodb: Load } {
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const [sqs, dynamodb] = [new SQSClient({ ...common, md5: false }), new DynamoDBClient(common)];
  const clock = new ManualClock(1_900_000_000_000);
  const names = ['default', 'a', 'b', 'c'];
  const queues = Object.fromEntries(names.map((name) => [name, { url: `http://localhost/1/${name}`, fifo: false }]));
  const app = new Celeriac('large', { queues: { default: {}, a: {}, b: {}, c: {} } });
  const note = app.task('note', (...args: readonly unknown[]) => args.length);
  app.use({
    broker: new SqsBroker({ client: sqs, queues }),
    backend: new MemoryBackend(),
    timers: new DynamodbTimers({ client: dynamodb, table: 't', shards: 4, clock, random: seededRandom(1) }),
    schedules: new MemorySchedules(),
    groups: new MemoryGroups(),
    clock,
    ids: countingIds(),
    random: seededRandom(1),
    logger: silentLogger,
  });
  return {
    note,
    sqs: answering(sqs, (input) => (input as { Entries: readonly unknown[] }).Entries.length),
    dynamodb: answering(dynamodb, (input) => {
      const { RequestItems = {} } = input as { readonly RequestItems?: Record<string, readonly unknown[]> };
      return Object.values(RequestItems).flat().length;
    }),
  };
}

describe('20,000 tasks in one call', () => {
  const signatures = (note: Task, options: object): Signature[] =>
    Array.from({ length: 20_000 }, (_, index) =>
      note.signature([index], { queue: ['default', 'a', 'b', 'c'][index % 4] ?? 'default', ...options }),
    );

  it('to four queues: 2,000 requests, 32 at a time', async () => {
    const { note, sqs } = wired();
    await enqueueMany(signatures(note, {}));
    expect(sqs).toEqual({ most: 32, requests: 2000, items: 20_000 });
  });

  it('with an ETA beyond the delay of SQS: 800 requests to DynamoDB, 8 at a time', async () => {
    const { note, dynamodb } = wired();
    await enqueueMany(signatures(note, { countdown: 3600 }));
    expect(dynamodb).toEqual({ most: 8, requests: 800, items: 20_000 });
  });
});
