/** What needs a look, and what does not: pure. */
import { clocked, crontab, every } from 'celeriac';
import { describe, expect, it } from 'vitest';

import type { StoredSchedule } from '../../lib/beat/schedule-view.ts';
import type { StatsCounts } from '../../lib/history/stats.ts';
import { problemsOf, type Sights } from '../../lib/monitor/problems.ts';
import type { QueueStatus } from '../../lib/operate/queue-list.ts';
import { beatWorld, START } from '../support/beat-world.ts';

const NOW = START + 86_400_000;
const ago = (seconds: number): Date => new Date(NOW - seconds * 1000);
const NOTHING: Sights = {
  stats: { buckets: [], tasks: [] },
  before: undefined,
  queues: [],
  schedules: [],
  waiting: [],
  nowMs: NOW,
};
const kinds = (sights: Partial<Sights>): string[] =>
  problemsOf({ ...NOTHING, ...sights }).map(({ kind, subject }) => `${kind} ${subject}`);

const entry = (fields: Partial<StoredSchedule>): StoredSchedule => ({
  name: 'nightly',
  task: { task: 't', args: [], kwargs: {}, options: {} } as unknown as StoredSchedule['task'],
  schedule: every('1m'),
  enabled: true,
  oneOff: false,
  startTime: null,
  expires: null,
  catchUp: 'one',
  startingDeadline: null,
  customTask: false,
  description: '',
  source: 'stored',
  firedBy: 'sweep',
  version: 1,
  changedAt: ago(86_400),
  lastRunAt: ago(30),
  totalRunCount: 1,
  nextTicks: [],
  lastError: null,
  lastRunId: null,
  changedBy: null,
  choice: null,
  ...fields,
});
const counts = (all: number, failed: number): StatsCounts => ({
  count: all,
  states: { SUCCESS: all - failed, FAILURE: failed },
  lostRuns: 0,
  waitSeconds: null,
  runSeconds: null,
});
const queue = (fields: Partial<QueueStatus>): QueueStatus => ({
  queue: 'mail',
  ready: 0,
  inFlight: 0,
  delayed: 0,
  state: 'running',
  ...fields,
});
const buckets = (ended: number): Sights['stats']['buckets'] =>
  Array.from({ length: 10 }, (_, index) => ({ start: ago(600 - index * 60), ...counts(ended, 0) }));

it('nothing needs a look where nothing is wrong', () => {
  expect(kinds({ schedules: [entry({})], queues: [queue({ ready: 99, dead: 0 })] })).toEqual([]);
});

describe('schedules', () => {
  it.each<[string, Partial<StoredSchedule>, boolean]>([
    ['fired a moment ago', { lastRunAt: ago(59) }, false],
    ['is a little late, as after a sweep that failed', { lastRunAt: ago(200) }, false],
    ['has not fired for long', { lastRunAt: ago(300) }, true],
    ['has not fired for long, and is off', { lastRunAt: ago(300), enabled: false }, false],
    ['is fired by a rule', { lastRunAt: null, firedBy: 'rule' }, false],
    ['was never due', { lastRunAt: null, schedule: crontab({ hour: 3, minute: 0 }), changedAt: ago(3600) }, false],
    ['should have run in the night', { schedule: crontab({ hour: 3, minute: 0 }), lastRunAt: ago(100_000) }, true],
    [
      'was changed since',
      { schedule: crontab({ hour: 3, minute: 0 }), lastRunAt: ago(100_000), changedAt: ago(60) },
      false,
    ],
    ['begins later', { lastRunAt: null, startTime: new Date(NOW + 1000) }, false],
    ['has ended', { lastRunAt: ago(3600), expires: ago(3600) }, false],
    ['was to run once', { lastRunAt: null, schedule: clocked(ago(3600)), oneOff: true }, true],
    ['could not be sent', { lastError: 'no such queue' }, true],
  ])('one that %s', (_what, fields, isMissed) => {
    expect(kinds({ schedules: [entry(fields)] })).toEqual(isMissed ? ['missed nightly'] : []);
  });

  it('while the sweeper is away all that it fires is missed, and nothing once it is back', async () => {
    const { app, world, outage } = beatWorld((note) => ({
      often: { task: note.s(), schedule: every('70s') },
      daily: { task: note.s(), schedule: crontab({ hour: 0, minute: 5 }, { timezone: 'Africa/Abidjan' }) },
      monthly: {
        task: note.s(),
        schedule: crontab({ hour: 0, minute: 5, dayOfMonth: 9 }, { timezone: 'Africa/Abidjan' }),
      },
      ruled: { task: note.s(), schedule: every('1m') },
    }));
    const look = async (): Promise<string[]> =>
      problemsOf({ ...NOTHING, schedules: await app.schedules.list(), nowMs: world.clock.nowMs() }).map(
        ({ subject }) => subject,
      );
    await world.advance('1m');
    outage.on = true;
    await world.advance('10m');
    expect((await look()).toSorted()).toEqual(['daily', 'often']);
    outage.on = false;
    await world.advance('2m');
    expect(await look()).toEqual([]);
  });
});

