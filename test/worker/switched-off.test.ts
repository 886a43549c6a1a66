/** A rule's message whose entry an operator has switched off: who may name an entry, and what of it counts. */
import { Celeriac, type ScheduleItem } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { firstState, itemOf, type ScheduleState } from '../../lib/beat/schedule-state.ts';
import { MAX_ENTRY_NAME_CHARACTERS } from '../../lib/base/limits.ts';
import type { Message } from '../../lib/wire/message.ts';
import type { Schedules } from '../../lib/ports/schedules.ts';
import { resolveEntry } from '../../lib/beat/entry.ts';
import { every } from '../../lib/schedules/interval.ts';
import { isOfDisabledEntry } from '../../lib/worker/rule-tick.ts';

const NOW = Date.UTC(2030, 0, 1);
const TIME = '2030-01-01T00:00:00Z';
const LONGEST = 'x'.repeat(MAX_ENTRY_NAME_CHARACTERS);

function stored(change: Partial<ScheduleState>): ScheduleItem {
  const task = new Celeriac('shop').task('report', () => 1);
  const entry = resolveEntry('daily', { task: task.s(), schedule: every('1h') }, 'UTC');
  return itemOf({ ...firstState(entry, 'code', 'rule', NOW), ...change });
}

async function ask(beat: unknown, item?: ScheduleItem): Promise<{ off: boolean; asked: string[] }> {
  const asked: string[] = [];
  const read = async (names: readonly string[]): Promise<(ScheduleItem | undefined)[]> => {
    asked.push(...names);
    return Promise.resolve(names.map(() => item));
  };
  const message = { celeriac: { beat } } as unknown as Message;
  return { off: await isOfDisabledEntry(message, { schedules: { read } as Schedules }), asked };
}

describe('a rule has fired for an entry', () => {
  const beat = { entry: 'daily', time: TIME };

  it.each<[Partial<ScheduleState>, boolean]>([
    [{ choice: false }, true],
    [{ choice: true }, false],
    // The code alone has said something: its rule was deployed so.
    [{ choice: null }, false],
    [{ choice: false, deleted: true }, false],
  ])('%j is stored: switched off is %s', async (change, off) => {
    expect(await ask(beat, stored(change))).toEqual({ off, asked: ['daily'] });
  });

  it('nothing is stored, or what nobody can read: it runs', async () => {
    expect(await ask(beat)).toMatchObject({ off: false });
    for (const document of ['', '{', '{}', 'null'])
      expect(await ask(beat, { ...stored({ choice: false }), document })).toMatchObject({ off: false });
  });

  it('a store that fails is told, and nothing is taken for switched on', async () => {
    const read = (): Promise<never> => Promise.reject(new Error('throttled'));
    const message = { celeriac: { beat } } as unknown as Message;
    await expect(isOfDisabledEntry(message, { schedules: { read } as unknown as Schedules })).rejects.toThrow(
      'throttled',
    );
  });
});

describe('anybody who may send can name an entry', () => {
  const off = stored({ choice: false });

  it.each([[LONGEST], ['x'], [' ']])('a name of the length of %j is looked up', async (entry) => {
    expect(await ask({ entry, time: TIME }, off)).toEqual({ off: true, asked: [entry] });
  });

  // The store refuses such keys, and the message would come back for it.
  it.each([[''], [`${LONGEST}x`], [5], [null], [['daily']], [{}]])('%j is no name: nothing is asked', async (entry) => {
    expect(await ask({ entry, time: TIME }, off)).toEqual({ off: false, asked: [] });
  });

  it('a retry of a tick goes on: it has no time of its own', async () => {
    expect(await ask({ entry: 'daily', scheduled: TIME }, off)).toEqual({ off: false, asked: [] });
    expect(await ask(undefined, off)).toEqual({ off: false, asked: [] });
  });
});
