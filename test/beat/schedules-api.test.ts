/** `app.schedules`: what people do to entries while the app is deployed and runs. */
import {
  Celeriac,
  crontab,
  every,
  MissingEnvironment,
  ScheduleConflict,
  ScheduleNotFound,
  type StoredSchedule,
  tickId,
} from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it, vi } from 'vitest';

import { beatWorld, collecting, declareNote, type LogLine, MINUTE, START } from '../support/beat-world.ts';

const names = (entries: readonly StoredSchedule[]): string[] => entries.map(({ name }) => name);

describe('put, get, list', () => {
  it('an entry has everything that people ask of it', async () => {
    const { app, world, note } = beatWorld(() => ({}), { timezone: 'Europe/Berlin' });
    const put = await app.schedules.put('promo', {
      task: note.signature([1], { kwargs: { a: 2 } }),
      schedule: crontab({ minute: 30, hour: 7 }),
      options: { queue: 'default', expires: '1h' },
      startTime: '2030-01-03T00:00:00Z',
      expires: '2030-01-20T00:00:00Z',
      catchUp: 'all',
      startingDeadline: '10m',
      description: 'mornings',
    });
    expect(put).toEqual(await app.schedules.get('promo'));
    expect(put).toMatchObject({
      name: 'promo',
      task: { task: 'note', args: [1], kwargs: { a: 2 }, options: { queue: 'default', expires: 3600 } },
      schedule: { type: 'crontab', minute: '30', hour: '7', timezone: 'Europe/Berlin' },
      enabled: true,
      oneOff: false,
      startTime: new Date('2030-01-03T00:00:00Z'),
      expires: new Date('2030-01-20T00:00:00Z'),
      catchUp: 'all',
      startingDeadline: 600,
      customTask: false,
      description: 'mornings',
      source: 'stored',
      firedBy: 'sweep',
      changedAt: new Date(START),
      lastRunAt: null,
      totalRunCount: 0,
      nextTicks: ['03', '04', '05'].map((day) => new Date(`2030-01-${day}T06:30:00Z`)),
      lastError: null,
    });
    await world.advance('5d');
    expect(await app.schedules.get('promo')).toMatchObject({
      lastRunAt: new Date('2030-01-05T06:30:00Z'),
      totalRunCount: 3,
      nextTicks: ['06', '07', '08'].map((day) => new Date(`2030-01-${day}T06:30:00Z`)),
    });
    await world.advance('30d');
    expect(await app.schedules.get('promo')).toMatchObject({ enabled: false, totalRunCount: 17, nextTicks: [] });
    expect(await app.schedules.get('unknown')).toBeUndefined();
  });

  it('a one-off shows its one tick', async () => {
    const { app, note } = beatWorld();
    await app.schedules.put('once', { task: note.s(), schedule: every('1h'), oneOff: true });
    expect((await app.schedules.get('once'))?.nextTicks).toEqual([new Date(START + 60 * MINUTE)]);
  });

  it('takes effect within seconds: the first ticks do not wait for a sweep', async () => {
    const { app, world, note, secondsOf } = beatWorld();
    await world.advance(5);
    await app.schedules.put('quick', { task: note.s(), schedule: every('3s') });
    await world.advance('60s');
    expect(secondsOf('quick')).toEqual(Array.from({ length: 20 }, (_, index) => 8 + index * 3));
    expect(await app.schedules.get('quick')).toMatchObject({
      totalRunCount: 20,
      lastRunAt: new Date(START + 65_000),
      nextTicks: [68, 71, 74].map((second) => new Date(START + second * 1000)),
    });
  });

  it('what get returns can be put back', async () => {
    const { app, note } = beatWorld();
    await app.schedules.put('a', { task: note.s(1), schedule: every('1h'), options: { priority: 3 } });
    const read = await app.schedules.get('a');
    if (read === undefined) throw new Error('nothing was stored');
    const changed = await app.schedules.put('a', { ...read, description: 'told' });
    expect(changed).toMatchObject({ ...read, description: 'told', version: read.version + 1 });
  });

  it('what is no option of a change is refused by its name', async () => {
    const { app, note } = beatWorld();
    const bad = { versoin: 1 } as object;
    await app.schedules.put('a', { task: note.s(), schedule: every('1h') });
    const changes = [
      app.schedules.put('a', { task: note.s(), schedule: every('1h') }, bad),
      app.schedules.update('a', {}, bad),
      app.schedules.disable('a', bad),
      app.schedules.enable('a', bad),
      app.schedules.delete('a', bad),
    ];
    for (const change of changes) await expect(change).rejects.toThrow(/options of the change.*versoin/);
  });

  it('a full page is listed in one call', async () => {
    const { app, world, note } = beatWorld();
    await app.schedules.load(
      Object.fromEntries(['a', 'b', 'c'].map((name) => [name, { task: note.s(), schedule: every('1h') }])),
    );
    const list = vi.spyOn(world.schedules, 'list');
    expect(names(await app.schedules.list({ limit: 2 }))).toEqual(['a', 'b']);
    expect(list).toHaveBeenCalledTimes(1);
    expect(names(await app.schedules.list({ limit: 2, after: 'b' }))).toEqual(['c']);
    expect(list).toHaveBeenCalledTimes(2);
  });

  it('lists declared and stored entries by name, page by page', async () => {
    const { app, world, note } = beatWorld((note) => ({
      b: { task: note.s(), schedule: every('1h') },
      d: { task: note.s(), schedule: every('90s') },
    }));
    for (const name of ['e', 'a', 'c', '\u{1F600}', '\uFB00']) {
      await app.schedules.put(name, { task: note.s(), schedule: every('1h') });
    }
    const all = ['a', 'b', 'c', 'd', 'e', '\uFB00', '\u{1F600}'];
    for (const swept of [false, true]) {
      if (swept) await world.advance('1m');
      expect(names(await app.schedules.list())).toEqual(all);
      for (const limit of [1, 2, 3]) {
        const read: string[] = [];
        for (let page = await app.schedules.list({ limit }); ;) {
          expect(page.length).toBeLessThanOrEqual(limit);
          read.push(...names(page));
          if (page.length < limit) break;
          page = await app.schedules.list({ limit, after: read.at(-1) ?? '' });
        }
        expect(read, `pages of ${limit}`).toEqual(all);
      }
    }
    expect((await app.schedules.list()).map(({ source, firedBy }) => `${source} ${firedBy}`).slice(0, 4)).toEqual([
      'stored sweep',
      'code rule',
      'stored sweep',
      'code sweep',
    ]);
    expect(await app.schedules.get('b')).toMatchObject({ lastRunAt: null, totalRunCount: null });
    await expect(app.schedules.list({ limit: 0 })).rejects.toThrow('limit: 0 given; a whole number from 1 to');
  });

  it('entries that the code no longer declares are not listed, and hide no others', async () => {
    const { app, world, note } = beatWorld((note) => ({ gone: { task: note.s(), schedule: every('90s') } }));
    await world.advance('1m');
    for (const name of ['a', 'h', 'z']) await app.schedules.put(name, { task: note.s(), schedule: every('1h') });
    const next = new Celeriac('test').use(world.ports);
    next.beat({ kept: { task: declareNote(next, [], () => 0).s(), schedule: every('90s') } });
    expect(names(await next.schedules.list({ limit: 2 }))).toEqual(['a', 'h']);
    expect(names(await next.schedules.list({ limit: 2, after: 'h' }))).toEqual(['kept', 'z']);
    expect(Object.keys(await next.schedules.dump())).toEqual(['a', 'h', 'z']);
  });
});

