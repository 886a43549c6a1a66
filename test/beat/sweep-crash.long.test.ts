/**
 * Processes that end between any two port calls, and processes that meet: whatever a sweep or an edit
 * leaves behind, the next sweep finishes. Each tick runs once, and what an edit took back does not run.
 */
import { Celeriac, clocked, crontab, every } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import {
  type BeatWorld,
  beatWorld,
  dueOf,
  declareNote,
  MINUTE,
  type Run,
  START,
  withoutRepeats,
} from '../support/beat-world.ts';
import {
  counting,
  type Crash,
  type CrashLog,
  dying,
  newCrashLog,
  NO_CRASH,
  tapped,
  Turns,
} from '../support/port-taps.ts';

const QUEUES = { default: {}, orders: { fifo: true } } as const;

/** Runs by tick: what a crash must neither lose nor repeat. */
function ticksOf(runs: readonly Run[]): string[] {
  return runs.map(({ entry, scheduledMs }) => `${entry} ${(scheduledMs - START) / 1000}`).toSorted();
}

// The first to be invoked in a minute is the sweeper; at the other instant nothing is due but a tick of a FIFO queue.
const SWEEP_MS = START + 3 * MINUTE;
const WAKE_UP_MS = START + 175_000;

function everyKind(crash: Crash, log: CrashLog, atMs: number = SWEEP_MS): BeatWorld {
  let seen = false;
  const made = beatWorld(
    (note) => ({
      often: { task: note.s(), schedule: every('10s') },
      zoned: { task: note.s(), schedule: crontab({ minute: '*' }, { timezone: 'Asia/Kolkata' }) },
      ordered: { task: note.s(), schedule: every('25s'), options: { queue: 'orders' } },
      later: { task: note.s(), schedule: every('40s'), options: { countdown: '16m' } },
      once: { task: note.s(), schedule: clocked(new Date(START + 4 * MINUTE)) },
      ends: { task: note.s(), schedule: every('30s'), expires: new Date(START + 4.5 * MINUTE) },
      all: { task: note.s(), schedule: every('45s'), catchUp: 'all' },
    }),
    { queues: QUEUES },
    {
      patienceMs: 0,
      wrapPorts: (ports) => {
        if (seen || made.world.clock.nowMs() !== atMs) return ports;
        seen = true;
        return tapped(ports, dying(crash, log));
      },
    },
  );
  return made;
}

describe('a sweep that ends anywhere', () => {
  it.each([
    [
      'every minute',
      SWEEP_MS,
      ['schedules.eachDue', 'schedules.read', 'broker.send', 'timers.put', 'schedules.write', 'timers.eachDue'],
    ],
    ['for a wake-up', WAKE_UP_MS, ['timers.eachDue', 'broker.send', 'timers.remove']],
  ])(
    '%s: every tick arrives and runs once, whatever call was the last',
    async (_, atMs, expected) => {
      const play = async (crash: Crash): Promise<{ ticks: string[]; calls: string[] }> => {
        const log = newCrashLog();
        const { world, runs } = everyKind(crash, log, atMs);
        await world.advance('22m');
        expect(log.crashed, `${crash.when} call ${crash.call}`).toBe(crash.call > 0);
        expect(withoutRepeats(runs.map(({ id }) => id))).toHaveLength(runs.length);
        return { ticks: ticksOf(runs), calls: log.calls };
      };
      const uninterrupted = await play(NO_CRASH);
      expect(new Set(uninterrupted.calls)).toEqual(new Set(expected));
      for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
        for (const when of ['before', 'after'] as const)
          expect((await play({ call, when })).ticks, `${when} call ${call}, ${uninterrupted.calls[call - 1]}`).toEqual(
            uninterrupted.ticks,
          );
      }
    },
    120_000,
  );

  it('the very first sweep too, which makes the entries', async () => {
    const play = async (crash: Crash): Promise<{ ticks: string[]; calls: number }> => {
      const log = newCrashLog();
      let seen = false;
      const { world, runs, app } = beatWorld(
        (note) => ({
          zoned: { task: note.s(), schedule: crontab({ minute: '*/5' }, { timezone: 'Asia/Kolkata' }) },
          daily: { task: note.s(), schedule: crontab({ minute: '*/7' }) },
        }),
        {},
        {
          patienceMs: 0,
          wrapPorts: (ports) => (seen ? ports : ((seen = true), tapped(ports, dying(crash, log)))),
        },
      );
      await world.advance('1s');
      // The process is gone; another one begins anew.
      if (crash.call > 0) {
        const next = sibling(app, []);
        next.app.use(world.ports);
        await next.app.sweep({}, world.ports);
      }
      await world.advance('30m');
      return { ticks: ticksOf(runs), calls: log.calls.length };
    };
    const uninterrupted = await play(NO_CRASH);
    expect(uninterrupted.ticks).toHaveLength(10);
    for (let call = 1; call <= uninterrupted.calls; call += 1)
      for (const when of ['before', 'after'] as const)
        expect((await play({ call, when })).ticks, `${when} call ${call}`).toEqual(uninterrupted.ticks);
  });
});

