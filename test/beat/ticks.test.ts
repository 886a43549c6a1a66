/** When ticks run, and with what: swept entries and rules, on virtual time. year.long.test.ts: a whole year. */
import { clocked, crontab, currentTask, every, tickId } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { beatWorld, MINUTE, START, withoutRepeats } from '../support/beat-world.ts';

const at = (iso: string): number => Date.parse(iso) - START;

describe('sub-minute intervals', () => {
  it("every('10s') fires every ten seconds, from one interval after it is first seen", async () => {
    const { world, runs, secondsOf } = beatWorld((note) => ({ beat: { task: note.s(7), schedule: every('10s') } }));
    await world.advance('1h');
    expect(secondsOf('beat')).toEqual(Array.from({ length: 360 }, (_, index) => (index + 1) * 10));
    expect(withoutRepeats(runs.map(({ id }) => id))).toHaveLength(360);
    expect(runs[0]?.id).toBe(tickId('beat', START + 10_000));
    expect(runs.every((run) => run.scheduledMs === run.atMs && run.args[0] === 7)).toBe(true);
  });

  it('a world that starts between two minutes loses no tick', async () => {
    const { world, secondsOf } = beatWorld(
      (note) => ({ beat: { task: note.s(), schedule: every('7s') } }),
      {},
      { start: START + 13_000 },
    );
    await world.advance('10m');
    // The first sweep is at second 47 after the start: the interval counts from there.
    expect(secondsOf('beat')).toEqual(Array.from({ length: 79 }, (_, index) => 47 + (index + 1) * 7));
  });

  it('an interval in milliseconds is not early, and late by less than a second: SQS delays by whole seconds', async () => {
    const { world, runs } = beatWorld((note) => ({ beat: { task: note.s(), schedule: every(1.5) } }));
    await world.advance('5m');
    expect(runs.map(({ scheduledMs }) => scheduledMs - START)).toEqual(
      Array.from({ length: runs.length }, (_, index) => (index + 1) * 1500),
    );
    expect(runs.length).toBeGreaterThanOrEqual(199);
    for (const run of runs) {
      expect(run.atMs).toBeGreaterThanOrEqual(run.scheduledMs);
      expect(run.atMs - run.scheduledMs).toBeLessThan(1000);
    }
  });
});

describe('options of ticks', () => {
  it('countdown and expires count from the tick, wherever it was sent', async () => {
    const seen: { ranMs: number; eta: number | undefined; expires: number | undefined }[] = [];
    const { app, world } = beatWorld();
    app.task('look', () => {
      const { eta, expires } = currentTask().request;
      seen.push({ ranMs: world.clock.nowMs() - START, eta: eta?.getTime(), expires: expires?.getTime() });
    });
    app.beat({
      later: { task: 'look', schedule: every('1h'), options: { countdown: '90s', expires: '5m' } },
    });
    await world.advance('3h');
    expect(seen).toEqual(
      [3_600_000, 7_200_000].map((tick) => ({
        ranMs: tick + 90_000,
        eta: START + tick + 90_000,
        expires: START + tick + 300_000,
      })),
    );
  });

  it('queue, priority, headers, keyword arguments and the name of the entry arrive; nobody is the parent', async () => {
    const seen: Record<string, unknown>[] = [];
    const { app, world } = beatWorld(() => ({}), { queues: { default: {}, mail: {}, orders: { fifo: true } } });
    app.task('look', { params: ['x'] }, (x: unknown) => {
      const { headers, deliveryInfo, hops, parentId, id, rootId, kwargs } = currentTask().request;
      seen.push({ x, headers, queue: deliveryInfo.queue, hops, parentId, isRoot: id === rootId, kwargs });
    });
    const common = { task: 'look', kwargs: { x: 5 } };
    app.beat({
      rule: {
        ...common,
        schedule: every('30m'),
        options: { queue: 'mail', priority: 3, headers: { tenant: 'a' } },
      },
      swept: {
        ...common,
        schedule: crontab({ minute: 40 }, { timezone: 'Asia/Tokyo' }),
        options: { queue: 'mail', priority: 3, headers: { tenant: 'a' } },
      },
    });
    expect(app.manifest().beat.map(({ firedBy }) => firedBy)).toEqual(['rule', 'sweep']);
    await world.advance('50m');
    const expected = (name: string): unknown => ({
      x: 5,
      headers: { tenant: 'a', periodic_task_name: name },
      queue: 'mail',
      hops: 0,
      parentId: null,
      isRoot: true,
      kwargs: { x: 5 },
    });
    expect(seen).toMatchObject([expected('rule'), expected('swept')]);
  });

  it('a FIFO queue gets each tick at its second, in order', async () => {
    const { app, world, secondsOf } = beatWorld(
      (note) => ({ ordered: { task: note.s(), schedule: every('20s'), options: { queue: 'orders' } } }),
      { queues: { default: {}, orders: { fifo: true } } },
    );
    expect(app.manifest().beat[0]).toMatchObject({ firedBy: 'sweep', reason: 'seconds', queue: 'orders' });
    await world.advance('10m');
    expect(secondsOf('ordered')).toEqual(Array.from({ length: 30 }, (_, index) => (index + 1) * 20));
  });
});