it('what waits in the table after its time is stuck', () => {
  const waiting = (seconds: number): Sights['waiting'][number] => ({
    id: `t${seconds}`,
    due: ago(seconds),
    queue: 'q',
    retries: 0,
  });
  expect(kinds({ waiting: [waiting(179), waiting(-60)] })).toEqual([]);
  expect(kinds({ waiting: [waiting(600), waiting(181), waiting(10)] })).toEqual(['stuck t600']);
  expect(problemsOf({ ...NOTHING, waiting: [waiting(600), waiting(181)] })[0]?.text).toContain('1 more is late');
});

it('workers that died under a task are named, with how often that was before', () => {
  const stats = (lostRuns: number): Sights['stats'] => ({
    buckets: [],
    tasks: [{ task: 't', ...counts(100, 0), lostRuns }],
  });
  expect(kinds({ stats: stats(0) })).toEqual([]);
  expect(problemsOf({ ...NOTHING, stats: stats(1) })).toMatchObject([
    { kind: 'lost', subject: 't', now: 1, usual: null, text: expect.stringContaining('A run of t ended') },
  ]);
  expect(problemsOf({ ...NOTHING, stats: stats(3), before: stats(2) })).toMatchObject([
    { now: 3, usual: 2, unit: 'runs', text: expect.stringContaining('3 runs of t ended') },
  ]);
  const before = { tasks: [{ task: 'other', ...counts(1, 0) }] };
  expect(problemsOf({ ...NOTHING, stats: stats(3), before })).toMatchObject([{ usual: 0 }]);
});

it('tasks fail, and more than they did; letters lie there; queues are behind, or paused', () => {
  const stats = (all: number, failed: number): Sights['stats'] => ({
    buckets: [],
    tasks: [{ task: 't', ...counts(all, failed) }],
  });
  expect(kinds({ stats: stats(100, 2) })).toEqual([]);
  expect(kinds({ stats: stats(100, 5) })).toEqual(['failing t']);
  expect(kinds({ stats: stats(100, 5), before: stats(100, 4) })).toEqual([]);
  expect(kinds({ queues: [queue({ dead: 1 })] })).toEqual(['dead-letters mail']);
  const paused = { by: 'ada', since: ago(60) };
  expect(kinds({ queues: [queue({ ready: 1000, state: 'paused', paused })] })).toEqual(['paused mail']);
  expect(kinds({ stats: { buckets: buckets(60), tasks: [] }, queues: [queue({ ready: 500 })] })).toEqual([]);
  expect(kinds({ stats: { buckets: buckets(6), tasks: [] }, queues: [queue({ ready: 500 })] })).toEqual([
    'behind mail',
  ]);
});
