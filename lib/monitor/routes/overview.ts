/** What the eye meets first: trouble, numbers, queues. */
import * as v from 'valibot';

import { OperationalError } from '../../base/errors.ts';
import type { Stats } from '../../history/stats.ts';
import { type Deploy, deploysIn } from '../../history/deploys.ts';
import { scheduledTasks } from '../../operate/scheduled.ts';
import { failuresIn, problemsOf } from '../problems.ts';
import { detailedQueues } from '../queue-views.ts';
import { read, type Route } from '../route.ts';
import { OVERVIEW } from '../schemas/history.ts';
import type { MonitoredService } from '../service.ts';

export const RANGES = {
  '1h': { seconds: 3600, every: 'minute' },
  '6h': { seconds: 21_600, every: 'minute' },
  '1d': { seconds: 86_400, every: 'hour' },
  '7d': { seconds: 604_800, every: 'hour' },
} as const;
type Range = keyof typeof RANGES;

// More entries than people look at; the view of schedules has all.
const SCHEDULES_LOOKED_AT = 200;
// More than eyes tell apart in a plot.
const DEPLOYS_SHOWN = 50;
// The first of them says whether the sweeper runs.
const WAITING_LOOKED_AT = 10;

export const OVERVIEW_ROUTES: readonly Route[] = [
  read('/api/overview', {
    summary: 'Problems, counts over time and by task, queues',
    query: v.strictObject({ range: v.optional(v.picklist(['1h', '6h', '1d', '7d']), '1h') }),
    answer: OVERVIEW,
    run: ({ service, query }) => overview(service, query.range),
  }),
];

async function overview(service: MonitoredService, range: Range): Promise<unknown> {
  const { app } = service;
  const { seconds, every } = RANGES[range];
  const nowMs = app.clock.nowMs();
  const from = new Date(nowMs - seconds * 1000);
  const { timers } = await app.ports();
  const shards = service.environment.timerShards;
  const [stats, before, { queues }, schedules, { tasks: waiting }, deploys] = await Promise.all([
    app.stats({ from, every }),
    statsBefore(service, from, seconds, every),
    detailedQueues(service),
    app.schedules.list({ limit: SCHEDULES_LOOKED_AT }),
    scheduledTasks(timers, { shards, limit: WAITING_LOOKED_AT }),
    deploysOf(service, from.getTime(), nowMs),
  ]);
  return {
    range,
    every,
    problems: problemsOf({ stats, before, queues, schedules, waiting, nowMs }),
    total: stats.total,
    before: before?.total ?? null,
    until: new Date(nowMs),
    deploys: deploys.map(({ atMs, version }) => ({ at: new Date(atMs), version })),
    buckets: stats.buckets,
    tasks: stats.tasks.toSorted((left, right) => failuresIn(right) - failuresIn(left)),
    queues,
  };
}

async function deploysOf({ app }: MonitoredService, fromMs: number, untilMs: number): Promise<readonly Deploy[]> {
  const { history } = await app.ports();
  const deploys = history === undefined ? [] : await deploysIn(history, { fromMs, untilMs: untilMs + 1 });
  return deploys.slice(-DEPLOYS_SHOWN);
}

/** For comparison; the numbers of now are worth showing without it. */
async function statsBefore(
  { app }: MonitoredService,
  from: Date,
  seconds: number,
  every: Stats['every'],
): Promise<Stats | undefined> {
  try {
    return await app.stats({ from: new Date(from.getTime() - seconds * 1000), to: from, every });
  } catch (error) {
    if (OperationalError.is(error)) return undefined;
    throw error;
  }
}
