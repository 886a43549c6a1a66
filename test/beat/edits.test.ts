/** Edits of entries while ticks are overdue, on their way, or run by workers that read no revokes. */
import { Celeriac, clocked, crontab, every, InvalidOption, ScheduleConflict, type StoredSchedule } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { type BeatWorld, beatWorld, declareNote, MINUTE, START, withoutRepeats } from '../support/beat-world.ts';
import { type Tap, tapped } from '../support/port-taps.ts';

describe('an edit after an outage', () => {
  const EDITS = {
    description: (app: Celeriac) => app.schedules.update('tick', { description: 'corrected' }),
    deadline: (app: Celeriac) => app.schedules.update('tick', { startingDeadline: '1h' }),
    arguments: (app: Celeriac) => app.schedules.update('tick', { args: ['new'] }),
    end: (app: Celeriac) => app.schedules.update('tick', { expires: new Date(START + 24 * 60 * MINUTE) }),
    'a put of what was read': async (app: Celeriac) => {
      const read = await app.schedules.get('tick');
      if (read !== undefined) await app.schedules.put('tick', { ...read, description: 'corrected' });
    },
  } as const;

  it.each(Object.keys(EDITS) as (keyof typeof EDITS)[])('%s: what is overdue still runs, once', async (edit) => {
    for (const catchUp of ['one', 'all'] as const) {
      const { app, world, note, outage, runs } = beatWorld();
      await app.schedules.put('tick', { task: note.s('old'), schedule: every('10m'), catchUp });
      await world.advance('11m');
      outage.on = true;
      await world.advance('34m');
      await EDITS[edit](app);
      await world.advance('10s');
      outage.on = false;
      await world.advance('20m');
      expect(runs.map(({ scheduledMs }) => (scheduledMs - START) / MINUTE)).toEqual(
        catchUp === 'all' ? [10, 20, 30, 40, 50, 60] : [10, 40, 50, 60],
      );
      const texts = runs.filter(({ scheduledMs }) => scheduledMs > START + 11 * MINUTE).map(({ args }) => args[0]);
      expect(withoutRepeats(texts)).toEqual([edit === 'arguments' ? 'new' : 'old']);
      expect(await app.schedules.get('tick')).toMatchObject({ totalRunCount: runs.length });
    }
  });

  it('a clocked entry that an outage held up runs', async () => {
    const { app, world, note, outage, secondsOf } = beatWorld();
    await app.schedules.put('once', { task: note.s(), schedule: clocked(new Date(START + 10 * MINUTE)) });
    outage.on = true;
    await world.advance('20m');
    await app.schedules.update('once', { description: 'corrected' });
    outage.on = false;
    await world.advance('5m');
    expect(secondsOf('once')).toHaveLength(1);
  });

  it('another schedule, and a switch, are reckoned from now', async () => {
    const { app, world, note, outage, secondsOf } = beatWorld();
    await app.schedules.put('moved', { task: note.s(), schedule: every('10m'), catchUp: 'all' });
    await app.schedules.put('switched', { task: note.s(), schedule: every('10m'), catchUp: 'all' });
    outage.on = true;
    await world.advance('35m');
    await app.schedules.update('moved', { schedule: every('20m') });
    await app.schedules.disable('switched');
    await app.schedules.enable('switched');
    outage.on = false;
    await world.advance('21m');
    expect([secondsOf('moved'), secondsOf('switched')]).toEqual([[55 * 60], [2400, 3000]]);
  });
});

