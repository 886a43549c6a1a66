/** Groups on DynamoDB, beside the suite of ports.test.ts: what a mark costs, and what a crash between two writes leaves. */
import { seededRandom } from 'celeriac/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamodbGroups } from '../../lib/aws/dynamodb-groups.ts';
import { type LocalServer, startDynalite } from '../../lib/local/servers.ts';
import { MemoryGroups } from '../../lib/memory/index.ts';
import { type Clock, systemClock, systemRandom } from '../../lib/base/time.ts';
import type { GroupMark } from '../../lib/ports/groups.ts';
import { runs } from '../support/runs.ts';
import { CreateTableCommand, DynamoDBClient } from '#aws-sdk';

const EXPIRES = 1_900_000_000;
const NOW = EXPIRES * 1000 - 1000;
const TABLE = 'state';

/** One request as the table saw it. */
interface Seen {
  readonly command: string;
  readonly units: number;
}

/** Decides over one request: `go` sends it. */
type Tap = (command: string, input: Record<string, unknown>, go: () => Promise<unknown>) => Promise<unknown>;

interface Capacity {
  readonly CapacityUnits?: number;
}

function unitsOf(output: unknown): number {
  const { ConsumedCapacity: consumed } = output as { ConsumedCapacity?: Capacity | Capacity[] };
  return [consumed ?? []].flat().reduce((sum, each) => sum + (each.CapacityUnits ?? 0), 0);
}

function clientOf(
  endpoint: string,
  seen: Seen[] = [],
  tap: Tap = async (_command, _input, go) => go(),
): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ region: 'us-east-1', credentials, endpoint });
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context['commandName']);
      const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' };
      const go = async (): Promise<unknown> => {
        const { output } = await next({ ...args, input: input as typeof args.input });
        seen.push({ command, units: unitsOf(output) });
        return output;
      };
      const output = await tap(command, input as Record<string, unknown>, go);
      return { output: output as Awaited<ReturnType<typeof next>>['output'], response: {} };
    },
    { step: 'initialize' },
  );
  return client;
}

function groupsOf(client: DynamoDBClient): DynamodbGroups {
  return new DynamodbGroups({ client, table: TABLE, clock: systemClock, random: systemRandom });
}

async function tableAt(endpoint: string): Promise<void> {
  await clientOf(endpoint).send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
}

function mark(groupId: string, size: number, index: number, more: Partial<GroupMark> = {}): GroupMark {
  return { groupId, size, index, failed: false, expiresAtSeconds: EXPIRES, ...more };
}

