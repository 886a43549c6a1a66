/** What a sweep costs follows what is due, not what is stored. Counted: port calls, and requests to DynamoDB. */
import { Celeriac, every, silentLogger } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstState, itemOf } from '../../lib/beat/schedule-state.ts';
import { connect } from '../../lib/aws/connect.ts';
import { startDynalite } from '../../lib/local/servers.ts';
import { MemoryBackend, MemoryBroker, MemoryGroups, MemorySchedules, MemoryTimers } from '../../lib/memory/index.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { ScheduleItem, Schedules } from '../../lib/ports/schedules.ts';
import { resolveEntry } from '../../lib/beat/entry.ts';
import { MINUTE, START } from '../support/beat-world.ts';
import { counting, tapped } from '../support/port-taps.ts';
import { type Servers, startServers } from '../support/servers.ts';

/** An entry that is due hourly, first an hour from the start. */
function hourly(name: string): ScheduleItem {
  const entry = resolveEntry(name, { task: 'note', schedule: every('1h') }, 'UTC');
  return itemOf(firstState(entry, 'stored', 'sweep', START));
}

function wired(schedules: Schedules): { app: Celeriac; clock: ManualClock; ports: Promise<Ports> } {
  const clock = new ManualClock(START);
  const app = new Celeriac('cost', { history: 'off', timerShards: 4, logger: silentLogger });
  app.task('note', () => {});
  const ids = countingIds();
  app.use({
    broker: new MemoryBroker({ clock, ids, queues: app.settings.queues }),
    backend: new MemoryBackend(),
    timers: new MemoryTimers({ shards: 4 }),
    schedules,
    groups: new MemoryGroups(),
    clock,
    ids,
    random: seededRandom(1),
    logger: silentLogger,
  });
  return { app, clock, ports: app.ports() };
}

describe('20,000 stored entries', () => {
  const schedules = new MemorySchedules();
  beforeAll(async () => {
    for (let index = 0; index < 20_000; index += 1) await schedules.write([hourly(`entry-${index}`)]);
  });

  const callsOf = async (of: Schedules, minutes: number): Promise<string[]> => {
    const { app, clock, ports } = wired(of);
    const calls: string[] = [];
    for (let minute = 0; minute < minutes; minute += 1) {
      await app.sweep({}, tapped(await ports, counting(calls)));
      clock.moveTo(clock.nowMs() + MINUTE);
    }
    return calls;
  };

  it('none due: a sweep makes as many calls as with none at all', async () => {
    const empty = await callsOf(new MemorySchedules(), 1);
    expect(empty).toEqual(['schedules.eachDue', 'timers.eachDue']);
    expect(await callsOf(schedules, 1)).toEqual(empty);
    expect(await callsOf(schedules, 57)).toEqual(await callsOf(new MemorySchedules(), 57));
  });

  it('none declared, none changed: nothing is asked of the rules or the entries by name', async () => {
    const calls = await callsOf(schedules, 30);
    expect(calls.filter((call) => /rules|schedules\.(?:read|list)/.test(call))).toEqual([]);
  });

  it('ten due: the calls are those of ten entries alone', async () => {
    const [ten, many] = [new MemorySchedules(), schedules];
    for (let index = 0; index < 10; index += 1) {
      const entry = resolveEntry(`due-${index}`, { task: 'note', schedule: every('1m') }, 'UTC');
      for (const store of [ten, many]) await store.write([itemOf(firstState(entry, 'stored', 'sweep', START))]);
    }
    const alone = await callsOf(ten, 1);
    expect(alone.filter((call) => /send|write/.test(call))).toEqual(['broker.send', 'schedules.write']);
    expect(await callsOf(many, 1)).toEqual(alone);
  });
});

describe('declared entries', () => {
  it('are compared with the store once in five minutes, in one read', async () => {
    const { app, clock, ports } = wired(new MemorySchedules());
    app.beat(
      Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`declared-${index}`, { task: 'note', schedule: every('1d') }]),
      ),
    );
    const calls: string[] = [];
    const counted = tapped(await ports, counting(calls));
    await app.sweep({}, counted);
    calls.length = 0;
    for (let minute = 0; minute < 20; minute += 1) {
      clock.moveTo(clock.nowMs() + MINUTE);
      await app.sweep({}, counted);
    }
    expect(calls.filter((call) => call === 'schedules.read')).toHaveLength(4);
    expect(calls.filter((call) => call === 'schedules.eachDue')).toHaveLength(20);
    expect(calls.filter((call) => call === 'schedules.write')).toEqual([]);
  });
});

