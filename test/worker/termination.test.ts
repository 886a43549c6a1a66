/** Runs that are looked after, and ended, by hand: who asks, when, and about whom. */
import { ManualClock } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { TERMINATION_GRACE_SECONDS, TERMINATION_LOOK_SECONDS } from '../../lib/base/limits.ts';
import { abandon, keepLooking, terminate } from '../../lib/worker/termination.ts';
import type { WatchedRun } from '../../lib/worker/watched-run.ts';
import type { Worker } from '../../lib/worker/worker.ts';

const START_MS = 1_900_000_000_000;

function rig() {
  const clock = new ManualClock(START_MS);
  const asked: (readonly string[])[] = [];
  const lines: [string, string, unknown][] = [];
  const terminated = new Set<string>();
  let failures = 0;
  const worker = {
    invocation: {},
    ports: {
      clock,
      logger: { log: (level: string, text: string, fields: unknown) => void lines.push([level, text, fields]) },
      backend: {
        terminated: (ids: readonly string[]) => {
          asked.push(ids);
          if (failures > 0) {
            failures -= 1;
            return Promise.reject(new Error('denied'));
          }
          return Promise.resolve(ids.map((id) => terminated.has(id)));
        },
      },
    },
  } as unknown as Worker;
  const stopped: unknown[] = [];
  const runOf = (id: string, more: Partial<WatchedRun> = {}): WatchedRun =>
    ({
      message: { id, task: 'job', queue: 'mail', retries: 2 },
      worker,
      abort: new AbortController(),
      stop: (ending: unknown) => void stopped.push(ending),
      ...more,
    }) as unknown as WatchedRun;
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn += 1) await clock.nextTurn();
  };
  const after = async (seconds: number): Promise<void> => {
    clock.moveTo(clock.nowMs() + seconds * 1000);
    await turns();
  };
  return { clock, asked, lines, terminated, stopped, runOf, turns, after, fail: (times: number) => (failures = times) };
}

it('those of an invocation are asked about together, each once, every few seconds, while any is left', async () => {
  const { asked, runOf, after, clock } = rig();
  const [one, twin, other] = [runOf('a'), runOf('a'), runOf('b')];
  await Promise.all([one, twin, other].map(keepLooking));
  expect(asked).toEqual([['a', 'b']]);
  await after(TERMINATION_LOOK_SECONDS - 0.001);
  expect(asked).toHaveLength(1);
  await after(0.001);
  expect(asked).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  // One that comes between two looks waits for the next.
  await keepLooking(runOf('c', { over: false }));
  expect(asked).toHaveLength(2);
  other.leave?.();
  await after(TERMINATION_LOOK_SECONDS);
  expect(asked.at(-1)).toEqual(['a', 'c']);
  expect(clock.nextMs()).toBeDefined();
});

it('nobody is asked about whom is over, or has left before the look; the last one ends the looking', async () => {
  const { asked, runOf, turns, after, clock } = rig();
  await keepLooking(runOf('over', { over: true }));
  await keepLooking(runOf('told', { revoked: { ok: false } as never }));
  const quick = runOf('quick');
  const looking = keepLooking(quick);
  quick.leave?.();
  await looking;
  await turns();
  expect([asked, clock.nextMs()]).toEqual([[], undefined]);
  const last = runOf('last');
  await keepLooking(last);
  last.leave?.();
  expect(clock.nextMs()).toBeUndefined();
  await after(TERMINATION_LOOK_SECONDS);
  expect(asked).toEqual([['last']]);
});

it('one of several that leaves does not end the looking for the others', async () => {
  const { asked, runOf, after } = rig();
  const [one, other] = [runOf('a'), runOf('b')];
  await Promise.all([keepLooking(one), keepLooking(other)]);
  one.leave?.();
  await after(TERMINATION_LOOK_SECONDS);
  expect(asked).toEqual([['a', 'b'], ['b']]);
});

it('who is revoked has its signal aborted, and is left alone after a while; the others go on', async () => {
  const { asked, lines, terminated, stopped, runOf, after } = rig();
  const [one, other] = [runOf('a'), runOf('b')];
  terminated.add('a');
  await Promise.all([keepLooking(one), keepLooking(other)]);
  expect(one.abort.signal.reason).toMatchObject({ name: 'TaskRevokedError', message: 'terminated' });
  expect(other.abort.signal.aborted).toBe(false);
  expect(one.revoked).toMatchObject({ ok: false, terminated: true });
  expect(lines).toEqual([
    ['info', 'Task job[a] is revoked: its signal aborts', { task: 'job', taskId: 'a', queue: 'mail', attempt: 2 }],
  ]);
  await after(TERMINATION_GRACE_SECONDS - 0.001);
  expect(stopped).toEqual([]);
  await after(0.001);
  expect(stopped).toEqual([one.revoked]);
  expect(asked.at(-1)).toEqual(['b']);
});

it('it is ended once, and not where it is over; what ends in time is not left alone', async () => {
  const { lines, stopped, runOf, after } = rig();
  const run = runOf('a');
  await terminate(run);
  const first = run.revoked;
  await terminate(run);
  await abandon(run);
  expect([run.revoked === first, lines.length]).toEqual([true, 1]);
  run.leave?.();
  await after(TERMINATION_GRACE_SECONDS);
  expect(stopped).toEqual([]);
  const over = runOf('b', { over: true });
  await terminate(over);
  expect([over.revoked, over.abort.signal.aborted, lines.length]).toEqual([undefined, false, 1]);
  const lost = runOf('c', { stop: undefined as never });
  await abandon(lost);
  expect(lines.at(-1)?.[1]).toBe('Task job[c] runs elsewhere from now on: its signal aborts');
  await after(TERMINATION_GRACE_SECONDS);
});

it('who may not look is told so once, and looks again', async () => {
  const { asked, lines, terminated, runOf, after, fail } = rig();
  fail(2);
  const run = runOf('a');
  terminated.add('a');
  await keepLooking(run);
  await after(TERMINATION_LOOK_SECONDS);
  expect(lines).toEqual([
    ['warn', 'Whether running tasks were revoked could not be read: Error: denied', { queue: 'mail' }],
  ]);
  await after(TERMINATION_LOOK_SECONDS);
  expect([asked.length, run.abort.signal.aborted]).toEqual([3, true]);
});