describe('DynamoDB', () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startDynalite();
    await tableAt(server.endpoint);
  });
  afterAll(() => server.stop());

  it('a thousand members marked one by one cost 1,016 write units', async () => {
    const seen: Seen[] = [];
    const groups = groupsOf(clientOf(server.endpoint, seen));
    // The longest ids there are, and every member failed: the largest items.
    const groupId = 'g'.repeat(128);
    for (let index = 0; index < 1000; index += 1) {
      const [answer] = await groups.mark([mark(groupId, 1000, index, { failed: true })]);
      expect(answer).toEqual({ complete: index === 999, failed: true });
    }
    expect(new Set(seen.map(({ command }) => command))).toEqual(new Set(['UpdateItemCommand']));
    expect(seen.length).toBe(1000 + 16);
    expect(seen.reduce((sum, { units }) => sum + units, 0)).toBe(1000 + 16);
    seen.length = 0;
    expect((await groups.count(groupId)).done).toBe(1000);
    expect(seen.map(({ command }) => command)).toEqual(['QueryCommand']);
    expect(seen[0]?.units).toBeLessThanOrEqual(5);
  });

  it('the largest items of a group of a million stay in one write unit', async () => {
    const seen: Seen[] = [];
    const groups = groupsOf(clientOf(server.endpoint, seen));
    const [groupId, size] = ['m'.repeat(128), 64 * 15_625];
    for (let index = size - 64; index < size; index += 1)
      await groups.mark([mark(groupId, size, index, { failed: true })]);
    expect(seen.map(({ units }) => units)).toEqual(Array.from({ length: 65 }, () => 1));
  });

  it('ids of members take no further request', async () => {
    const seen: Seen[] = [];
    const groups = groupsOf(clientOf(server.endpoint, seen));
    const memberId = '0198c0de-0000-7000-8000-000000000000';
    for (let index = 0; index < 64; index += 1) await groups.mark([mark('ids', 65, index, { memberId })]);
    expect(seen.length).toBe(64 + 1);
    expect(Math.max(...seen.map(({ units }) => units))).toBeLessThanOrEqual(4);
  });

  it('marks of one part in one call share one write, level by level', async () => {
    const seen: Seen[] = [];
    const groups = groupsOf(clientOf(server.endpoint, seen));
    const ten = Array.from({ length: 10 }, (_, index) => mark('share', 130, index));
    await groups.mark(ten);
    expect(seen.length).toBe(1);
    seen.length = 0;
    const rest = Array.from({ length: 120 }, (_, index) => mark('share', 130, index + 10));
    expect((await groups.mark(rest)).at(-1)).toEqual({ complete: true, failed: false });
    expect(seen.length).toBe(3 + 1);
  });

  it('a crash before or after any write heals when the same marks come again', async () => {
    for (let stopAt = 1; stopAt <= 4; stopAt += 1)
      for (const when of ['before', 'after'] as const) {
        let requests = 0;
        const crashing: Tap = async (_command, _input, go) => {
          requests += 1;
          const stop = requests >= stopAt;
          if (!stop || (when === 'after' && requests === stopAt)) await go();
          if (stop) throw new Error('the process ends here');
          return {};
        };
        const groupId = `crash-${stopAt}-${when}`;
        const groups = groupsOf(clientOf(server.endpoint));
        const marks = Array.from({ length: 128 }, (_, index) =>
          mark(groupId, 128, index, { failed: index === 5, ...(index === 7 ? { memberId: 'own' } : {}) }),
        );
        await groups.mark(marks.slice(0, 63));
        await groups.mark(marks.slice(64, 127));
        const last = [marks[63], marks[127]].filter((each) => each !== undefined);
        await groupsOf(clientOf(server.endpoint, [], crashing))
          .mark(last)
          .catch(() => undefined);
        const yes = { complete: true, failed: true };
        expect(await groups.mark(last)).toEqual([yes, yes]);
        expect(await groups.count(groupId)).toEqual({ done: 128, failed: [5], memberIds: new Map([[7, 'own']]) });
      }
  });

  it('a definition that was not written whole leaves the earlier one', async () => {
    const random = seededRandom(5);
    const long = JSON.stringify(Array.from({ length: 80_000 }, () => random.next()));
    const base = { groupId: 'torn', size: 2, createdMs: NOW, expiresAtSeconds: EXPIRES };
    const groups = groupsOf(clientOf(server.endpoint));
    const first = { ...base, definition: `${long}1` };
    await groups.define(first);
    let puts = 0;
    const crashing = clientOf(server.endpoint, [], async (_command, input, go) => {
      puts += 1;
      if ((input['Item'] as { sk?: { S?: string } }).sk?.S === 'root') throw new Error('the process ends here');
      return go();
    });
    await expect(groupsOf(crashing).define({ ...base, definition: `2${long}` })).rejects.toThrow('ends here');
    expect(puts).toBeGreaterThan(1);
    expect(await groups.definition('torn', NOW)).toEqual(first);
  });

  it('deletes again what the table left, after a pause', async () => {
    const sizes: number[] = [];
    const client = clientOf(server.endpoint, [], async (command, input, go) => {
      if (command !== 'BatchWriteItemCommand') return go();
      const items = input['RequestItems'] as Record<string, unknown[]>;
      const open = items[TABLE] ?? [];
      sizes.push(open.length);
      if (open.length < 2) return go();
      items[TABLE] = open.slice(1);
      await go();
      return { UnprocessedItems: { [TABLE]: open.slice(0, 1) } };
    });
    const pauses: number[] = [];
    const clock: Clock = { ...systemClock, sleep: async (ms) => void pauses.push(ms) };
    const groups = new DynamodbGroups({ client, table: TABLE, clock, random: { next: () => 1 } });
    await groups.mark(Array.from({ length: 64 * 30 }, (_, index) => mark('left', 64 * 30, index)));
    await groups.forget('left');
    // Both pages at the same time.
    expect(sizes.toSorted((left, right) => right - left)).toEqual([25, 6, 1, 1]);
    expect(pauses).toEqual([25, 25]);
    expect((await groups.count('left')).done).toBe(0);
  });

  it('answers as the model does, whatever is marked', async () => {
    const groups = groupsOf(clientOf(server.endpoint));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(scripts(), async (script) => {
        run += 1;
        const model = new MemoryGroups();
        for (const call of script) {
          const marks = call.map((each) => ({ ...each, groupId: `model-${run}-${each.groupId}` }));
          expect(await groups.mark(marks)).toEqual(await model.mark(marks));
        }
        for (const name of ['a', 'b']) {
          const groupId = `model-${run}-${name}`;
          expect(await groups.count(groupId)).toEqual(await model.count(groupId));
        }
      }),
      { numRuns: runs(20, 80) },
    );
  });
});

/** Calls of many marks: parts have to fill for anything to happen. */
function scripts(): fc.Arbitrary<GroupMark[][]> {
  const sizes = fc.record({ a: fc.constantFrom(1, 3, 64, 65, 129, 4097), b: fc.constantFrom(2, 63, 66, 128) });
  return sizes.chain((bySize) => {
    const single = fc.constantFrom('a' as const, 'b' as const).chain((groupId) =>
      fc.record({
        from: fc.oneof(fc.constant(0), fc.nat(bySize[groupId] - 1)),
        count: fc.constantFrom(1, 2, 40, 64, bySize[groupId]),
        failing: fc.option(fc.nat(bySize[groupId] - 1), { nil: undefined, freq: 2 }),
        named: fc.option(fc.constantFrom('one', 'two'), { nil: undefined, freq: 2 }),
        groupId: fc.constant(groupId),
      }),
    );
    const run = single.map(({ groupId, from, count, failing, named }) =>
      Array.from({ length: Math.min(count, bySize[groupId] - from) }, (_, offset) => from + offset).map((index) =>
        mark(groupId, bySize[groupId], index, {
          failed: index === failing,
          ...(named !== undefined && index % 5 === 0 ? { memberId: `${named}-${index}` } : {}),
        }),
      ),
    );
    const call = fc.array(run, { minLength: 1, maxLength: 3 }).map((runs) => runs.flat());
    return fc.array(call, { minLength: 1, maxLength: 6 });
  });
}
