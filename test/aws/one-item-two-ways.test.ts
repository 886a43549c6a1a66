/** An outcome is stored as one update or as a statement of a batch: the item is the same. */
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchExecuteStatementCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { DynamodbBackend } from '../../lib/aws/dynamodb-backend.ts';
import type { ClaimRequest, CommitRequest } from '../../lib/ports/backend.ts';

type Written = Record<string, AttributeValue | undefined>;

/** Notes what it is told to write, by item. */
class Recorder {
  readonly items = new Map<string, Written>();

  readonly send = (command: unknown): Promise<object> => {
    if (command instanceof UpdateItemCommand) {
      const { Key, UpdateExpression, ExpressionAttributeValues } = command.input;
      const [sets = ''] = (UpdateExpression ?? '').split(' REMOVE ');
      const item: Written = {};
      for (const [, name = '', value = ''] of sets.matchAll(/#(\w+) = (:v\d+)(?:,|$)/g))
        item[name] = ExpressionAttributeValues?.[value];
      this.items.set(Key?.['id']?.S ?? '', item);
      return Promise.resolve({ Attributes: {} });
    }
    if (!(command instanceof BatchExecuteStatementCommand)) throw new Error('not expected');
    const statements = command.input.Statements ?? [];
    for (const { Statement = '', Parameters = [] } of statements) {
      const names = [...Statement.matchAll(/["'](\w+)["'](?::| =) \?/g)].map(([, name = '']) => name);
      expect(names).toHaveLength(Parameters.length);
      const writes = Statement.startsWith('INSERT') ? names : names.slice(0, names.indexOf('id'));
      const item = Object.fromEntries(writes.map((name, index) => [name, Parameters[index]]));
      this.items.set(Parameters[names.indexOf('id')]?.S ?? '', item);
    }
    return Promise.resolve({ Responses: statements.map(() => ({})) });
  };
}

/** What is written of a request alone, and in a batch of two. */
async function bothWays(write: (backend: DynamodbBackend, ids: readonly string[]) => Promise<unknown>) {
  const items: (Written | undefined)[] = [];
  for (const ids of [['a'], ['a', 'b']]) {
    const recorder = new Recorder();
    const client = recorder as unknown as DynamoDBClient;
    const never = { nowMs: () => 0, sleep: () => Promise.resolve(), schedule: () => () => {} };
    await write(new DynamodbBackend({ client, table: 't', clock: never as never, random: { next: () => 0 } }), ids);
    items.push([...recorder.items].find(([id]) => id.includes('-a'))?.[1]);
  }
  return items as [Written, Written];
}

const whole = fc.integer({ min: 0, max: 2 ** 40 });

it('a commit', async () => {
  const requests: fc.Arbitrary<Omit<CommitRequest, 'id'>> = fc.record(
    {
      attempt: fc.nat(9),
      owner: fc.string({ minLength: 1 }),
      nowMs: whole,
      status: fc.constantFrom('SUCCESS', 'RETRY', 'FAILURE'),
      final: fc.boolean(),
      expiresAtSeconds: whole,
      meta: fc.json(),
      settlement: fc.json(),
      ignored: fc.boolean(),
    },
    { requiredKeys: ['attempt', 'owner', 'nowMs', 'status', 'final', 'expiresAtSeconds'] },
  );
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const [alone, together] = await bothWays((backend, ids) => backend.commit(ids.map((id) => ({ ...request, id }))));
      expect(Object.keys(alone).length).toBeGreaterThan(4);
      expect(together).toEqual(alone);
    }),
  );
});

it('a first claim: the count of deliveries apart, which one begins and the other goes on with', async () => {
  const request: Omit<ClaimRequest, 'id'> = {
    attempt: 0,
    owner: 'me',
    nowMs: 1,
    leaseMs: 2,
    name: 'job',
    queue: 'default',
    meta: '{}',
    expiresAtSeconds: 3,
  };
  const [alone, together] = await bothWays((backend, ids) => backend.claim(ids.map((id) => ({ ...request, id }))));
  const { id, deliveries, ...rest } = together;
  expect([id, deliveries]).toEqual([{ S: expect.stringContaining('-a') }, { N: '1' }]);
  expect(rest).toEqual(alone);
});