describe('a sweep whose sends fail', () => {
  it('leaves the entry where it was, and the timers of others go out', async () => {
    let broken = false;
    const { app, world, runs, lines, note } = beatWorld(
      (note) => ({ zoned: { task: note.s('tick'), schedule: crontab({ minute: 30 }, { timezone: 'Asia/Tokyo' }) } }),
      {},
      {
        wrapPorts: (ports) =>
          tapped(ports, (call, go) =>
            broken && call.startsWith('schedules') ? Promise.reject(new Error('throttled')) : go(),
          ),
      },
    );
    await note.applyAsync(['timer'], { countdown: '29m' });
    await world.advance('20m');
    broken = true;
    await world.advance('9m');
    expect(runs.map(({ args }) => args)).toEqual([['timer']]);
    broken = false;
    await world.advance('5m');
    expect(runs.map(({ args, atMs }) => [...args, (atMs - START) / MINUTE])).toEqual([
      ['timer', 29],
      ['tick', 30],
    ]);
    expect(await app.schedules.get('zoned')).toMatchObject({ lastError: null, totalRunCount: 1 });
    expect(lines.some(({ level, message }) => level === 'error' && message.includes('throttled'))).toBe(true);
  });

  it('a refused message is sent by the next sweep', async () => {
    let refuse = true;
    const { world, runs } = beatWorld(
      (note) => ({ zoned: { task: note.s(), schedule: crontab({ minute: 30 }, { timezone: 'Asia/Tokyo' }) } }),
      {},
      {
        wrapPorts: (ports) =>
          tapped(ports, (call, go) => {
            if (call !== 'broker.send' || !refuse) return go();
            refuse = false;
            return Promise.resolve([{ ok: false, code: 'Throttled', message: 'slow down', retryable: true }]);
          }),
      },
    );
    await world.advance('31m');
    expect(refuse).toBe(false);
    expect(runs.map(({ atMs }) => (atMs - START) / MINUTE)).toEqual([30]);
  });
});

describe('a sweep of many entries at once', () => {
  it('of what could not be sent the entry stays where it was, and the others go on', async () => {
    const refused = new Set(['tick-7', 'tick-130']);
    let sends = 0;
    const { app, world, runs, note } = beatWorld(
      () => ({}),
      {},
      {
        wrapPorts: (ports) =>
          tapped(ports, async (call, go, args) => {
            const answer = await go();
            if (call !== 'broker.send' || sends >= 2) return answer;
            sends += 1;
            const messages = args[0] as Parameters<typeof ports.broker.send>[0];
            return (answer as Awaited<ReturnType<typeof ports.broker.send>>).map((outcome, index) =>
              refused.has(String(decodeMessage(messages[index]?.body ?? '').args[0]))
                ? { ok: false, code: 'Throttled', message: 'slow down', retryable: true }
                : outcome,
            );
          }),
      },
    );
    const entries = Array.from({ length: 150 }, (_, index) => `tick-${index}`);
    await app.schedules.load(Object.fromEntries(entries.map((name) => [name, { task: note.s(name), schedule: 600 }])));
    await world.advance('510s');
    const due = (await world.schedules.read(entries)).map((item) => (item?.nextDueMs ?? 0) - START);
    expect(due.filter((ms) => ms === 10 * MINUTE)).toHaveLength(2);
    expect(due.filter((ms) => ms === 20 * MINUTE)).toHaveLength(148);
    await world.advance('150s');
    // They had been sent, and only the answers said otherwise: they run once all the same.
    expect(runs.map(({ entry }) => entry).toSorted()).toEqual(entries.toSorted());
    expect(await app.schedules.get('tick-7')).toMatchObject({ totalRunCount: 1 });
  });
});

