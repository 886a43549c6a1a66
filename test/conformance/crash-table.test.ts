/**
 * Every operation of an adapter that takes more than one request: its process dies before and after each of them. What
 * is left must keep the rule that the order of the requests is there for, and whoever comes again must bring it to its end.
 */
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Connected } from '../../lib/aws/connect.ts';
import type { ClaimRequest, CommitRequest } from '../../lib/ports/backend.ts';
import type { DueEntry, ScheduleItem, Schedules } from '../../lib/ports/schedules.ts';
import type { Timer } from '../../lib/ports/timers.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { DIED } from '../support/fault-kinds.ts';
import { runs } from '../support/runs.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { clientsOver, dyingAt, FaultyService } from '../support/service-faults.ts';
import { dueTimers } from '../support/due-timers.ts';

const NOW = 1_900_000_000_000;
const TTL = NOW / 1000 + 86_400;
const SHARDS = 2;
// Beyond it every request is one of many like it. crash-table.long.test.ts looks at more of these.
const MOST_REQUESTS = runs(3, 6);

/** One operation. `id` is of this run alone. */
interface Operation {
  readonly name: string;
  /** What there is before. */
  readonly before?: (ports: Connected, id: string) => Promise<unknown>;
  /** The process that dies. */
  readonly run: (ports: Connected, id: string) => Promise<unknown>;
  /** The rule, wherever it died. */
  readonly rule: (ports: Connected, id: string) => Promise<void>;
  /** Another process comes with the same. */
  readonly again: (ports: Connected, id: string) => Promise<void>;
}

// ---------------------------------------------------------------- schedules

const entry = (name: string, revision: number, nextDueMs: number): ScheduleItem => ({
  name,
  revision,
  nextDueMs,
  document: JSON.stringify({ revision }),
});
/** Times of this run alone. */
const timeOf = (id: string): number => NOW + Number(id.slice(id.lastIndexOf('-') + 1)) * 1000;
type DueMark = Pick<DueEntry, 'name' | 'dueMs'>;
const marksOf = async ({ schedules }: Connected, id: string): Promise<DueMark[]> => {
  const marks: DueMark[] = [];
  await schedules.eachDue(timeOf(id) + 999, 1000, (due) => {
    marks.push(...due.map(({ name, dueMs }) => ({ name, dueMs })));
    return Promise.resolve([]);
  });
  return marks.filter(({ name }) => name.startsWith(id));
};
const dealWith = (schedules: Schedules, id: string): Promise<void> =>
  schedules.eachDue(timeOf(id), 1000, (due) => Promise.resolve(due.filter(({ name }) => name.startsWith(`${id}#`))));
const sixty = (id: string): DueMark[] =>
  Array.from({ length: 60 }, (_, index) => ({ name: `${id}#${index}`, dueMs: timeOf(id) }));

const manyEntries = (id: string): ScheduleItem[] => sixty(id).map(({ name, dueMs }) => entry(name, 1, dueMs));

/** An entry that is stored is found when it is due: its mark was there before it. */
async function isFound(ports: Connected, id: string): Promise<void> {
  const [item] = await ports.schedules.read([id]);
  if (item === undefined) return;
  expect(await marksOf(ports, id)).toContainEqual({ name: id, dueMs: item.nextDueMs });
}

