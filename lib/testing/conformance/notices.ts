/** What every store of notices must do. Each case has a store of its own: a service has one window. */
import { deepEqual, equal } from 'node:assert/strict';

import { NOTICE_DIGEST_SECONDS } from '../../base/limits.ts';
import type { Failure, MarkRequest, Notices } from '../../ports/notices.ts';
import type { ConformanceCase } from './case.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_900_000_020_000;
const START_MS = Math.floor(NOW_MS / MINUTE_MS) * MINUTE_MS;
const WINDOW_MS = 15 * MINUTE_MS;

function failure(key: string, endedMs = NOW_MS): Failure {
  return {
    key,
    task: 'orders.charge',
    id: `id of ${key}`,
    queue: 'default',
    state: 'FAILURE',
    retries: 0,
    error: 'Error: "no" card \u202e',
    endedMs,
    stack: 'Error: no card\n    at charge',
  };
}

function asked(key: string, more: Partial<MarkRequest> = {}): MarkRequest {
  return { failure: failure(key), nowMs: NOW_MS, windowMs: WINDOW_MS, limit: 2, ...more };
}

/** What every store of notices must do, as cases. @param make a store without a window and without counts */
export function noticesConformance(make: () => Promise<Notices>): ConformanceCase[] {
  const one = (name: string, run: (notices: Notices) => Promise<void>): ConformanceCase => ({
    name,
    run: async () => run(await make()),
  });
  return [
    one('the first failure opens a window, and stands in it until it is told', async (notices) => {
      equal(await notices.window(), undefined);
      const { kind, window } = await notices.mark(asked('a'));
      equal(kind, 'marked');
      const known = { endedMs: NOW_MS, markedMs: NOW_MS, untold: failure('a') };
      const opened = {
        startMs: START_MS - MINUTE_MS,
        untilMs: START_MS + WINDOW_MS,
        marks: 1,
        known: new Map([['a', known]]),
      };
      deepEqual(window, opened);
      deepEqual(await notices.window(), opened);
      await notices.told('a');
      deepEqual((await notices.window())?.known.get('a'), { endedMs: NOW_MS, markedMs: NOW_MS });
    }),
    one('one of a kind is marked, also of many at once', async (notices) => {
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => notices.mark(asked('a'))));
      equal(outcomes.filter(({ kind }) => kind === 'marked').length, 1);
      equal(outcomes.filter(({ kind }) => kind === 'known').length, 7);
      equal((await notices.window())?.marks, 1);
    }),
    one('as many kinds as the limit are marked, and who comes next is told all of them', async (notices) => {
      await notices.mark(asked('a'));
      await notices.mark(asked('b', { nowMs: NOW_MS + 1 }));
      const { kind, window } = await notices.mark(asked('c'));
      equal(kind, 'full');
      deepEqual([...window.known.keys()].toSorted(), ['a', 'b']);
      equal((await notices.mark(asked('a'))).kind, 'known');
      equal(window.untilMs, START_MS + WINDOW_MS);
    }),
    one(
      'a batch that took long begins the window where its failure was, and ends it in the future',
      async (notices) => {
        const endedMs = NOW_MS - 2 * WINDOW_MS;
        const { window } = await notices.mark({ ...asked('a'), failure: failure('a', endedMs) });
        equal(window.startMs, Math.floor(endedMs / MINUTE_MS) * MINUTE_MS - MINUTE_MS);
        equal(window.untilMs, START_MS + WINDOW_MS);
      },
    ),
    one('what was told of an unknown kind changes nothing', async (notices) => {
      await notices.told('a');
      equal(await notices.window(), undefined);
      await notices.mark(asked('a'));
      await notices.told('b');
      deepEqual([...((await notices.window())?.known.keys() ?? [])], ['a']);
    }),
    one('one sweeper makes a digest; another one may when its time is over', async (notices) => {
      const { window } = await notices.mark(asked('a'));
      const taken = await Promise.all([notices.takeDigest(window, NOW_MS), notices.takeDigest(window, NOW_MS)]);
      deepEqual(taken.toSorted(), [false, true]);
      const overMs = NOW_MS + NOTICE_DIGEST_SECONDS * 1000;
      equal(await notices.takeDigest(window, overMs - 1), false);
      equal(await notices.takeDigest(window, overMs), true);
      equal(await notices.takeDigest({ ...window, untilMs: window.untilMs + MINUTE_MS }, overMs * 2), false);
    }),
    one('a window ends: what goes on stays known, what came since stays as it is', async (notices) => {
      await notices.mark(asked('a', { limit: 9 }));
      await notices.mark(asked('b', { limit: 9 }));
      await notices.told('a');
      await notices.told('b');
      const window = await notices.window();
      if (window === undefined) throw new Error('no window');
      await notices.takeDigest(window, NOW_MS);
      await notices.mark({ ...asked('c', { limit: 9 }), failure: failure('c', window.untilMs) });
      const [startMs, untilMs] = [window.untilMs, window.untilMs + WINDOW_MS];
      await notices.close({ window, keep: ['a'], startMs, untilMs });
      const next = await notices.window();
      deepEqual([...(next?.known.keys() ?? [])].toSorted(), ['a', 'c']);
      deepEqual([next?.startMs, next?.untilMs, next?.marks], [startMs, untilMs, 1]);
      // Its digest is nobody's yet.
      equal(next !== undefined && (await notices.takeDigest(next, NOW_MS)), true);
      // Of the window before, closed twice.
      await notices.close({ window, keep: [], startMs: untilMs, untilMs: untilMs + WINDOW_MS });
      equal((await notices.window())?.startMs, startMs);
    }),
    one('what was told to nobody outlives its window', async (notices) => {
      const { window } = await notices.mark(asked('a'));
      const next = { keep: [], startMs: window.untilMs, untilMs: window.untilMs + WINDOW_MS };
      await notices.close({ window, ...next });
      // Nobody was told: it stays.
      equal((await notices.window())?.known.has('a'), true);
    }),
    one('a window in which nothing went on is gone, unless something was marked since', async (notices) => {
      const { window: untold } = await notices.mark(asked('a'));
      await notices.told('a');
      const window = (await notices.window()) ?? untold;
      const next = { keep: [], startMs: window.untilMs, untilMs: window.untilMs + WINDOW_MS };
      await notices.mark({ ...asked('b'), failure: failure('b', window.untilMs + 1) });
      await notices.close({ window, ...next });
      await notices.told('b');
      const second = await notices.window();
      deepEqual([...(second?.known.keys() ?? [])], ['b']);
      if (second === undefined) return;
      const third = { startMs: second.untilMs, untilMs: second.untilMs + WINDOW_MS };
      await notices.close({ window: second, keep: [], ...third });
      equal(await notices.window(), undefined);
      equal((await notices.mark(asked('a'))).kind, 'marked');
    }),
    one('minutes are read in order, and one that counts less replaces none', async (notices) => {
      const put = (startMs: number, count: number): Promise<void> =>
        notices.putMinute({ startMs, count, data: Buffer.from(`${count}`), expiresAtSeconds: NOW_MS / 1000 + 60 });
      await put(START_MS + MINUTE_MS, 3);
      await put(START_MS, 5);
      await put(START_MS + 2 * MINUTE_MS, 1);
      await put(START_MS, 4);
      const minutes = await notices.minutes({ fromMs: START_MS, untilMs: START_MS + 2 * MINUTE_MS });
      deepEqual(
        minutes.map(({ startMs, count, data }) => [startMs, count, Buffer.from(data).toString()]),
        [
          [START_MS, 5, '5'],
          [START_MS + MINUTE_MS, 3, '3'],
        ],
      );
      deepEqual(await notices.minutes({ fromMs: START_MS, untilMs: START_MS }), []);
      // Counts open no window.
      equal(await notices.window(), undefined);
    }),
  ];
}