describe('an edit that changes neither schedule nor message', () => {
  it('sends nothing again, and takes nothing back', async () => {
    const { app, world, note, runs } = beatWorld();
    await app.schedules.put('tick', { task: note.s(1), schedule: every('10s') });
    await world.advance('65s');
    const sent: string[] = [];
    const editor = new Celeriac('test').use(
      tapped(world.ports, (call, go) => {
        sent.push(call);
        return go();
      }),
    );
    declareNote(editor, [], () => 0);
    await editor.schedules.update('tick', { description: 'told' });
    expect(sent.filter((call) => call === 'backend.revoke' || call === 'broker.send')).toEqual([]);
    await world.advance('2m');
    expect(runs).toHaveLength(18);
  });

  it('a one-off whose tick is on its way runs, and an edit of its arguments reaches it', async () => {
    const { app, world, note, runs } = beatWorld();
    for (const name of ['told', 'changed', 'off'])
      await app.schedules.put(name, { task: note.s('old'), schedule: clocked(new Date(START + 90_000)) });
    await world.advance('61s');
    expect(await app.schedules.get('told')).toMatchObject({ enabled: true, nextTicks: [new Date(START + 90_000)] });
    await app.schedules.update('told', { description: 'told' });
    await app.schedules.update('changed', { args: ['new'] });
    await app.schedules.disable('off');
    await world.advance('5m');
    expect(runs.map(({ entry, args }) => `${entry} ${String(args[0])}`).toSorted()).toEqual([
      'changed new',
      'told old',
    ]);
    for (const name of ['told', 'changed', 'off'])
      expect(await app.schedules.get(name)).toMatchObject({ enabled: false, nextTicks: [] });
  });
});

interface Sent {
  readonly atMs: number;
  readonly scheduledMs: number;
}

/** Notes what reaches Celery's workers, and when. */
function noting(sent: Sent[], nowMs: () => number): Tap {
  return (call, go, args) => {
    const messages = call === 'broker.send' ? (args[0] as Parameters<Ports['broker']['send']>[0]) : [];
    for (const { queue, body, delaySeconds = 0 } of messages) {
      if (queue !== 'celery') continue;
      const { scheduled } = decodeMessage(body).celeriac['beat'] as { readonly scheduled: string };
      sent.push({ atMs: nowMs() + delaySeconds * 1000, scheduledMs: Date.parse(scheduled) });
    }
    return go();
  };
}

/** A world with a queue of Celery's workers. */
function pythonWorld(): BeatWorld & { readonly sent: Sent[]; readonly tap: Tap } {
  const sent: Sent[] = [];
  const tap = noting(sent, () => made.world.clock.nowMs());
  const queues = { default: {}, celery: { external: true } } as const;
  const made = beatWorld(() => ({}), { queues }, { wrapPorts: (ports) => tapped(ports, tap) });
  made.app.use(tapped(made.world.ports, tap));
  return { ...made, sent, tap };
}

describe('an entry whose task runs in Python', () => {
  const entry = { task: 'proj.note', args: [1], customTask: true, options: { queue: 'celery' } } as const;

  it('a sweep sends what is due before the next one, in time', async () => {
    const { app, world, sent } = pythonWorld();
    await app.schedules.put('tick', { ...entry, schedule: every('10s') });
    await world.advance('5m');
    expect(sent.every(({ atMs, scheduledMs }) => atMs === scheduledMs)).toBe(true);
    expect(sent.map(({ scheduledMs }) => (scheduledMs - START) / 1000)).toEqual(
      Array.from({ length: 37 }, (_, index) => (index + 1) * 10),
    );
  });

  const EDITS = [
    (app: Celeriac, turn: number) => app.schedules.update('tick', { description: `edit ${turn}` }),
    (app: Celeriac, turn: number) => app.schedules.update('tick', { args: [turn] }),
    (app: Celeriac, turn: number) => app.schedules.update('tick', { options: { expires: 100 + turn } }),
    (app: Celeriac, turn: number) =>
      app.schedules.update('tick', { schedule: turn % 2 === 0 ? every('10s') : crontab({ minute: '*' }) }),
    (app: Celeriac) => app.schedules.disable('tick'),
    (app: Celeriac) => app.schedules.enable('tick'),
    (app: Celeriac, turn: number) =>
      app.schedules.put('tick', { ...entry, args: ['put', turn], schedule: every('15s') }),
    async (app: Celeriac) => {
      await app.schedules.delete('tick');
      return app.schedules.put('tick', { ...entry, schedule: every('20s') });
    },
  ] as const;

  it('whatever is edited, and when: no instant is sent twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: EDITS.length - 1 }), fc.integer({ min: 1, max: 100 })), {
          minLength: 1,
          maxLength: 8,
        }),
        async (edits) => {
          const { app, world, sent } = pythonWorld();
          await app.schedules.put('tick', { ...entry, schedule: every('10s') });
          for (const [turn, [edit, seconds]] of edits.entries()) {
            await world.advance(seconds);
            await EDITS[edit]?.(app, turn);
          }
          await app.schedules.disable('tick');
          const before = sent.length;
          const endMs = world.clock.nowMs();
          await world.advance('10m');
          const instants = sent.map(({ scheduledMs }) => scheduledMs);
          expect(withoutRepeats(instants)).toHaveLength(instants.length);
          expect(sent).toHaveLength(before);
          expect(Math.max(0, ...instants)).toBeLessThanOrEqual(endMs + 75_000);
        },
      ),
      { numRuns: 100, seed: 3 },
    );
  });

  it('an edit that meets a sweep: what the sweep has sent is not sent again', async () => {
    const { app, world, sent, tap } = pythonWorld();
    await app.schedules.put('tick', { ...entry, schedule: every('10s') });
    await world.advance('59s');
    world.clock.moveTo(START + 2 * MINUTE);
    let edited = false;
    await app.sweep(
      {},
      tapped(tapped(world.ports, tap), async (call, go) => {
        if (call === 'schedules.write' && !edited) {
          edited = true;
          await app.schedules.update('tick', { enabled: false });
          await app.schedules.update('tick', { enabled: true, description: 'told' });
        }
        return go();
      }),
    );
    expect(edited).toBe(true);
    await world.advance('3m');
    const late = sent.map(({ scheduledMs }) => scheduledMs).filter((ms) => ms > START + 3.5 * MINUTE);
    expect(late.length).toBeGreaterThan(5);
    expect(withoutRepeats(late)).toHaveLength(late.length);
  });

  it('a task that is idempotent looks at no revoke either: its ticks are not doubled', async () => {
    const { app, world, runs } = beatWorld();
    const times: number[] = [];
    const plain = app.task('plain', { idempotent: true }, () => void times.push(world.clock.nowMs() - START));
    await app.schedules.put('tick', { task: plain.s(), schedule: every('10s') });
    await world.advance('65s');
    await app.schedules.update('tick', { options: { priority: 3 } });
    await world.advance('55s');
    expect(times.map((ms) => ms / 1000)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
    expect(runs).toEqual([]);
  });
});

