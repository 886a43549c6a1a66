/** The stored document of an entry: its fields are a protocol, whatever they are called in the code. */
import { every } from 'celeriac';
import { expect, it } from 'vitest';

import { resolveEntry } from '../../lib/beat/entry.ts';
import { firstState, itemOf, type ScheduleState, stateOf } from '../../lib/beat/schedule-state.ts';
import { START } from '../support/beat-world.ts';

const entry = resolveEntry('hourly', { task: 'note', schedule: every('1h') }, 'UTC');

it.each(['rule', 'sweep'] as const)('what fires an entry is stored as its way: %s', (firedBy) => {
  const state = firstState(entry, 'code', firedBy, START);
  const item = itemOf(state);
  const document = JSON.parse(item.document) as Readonly<Record<string, unknown>>;
  expect(document).toMatchObject({ way: firedBy, source: 'code', emitted: [], recalled: [] });
  expect(document).not.toHaveProperty('firedBy');
  expect(stateOf(item)).toEqual({ ...state, revision: 1 });
  expect(stateOf(item)).not.toHaveProperty('way');
});

it('a sweep looks at an entry when it is due, at one with ticks to be taken back now, and at a deleted one an hour later', () => {
  const state = { ...firstState(entry, 'stored', 'sweep', START), changedMs: START + 5 };
  const recalled = [{ version: 1, dueMs: START }];
  const lookedAt = (change: Partial<ScheduleState>): number | null => itemOf({ ...state, ...change }).nextDueMs;
  expect(lookedAt({})).toBe(state.nextDueMs);
  expect(lookedAt({ recalled })).toBe(START + 5);
  // Its name must not be taken anew by an edit that had read it before.
  expect(lookedAt({ deleted: true, nextDueMs: null })).toBe(START + 5 + 3_600_000);
  expect(lookedAt({ deleted: true, recalled })).toBe(START + 5);
});
