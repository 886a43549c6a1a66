/** An entry under another name, and one that its code decides over again. */
import { Celeriac, clocked, every, InvalidSchedule, ScheduleConflict, ScheduleNotFound, silentLogger } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { beatWorld, MINUTE, START } from '../support/beat-world.ts';
import { dying, newCrashLog, tapped } from '../support/port-taps.ts';

const all = (...lists: readonly number[][]): number[] => lists.flat().toSorted((left, right) => left - right);
const every10s = (until: number): number[] => Array.from({ length: until / 10 }, (_, index) => (index + 1) * 10);

describe('rename', () => {
  it('goes on where the old entry was: its counts, its phase, and what that had sent ahead', async () => {
    const { app, world, note, secondsOf, runs } = beatWorld();
    await app.schedules.put('old', { task: note.s(7), schedule: every('10s'), description: 'kept' });
    await world.advance('94s');
    const renamed = await app.schedules.rename('old', 'new', { by: 'ada' });
    expect(renamed).toMatchObject({
      name: 'new',
      description: 'kept',
      enabled: true,
      totalRunCount: 9,
      lastRunAt: new Date(START + 90_000),
      changedBy: 'ada',
      nextTicks: [100, 110, 120].map((second) => new Date(START + second * 1000)),
    });
    expect(await app.schedules.get('old')).toBeUndefined();
    await world.advance('206s');
    expect([secondsOf('old'), secondsOf('new')]).toEqual([every10s(90), every10s(300).slice(9)]);
    expect(runs.every(({ args }) => args[0] === 7)).toBe(true);
    expect(await app.schedules.get('new')).toMatchObject({ totalRunCount: 30, lastRunId: runs.at(-1)?.id });
  });

  it('keeps one that does not fire as it is, and one that has run its course', async () => {
    const { app, world, note, secondsOf } = beatWorld();
    await app.schedules.put('off', { task: note.s(), schedule: every('10s'), enabled: false });
    await app.schedules.put('once', { task: note.s(), schedule: clocked(new Date(START + MINUTE)) });
    await world.advance('5m');
    expect(await app.schedules.rename('off', 'still-off')).toMatchObject({ enabled: false, totalRunCount: 0 });
    expect(await app.schedules.rename('once', 'twice')).toMatchObject({ enabled: false, totalRunCount: 1 });
    await world.advance('5m');
    expect([secondsOf('once'), secondsOf('twice'), secondsOf('still-off')]).toEqual([[60], [], []]);
  });

  it('a one-off whose only tick is on its way runs once, under the new name', async () => {
    const { app, world, note, secondsOf } = beatWorld();
    await app.schedules.put('once', { task: note.s(), schedule: clocked(new Date(START + MINUTE)) });
    await world.advance('30s');
    await app.schedules.rename('once', 'renamed');
    await world.advance('5m');
    expect([secondsOf('once'), secondsOf('renamed')]).toEqual([[], [60]]);
  });

  it('is refused where the new name is taken, the old one is not there, is the same, declared, or was changed', async () => {
    const { app, note } = beatWorld((task) => ({ declared: { task: task.s(), schedule: every('10s') } }));
    await app.schedules.put('old', { task: note.s(), schedule: every('1h') });
    await app.schedules.put('taken', { task: note.s(), schedule: every('1h') });
    const before = await app.schedules.list();
    await expect(app.schedules.rename('old', 'taken')).rejects.toThrow(ScheduleConflict);
    await expect(app.schedules.rename('nothing', 'new')).rejects.toThrow(ScheduleNotFound);
    await expect(app.schedules.rename('old', 'old')).rejects.toThrow(InvalidSchedule);
    await expect(app.schedules.rename('declared', 'new')).rejects.toThrow(InvalidSchedule);
    await expect(app.schedules.rename('old', 'new', { version: 1 })).rejects.toThrow(ScheduleConflict);
    await expect(app.schedules.rename('old', 'new', { by: '' })).rejects.toThrow('by of the change');
    expect(await app.schedules.list()).toEqual(before);
  });

  it('that somebody else overtakes leaves the old entry as they made it, and no copy', async () => {
    const { app, world, note } = beatWorld();
    await app.schedules.put('old', { task: note.s(), schedule: every('1h') });
    let written = 0;
    const slow = new Celeriac('test', { logger: silentLogger }).use(
      tapped(world.ports, async (call, go) => {
        const answer = await go();
        if (call === 'schedules.write' && ++written === 1)
          await app.schedules.update('old', { description: 'quicker' });
        return answer;
      }),
    );
    await expect(slow.schedules.rename('old', 'new')).rejects.toThrow(ScheduleConflict);
    const left = await app.schedules.list();
    expect(left.map(({ name, description, enabled }) => [name, description, enabled])).toEqual([
      ['old', 'quicker', true],
    ]);
  });

  it('whose process dies at any call leaves no tick that fires twice, and never nothing', async () => {
    const ways = new Set<string>();
    for (const when of ['before', 'after'] as const)
      for (let call = 1, isOver = false; !isOver; call += 1) {
        const { app, world, note, secondsOf } = beatWorld();
        await app.schedules.put('old', { task: note.s(), schedule: every('10s') });
        await world.advance('25s');
        const log = newCrashLog();
        const other = new Celeriac('test', { logger: silentLogger }).use(
          tapped(world.ports, dying({ call, when }, log)),
        );
        void other.schedules.rename('old', 'new').catch(() => undefined);
        await world.advance('5m');
        isOver = !log.crashed;
        const left = await app.schedules.list();
        const seconds = all(secondsOf('old'), secondsOf('new'));
        expect(seconds, `${when} ${call}`).toEqual([...new Set(seconds)]);
        expect(left.length).toBeGreaterThan(0);
        const firing = left.filter(({ enabled }) => enabled).map(({ name }) => name);
        ways.add(`${left.map(({ name }) => name).join()}: ${firing.join()}`);
        // It is finished by hand.
        const [one] = left;
        if (firing.length === 0 && one !== undefined)
          expect(await app.schedules.enable(one.name)).toMatchObject({ name: 'new' });
      }
    expect([...ways].toSorted()).toEqual(['new,old: old', 'new: ', 'new: new', 'old: old']);
  });
});