const SCHEDULES: readonly Operation[] = [
  {
    name: 'a new entry and its mark',
    run: ({ schedules }, id) => schedules.write([entry(id, 1, timeOf(id))]),
    rule: isFound,
    again: async (ports, id) => {
      expect(await ports.schedules.write([entry(id, 1, timeOf(id))])).toEqual([true]);
      expect(await ports.schedules.read([id])).toEqual([entry(id, 1, timeOf(id))]);
      await isFound(ports, id);
    },
  },
  {
    name: 'an entry at another time',
    before: ({ schedules }, id) => schedules.write([entry(id, 1, timeOf(id))]),
    run: ({ schedules }, id) => schedules.write([entry(id, 2, timeOf(id) + 500)]),
    rule: isFound,
    again: async (ports, id) => {
      expect(await ports.schedules.write([entry(id, 2, timeOf(id) + 500)])).toEqual([true]);
      await isFound(ports, id);
    },
  },
  {
    name: 'many entries and their marks',
    run: ({ schedules }, id) => schedules.write(manyEntries(id)),
    rule: async (ports, id) => {
      const stored = (await ports.schedules.read(sixty(id).map(({ name }) => name))).filter(
        (item) => item !== undefined,
      );
      const marks = await marksOf(ports, id);
      for (const { name, nextDueMs } of stored) expect(marks).toContainEqual({ name, dueMs: nextDueMs });
    },
    again: async (ports, id) => {
      expect(await ports.schedules.write(manyEntries(id))).toEqual(sixty(id).map(() => true));
      expect(await marksOf(ports, id)).toHaveLength(60);
    },
  },
  {
    name: 'what is due has been dealt with',
    before: async ({ schedules }, id) => {
      const all = [...sixty(id), { name: id, dueMs: timeOf(id) }];
      await schedules.write(all.map(({ name, dueMs }) => entry(name, 1, dueMs)));
    },
    run: ({ schedules }, id) => dealWith(schedules, id),
    rule: async (ports, id) => {
      // Those of others stay, and so do the entries.
      expect(await marksOf(ports, id)).toContainEqual({ name: id, dueMs: timeOf(id) });
      expect(await ports.schedules.read(sixty(id).map(({ name }) => name))).not.toContain(undefined);
    },
    again: async (ports, id) => {
      await dealWith(ports.schedules, id);
      expect(await marksOf(ports, id)).toEqual([{ name: id, dueMs: timeOf(id) }]);
    },
  },
];

// ------------------------------------------------------------------- timers

const timersOf = (id: string, count = 60): Timer[] =>
  Array.from({ length: count }, (_, attempt) => ({
    id,
    attempt,
    dueMs: timeOf(id) + attempt,
    message: { queue: 'default', body: `${id} ${attempt}` },
  }));
const dueOf = async ({ timers }: Connected, id: string): Promise<Timer[]> => {
  return (await dueTimers(timers, timeOf(id) + 999)).filter((timer) => timer.id === id);
};

const TIMERS: readonly Operation[] = [
  {
    name: 'timers that are stored',
    run: ({ timers }, id) => timers.put(timersOf(id)),
    rule: async (ports, id) => {
      for (const timer of await dueOf(ports, id)) expect(timersOf(id)).toContainEqual(timer);
    },
    again: async (ports, id) => {
      await ports.timers.put(timersOf(id));
      expect(await dueOf(ports, id)).toEqual(timersOf(id));
    },
  },
  {
    name: 'timers that were sent',
    before: ({ timers }, id) => timers.put(timersOf(id)),
    run: ({ timers }, id) => timers.remove(timersOf(id, 55)),
    rule: async (ports, id) => {
      expect((await dueOf(ports, id)).slice(-5)).toEqual(timersOf(id).slice(-5));
    },
    again: async (ports, id) => {
      await ports.timers.remove(timersOf(id, 55));
      expect(await dueOf(ports, id)).toEqual(timersOf(id).slice(-5));
    },
  },
];

// ----------------------------------------------------------- Celery's groups

const groupOf = (groupId: string, chord: boolean) =>
  ({ groupId, memberIds: ['a', 'b'], chord, nowMs: NOW, expiresAtSeconds: TTL }) as const;
const countOf = (ports: Connected, groupId: string, index: number) =>
  ports.celeryGroups.count({ groupId, index, expiresAtSeconds: TTL });

const CELERY_GROUPS: readonly Operation[] = [
  {
    name: 'a chord and its counter',
    run: ({ celeryGroups }, id) => celeryGroups.define(groupOf(id, true)),
    rule: async (ports, id) => {
      // A member that finds the group counts: without its counter it would think that the body is sent.
      if ((await ports.celeryGroups.members(id, NOW)) !== undefined)
        expect(await countOf(ports, id, 0)).toEqual({ count: 1, closed: false });
    },
    again: async (ports, id) => {
      await ports.celeryGroups.define(groupOf(id, true));
      expect(await ports.celeryGroups.members(id, NOW)).toEqual(['a', 'b']);
      expect(await countOf(ports, id, 0)).toEqual({ count: 1, closed: false });
      expect(await countOf(ports, id, 1)).toEqual({ count: 2, closed: false });
    },
  },
  {
    name: 'a member that comes back',
    before: async (ports, id) => {
      await ports.celeryGroups.define(groupOf(id, true));
      await countOf(ports, id, 0);
    },
    run: (ports, id) => countOf(ports, id, 0),
    rule: async (ports, id) => expect(await countOf(ports, id, 0)).toEqual({ count: 1, closed: false }),
    again: async (ports, id) => expect(await countOf(ports, id, 1)).toEqual({ count: 2, closed: false }),
  },
  {
    name: 'a group that is forgotten',
    before: ({ celeryGroups }, id) => celeryGroups.define(groupOf(id, false)),
    run: ({ celeryGroups }, id) => celeryGroups.forget(id),
    rule: async ({ celeryGroups }, id) =>
      expect([['a', 'b'], undefined]).toContainEqual(await celeryGroups.members(id, NOW)),
    again: async ({ celeryGroups }, id) => {
      await celeryGroups.forget(id);
      expect(await celeryGroups.members(id, NOW)).toBeUndefined();
    },
  },
];

