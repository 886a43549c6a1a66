/** What an edit makes of a stored entry, state by state: the boundaries that a world's clock rarely meets. */
import { every } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { changed, deleted, replaced, storedAnew } from '../../lib/beat/edit-state.ts';
import type { ScheduleEntry } from '../../lib/beat/entry.ts';
import { advance, firstState, type ScheduleState, stateOf } from '../../lib/beat/schedule-state.ts';
import { beatWorld, MINUTE, START } from '../support/beat-world.ts';

const NOW = START + 10 * MINUTE;

/** Every minute, stored at the start; the next tick is due at `NOW`, and those until then were sent. */
async function stored(change: Partial<ScheduleState> = {}): Promise<ScheduleState> {
  const { app, world } = beatWorld();
  await app.schedules.put('tick', { task: 'note', schedule: every('1m'), catchUp: 'all' });
  const [item] = await world.schedules.read(['tick']);
  if (item === undefined) throw new Error('no entry');
  return { ...stateOf(item), nextDueMs: NOW, emitted: [NOW - 2 * MINUTE, NOW - MINUTE], runCount: 7, ...change };
}

const slower = (entry: ScheduleEntry): ScheduleEntry => ({ ...entry, schedule: every('2m') });
const otherWords = (entry: ScheduleEntry): ScheduleEntry => ({
  ...entry,
  signature: { ...entry.signature, args: ['other words'] },
});

describe('another schedule', () => {
  it('is reckoned from now, and takes back what lies ahead; what is due at this very instant is not ahead', async () => {
    const state = await stored();
    const { recalled, emitted, anchorMs, nextDueMs, tickVersion, runCount, lastRunMs } = changed(
      state,
      slower(state.entry),
      NOW,
    );
    expect({ recalled, emitted, anchorMs, nextDueMs, runCount, lastRunMs }).toEqual({
      // A sweep looks two minutes ahead, and may have sent these two.
      recalled: [NOW + MINUTE, NOW + 2 * MINUTE].map((dueMs) => ({ version: state.tickVersion, dueMs })),
      emitted: [],
      anchorMs: NOW,
      nextDueMs: NOW + 2 * MINUTE,
      runCount: 9,
      lastRunMs: NOW - MINUTE,
    });
    expect(tickVersion).toBe(state.tickVersion + 1);
  });

  it('makes an entry live that had run its course, and forgets its error', async () => {
    const over = await stored({ over: true, nextDueMs: null, emitted: [], lastError: 'Busy' });
    expect(changed(over, slower(over.entry), NOW)).toMatchObject({
      over: false,
      lastError: null,
      nextDueMs: NOW + 2 * MINUTE,
      recalled: [],
    });
  });

  it('keeps what was to be taken back before', async () => {
    const earlier = { version: 3, dueMs: NOW - 1 };
    const state = await stored({ recalled: [earlier] });
    expect(changed(state, slower(state.entry), NOW).recalled[0]).toEqual(earlier);
  });
});

describe('other words of the same schedule', () => {
  it('keep what is overdue, this instant included, and take back what a sweep may have sent of it', async () => {
    const state = await stored();
    const { recalled, nextDueMs, anchorMs } = changed(state, otherWords(state.entry), NOW);
    expect(recalled.map(({ dueMs }) => dueMs)).toEqual([NOW, NOW + MINUTE, NOW + 2 * MINUTE]);
    expect({ nextDueMs, anchorMs }).toEqual({ nextDueMs: NOW, anchorMs: state.anchorMs });
  });

  it('of several overdue ones take back the newest, where it stands for all', async () => {
    const state = await stored({ nextDueMs: NOW - 3 * MINUTE, emitted: [] });
    const one: ScheduleState = { ...state, entry: { ...state.entry, catchUp: 'one' } };
    const dueOf = (each: ScheduleState): number[] =>
      changed(each, otherWords(each.entry), NOW).recalled.map(({ dueMs }) => dueMs);
    expect(dueOf(one)).toEqual([NOW, NOW + MINUTE, NOW + 2 * MINUTE]);
    expect(dueOf(state)).toEqual([-3, -2, -1, 0, 1, 2].map((minutes) => NOW + minutes * MINUTE));
  });

  it('leave alone what nobody can take back', async () => {
    const state = await stored({ lastError: 'Busy' });
    const irrevocable = changed(state, otherWords(state.entry), NOW, { irrevocable: true });
    const { entry: _entry, ...kept } = state;
    expect(irrevocable).toMatchObject({ ...kept, version: state.version + 1, changedMs: NOW, lastError: null });
  });
});

