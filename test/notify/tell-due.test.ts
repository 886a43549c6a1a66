/** What a sweep tells of failures that no worker could tell: from its counts alone. */
import { expect, it } from 'vitest';

import { tellDue } from '../../lib/history/tell-due.ts';
import { MemoryNotices, MemoryNotifier } from '../../lib/memory/index.ts';
import type { FailureCount } from '../../lib/notify/counts.ts';
import type { Clock } from '../../lib/base/time.ts';

const NOW_MS = 1_900_000_000_000;
const MINUTE_MS = 60_000;

it('several that nobody was told of are told in one mail that says how many', async () => {
  const notices = new MemoryNotices();
  const notifier = new MemoryNotifier();
  const clock: Clock = {
    nowMs: () => NOW_MS,
    sleep: () => Promise.resolve(),
    schedule: () => () => {},
    nextTurn: () => Promise.resolve(),
  };
  const known = { task: 'orders.charge', error: 'Error: x', queue: 'default', state: 'FAILURE', retries: 0 };
  const counts = new Map<string, FailureCount>([
    // Of minutes before the window that begins with the last one.
    ['a', { ...known, count: 3, id: 'id-3', firstMs: NOW_MS - 9 * MINUTE_MS, lastMs: NOW_MS - 2 * MINUTE_MS }],
    ['b', { ...known, task: 'once', count: 1, id: 'id-4', firstMs: NOW_MS, lastMs: NOW_MS }],
  ]);
  const notifying = { app: 'shop', notices, notifier, windowSeconds: 900 };
  const logger = { log: (): void => expect.fail('it was not told') };
  await tellDue({ untilMs: NOW_MS, counts }, notifying, { clock, logger });
  const times = notifier.mails.map(({ subject, text }) => [subject, /^Times: +(.*)$/m.exec(text)?.[1] ?? 'not said']);
  expect(times).toEqual([
    ['[shop] Error: Task orders.charge (id-3): Error: x', '3, of which this is the last'],
    ['[shop] Error: Task once (id-4): Error: x', 'not said'],
  ]);
});