describe('the span of an entry', () => {
  it('oneOff: one tick, then disabled', async () => {
    const { app, world, secondsOf } = beatWorld((note) => ({
      once: { task: note.s(), schedule: every('10m'), oneOff: true },
    }));
    await world.advance('1d');
    expect(secondsOf('once')).toEqual([600]);
    expect(await app.schedules.get('once')).toMatchObject({ enabled: false, totalRunCount: 1, nextTicks: [] });
  });

  it('clocked: at its instant, once, without saying oneOff', async () => {
    const { app, world, timesOf } = beatWorld((note) => ({
      launch: { task: note.s(), schedule: clocked('2030-02-01T10:00:30Z') },
    }));
    expect(await app.schedules.get('launch')).toMatchObject({
      oneOff: true,
      nextTicks: [new Date('2030-02-01T10:00:30Z')],
    });
    await world.advance('60d');
    expect(timesOf('launch')).toEqual([at('2030-02-01T10:00:30Z')]);
  });

  it('startTime: an interval fires at it and counts from it, a crontab at its first match from it on', async () => {
    const startTime = '2030-01-02T06:30:00Z';
    const { world, timesOf } = beatWorld((note) => ({
      interval: { task: note.s(), schedule: every('5h'), startTime },
      crontab: { task: note.s(), schedule: crontab({ minute: '0,30' }), startTime, expires: '2030-01-02T08:00:00Z' },
    }));
    await world.advance('2d');
    expect(timesOf('interval').slice(0, 3)).toEqual([
      at(startTime),
      at('2030-01-02T11:30:00Z'),
      at('2030-01-02T16:30:00Z'),
    ]);
    expect(timesOf('crontab')).toEqual(['06:30', '07:00', '07:30'].map((time) => at(`2030-01-02T${time}:00Z`)));
  });

  it('expires: no tick at or after it, and the entry is disabled', async () => {
    const { app, world, secondsOf } = beatWorld((note) => ({
      ends: { task: note.s(), schedule: every('60s'), expires: new Date(START + 5 * MINUTE) },
    }));
    await world.advance('1h');
    expect(secondsOf('ends')).toEqual([60, 120, 180, 240]);
    expect(await app.schedules.get('ends')).toMatchObject({ enabled: false, totalRunCount: 4 });
  });
});

describe('after an outage of the scheduler', () => {
  const berlin = { timezone: 'Europe/Berlin' } as const;

  it("catchUp 'one': the newest overdue tick fires once, and it goes on; a rule never stops", async () => {
    const { world, outage, runs, secondsOf } = beatWorld((note) => ({
      swept: { task: note.s(), schedule: crontab({ minute: '*/10' }, berlin) },
      rule: { task: note.s(), schedule: crontab({ minute: '*/10' }) },
    }));
    await world.advance('15m');
    outage.on = true;
    await world.advance('51m');
    outage.on = false;
    await world.advance('10m');
    // Overdue are 20, 30, 40, 50 and 60 minutes.
    expect(secondsOf('swept')).toEqual([600, 67 * 60, 70 * 60]);
    expect(runs.filter((run) => run.entry === 'swept')[1]?.scheduledMs).toBe(START + 60 * MINUTE);
    expect(secondsOf('rule')).toEqual([600, 1200, 1800, 2400, 3000, 3600, 4200]);
  });

  it("catchUp 'all': every overdue tick, in order", async () => {
    const { world, outage, runs } = beatWorld((note) => ({
      swept: { task: note.s(), schedule: crontab({ minute: '*/10' }, berlin), catchUp: 'all' },
    }));
    outage.on = true;
    await world.advance('66m');
    expect(runs).toEqual([]);
    outage.on = false;
    await world.advance('10m');
    expect(runs.map(({ scheduledMs }) => (scheduledMs - START) / MINUTE)).toEqual([10, 20, 30, 40, 50, 60, 70]);
    expect(withoutRepeats(runs.slice(0, 6).map(({ atMs }) => atMs))).toHaveLength(1);
  });

  it("catchUp 'all' after a day of seconds: all of them, however many sweeps that takes", async () => {
    const { world, outage, runs } = beatWorld((note) => ({
      seconds: { task: note.s(), schedule: every('20s'), catchUp: 'all' },
    }));
    outage.on = true;
    await world.advance('1d');
    outage.on = false;
    await world.advance('30m');
    expect(runs.map(({ scheduledMs }) => scheduledMs).toSorted((left, right) => left - right)).toEqual(
      Array.from({ length: 4320 + 90 }, (_, index) => START + (index + 1) * 20_000),
    );
  });

  it.each([
    ['5m', [70]],
    ['6m', [60, 70]],
  ] as const)('startingDeadline %s: an older overdue tick is left out', async (startingDeadline, ticks) => {
    const { world, outage, runs } = beatWorld((note) => ({
      swept: { task: note.s(), schedule: crontab({ minute: '*/10' }, berlin), startingDeadline },
    }));
    outage.on = true;
    await world.advance('65m');
    outage.on = false;
    await world.advance('10m');
    expect(runs.map(({ scheduledMs }) => (scheduledMs - START) / MINUTE)).toEqual(ticks);
  });

  it("startingDeadline with catchUp 'all': those that are not older", async () => {
    const { world, outage, runs } = beatWorld((note) => ({
      swept: {
        task: note.s(),
        schedule: crontab({ minute: '*/10' }, berlin),
        startingDeadline: '30m',
        catchUp: 'all',
      },
    }));
    outage.on = true;
    await world.advance('65m');
    outage.on = false;
    await world.advance('2m');
    expect(runs.map(({ scheduledMs }) => (scheduledMs - START) / MINUTE)).toEqual([40, 50, 60]);
  });

  it('a one-off that was overdue fires once', async () => {
    const { world, outage, runs } = beatWorld((note) => ({
      launch: { task: note.s(), schedule: clocked(new Date(START + 30 * MINUTE)) },
    }));
    outage.on = true;
    await world.advance('3h');
    outage.on = false;
    await world.advance('3h');
    expect(runs.map(({ scheduledMs, atMs }) => [scheduledMs - START, atMs - START])).toEqual([
      [30 * MINUTE, 181 * MINUTE],
    ]);
  });
});

