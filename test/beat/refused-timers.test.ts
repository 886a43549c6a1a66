/** What a queue will never take stays in the table, and holds up nobody: not even a page full of it. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';
import type { Timer } from '../../lib/ports/timers.ts';
import { dueTimers } from '../support/due-timers.ts';

const PAGE = 100;

it.each([
  ['a page', PAGE],
  ['several pages', 3 * PAGE + 7],
])('%s of timers that are refused, and those behind them', async (_what, refused) => {
  const app = new Celeriac('starved', { timerShards: 1, logger: silentLogger });
  const seen: string[] = [];
  app.task('note', (id: string) => void seen.push(id));
  const world = new World(app, { patienceMs: 0 });
  const { timers } = world.ports;
  const dueMs = world.clock.nowMs() - 60_000;
  const timer = (id: string, queue: string, index: number): Timer => ({
    id,
    attempt: 0,
    dueMs: dueMs + index,
    message: { queue, body: id },
  });
  await timers.put(Array.from({ length: refused }, (_, index) => timer(`refused-${index}`, 'nowhere', index)));
  await timers.put(Array.from({ length: 20 }, (_, index) => timer(`sent-${index}`, 'default', refused + index)));
  const report = await app.sweep();
  expect(report).toMatchObject({ sent: 20, failed: refused });
  expect(world.broker.peekAll('default').map(({ body }) => body)).toEqual(
    Array.from({ length: 20 }, (_, index) => `sent-${index}`),
  );
  expect(await dueTimers(timers, world.clock.nowMs())).toHaveLength(refused);
});