describe('followCode', () => {
  it.each([true, false])('gives an entry back to its code, which has it enabled: %s', async (enabled) => {
    const { app, world, secondsOf } = beatWorld((note) => ({
      tick: { task: note.s(), schedule: every('10s'), enabled },
    }));
    await world.advance('65s');
    await app.schedules[enabled ? 'disable' : 'enable']('tick', { by: 'ada' });
    expect(await app.schedules.get('tick')).toMatchObject({ enabled: !enabled, choice: !enabled, changedBy: 'ada' });
    await world.advance('60s');
    // A tool that does not know the code.
    const tool = new Celeriac('test', { logger: silentLogger }).use(world.ports);
    expect(await tool.schedules.followCode('tick', { by: 'bob' })).toMatchObject({
      enabled,
      choice: null,
      changedBy: 'bob',
    });
    await world.advance('60s');
    const on = (from: number, to: number): number[] => every10s(to).filter((second) => second > from);
    expect(secondsOf('tick')).toEqual(enabled ? [...on(0, 65), ...on(125, 185)] : on(65, 125));
    const before = await app.schedules.get('tick');
    expect(await tool.schedules.followCode('tick')).toEqual(before);
  });

  it('is for declared entries', async () => {
    const { app, note } = beatWorld();
    await app.schedules.put('stored', { task: note.s(), schedule: every('1h') });
    await expect(app.schedules.followCode('stored')).rejects.toThrow('no code says anything of it');
    await expect(app.schedules.followCode('gone')).rejects.toThrow(ScheduleNotFound);
  });

  it('knows what a later deployment says', async () => {
    const { app, world } = beatWorld((note) => ({ tick: { task: note.s(), schedule: every('10s') } }));
    await world.advance('65s');
    await app.schedules.disable('tick');
    await app.schedules.enable('tick');
    const next = new Celeriac('test', { logger: silentLogger }).use(world.ports);
    next.beat({ tick: { task: next.task('note', () => 0).s(), schedule: every('10s'), enabled: false } });
    await next.sweep({}, world.ports);
    expect(await next.schedules.get('tick')).toMatchObject({ enabled: true, choice: true });
    const tool = new Celeriac('test', { logger: silentLogger }).use(world.ports);
    expect(await tool.schedules.followCode('tick')).toMatchObject({ enabled: false, choice: null });
  });
});

it('who changed an entry is known until a deployment changes it', async () => {
  const { app, note } = beatWorld();
  await app.schedules.put('a', { task: note.s(), schedule: every('1h') }, { by: 'ada' });
  expect((await app.schedules.get('a'))?.changedBy).toBe('ada');
  await app.schedules.update('a', { description: 'x' });
  expect((await app.schedules.get('a'))?.changedBy).toBeNull();
  await app.schedules.disable('a', { by: 'eve' });
  const read = await app.schedules.get('a');
  expect(read?.changedBy).toBe('eve');
  if (read !== undefined) expect((await app.schedules.put('a', read)).changedBy).toBeNull();
});