describe('edits', () => {
  it('a put takes back the ticks sent ahead, and sends the new ones at once', async () => {
    const { app, world, note, runs } = beatWorld();
    await app.schedules.put('tick', { task: note.s('old'), schedule: every('10s') });
    await world.advance(65);
    await app.schedules.put('tick', { task: note.s('new'), schedule: every('7s') });
    await world.advance(35);
    expect(runs.map(({ args, atMs }) => `${String(args[0])} ${(atMs - START) / 1000}`)).toEqual(
      ['old 10', 'old 20', 'old 30', 'old 40', 'old 50', 'old 60'].concat(
        [72, 79, 86, 93, 100].map((second) => `new ${second}`),
      ),
    );
  });

  it('an interval does not begin anew when something else is edited', async () => {
    const { app, world, note, secondsOf } = beatWorld();
    await app.schedules.put('tick', { task: note.s(), schedule: every('1h') });
    await world.advance('50m');
    await app.schedules.update('tick', { description: 'told' });
    await world.advance('20m');
    expect(secondsOf('tick')).toEqual([3600]);
  });

  it('disable and enable: nothing between, everything after', async () => {
    const { app, world, note, secondsOf } = beatWorld();
    await app.schedules.put('tick', { task: note.s(), schedule: every('10s') });
    await world.advance(25);
    expect(await app.schedules.disable('tick')).toMatchObject({ enabled: false, nextTicks: [], totalRunCount: 2 });
    await world.advance(30);
    expect(await app.schedules.enable('tick')).toMatchObject({ enabled: true, totalRunCount: 2 });
    await world.advance(20);
    expect(secondsOf('tick')).toEqual([10, 20, 60, 70]);
    expect(await app.schedules.get('tick')).toMatchObject({ totalRunCount: 4 });
  });

  it('deleted and stored anew within a second: the new ticks are not those that were taken back', async () => {
    const { app, world, note, runs } = beatWorld();
    const entry = (text: string) => ({ task: note.s(text), schedule: crontab({ minute: '*' }) });
    await app.schedules.put('tick', entry('first'));
    await app.schedules.delete('tick');
    expect(await app.schedules.get('tick')).toBeUndefined();
    expect(await app.schedules.list()).toEqual([]);
    await expect(app.schedules.delete('tick')).rejects.toThrow(ScheduleNotFound);
    const anew = await app.schedules.put('tick', entry('second'));
    expect(anew).toMatchObject({ totalRunCount: 0, enabled: true });
    await world.advance('3m');
    expect(runs.map(({ args }) => args[0])).toEqual(['second', 'second', 'second']);
  });

  it('a deleted entry leaves nothing behind', async () => {
    const { app, world, note } = beatWorld();
    await app.schedules.put('tick', { task: note.s(), schedule: every('10s') });
    await world.advance('1m');
    await app.schedules.delete('tick');
    await world.advance('2h');
    expect(await world.schedules.list(undefined, 10)).toEqual([]);
    expect(world.schedules.nextDueMs()).toBeUndefined();
  });

  it('a version says which state a put means to replace', async () => {
    const { app, world, note } = beatWorld();
    const first = await app.schedules.put('tick', { task: note.s(1), schedule: every('10s') });
    // Sweeps are no edits.
    await world.advance('5m');
    const second = await app.schedules.put('tick', { ...first, description: 'mine' });
    await expect(app.schedules.put('tick', { ...first, description: 'theirs' })).rejects.toThrow(
      `Version ${first.version} was read, ${second.version} is stored. Read it again and repeat the change.`,
    );
    expect(await app.schedules.get('tick')).toMatchObject({ description: 'mine' });
    await app.schedules.delete('tick');
    await expect(app.schedules.put('tick', second)).rejects.toThrow(ScheduleConflict);
    expect(await app.schedules.get('tick')).toBeUndefined();
  });

  it('updates of different fields at the same time all survive', async () => {
    const { app, note } = beatWorld();
    await app.schedules.put('tick', { task: note.s(1), schedule: every('1h'), options: { priority: 1 } });
    await Promise.all([
      app.schedules.update('tick', { description: 'told' }),
      app.schedules.update('tick', { args: [2] }),
      app.schedules.update('tick', { kwargs: { k: 1 } }),
      app.schedules.update('tick', { options: { expires: '5m' } }),
      app.schedules.update('tick', { schedule: every('2h') }),
      app.schedules.update('tick', { oneOff: true }),
    ]);
    expect(await app.schedules.get('tick')).toMatchObject({
      description: 'told',
      task: { task: 'note', args: [2], kwargs: { k: 1 }, options: { priority: 1, expires: 300 } },
      schedule: { seconds: 7200 },
      oneOff: true,
    });
    await expect(app.schedules.update('none', { oneOff: true })).rejects.toThrow(
      "There is no schedule entry 'none'. There are: tick.",
    );
    await expect(app.schedules.update('tick', { version: 1 } as object)).rejects.toThrow("'version' is no field");
  });

  it('an update does not bring back a one-off that has just run', async () => {
    const { app, world, note, secondsOf } = beatWorld();
    await app.schedules.put('once', { task: note.s(), schedule: every('10m'), oneOff: true });
    await world.advance('11m');
    await app.schedules.update('once', { description: 'done' });
    await world.advance('1h');
    expect(secondsOf('once')).toEqual([600]);
    await app.schedules.enable('once');
    await world.advance('1h');
    expect(secondsOf('once')).toHaveLength(2);
  });

  it('runNow sends the task at once, whatever its schedule says', async () => {
    const { app, world, note, runs } = beatWorld((note) => ({ daily: { task: note.s(7), schedule: every('1d') } }));
    await app.schedules.put('off', { task: note.s(8), schedule: every('1h'), enabled: false });
    const result = await app.schedules.runNow('off');
    await app.schedules.runNow('daily');
    await world.run();
    expect(runs.map(({ args, atMs }) => [args[0], atMs])).toEqual([
      [8, START],
      [7, START],
    ]);
    expect(await result.state()).toBe('SUCCESS');
    await expect(app.schedules.runNow('none')).rejects.toThrow(ScheduleNotFound);
    await expect(app.schedules.enable('none')).rejects.toThrow(ScheduleNotFound);
    await expect(app.schedules.disable('none')).rejects.toThrow(ScheduleNotFound);
  });

  it('an entry whose ticks can no longer be sent says why, and goes on once it is put right', async () => {
    const { app, world, note, lines, secondsOf } = beatWorld(() => ({}), { queues: { default: {}, mail: {} } });
    await app.schedules.put('mail', { task: note.s(), schedule: every('5m'), options: { queue: 'mail' } });
    const next = new Celeriac('test', { queues: { default: {} } }).use(world.ports);
    declareNote(next, [], () => 0);
    world.clock.moveTo(START + 4 * MINUTE);
    await next.sweep({}, world.ports);
    expect(await app.schedules.get('mail')).toMatchObject({ lastError: expect.stringContaining("Queue 'mail'") });
    expect(lines.some(({ level, message }) => level === 'error' && message.includes("'mail' cannot be sent"))).toBe(
      true,
    );
    await world.advance('7m');
    expect(secondsOf('mail')).toEqual([600]);
    expect(await app.schedules.get('mail')).toMatchObject({ lastError: null });
  });
});