// ------------------------------------------------------------------ backend

// More than one request of statements takes.
const COUNT = 26;
const idsOf = (id: string): string[] => Array.from({ length: COUNT }, (_, index) => `${id}/${index}`);
const claimOf = (id: string, more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  id,
  attempt: 0,
  owner: 'first',
  nowMs: NOW,
  leaseMs: NOW + 60_000,
  name: 'task',
  queue: 'default',
  meta: '{"a":1}',
  expiresAtSeconds: TTL,
  ...more,
});
const commitOf = (id: string): CommitRequest => ({
  id,
  attempt: 0,
  owner: 'first',
  nowMs: NOW + 1000,
  status: 'SUCCESS',
  final: true,
  meta: '{"b":2}',
  expiresAtSeconds: TTL,
});
const statusOf = async ({ backend }: Connected, ids: readonly string[]): Promise<Set<string | undefined>> =>
  new Set((await backend.get(ids, NOW)).map((record) => record?.status));
/** A task whose record has expired, and which DynamoDB has not deleted yet. */
const expired = ({ backend }: Connected, id: string): Promise<unknown> =>
  backend.claim([claimOf(id, { owner: 'long ago', nowMs: NOW - 10_000_000, expiresAtSeconds: NOW / 1000 - 1 })]);
const concludeOf = (id: string) => ({
  id,
  attempt: 0,
  nowMs: NOW,
  status: 'FAILURE',
  name: 'task',
  queue: 'default',
  meta: '{"c":3}',
  expiresAtSeconds: TTL,
});
const revokeOf = (id: string) => ({ id, nowMs: NOW, meta: '{"d":4}', expiresAtSeconds: TTL });
const CLAIMED = { kind: 'claimed', deliveries: 1, requeues: 0 };

const BACKEND: readonly Operation[] = [
  {
    name: 'a batch of claims',
    run: ({ backend }, id) => backend.claim(idsOf(id).map((each) => claimOf(each))),
    rule: async (ports, id) => {
      for (const status of await statusOf(ports, idsOf(id))) expect([undefined, 'STARTED']).toContain(status);
    },
    again: async ({ backend }, id) => {
      expect(await backend.claim(idsOf(id).map((each) => claimOf(each)))).toEqual(idsOf(id).map(() => CLAIMED));
      const others = await backend.claim(idsOf(id).map((each) => claimOf(each, { owner: 'second' })));
      expect(new Set(others.map(({ kind }) => kind))).toEqual(new Set(['busy']));
    },
  },
  {
    name: 'a batch of outcomes',
    before: ({ backend }, id) => backend.claim(idsOf(id).map((each) => claimOf(each))),
    run: ({ backend }, id) => backend.commit(idsOf(id).map(commitOf)),
    rule: async (ports, id) => {
      for (const status of await statusOf(ports, idsOf(id))) expect(['STARTED', 'SUCCESS']).toContain(status);
    },
    again: async (ports, id) => {
      expect(await ports.backend.commit(idsOf(id).map(commitOf))).toEqual(idsOf(id).map(() => true));
      expect(await statusOf(ports, idsOf(id))).toEqual(new Set(['SUCCESS']));
    },
  },
  {
    name: 'a claim in the place of an expired record',
    before: expired,
    run: ({ backend }, id) => backend.claim([claimOf(id)]),
    rule: async (ports, id) => {
      for (const status of await statusOf(ports, [id])) expect([undefined, 'STARTED']).toContain(status);
    },
    again: async ({ backend }, id) => {
      expect(await backend.claim([claimOf(id)])).toEqual([CLAIMED]);
      expect(await backend.commit([commitOf(id)])).toEqual([true]);
    },
  },
  {
    name: 'a conclusion in the place of an expired record',
    before: expired,
    run: ({ backend }, id) => backend.conclude([concludeOf(id)]),
    rule: async (ports, id) => {
      for (const status of await statusOf(ports, [id])) expect([undefined, 'FAILURE']).toContain(status);
    },
    again: async (ports, id) => {
      expect(await ports.backend.conclude([concludeOf(id)])).toEqual([{ kind: 'concluded' }]);
      expect(await statusOf(ports, [id])).toEqual(new Set(['FAILURE']));
    },
  },
  {
    name: 'a revoke of what runs',
    before: ({ backend }, id) => backend.claim([claimOf(id)]),
    run: ({ backend }, id) => backend.revoke(revokeOf(id)),
    // It goes on, and may end.
    rule: async (ports, id) => expect(await statusOf(ports, [id])).toEqual(new Set(['STARTED'])),
    again: async ({ backend }, id) => {
      expect(await backend.revoke(revokeOf(id))).toBe('STARTED');
      const [next] = await backend.claim([claimOf(id, { owner: 'second', nowMs: NOW + 60_001 })]);
      expect(next?.kind).toBe('revoked');
      expect(await backend.commit([commitOf(id)])).toEqual([true]);
    },
  },
  {
    name: 'results that are forgotten',
    before: ({ backend }, id) => backend.claim(idsOf(id).map((each) => claimOf(each))),
    run: ({ backend }, id) => backend.forget(idsOf(id).slice(0, 5)),
    rule: async (ports, id) => expect(await statusOf(ports, idsOf(id).slice(5))).toEqual(new Set(['STARTED'])),
    again: async (ports, id) => {
      await ports.backend.forget(idsOf(id).slice(0, 5));
      expect(await statusOf(ports, idsOf(id).slice(0, 5))).toEqual(new Set([undefined]));
    },
  },
];

