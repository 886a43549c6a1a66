/** The stored document of an entry: its fields are a protocol, whatever they are called in the code. */
import { every } from 'celeriac';
import { expect, it } from 'vitest';

import { resolveEntry } from '../../lib/beat/entry.ts';
import { firstState, itemOf, stateOf } from '../../lib/beat/schedule-state.ts';
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