describe('requests to DynamoDB', () => {
  let servers: Servers;
  const requests: string[] = [];
  let ports: Ports;
  let app: Celeriac;

  beforeAll(async () => {
    servers = await startServers(startDynalite);
    // At the wire: retries and pages count too.
    servers.dynamodb.middlewareStack.add(
      (next, context) => (args) => {
        requests.push(context.commandName ?? '');
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    app = new Celeriac('cost', { history: 'off', timerShards: 2, logger: silentLogger });
    app.task('note', () => {});
    const environment = await servers.provision(app);
    const clock = new ManualClock(START);
    const random = seededRandom(1);
    const connected = connect(environment, { clock, random }, servers);
    app.use({ ...connected, clock, random, ids: countingIds(), logger: silentLogger });
    ports = await app.ports();
  });
  afterAll(() => servers.stop());

  const sweep = async (): Promise<string[]> => {
    requests.length = 0;
    await app.sweep({}, ports);
    return [...requests];
  };

  it('400 entries, none due: as many as with none; and those that are due cost their own', async () => {
    const empty = await sweep();
    // Pauses, entries, and two shards of timers.
    expect(empty).toEqual(Array.from({ length: 4 }, () => 'QueryCommand'));
    for (let start = 0; start < 400; start += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => ports.schedules.write([hourly(`entry-${start + index}`)])),
      );
    expect(await sweep()).toEqual(empty);

    const due = resolveEntry('due', { task: 'note', schedule: every('1m') }, 'UTC');
    await ports.schedules.write([itemOf(firstState(due, 'stored', 'sweep', START))]);
    expect((await sweep()).toSorted()).toEqual(
      [...empty, 'BatchGetItemCommand', 'PutItemCommand', 'PutItemCommand', 'BatchWriteItemCommand'].toSorted(),
    );
    expect(await sweep()).toEqual(empty);
  });

  it('load of 500 entries, and a sweep of 500 that are due: batches, and each stored and sent once', async () => {
    const batched = await startServers();
    const counts: Record<string, number> = {};
    for (const client of [batched.dynamodb, batched.sqs])
      (client.middlewareStack as typeof servers.dynamodb.middlewareStack).add(
        (next, { commandName = '' }) =>
          (args) => {
            counts[commandName] = (counts[commandName] ?? 0) + 1;
            return next(args);
          },
        { step: 'finalizeRequest', priority: 'low' },
      );
    try {
      const loader = new Celeriac('many', { history: 'off', timerShards: 2, logger: silentLogger });
      loader.task('note', () => {});
      const environment = await batched.provision(loader);
      const [clock, random] = [new ManualClock(START), seededRandom(1)];
      const connected = connect(environment, { clock, random }, batched);
      loader.use({ ...connected, clock, random, ids: countingIds(), logger: silentLogger });
      const all = await loader.ports();
      const fixture = Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [`entry-${index}`, { task: 'note', schedule: 3600 }]),
      );
      for (const name of Object.keys(counts)) delete counts[name];
      expect((await loader.schedules.load(fixture)).stored).toHaveLength(500);
      expect(counts).toEqual({ BatchGetItemCommand: 5, BatchWriteItemCommand: 20, BatchExecuteStatementCommand: 20 });
      for (const name of Object.keys(counts)) delete counts[name];
      expect((await loader.schedules.load(fixture)).kept).toHaveLength(500);
      expect(counts).toEqual({ BatchGetItemCommand: 5 });
      clock.moveTo(START + 60 * MINUTE);
      for (const name of Object.keys(counts)) delete counts[name];
      expect(await loader.sweep({}, all)).toEqual({ sent: 0, failed: 0, ticks: 500, held: 0 });
      expect(counts).toEqual({
        // Pauses, pages of marks, one beyond the last, and two shards of timers.
        QueryCommand: 9,
        BatchGetItemCommand: 5,
        SendMessageBatchCommand: 50,
        // Marks written, and marks dropped.
        BatchWriteItemCommand: 40,
        BatchExecuteStatementCommand: 20,
      });
      expect(await loader.schedules.get('entry-499')).toMatchObject({ totalRunCount: 1 });
    } finally {
      await batched.stop();
    }
  });

  it('the store lists, edits and deletes as the one in memory', async () => {
    await app.schedules.put('edited', { task: 'note', schedule: every('10s'), args: ['ä'] });
    await Promise.all([
      app.schedules.update('edited', { description: 'told' }),
      app.schedules.update('edited', { args: [2] }),
    ]);
    expect(await app.schedules.get('edited')).toMatchObject({ description: 'told', task: { args: [2] } });
    expect((await app.schedules.list({ after: 'due', limit: 2 })).map(({ name }) => name)).toEqual([
      'edited',
      'entry-0',
    ]);
    await app.schedules.delete('edited');
    expect(await app.schedules.get('edited')).toBeUndefined();
    expect(await app.schedules.list({ limit: 10_000 })).toHaveLength(401);
  });
});