// ------------------------------------------------------------- dead letters

const deadLetters = (id: string) =>
  Array.from({ length: 25 }, (_, index) => ({ queue: 'default', deadLetter: true, body: `${id} ${index}` }));

const BROKER: readonly Operation[] = [
  {
    name: 'dead letters of several requests',
    run: async ({ broker }, id) => {
      // Whoever is dead hears nothing: what was sent is not told as sent.
      const outcomes = await broker.send(deadLetters(id));
      if (outcomes.some((outcome) => !outcome.ok)) throw new Error('not all were sent');
    },
    rule: () => Promise.resolve(),
    again: async ({ broker }, id) => {
      const outcomes = await broker.send(deadLetters(id));
      expect(outcomes.map(({ ok }) => ok)).toEqual(deadLetters(id).map(() => true));
    },
  },
];

describe('a process that dies between two requests', () => {
  let servers: Servers;
  let environment: Environment;
  let calm: Connected;
  let runs = 0;

  beforeAll(async () => {
    servers = await startServers();
    environment = await servers.provision(new Celeriac('crash', { timerShards: SHARDS, logger: silentLogger }));
    calm = connect(environment, { clock: systemClock, random: systemRandom }, servers);
  });
  afterAll(() => servers.stop());

  /** Whether the process came to its end, and how many requests it made. */
  async function play(operation: Operation, at: number, when: 'before' | 'after'): Promise<number> {
    runs += 1;
    const id = `run-${runs}`;
    await operation.before?.(calm, id);
    const service = new FaultyService(dyingAt(at, when, DIED));
    const clients = clientsOver(service, servers.endpoints);
    const mortal = connect(environment, { clock: systemClock, random: systemRandom }, clients);
    const ended = await operation.run(mortal, id).then(
      () => true,
      () => false,
    );
    const where = `${when} request ${at}: ${service.requests[at - 1]?.operation}`;
    expect(ended, where).toBe(at > service.requests.length);
    await operation.rule(calm, id).catch((error: unknown) => {
      throw new Error(`The rule does not hold, died ${where}`, { cause: error });
    });
    await operation.again(calm, id).catch((error: unknown) => {
      throw new Error(`Whoever comes again does not end it, died ${where}`, { cause: error });
    });
    return service.requests.length;
  }

  it.each(
    [...SCHEDULES, ...TIMERS, ...CELERY_GROUPS, ...BACKEND, ...BROKER].map(
      (operation) => [operation.name, operation] as const,
    ),
  )('%s', async (_name, operation) => {
    const requests = await play(operation, Infinity, 'before');
    expect(requests).toBeGreaterThan(1);
    for (let at = 1; at <= Math.min(requests, MOST_REQUESTS); at += 1)
      for (const when of ['before', 'after'] as const) await play(operation, at, when);
  });
});
