/** What every store of marks must do. Cases share one store and keep to keys of their own. */
import { deepEqual, equal } from 'node:assert/strict';

import type { Episode, KeyMark, Marks } from '../../ports/marks.ts';
import type { ConformanceCase } from './case.ts';

const NOW_MS = 1_900_000_000_000;
const LATER_MS = NOW_MS + 60_000;

/** What every store of marks must do, as cases. They share one store. */
export function marksConformance(marks: Marks): ConformanceCase[] {
  const take = async (
    key: string,
    id: string,
    more: { readonly nowMs?: number; readonly expiresMs?: number; readonly instead?: string } = {},
  ): Promise<KeyMark | undefined> => {
    const [stands] = await marks.take([{ key, id, nowMs: NOW_MS, expiresMs: LATER_MS, ...more }]);
    return stands;
  };
  const episodeOf = (id: string, more: Partial<Episode> = {}): Episode => ({
    id,
    firstMs: NOW_MS,
    dueMs: LATER_MS,
    message: { queue: 'default', body: `body of ${id}` },
    sealed: false,
    ...more,
  });
  return [
    {
      name: 'the first task of a key stands, and tells the next that it does',
      async run() {
        equal(await take('first', 'a'), undefined);
        deepEqual(await take('first', 'b'), { id: 'a', expiresMs: LATER_MS, sent: false });
        await marks.noteSent([{ key: 'first', id: 'a' }]);
        deepEqual(await take('first', 'b'), { id: 'a', expiresMs: LATER_MS, sent: true });
      },
    },
    {
      name: 'a task that asks again stands anew, and is not known to be sent',
      async run() {
        await take('again', 'a');
        await marks.noteSent([{ key: 'again', id: 'a' }]);
        equal(await take('again', 'a', { expiresMs: LATER_MS + 5 }), undefined);
        deepEqual(await take('again', 'b'), { id: 'a', expiresMs: LATER_MS + 5, sent: false });
      },
    },
    {
      name: 'a mark is over after its time, not at it',
      async run() {
        await take('over', 'a');
        equal((await take('over', 'b', { nowMs: LATER_MS, expiresMs: LATER_MS + 1 }))?.id, 'a');
        equal(await take('over', 'b', { nowMs: LATER_MS + 1, expiresMs: LATER_MS + 9 }), undefined);
        deepEqual(await take('over', 'c'), { id: 'b', expiresMs: LATER_MS + 9, sent: false });
      },
    },
    {
      name: 'only the task that is named gives way',
      async run() {
        await take('instead', 'a');
        equal((await take('instead', 'c', { instead: 'b' }))?.id, 'a');
        equal(await take('instead', 'c', { instead: 'a' }), undefined);
        equal((await take('instead', 'd', { instead: 'a' }))?.id, 'c');
      },
    },
    {
      name: 'nobody notes or clears what another task has',
      async run() {
        await take('foreign', 'a');
        await marks.noteSent([{ key: 'foreign', id: 'b' }]);
        await marks.clear([{ key: 'foreign', id: 'b' }]);
        deepEqual(await take('foreign', 'c'), { id: 'a', expiresMs: LATER_MS, sent: false });
        await marks.clear([{ key: 'foreign', id: 'a' }]);
        equal(await take('foreign', 'c'), undefined);
        await marks.noteSent([{ key: 'nobody', id: 'a' }]);
        await marks.clear([{ key: 'nobody', id: 'a' }]);
        equal(await take('nobody', 'b'), undefined);
      },
    },
    {
      name: 'what is known to be sent is not cleared as unsent',
      async run() {
        await take('unsent', 'a');
        await marks.noteSent([{ key: 'unsent', id: 'a' }]);
        await marks.clear([{ key: 'unsent', id: 'a' }], true);
        equal((await take('unsent', 'b'))?.id, 'a');
        await take('unsent', 'a');
        await marks.clear([{ key: 'unsent', id: 'a' }], true);
        equal(await take('unsent', 'b'), undefined);
      },
    },
    {
      name: 'many keys at once are answered each for itself, in their order',
      async run() {
        await take('many 3', 'z');
        const keys = Array.from({ length: 60 }, (_, index) => `many ${index}`);
        const ask = (id: string): Promise<(KeyMark | undefined)[]> =>
          marks.take(keys.map((key) => ({ key, id: `${id} ${key}`, nowMs: NOW_MS, expiresMs: LATER_MS })));
        deepEqual(
          (await ask('a')).map((mark) => mark?.id),
          keys.map((key) => (key === 'many 3' ? 'z' : undefined)),
        );
        await marks.noteSent(keys.map((key) => ({ key, id: `a ${key}` })));
        deepEqual(
          await ask('b'),
          keys.map((key) => ({
            id: key === 'many 3' ? 'z' : `a ${key}`,
            expiresMs: LATER_MS,
            sent: key !== 'many 3',
          })),
        );
        await marks.clear(keys.map((key) => ({ key, id: `a ${key}` })));
        equal((await ask('c')).filter((mark) => mark !== undefined).length, 1);
      },
    },
    {
      name: 'of many that ask at once for one key, one stands',
      async run() {
        const ids = Array.from({ length: 12 }, (_, index) => `id ${index}`);
        const stands = await Promise.all(ids.map((id) => take('race', id)));
        const winners = ids.filter((_, index) => stands[index] === undefined);
        equal(winners.length, 1);
        for (const mark of stands) if (mark !== undefined) equal(mark.id, winners[0]);
      },
    },
    {
      name: 'keys and ids may have any characters',
      async run() {
        for (const key of ['a#', '#', 'ä b', '~', 'a'.repeat(500)]) {
          equal(await take(key, 'ä#"'), undefined, key);
          equal((await take(key, 'other'))?.id, 'ä#"', key);
        }
      },
    },
    {
      name: 'an episode is opened once, and joined while it is open',
      async run() {
        equal(await marks.episode('opens'), undefined);
        equal(await marks.open('opens', episodeOf('a')), true);
        equal(await marks.open('opens', episodeOf('b')), false);
        deepEqual(await marks.episode('opens'), episodeOf('a'));
        const message = { queue: 'orders', body: 'new', groupId: 'g', deduplicationId: 'd' };
        equal(await marks.join({ key: 'opens', id: 'a', dueMs: LATER_MS + 7, message }), true);
        equal(await marks.join({ key: 'opens', id: 'b', dueMs: LATER_MS + 9, message }), false);
        equal(await marks.join({ key: 'no episode', id: 'a', dueMs: LATER_MS, message }), false);
        deepEqual(await marks.episode('opens'), episodeOf('a', { dueMs: LATER_MS + 7, message }));
      },
    },
    {
      name: 'its token is noted of the episode that stands',
      async run() {
        await marks.open('token', episodeOf('a'));
        await marks.noteToken({ key: 'token', id: 'b' }, 1);
        deepEqual(await marks.episode('token'), episodeOf('a'));
        await marks.noteToken({ key: 'token', id: 'a' }, LATER_MS);
        await marks.noteToken({ key: 'no token', id: 'a' }, LATER_MS);
        deepEqual(await marks.episode('token'), episodeOf('a', { tokenMs: LATER_MS }));
        equal(await marks.episode('no token'), undefined);
        await marks.join({ key: 'token', id: 'a', dueMs: LATER_MS, message: episodeOf('a').message });
        deepEqual(await marks.episode('token'), episodeOf('a', { tokenMs: LATER_MS }));
      },
    },
    {
      name: 'an episode is sealed when it is due, and as often as it is asked',
      async run() {
        await marks.open('seals', episodeOf('a'));
        deepEqual(await marks.seal({ key: 'seals', id: 'a' }, LATER_MS - 1), {
          kind: 'waits',
          episode: episodeOf('a'),
        });
        deepEqual(await marks.seal({ key: 'seals', id: 'b' }, LATER_MS), { kind: 'gone' });
        deepEqual(await marks.seal({ key: 'no seal', id: 'a' }, LATER_MS), { kind: 'gone' });
        const sealed = { kind: 'sealed', episode: episodeOf('a', { sealed: true }) };
        deepEqual(await marks.seal({ key: 'seals', id: 'a' }, LATER_MS), sealed);
        deepEqual(await marks.seal({ key: 'seals', id: 'a' }, NOW_MS), sealed);
        const { message } = episodeOf('late');
        equal(await marks.join({ key: 'seals', id: 'a', dueMs: LATER_MS, message }), false);
      },
    },
    {
      name: 'only a sealed episode is replaced, by who has seen it',
      async run() {
        await marks.open('replaces', episodeOf('a'));
        equal(await marks.open('replaces', episodeOf('b'), 'a'), false);
        await marks.seal({ key: 'replaces', id: 'a' }, LATER_MS);
        equal(await marks.open('replaces', episodeOf('b'), 'c'), false);
        equal(await marks.open('replaces', episodeOf('b'), 'a'), true);
        deepEqual(await marks.episode('replaces'), episodeOf('b'));
        equal(await marks.open('replaces', episodeOf('c'), 'a'), false);
      },
    },
    {
      name: 'an episode is closed by who knows it',
      async run() {
        await marks.open('closes', episodeOf('a'));
        await marks.close({ key: 'closes', id: 'b' });
        deepEqual(await marks.episode('closes'), episodeOf('a'));
        await marks.close({ key: 'closes', id: 'a' });
        equal(await marks.episode('closes'), undefined);
        await marks.close({ key: 'closes', id: 'a' });
      },
    },
  ];
}