/** Another process of the same service: an API handler or a second sweeper. */
function sibling(app: Celeriac, runs: Run[]): { app: Celeriac } {
  const other = new Celeriac(app.name, { resultExpires: '1d' });
  const note = declareNote(other, runs, () => other.clock.nowMs());
  if (app.manifest().beat.some(({ name }) => name === 'daily'))
    other.beat({
      zoned: { task: note.s(), schedule: crontab({ minute: '*/5' }, { timezone: 'Asia/Kolkata' }) },
      daily: { task: note.s(), schedule: crontab({ minute: '*/7' }) },
    });
  return { app: other };
}

describe('two sweepers at once', () => {
  it('any order of their calls: each tick once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 1 }), { minLength: 40, maxLength: 40 }), async (choices) => {
        const { app, world, runs, note } = beatWorld();
        await app.schedules.put('often', { task: note.s(), schedule: every('10s') });
        await app.schedules.put('all', { task: note.s(), schedule: every('50s'), catchUp: 'all' });
        await world.advance('3m');
        const turns = new Turns();
        world.clock.moveTo(world.clock.nowMs() + 2 * MINUTE);
        const sweeps = [0, 1].map((process) => app.sweep({}, tapped(world.ports, turns.tap(process))));
        for (let step = 0; ; step += 1) {
          await world.clock.nextTurn();
          if (!turns.step((waiting) => waiting[(choices[step % choices.length] ?? 0) % waiting.length] ?? 0)) break;
        }
        await Promise.all(sweeps);
        await world.advance('5m');
        expect(withoutRepeats(runs.map(({ id }) => id))).toHaveLength(runs.length);
        expect(withoutRepeats(ticksOf(runs))).toHaveLength(runs.length);
        expect(runs.filter(({ entry }) => entry === 'all').map(({ scheduledMs }) => scheduledMs - START)).toEqual(
          Array.from({ length: 12 }, (_, index) => (index + 1) * 50_000),
        );
      }),
      { numRuns: 60, seed: 5 },
    );
  });
});

const EDITS = {
  put: (app: Celeriac) => app.schedules.put('often', { task: 'note', args: ['new'], schedule: every('10s') }),
  update: (app: Celeriac) => app.schedules.update('often', { task: 'note', args: ['new'] }),
  disable: (app: Celeriac) => app.schedules.disable('often'),
  delete: (app: Celeriac) => app.schedules.delete('often'),
} as const;
type Edit = keyof typeof EDITS;
const EDIT_NAMES = Object.keys(EDITS) as Edit[];

describe('a sweeper against an edit', () => {
  it.each(EDIT_NAMES)('%s: from its end on nothing of the old entry runs, and nothing twice', async (edit) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { minLength: 60, maxLength: 60 }), async (choices) => {
        const { app, world, runs, note } = beatWorld();
        await app.schedules.put('often', { task: note.s('old'), schedule: every('10s') });
        await world.advance('2m');
        await world.advance('5s');
        const turns = new Turns();
        const editor = sibling(app, runs).app;
        editor.use(tapped(world.ports, turns.tap(1)));
        let editedMs = Number.POSITIVE_INFINITY;
        const work = [
          app.sweep({}, tapped(world.ports, turns.tap(0))),
          EDITS[edit](editor).then(() => (editedMs = world.clock.nowMs())),
        ];
        for (let step = 0; ; step += 1) {
          await world.clock.nextTurn();
          const choice = choices[step % choices.length] ?? 0;
          // Now and then time goes on, and with it everybody else.
          if (choice === 4 && step < choices.length) await world.advance('7s');
          else if (!turns.step((waiting) => waiting[choice % waiting.length] ?? 0)) break;
        }
        await Promise.all(work);
        await world.advance('6m');
        const after = runs.filter(({ atMs }) => atMs > editedMs);
        expect(after.filter(({ args }) => args[0] === 'old')).toEqual([]);
        if (edit === 'disable' || edit === 'delete') expect(after).toEqual([]);
        else expect(after.length).toBeGreaterThanOrEqual(30);
        expect(withoutRepeats(ticksOf(runs))).toHaveLength(runs.length);
      }),
      { numRuns: 80, seed: 11 },
    );
  });
});

