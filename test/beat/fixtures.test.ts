/** Stored entries as JSON text that is kept in a repository. */
import { clocked, crontab, every, InvalidSchedule } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { beatWorld } from '../support/beat-world.ts';

describe('dump and load', () => {
  it('come back the same, through JSON text', async () => {
    const first = beatWorld((note) => ({ declared: { task: note.s(), schedule: every('1h') } }));
    const { schedules } = first.app;
    await schedules.put('a', {
      task: first.note.signature([1, { deep: [null] }], { kwargs: { k: 'ä' }, priority: 4 }),
      schedule: crontab({ minute: 5, dayOfWeek: 'mon-fri' }, { timezone: 'Asia/Tokyo', dst: 'skip' }),
      startTime: '2030-02-01T00:00:00Z',
      expires: '2031-02-01T00:00:00Z',
      catchUp: 'all',
      startingDeadline: 90,
      description: 'weekdays',
    });
    await schedules.put('b', { task: 'py.task', customTask: true, schedule: every('45s'), enabled: false });
    await schedules.put('c', { task: first.note.s(), schedule: clocked('2030-06-01T00:00:00Z') });
    const dumped = await schedules.dump();
    expect(Object.keys(dumped)).toEqual(['a', 'b', 'c']);
    const text = JSON.stringify(dumped);
    expect(JSON.parse(text)).toEqual(dumped);

    const second = beatWorld();
    expect(await second.app.schedules.load(text)).toEqual({ stored: ['a', 'b', 'c'], kept: [] });
    expect(await second.app.schedules.dump()).toEqual(dumped);
    expect(await second.app.schedules.get('b')).toMatchObject({ enabled: false, customTask: true, nextTicks: [] });
  });

  it('more entries than are listed at once: all of them, each once, and none that code declares', async () => {
    const { app, world, note } = beatWorld((task) => ({ n500: { task: task.s(), schedule: every('1h') } }));
    const names = Array.from({ length: 1001 }, (_, index) => `n${String(index).padStart(4, '0')}`);
    const fixture = Object.fromEntries(
      names.map((name) => [name, { task: note.s(), schedule: every('1h'), enabled: false }]),
    );
    expect(await app.schedules.load(fixture)).toMatchObject({ stored: names });
    await world.advance('2m');
    expect(Object.keys(await app.schedules.dump())).toEqual(names);
  });

  it("'once' keeps edits, 'always' replaces them", async () => {
    const { app, note } = beatWorld();
    const fixture = {
      a: { task: note.s(1), schedule: every('1h') },
      b: { task: note.s(1), schedule: every('1h') },
    };
    await app.schedules.load({ a: fixture.a });
    await app.schedules.update('a', { description: 'edited' });
    expect(await app.schedules.load(fixture)).toEqual({ stored: ['b'], kept: ['a'] });
    expect(await app.schedules.get('a')).toMatchObject({ description: 'edited' });
    expect(await app.schedules.load(fixture, { mode: 'always' })).toEqual({ stored: ['a', 'b'], kept: [] });
    expect(await app.schedules.get('a')).toMatchObject({ description: '' });
  });

  it('writes each entry once, and those once more whose ticks it has sent', async () => {
    const { app, world, note } = beatWorld();
    await app.schedules.load({
      off: { task: note.s(), schedule: every('1m'), enabled: false },
      later: { task: note.s(), schedule: every('1h') },
      soon: { task: note.s(), schedule: every('50s') },
    });
    const items = await world.schedules.read(['off', 'later', 'soon']);
    expect(items.map((item) => item?.revision)).toEqual([1, 1, 2]);
  });

  it.each([
    ['a name that code declares', { declared: { task: 'note', schedule: 60 } }, 'is declared in code'],
    ['a time that has passed', { z: { task: 'note', schedule: clocked('2020-01-01T00:00:00Z') } }, 'has no due time'],
    ['an unknown task', { z: { task: 'nobody', schedule: 60 } }, "entry 'z': task 'nobody' is not registered"],
    ['no object', { z: null } as never, "entry 'z' of the fixture: null given; an object is allowed."],
    ['no task', { z: { schedule: 60 } } as never, "entry 'z' of the fixture has no task."],
    ['a read-only field', { z: { task: 'note', schedule: 60, version: 1 } } as never, "'version' is no field"],
  ])('%s: refused before anything is stored', async (_what, bad, message) => {
    const { app } = beatWorld((note) => ({ declared: { task: note.s(), schedule: every('1h') } }));
    const fixture = { a: { task: 'note', schedule: every('1h') }, ...bad };
    await expect(app.schedules.load(fixture, { mode: 'always' })).rejects.toThrow(message);
    expect(await app.schedules.get('a')).toBeUndefined();
  });

  it.each([
    ['[]', 'A fixture is an object of entries by name'],
    ['{', 'The fixture is no JSON'],
    ['null', 'A fixture is an object of entries by name'],
  ])('%s is no fixture', async (text, message) => {
    const { app } = beatWorld();
    await expect(app.schedules.load(text)).rejects.toThrow(InvalidSchedule);
    await expect(app.schedules.load(text)).rejects.toThrow(message);
    await expect(app.schedules.load({}, { mode: 'Once' as 'once' })).rejects.toThrow(
      "mode: 'Once' given; 'once' or 'always' is allowed.",
    );
  });
});