describe('options of an entry', () => {
  it('are added, replaced and removed', async () => {
    const { app, note } = beatWorld();
    const options = async (entry: Promise<StoredSchedule>): Promise<unknown> => (await entry).task.options;
    const put = app.schedules.put('a', {
      task: note.s(1),
      schedule: every('1h'),
      options: { priority: 3, expires: 60 },
    });
    expect(await options(put)).toEqual({ priority: 3, expires: 60 });
    expect(await options(app.schedules.update('a', { options: { expires: null } }))).toEqual({ priority: 3 });
    expect(await options(app.schedules.update('a', { options: { softTimeLimit: 5, priority: null } }))).toEqual({
      soft_time_limit: 5,
    });
    expect(
      await options(app.schedules.update('a', { options: { softTimeLimit: null, retryPolicy: null, link: null } })),
    ).toEqual({});
    await app.schedules.update('a', { options: { queue: 'default', shadow: 'x' } });
    expect(await options(app.schedules.update('a', { options: null }))).toEqual({});
    await expect(app.schedules.update('a', { options: { nonsense: null } as object })).rejects.toThrow(
      "'nonsense' is no option",
    );
    await expect(app.schedules.update('a', { options: { eta: null } as object })).rejects.toThrow(
      'every tick has its own',
    );
    expect(
      await options(app.schedules.put('b', { task: 'note', schedule: every('1h'), options: { priority: null } })),
    ).toEqual({});
  });
});