describe('an edit that ends anywhere', () => {
  const play = async (
    edit: Edit,
    crash: Crash,
    repeat: boolean,
  ): Promise<{ runs: Run[]; calls: string[]; editedMs: number }> => {
    const { app, world, runs, note } = beatWorld();
    await app.schedules.put('often', { task: note.s('old'), schedule: every('10s') });
    await world.advance('3m');
    await world.advance('35s');
    const log = newCrashLog();
    const editor = sibling(app, runs).app;
    editor.use(tapped(world.ports, dying(crash, log)));
    void EDITS[edit](editor);
    for (let turn = 0; turn < 40; turn += 1) await world.clock.nextTurn();
    if (repeat) {
      editor.use(world.ports);
      await EDITS[edit](editor).catch(() => {});
    }
    const editedMs = world.clock.nowMs();
    await world.advance('6m');
    return { runs, calls: log.calls, editedMs };
  };

  it.each(EDIT_NAMES)('%s: done or not done, and no tick twice or lost', async (edit) => {
    const uninterrupted = await play(edit, NO_CRASH, false);
    expect(uninterrupted.calls).toContain('schedules.write');
    for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const where = `${when} call ${call}, ${uninterrupted.calls[call - 1]}`;
        const { runs, editedMs } = await play(edit, { call, when }, false);
        expect(withoutRepeats(ticksOf(runs)), where).toHaveLength(runs.length);
        // From the next sweep on it is one or the other.
        const runsAfterEdit = runs.filter(({ atMs }) => atMs > editedMs + MINUTE);
        const kinds = withoutRepeats(runsAfterEdit.map(({ args }) => args[0]));
        expect(kinds.length, where).toBeLessThanOrEqual(1);
        expect(runsAfterEdit.length, where).toBe(kinds.length === 0 ? 0 : 30);
        // Between the edit and that sweep ticks may be missed, as in an outage; of those the newest comes late.
        const seconds = new Set(runs.map(({ scheduledMs }) => (scheduledMs - START) / 1000));
        const lost = Array.from({ length: 27 }, (_, index) => (index + 1) * 10).filter(
          (second) => !seconds.has(second),
        );
        expect(lost.every((second) => second > 215 && second < 240) || kinds.length === 0, where).toBe(true);
      }
    }
  });

  it.each(EDIT_NAMES)('%s, repeated by its caller: nothing of the old entry runs any more', async (edit) => {
    const { calls } = await play(edit, NO_CRASH, false);
    for (let call = 1; call <= calls.length; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const where = `${when} call ${call}, ${calls[call - 1]}`;
        const { runs, editedMs } = await play(edit, { call, when }, true);
        const after = runs.filter(({ atMs }) => atMs > editedMs);
        expect(
          after.filter(({ args }) => args[0] === 'old'),
          where,
        ).toEqual([]);
        expect(withoutRepeats(ticksOf(runs)), where).toHaveLength(runs.length);
      }
    }
  });

  it('a sweep that ended after it sent, then an edit: what nobody wrote down is taken back too', async () => {
    const { app, world, runs, note } = beatWorld();
    await app.schedules.put('often', { task: note.s('old'), schedule: every('10s') });
    await world.advance('3m');
    await world.advance('59s');
    world.clock.moveTo(START + 4 * MINUTE);
    const log = newCrashLog();
    void app.sweep({}, tapped(world.ports, dying({ call: 3, when: 'before' }, log)));
    for (let turn = 0; turn < 20; turn += 1) await world.clock.nextTurn();
    expect(log.calls.at(-1)).toBe('schedules.write');
    expect(log.calls).toContain('broker.send');
    await app.schedules.disable('often');
    await world.advance('10m');
    expect(runs.every(({ atMs }) => atMs <= START + 4 * MINUTE)).toBe(true);
    expect(withoutRepeats(ticksOf(runs))).toHaveLength(runs.length);
  });
});

describe('cost of a crash', () => {
  it('a calm sweep leaves no mark behind but the next', async () => {
    const { app, world, note } = beatWorld();
    await app.schedules.put('hourly', { task: note.s(), schedule: every('1h') });
    await world.advance('5h');
    expect(await dueOf(world.schedules, START + 100 * 3_600_000)).toEqual([['hourly', START + 6 * 3_600_000]]);
    const calls: string[] = [];
    await app.sweep({}, tapped(world.ports, counting(calls)));
    expect(calls.filter((call) => call.startsWith('schedules'))).toEqual(['schedules.eachDue']);
  });
});
