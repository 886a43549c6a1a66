/** What is read out of an item, and of whom a write is known to be one's own. Pure. */
import { describe, expect, it } from 'vitest';

import { isConclusion, isOurs } from '../../lib/aws/dynamodb-conditions.ts';
import { document, isExpired, type Item, recordOf, timestamp } from '../../lib/aws/dynamodb-record.ts';
import type { ConcludeRequest, TaskRecord } from '../../lib/ports/backend.ts';

const key = { id: { S: "b'celery-task-meta-a'" } };

describe('a record', () => {
  it('has all that the item has, and nothing else', () => {
    expect(
      recordOf({
        ...key,
        status: { S: 'RETRY' },
        attempt: { N: '3' },
        committed: { N: '2' },
        owner: { S: 'me' },
        lease: { N: '10' },
        deliveries: { N: '4' },
        requeues: { N: '5' },
        revoked: { N: '6' },
        name: { S: 'task' },
        queue: { S: 'mail' },
        started: { N: '7' },
        finished: { N: '8' },
        result: document('{}'),
        settlement: { S: '{"retry":1}' },
        settled: { N: '1' },
        ignored: { BOOL: true },
        ttl: { N: '9' },
        timestamp: timestamp(1500),
        other: { S: 'of nobody here' },
      }),
    ).toEqual({
      id: 'a',
      status: 'RETRY',
      attempt: 3,
      committed: 2,
      owner: 'me',
      leaseMs: 10,
      deliveries: 4,
      requeues: 5,
      revokedMs: 6,
      name: 'task',
      queue: 'mail',
      startedMs: 7,
      finishedMs: 8,
      meta: '{}',
      settlement: '{"retry":1}',
      settledAttempt: 1,
      ignored: true,
      expiresAtSeconds: 9,
    });
    expect(timestamp(1500)).toEqual({ N: '1.5' });
  });

  it.each<[string, Item, string]>([
    ['nothing', {}, 'PENDING'],
    ["Python's document", { result: document('{"status":"SUCCESS","result":NaN}') }, 'SUCCESS'],
    ['a document without a status', { result: document('{"result":1}') }, 'PENDING'],
    ['a status that is no text', { result: document('{"status":7}') }, 'PENDING'],
    ['a document that is no JSON', { result: document('{') }, 'PENDING'],
    [
      'its own, which stands over the document',
      { status: { S: 'REVOKED' }, result: document('{"status":"A"}') },
      'REVOKED',
    ],
  ])('of %s has the status', (_what, item, status) => {
    expect(recordOf({ ...key, ...item }).status).toBe(status);
  });

  it('without a key has an empty id', () => {
    expect(recordOf({})).toEqual({ id: '', status: 'PENDING' });
  });

  it.each([
    [undefined, false],
    [11, false],
    [10, true],
    [9, true],
  ])('that expires at %s s has expired at 10 s: %s', (expiresAtSeconds, expired) => {
    const record = { id: 'a', status: 'SUCCESS', ...(expiresAtSeconds === undefined ? {} : { expiresAtSeconds }) };
    expect(isExpired(record, 10_000)).toBe(expired);
  });
});

describe('a write whose answer was lost', () => {
  const record: TaskRecord = { id: 'a', status: 'STARTED', owner: 'me', attempt: 1 };

  it.each<[string, Partial<TaskRecord>, boolean]>([
    ['the same', {}, true],
    ['of an outcome of the attempt before', { committed: 0 }, true],
    ['committed since', { committed: 1 }, false],
    ['of another owner', { owner: 'you' }, false],
    ['of another attempt', { attempt: 2 }, false],
  ])('a claim: %s', (_what, change, ours) => {
    expect(isOurs({ ...record, ...change }, { owner: 'me', attempt: 1 })).toBe(ours);
  });

  const request = { attempt: 1, nowMs: 5, status: 'FAILURE', meta: '{}' } as ConcludeRequest;
  const concluded: TaskRecord = { id: 'a', status: 'FAILURE', finishedMs: 5, committed: 1, meta: '{}' };

  it.each<[string, Partial<TaskRecord>, boolean]>([
    ['the same', {}, true],
    ['at another time', { finishedMs: 6 }, false],
    ['of another attempt', { committed: 2 }, false],
    ['of another state', { status: 'REVOKED' }, false],
    ['of another document', { meta: '{"a":1}' }, false],
  ])('a conclusion: %s', (_what, change, ours) => {
    expect(isConclusion({ ...concluded, ...change }, request)).toBe(ours);
  });
});