describe('an edit that changes neither', () => {
  it('changes nothing but what it says', async () => {
    const state = await stored({ lastError: 'Busy', over: true, choice: null });
    const edited = changed(state, { ...state.entry, description: 'for the morning' } as ScheduleEntry, NOW);
    expect(edited).toEqual({
      ...state,
      version: state.version + 1,
      changedMs: NOW,
      entry: { ...state.entry, description: 'for the morning' },
    });
  });

  it.each([
    ['enabled', { enabled: false }],
    ['oneOff', { oneOff: true }],
    ['startTime', { startMs: NOW + 5 * MINUTE }],
    ['expires', { expiresMs: NOW + 5 * MINUTE }],
  ])('%s is part of when it runs', async (_what, change) => {
    const state = await stored();
    expect(changed(state, { ...state.entry, ...change }, NOW).tickVersion).toBe(state.tickVersion + 1);
  });
});

describe('an entry that is switched off, deleted, stored anew', () => {
  it('switched off it is due no more, overdue or not', async () => {
    const state = await stored();
    const off = changed(state, { ...state.entry, enabled: false }, NOW);
    expect(off.nextDueMs).toBeNull();
    expect(off.recalled.map(({ dueMs }) => dueMs)).toEqual([NOW + MINUTE, NOW + 2 * MINUTE]);
    expect(deleted(state, NOW)).toEqual({ ...off, deleted: true });
  });

  it('a new one is the first state, one in its place an edit', async () => {
    const state = await stored();
    expect(replaced(undefined, state.entry, NOW)).toEqual(firstState(state.entry, 'stored', 'sweep', NOW));
    expect(replaced(state, slower(state.entry), NOW)).toEqual(changed(state, slower(state.entry), NOW));
  });

  it('under the name of a deleted one it goes on above its versions; one of the code has none to raise', async () => {
    const earlier = await stored({ version: 5e9, tickVersion: 6e9, revision: 4, recalled: [{ version: 1, dueMs: 2 }] });
    const first = firstState(earlier.entry, 'stored', 'sweep', NOW);
    const { revision, recalled, emitted } = earlier;
    expect(storedAnew(first, earlier)).toEqual({
      ...first,
      version: 5e9 + 1,
      tickVersion: 6e9 + 1,
      revision,
      recalled,
      emitted,
    });
    expect(storedAnew(first, { ...earlier, version: 1, tickVersion: 2 })).toMatchObject({
      version: first.version,
      tickVersion: first.tickVersion,
    });
    const declared = firstState(earlier.entry, 'code', 'sweep', NOW);
    expect(storedAnew(declared, earlier)).toMatchObject({ version: 0, tickVersion: 0 });
  });
});

describe('a sweep', () => {
  it('notes what it sends among what lies ahead, in order; what has been is forgotten, and what was sent is not sent again', async () => {
    // An edit has left two that it could not take back: one between the next ticks, one of them.
    const emitted = [NOW - MINUTE, NOW + MINUTE, NOW + 1.5 * MINUTE];
    const state = await stored({ emitted });
    const { ticks, state: next } = advance(state, NOW, NOW + 2 * MINUTE);
    expect(ticks).toEqual([NOW, NOW + 2 * MINUTE]);
    expect(next.emitted).toEqual([NOW, NOW + MINUTE, NOW + 1.5 * MINUTE, NOW + 2 * MINUTE]);
  });
});