describe('of several people', () => {
  it('createOnly: one of them makes it', async () => {
    const { app, note } = beatWorld((note) => ({ declared: { task: note.s(), schedule: every('90s') } }));
    const entry = (text: string) => ({ task: note.s(text), schedule: every('1h') });
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c'].map((text) => app.schedules.put('new', entry(text), { createOnly: true })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toBeInstanceOf(ScheduleConflict);
        expect((outcome.reason as Error).message).toMatch(
          /^Schedule entry 'new' exists already, in version \d+\. Choose/,
        );
      }
    await expect(app.schedules.put('declared', entry('x'), { createOnly: true })).rejects.toThrow('declared in code');
    await app.schedules.delete('new');
    expect(await app.schedules.put('new', entry('again'), { createOnly: true })).toMatchObject({
      task: { args: ['again'] },
    });
    await expect(app.schedules.put('new', entry('x'), { createOnly: true, version: 1 })).rejects.toThrow(InvalidOption);
    await expect(app.schedules.put('new', entry('x'), { ifAbsent: true } as object)).rejects.toThrow(
      "'ifAbsent' is no option. Allowed are by, createOnly, version.",
    );
  });

  it('a version: update, enable, disable and delete change what was read, and nothing else', async () => {
    const { app, note } = beatWorld((note) => ({ declared: { task: note.s(), schedule: every('90s') } }));
    const first = await app.schedules.put('tick', { task: note.s(1), schedule: every('1h') });
    const { version } = await app.schedules.update('tick', { description: 'mine' }, { version: first.version });
    const old = { version: first.version };
    for (const change of [
      () => app.schedules.update('tick', { description: 'theirs' }, old),
      () => app.schedules.enable('tick', old),
      () => app.schedules.disable('tick', old),
      () => app.schedules.delete('tick', old),
      () => app.schedules.put('tick', { task: note.s(2), schedule: every('1h') }, old),
    ])
      await expect(change()).rejects.toThrow(
        `Schedule entry 'tick' was changed by somebody else meanwhile. Version ${first.version} was read, ${version} is stored. Read it again and repeat the change.`,
      );
    expect(await app.schedules.get('tick')).toMatchObject({ description: 'mine', enabled: true, version });
    const together = await Promise.allSettled([
      app.schedules.disable('tick', { version }),
      app.schedules.update('tick', { description: 'both' }, { version }),
    ]);
    expect(together.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { version: last } = (await app.schedules.get('tick')) ?? first;
    await app.schedules.delete('tick', { version: last });
    expect(await app.schedules.get('tick')).toBeUndefined();
    const declared = await app.schedules.get('declared');
    await app.schedules.disable('declared', { version: declared?.version ?? -1 });
    await expect(app.schedules.enable('declared', { version: declared?.version ?? -1 })).rejects.toThrow(
      ScheduleConflict,
    );
    await expect(app.schedules.enable('declared', { version: '1' as never })).rejects.toThrow(InvalidOption);
  });

  it('a put of what was read under another name is a copy, and replaces nothing', async () => {
    const { app, note } = beatWorld();
    const read = await app.schedules.put('old', { task: note.s(1), schedule: every('1h') });
    expect(await app.schedules.put('new', { ...read, description: 'renamed' })).toMatchObject({
      name: 'new',
      description: 'renamed',
    });
    await app.schedules.delete('old');
    await app.schedules.put('other', { task: note.s(2), schedule: every('1h') });
    await expect(app.schedules.put('other', read)).rejects.toThrow(
      /^Schedule entry 'other' exists already, in version \d+\. What was read as 'old' would replace it\. Choose another name, or change that entry\.$/,
    );
    expect(await app.schedules.get('other')).toMatchObject({ task: { args: [2] } });
  });

  it("load({ mode: 'once' }) keeps what somebody stores while it runs", async () => {
    const { app, world, note } = beatWorld();
    let stored = false;
    const loader = new Celeriac('test').use(
      tapped(world.ports, async (call, go) => {
        const answer = await go();
        if (call === 'schedules.read' && !stored) {
          stored = true;
          await app.schedules.put('a', { task: note.s('theirs'), schedule: every('1h') });
        }
        return answer;
      }),
    );
    declareNote(loader, [], () => 0);
    const fixture = { a: { task: 'note', args: ['mine'], schedule: 3600 }, b: { task: 'note', schedule: 3600 } };
    expect(await loader.schedules.load(fixture)).toEqual({ stored: ['b'], kept: ['a'] });
    expect(await app.schedules.get('a')).toMatchObject({ task: { args: ['theirs'] } });
  });
});

describe('runNow', () => {
  it('runs now, whatever countdown its ticks have', async () => {
    const { app, world, note, runs } = beatWorld();
    const result = await app.schedules
      .put('later', { task: note.s(7), schedule: every('1d'), options: { countdown: '1h', expires: 30 } })
      .then(() => app.schedules.runNow('later'));
    await world.run();
    expect(runs.map(({ atMs }) => atMs)).toEqual([START]);
    expect(await result.state()).toBe('SUCCESS');
  });
});
