/** Entries that nobody could have stored by hand, edits that are always overtaken, and timers of a queue that is gone. */
import { Celeriac, crontab, every, ScheduleConflict } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { resolveEntry } from '../../lib/beat/entry.ts';
import { firstState, itemOf, stateOf } from '../../lib/beat/schedule-state.ts';
import { beatWorld, START } from '../support/beat-world.ts';
import { checkedLines } from '../support/log-lines.ts';
import { dueTimers } from '../support/due-timers.ts';

describe('a stored document', () => {
  const item = itemOf(
    firstState(resolveEntry('e', { task: 'note', schedule: every('1h') }, 'UTC'), 'stored', 'sweep', START),
  );
  const changed = (change: (entry: Record<string, unknown>) => void): string => {
    const document = JSON.parse(item.document) as { entry: Record<string, unknown> };
    change(document.entry);
    return JSON.stringify(document);
  };

  it.each([
    ['whose schedule is a duration', changed((entry) => (entry['schedule'] = '10s')), 'its schedule is no object'],
    ['whose schedule is a number', changed((entry) => (entry['schedule'] = 60)), 'its schedule is no object'],
    ['without a signature', changed((entry) => (entry['signature'] = 'note')), 'it has no signature'],
    ['that is no JSON', '{', 'cannot be read'],
  ])('%s cannot be read, and says so with its name', (_what, document, message) => {
    expect(() => stateOf({ ...item, document })).toThrow(message);
    expect(() => stateOf({ ...item, document })).toThrow("The stored entry 'e' cannot be read");
  });
});

describe('an edit', () => {
  const never = () => Promise.resolve([false]);

  it('that is overtaken ten times is refused', async () => {
    const { app, world, note } = beatWorld();
    let writes = 0;
    world.schedules.write = () => {
      writes += 1;
      return never();
    };
    await expect(app.schedules.put('e', { task: note.s(), schedule: every('1h') })).rejects.toThrow(
      /'e' was changed by somebody else meanwhile, 10 times/,
    );
    expect(writes).toBe(10);
  });

  it('to another signature leaves all else as it is', async () => {
    const { app, note } = beatWorld();
    await app.schedules.put('e', { task: note.s(1), schedule: every('1h'), enabled: false, description: 'kept' });
    await app.schedules.update('e', { task: note.s(2, 3) });
    expect(await app.schedules.get('e')).toMatchObject({
      task: { task: 'note', args: [2, 3] },
      schedule: { type: 'interval' },
      enabled: false,
      description: 'kept',
    });
    await app.schedules.update('e', { args: [4] });
    expect(await app.schedules.get('e')).toMatchObject({ task: { task: 'note', args: [4] }, enabled: false });
  });

  it.each(['once', 'always'] as const)('by a fixture, mode %s, of an entry that was stored meanwhile', async (mode) => {
    const { app, world, note } = beatWorld();
    const write = world.schedules.write.bind(world.schedules);
    world.schedules.write = async (items) => {
      world.schedules.write = write;
      // Another one is quicker.
      await app.schedules.put('e', { task: note.s('theirs'), schedule: every('1h') });
      return items.map(() => false);
    };
    const loaded = await app.schedules.load({ e: { task: note.s('ours'), schedule: every('2h') } }, { mode });
    expect(loaded).toEqual(mode === 'once' ? { stored: [], kept: ['e'] } : { stored: ['e'], kept: [] });
    expect(await app.schedules.get('e')).toMatchObject({ task: { args: [mode === 'once' ? 'theirs' : 'ours'] } });
  });

  it('of another kind than a conflict is told', async () => {
    const { app, world, note } = beatWorld();
    world.schedules.write = (items) => {
      world.schedules.write = () => Promise.reject(new RangeError('no'));
      return Promise.resolve(items.map(() => false));
    };
    const loading = app.schedules.load({ e: { task: note.s(), schedule: every('2h') } });
    await expect(loading).rejects.toThrow(RangeError);
    await expect(loading).rejects.not.toThrow(ScheduleConflict);
  });
});

it.each([
  ['by a rule: both fire', crontab({ minute: 0 }), 'both fire'],
  ['by the sweep', every('90s'), 'only the stored one fires'],
])('an entry that is stored, and declared since, is told of: %s', async (_what, schedule, effect) => {
  const first = beatWorld();
  await first.app.schedules.put('twice', { task: first.note.s(), schedule: every('1h') });
  const [item] = await first.world.schedules.read(['twice']);
  const lines: string[] = [];
  const second = beatWorld(
    (note) => ({ twice: { task: note.s(), schedule } }),
    {},
    {
      logger: checkedLines({ log: (_level, message) => void lines.push(message) }),
    },
  );
  if (item !== undefined) await second.world.schedules.write([{ ...item, revision: 1 }]);
  await second.world.advance('2m');
  expect(lines.filter((line) => line.includes(`declared in code and stored too; ${effect}.`)).length).toBeGreaterThan(
    0,
  );
});

it.each([
  ['orders', 'g'],
  ['default', undefined],
])('a timer of queue %s that is gone ends with a letter of group %j', async (queue, groupId) => {
  const app = new Celeriac('gone', { queues: { default: {}, orders: { fifo: true } } });
  app.task('job', () => 1);
  const world = new World(app);
  const letters: unknown[] = [];
  const send = world.broker.send.bind(world.broker);
  world.broker.send = (items) => {
    letters.push(...items.filter(({ deadLetter }) => deadLetter === true).map((item) => [item.queue, item.groupId]));
    const refused = { ok: false, code: 'QueueDoesNotExist', message: 'gone', retryable: false } as const;
    return items.some(({ deadLetter }) => deadLetter !== true)
      ? Promise.resolve(items.map(() => refused))
      : send(items);
  };
  const { id } = await app.send('job', [], {
    queue,
    countdown: '1h',
    ...(groupId === undefined ? {} : { groupKey: groupId }),
  });
  await world.advance('3h');
  expect(await app.result(id).state()).toBe('FAILURE');
  expect(letters).toEqual([[queue, groupId]]);
  expect(await dueTimers(world.timers, Infinity)).toEqual([]);
});

it('a broker that throws at once has told nothing of any tick: all of them come with the next sweep', async () => {
  const { app, world, lines, timesOf } = beatWorld((note) => ({
    a: { task: note.s(), schedule: every('90s') },
    b: { task: note.s(), schedule: every('90s') },
  }));
  const send = world.broker.send.bind(world.broker);
  world.broker.send = () => {
    throw new RangeError('no');
  };
  expect(await app.sweep()).toMatchObject({ ticks: 0, failed: 2 });
  expect(
    lines.map(({ message }) => message).filter((line) => /^Schedule entry '[ab]' was not swept: no/.test(line)),
  ).toHaveLength(2);
  world.broker.send = send;
  await world.advance('3m');
  expect([timesOf('a'), timesOf('b')]).toEqual([
    [90_000, 180_000],
    [90_000, 180_000],
  ]);
});
