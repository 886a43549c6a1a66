/** Items of the table of state as adapters read and write them, over a client that answers as it is told. */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ManualClock, seededRandom } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { NOTICE_RETENTION_SECONDS, RATE_RETENTION_SECONDS } from '../../lib/base/limits.ts';
import { DynamodbNotices } from '../../lib/aws/dynamodb-notices.ts';
import { DynamodbRates } from '../../lib/aws/dynamodb-rates.ts';
import { DynamodbTimers } from '../../lib/aws/dynamodb-timers.ts';
import { dueTimers } from '../support/due-timers.ts';

const NOW = 1_900_000_000_000;

interface Request {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A client whose requests are answered in order, the last answer again and again; errors are thrown. */
function answering(...answers: readonly (object | Error)[]): { client: DynamoDBClient; requests: Request[] } {
  const requests: Request[] = [];
  const send = (command: { readonly input: Request['input'] }): Promise<unknown> => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ name: command.constructor.name, input: command.input });
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { client: { send } as unknown as DynamoDBClient, requests };
}

const number = (value: number): { readonly N: string } => ({ N: String(value) });

describe('a timer that says nothing', () => {
  it.each<[string, object, object]>([
    [
      'nothing but its key',
      { pk: { S: 'timer#0' }, sk: { S: 'x' } },
      { id: '', attempt: 0, dueMs: 0, message: { queue: '', body: '{}' } },
    ],
    [
      'a message that is a number',
      { sk: { S: `${NOW}#a#0` }, task_id: { S: 'a' }, attempt: { N: '2' }, message: { S: '5' } },
      { id: 'a', attempt: 2, dueMs: NOW, message: { queue: '', body: '5' } },
    ],
    [
      'a sequence, and an id that no key has',
      { sk: { S: `${NOW}#a#0` }, task_id: { S: 'i'.repeat(3000) }, sequence: { S: 's' }, message: { S: '{}' } },
      { id: 'i'.repeat(1024), attempt: 0, dueMs: NOW, message: { queue: '', body: '{}' }, sequence: 's' },
    ],
  ])('%s', async (_what, item, timer) => {
    const { client } = answering({ Items: [item] }, { Items: [] });
    const common = { clock: new ManualClock(NOW), random: seededRandom(1) };
    const timers = new DynamodbTimers({ client, table: 'state', shards: 1, ...common });
    expect((await dueTimers(timers, NOW))[0]).toStrictEqual(timer);
  });
});

describe('a line of a rate limit', () => {
  const request = { key: 'math.add', count: 10, paceMicros: 1000, nowMs: NOW };
  // The last place of the line is a day away.
  const endSeconds = NOW / 1000 + 86_400;
  const line = (ttl: number): object => ({
    Attributes: { next: number(endSeconds * 1_000_000), pace: number(1000), ttl: number(ttl) },
  });

  it('is kept as long as somebody stands in it: one write more where that would end, and only there', async () => {
    const half = endSeconds + RATE_RETENTION_SECONDS / 2;
    for (const [ttl, writes] of [
      [half, 1],
      [half + 1, 1],
      [half - 1, 2],
      [0, 2],
    ] as const) {
      const { client, requests } = answering(line(ttl), {});
      expect(await new DynamodbRates({ client, table: 'state' }).reserve(request)).toMatchObject({
        nextMicros: endSeconds * 1_000_000,
      });
      expect(requests).toHaveLength(writes);
      if (writes === 1) continue;
      expect(JSON.stringify(requests[1]?.input)).toContain(`"N":"${endSeconds + RATE_RETENTION_SECONDS}"`);
    }
  });

  it('is asked for again where somebody else has moved it on, five times at most', async () => {
    const refusal = new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
    const item = { next: number((NOW + 5000) * 1000), pace: number(1000), ttl: number(endSeconds) };
    const { client, requests } = answering(Object.assign(refusal, { Item: item }));
    expect(await new DynamodbRates({ client, table: 'state' }).reserve(request)).toBeUndefined();
    expect(requests.map(({ name }) => name)).toEqual(Array.from({ length: 5 }, () => 'UpdateItemCommand'));
  });
});

describe('the window of what was told of failures', () => {
  it('is deleted where no sweeper ends it: days behind its end, also once it goes on', async () => {
    const minuteMs = Math.floor(NOW / 60_000) * 60_000;
    const untilMs = minuteMs + 900_000;
    const failure = {
      key: 'a',
      task: 'a',
      id: 'a',
      queue: 'a',
      state: 'FAILURE',
      retries: 0,
      error: 'a',
      endedMs: NOW,
    } as const;
    const { client, requests } = answering({ Attributes: {} });
    const notices = new DynamodbNotices({ client, table: 'state' });
    const { window } = await notices.mark({ failure, nowMs: NOW, windowMs: 900_000, limit: 2 });
    await notices.close({
      window: { ...window, known: new Map([['a', { endedMs: NOW, markedMs: NOW }]]) },
      keep: ['a'],
      startMs: untilMs,
      untilMs: untilMs + 900_000,
    });
    const values = requests.map(({ input }) =>
      Object.values(
        (input['ExpressionAttributeValues'] ?? {}) as Readonly<Record<string, { readonly N?: string }>>,
      ).map(({ N }) => Number(N)),
    );
    expect(values[0]).toContain(untilMs / 1000 + NOTICE_RETENTION_SECONDS);
    expect(values[1]).toContain(untilMs / 1000 + 900 + NOTICE_RETENTION_SECONDS);
    for (const { input } of requests) expect(Object.values(input['ExpressionAttributeNames'] ?? {})).toContain('ttl');
  });
});