describe('rules', () => {
  it('a doubled firing, seconds apart within its minute, runs once; the next minute is another tick', async () => {
    const { app, world, runs } = beatWorld((note) => ({ rule: { task: note.s(), schedule: crontab({ minute: 30 }) } }));
    const template = app.manifest().beat[0]?.template ?? '';
    const fire = (time: string): Promise<unknown> =>
      world.broker.send([{ queue: 'default', body: template.replaceAll('<time>', time) }]);
    await fire('2030-01-01T00:30:00Z');
    await world.advance(30 * 60 + 5);
    await fire('2030-01-01T00:30:07Z');
    await fire('2030-01-01T00:30:59Z');
    await world.advance('1m');
    expect(runs.map(({ id }) => id)).toEqual([tickId('rule', START + 30 * MINUTE)]);
    await fire('2030-01-01T00:31:00Z');
    await world.advance('1m');
    expect(runs.map(({ id }) => id)[1]).toBe(tickId('rule', START + 31 * MINUTE));
  });

  it('expires counts from the firing: a message that lay too long is revoked', async () => {
    const { app, world, runs } = beatWorld((note) => ({
      rule: { task: note.s(), schedule: crontab({ minute: '*/30' }), options: { expires: '10m' } },
    }));
    expect(app.manifest().beat[0]?.firedBy).toBe('rule');
    const template = app.manifest().beat[0]?.template ?? '';
    await world.advance('29m');
    const [stale, fresh] = ['2030-01-01T00:18:00Z', '2030-01-01T00:20:00Z'];
    for (const time of [stale, fresh])
      await world.broker.send([{ queue: 'default', body: template.replaceAll('<time>', time) }]);
    await world.run();
    expect(runs.map(({ scheduledMs }) => scheduledMs)).toEqual([Date.parse(fresh)]);
    expect(await app.result(tickId('rule', Date.parse(stale))).state()).toBe('REVOKED');
    await world.advance('2m');
    expect(runs).toHaveLength(2);
  });

  it('a disabled entry has a disabled rule', async () => {
    const { world, runs } = beatWorld((note) => ({ rule: { task: note.s(), schedule: every('1m'), enabled: false } }));
    await world.advance('1h');
    expect(runs).toEqual([]);
  });

  it('without rules at hand the same entry is swept, under the same ids', async () => {
    const ids: string[][] = [];
    for (const hasRules of [true, false]) {
      const { app, world, runs } = beatWorld(
        (note) => ({ daily: { task: note.s(), schedule: crontab({ minute: 0, hour: 4 }) } }),
        {},
        hasRules ? {} : { wrapPorts: ({ rules: _rules, ...ports }) => ports },
      );
      expect(app.manifest().beat[0]?.firedBy).toBe('rule');
      if (!hasRules) world.rules.deploy = () => {};
      await world.advance('3d');
      ids.push(runs.map(({ id }) => id));
    }
    expect(ids[0]).toHaveLength(3);
    expect(ids[1]).toEqual(ids[0]);
  });
});