describe('entries that code declares', () => {
  it('can be disabled and enabled, not changed or deleted', async () => {
    const { app, world, note, secondsOf } = beatWorld((note) => ({
      swept: { task: note.s(), schedule: every('30s') },
      rule: { task: note.s(), schedule: every('1m') },
    }));
    // Before any sweep has seen them.
    expect(await app.schedules.disable('swept')).toMatchObject({ enabled: false, source: 'code', firedBy: 'sweep' });
    await world.advance('1m');
    expect(await app.schedules.disable('rule')).toMatchObject({ enabled: false, source: 'code', firedBy: 'rule' });
    expect(await world.rules.isEnabled('rule')).toBe(false);
    await world.advance('10m');
    expect([secondsOf('swept'), secondsOf('rule')]).toEqual([[], [60]]);
    await app.schedules.enable('swept');
    await app.schedules.enable('rule');
    await world.advance('1m');
    expect([secondsOf('swept'), secondsOf('rule')]).toEqual([
      [690, 720],
      [60, 720],
    ]);
    await expect(app.schedules.put('rule', { task: note.s(), schedule: every('1h') })).rejects.toThrow(
      "entry 'rule' is declared in code: change it there, or store it under another name.",
    );
    await expect(app.schedules.update('swept', { oneOff: true })).rejects.toThrow('is declared in code');
    await expect(app.schedules.delete('swept')).rejects.toThrow(
      "entry 'swept' is declared in code: disable it instead.",
    );
  });

  it("a redeploy keeps an operator's choice, and says so where it had to set it again", async () => {
    const { app, world } = beatWorld((note) => ({
      rule: { task: note.s(), schedule: every('1m') },
      swept: { task: note.s(), schedule: every('30s') },
      off: { task: note.s(), schedule: every('20s'), enabled: false },
    }));
    await world.advance('1m');
    await app.schedules.disable('rule');
    await app.schedules.disable('swept');
    await app.schedules.enable('off');

    const [lines, runs]: [LogLine[], Parameters<typeof declareNote>[1]] = [[], []];
    const next = new Celeriac('test').use({ ...world.ports, logger: collecting(lines) });
    const note = declareNote(next, runs, () => world.clock.nowMs());
    next.beat({
      rule: { task: note.s('v2'), schedule: every('2m') },
      swept: { task: note.s('v2'), schedule: every('15s') },
      off: { task: note.s('v2'), schedule: every('25s'), enabled: false },
    });
    world.rules.deploy(next.manifest().beat);
    expect(await world.rules.isEnabled('rule')).toBe(true);
    await next.sweep({}, await next.ports());
    expect(await world.rules.isEnabled('rule')).toBe(false);
    expect(lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      "The rule of schedule entry 'rule' was enabled by a deployment; it is disabled again, as an operator chose",
    ]);
    const shown = Object.fromEntries((await next.schedules.list()).map((entry) => [entry.name, entry]));
    expect(shown).toMatchObject({
      rule: { enabled: false, schedule: { seconds: 120 } },
      swept: { enabled: false, schedule: { seconds: 15 }, task: { args: ['v2'] } },
      off: { enabled: true, schedule: { seconds: 25 }, task: { args: ['v2'] } },
    });
  });

  it('a deployment that enables the rule of a disabled entry runs no tick of it before the sweeper notices', async () => {
    const { app, world, secondsOf } = beatWorld((note) => ({ rule: { task: note.s(), schedule: every('1m') } }));
    await world.advance('90s');
    await app.schedules.disable('rule');
    // What CloudFormation does with a rule that changed. The sweeper compares once in five minutes.
    await world.rules.setEnabled('rule', true);
    await world.advance('2m');
    expect(await world.rules.isEnabled('rule')).toBe(true);
    expect(secondsOf('rule')).toEqual([60]);
    expect(await app.result(tickId('rule', START + 2 * MINUTE)).state()).toBe('REVOKED');
    await app.schedules.enable('rule');
    await world.advance('1m');
    expect(secondsOf('rule')).toEqual([60, 240]);
  });

  it('a tick of a rule that lies in its queue when the entry is disabled does not run; a retry does', async () => {
    let [tries, world]: [number, World | undefined] = [0, undefined];
    const app = new Celeriac('test');
    const flaky = app.task('flaky', { bind: true }, (self) => {
      tries += 1;
      if (self.request.retries === 0) throw self.retry({ countdown: 30 });
    });
    app.beat({ rule: { task: flaky.s(), schedule: every('1m') } });
    world = new World(app);
    await world.advance('61s');
    await app.schedules.disable('rule');
    await world.advance('5m');
    expect(tries).toBe(2);
  });

  it('without the name of its rule an entry is not switched, and says so', async () => {
    const { app, world } = beatWorld((note) => ({
      rule: { task: note.s(), schedule: every('1m') },
      swept: { task: note.s(), schedule: every('90s') },
    }));
    await world.advance('61s');
    const { rules: _rules, ...others } = world.ports;
    const handler = new Celeriac('test').use(others);
    await expect(handler.schedules.disable('rule')).rejects.toThrow(
      /^Schedule entry 'rule' is fired by a rule of EventBridge, and the environment does not tell .*CELERIAC_RULE_PREFIX.* nothing was changed\./,
    );
    await expect(handler.schedules.enable('rule')).rejects.toThrow(MissingEnvironment);
    expect(await app.schedules.get('rule')).toMatchObject({ enabled: true });
    expect(await handler.schedules.disable('swept')).toMatchObject({ enabled: false });
  });

  it('a redeploy with another start or schedule is reckoned anew; with the same one nothing moves', async () => {
    const { world } = beatWorld((note) => ({
      moved: { task: note.s(), schedule: every('90s'), startTime: new Date(START + 10 * MINUTE) },
      same: { task: note.s(), schedule: every('90s') },
    }));
    await world.advance('1m');
    const next = new Celeriac('test').use(world.ports);
    const note = declareNote(next, [], () => 0);
    next.beat({
      moved: { task: note.s(), schedule: every('90s'), startTime: new Date(START + 20 * MINUTE) },
      same: { task: note.s('v2'), schedule: every('90s') },
    });
    await next.sweep({}, world.ports);
    const due = (await world.schedules.read(['moved', 'same'])).map(
      (item) => ((item?.nextDueMs ?? 0) - START) / MINUTE,
    );
    expect(due).toEqual([20, 4.5]);
    expect(await next.schedules.get('moved')).toMatchObject({ nextTicks: [new Date(START + 20 * MINUTE), {}, {}] });
  });

  it('what is overdue at a redeploy stays due, unless its schedule is another or it is switched off', async () => {
    const { world } = beatWorld((note) => ({
      words: { task: note.s('v1'), schedule: every('90s') },
      times: { task: note.s('v1'), schedule: every('90s') },
      off: { task: note.s('v1'), schedule: every('90s') },
    }));
    await world.advance('1m');
    const next = new Celeriac('test').use(world.ports);
    const note = declareNote(next, [], () => 0);
    next.beat({
      words: { task: note.s('v2'), schedule: every('90s') },
      times: { task: note.s('v1'), schedule: every('80s') },
      off: { task: note.s('v2'), schedule: every('90s'), enabled: false },
    });
    const before = await world.schedules.read(['words', 'times', 'off']);
    const nowMs = START + 60 * MINUTE;
    world.clock.moveTo(nowMs);
    // What a sweep does first: nothing is sent yet.
    const schedules = new Proxy(world.ports.schedules, {
      get: (target, key) =>
        key === 'eachDue' ? () => Promise.resolve() : (Reflect.get(target, key) as () => unknown).bind(target),
    });
    await next.sweep({}, { ...world.ports, schedules });
    const due = (await world.schedules.read(['words', 'times', 'off'])).map((item) => item?.nextDueMs);
    expect(due).toEqual([before[0]?.nextDueMs, nowMs + 80_000, null]);
    expect(before[0]?.nextDueMs).toBeLessThan(nowMs);
  });

  it('an entry that is gone from the code is gone from the store at its next tick, with a word', async () => {
    const { world } = beatWorld((note) => ({ gone: { task: note.s(), schedule: every('90s') } }));
    await world.advance('1m');
    const lines: LogLine[] = [];
    const next = new Celeriac('test').use({ ...world.ports, logger: collecting(lines) });
    next.beat({ other: { task: declareNote(next, [], () => 0).s(), schedule: every('90s') } });
    world.clock.moveTo(START + 3 * MINUTE);
    await next.sweep({}, await next.ports());
    expect(lines.map(({ message }) => message)).toContain("Schedule entry 'gone' is no longer declared; removed");
    expect(names(await next.schedules.list())).toEqual(['other']);
  });

  it('one that is stored too is told of, and an entry that cannot be read keeps nobody else from firing', async () => {
    const { app, world, note, lines, secondsOf } = beatWorld();
    await app.schedules.put('twice', { task: note.s('stored'), schedule: every('1h') });
    await world.schedules.write([{ name: 'broken', revision: 1, nextDueMs: START, document: '{"entry":1}' }]);
    app.beat({
      broken: { task: note.s(), schedule: every('90s') },
      twice: { task: note.s('code'), schedule: every('90s') },
      well: { task: note.s(), schedule: every('50s') },
    });
    await world.advance('2m');
    expect(secondsOf('well')).toEqual([50, 100]);
    const messages = lines.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(messages.join('\n')).toContain("The stored entry 'broken' cannot be read");
    expect(messages.join('\n')).toContain(
      "'twice' is declared in code and stored too; only the stored one fires. Delete the stored one, or rename one.",
    );
    await app.schedules.delete('twice');
    await world.advance('10m');
    expect(await app.schedules.get('twice')).toMatchObject({ source: 'code', task: { args: ['code'] } });
    expect(secondsOf('twice').length).toBeGreaterThan(2);
  });
});
