/** Schedule entries, found and looked at. */
import * as v from 'valibot';

import { ScheduleNotFound } from '../../base/errors.ts';
import { MAX_LISTED_HISTORY } from '../../base/limits.ts';
import type { StoredSchedule } from '../../beat/schedule-view.ts';
import { missedBy } from '../missed.ts';
import { read, type Route } from '../route.ts';
import { scheduleViews } from '../schedule-view.ts';
import { integerText, NAME } from '../schemas/common.ts';
import { RUNS } from '../schemas/history.ts';
import { SCHEDULE, SCHEDULES } from '../schemas/schedules.ts';
import type { MonitoredService } from '../service.ts';
import { begunRuns } from '../begun-runs.ts';
import { said } from './tasks.ts';

// More than one service has; a page of the store is a megabyte of entries.
const MOST_ENTRIES = 2000;
const SHOWN = 100;

export const SCHEDULE_ROUTES: readonly Route[] = [
  read('/api/schedules', {
    summary: 'Entries of code and stored ones: `search` in name, task and description, filters, totals, pages',
    query: v.strictObject({
      search: v.optional(NAME),
      state: v.optional(v.picklist(['enabled', 'disabled', 'missed'])),
      source: v.optional(v.picklist(['code', 'stored'])),
      sort: v.optional(v.picklist(['name', 'next', 'last', 'changed']), 'name'),
      from: v.optional(integerText(0, MOST_ENTRIES)),
      limit: v.optional(integerText(1, MOST_ENTRIES)),
    }),
    answer: SCHEDULES,
    run: ({ service, query }) => list(service, query),
  }),
  read('/api/schedules/{name}', {
    summary: 'One entry, with its next five ticks',
    answer: SCHEDULE,
    run: async ({ service, params }) => {
      const entry = await service.app.schedules.get(params.name);
      if (entry === undefined) throw new ScheduleNotFound(`There is no schedule entry '${params.name}'.`);
      const [view] = await scheduleViews(service, [entry]);
      return view;
    },
  }),
  read('/api/schedules/{name}/runs', {
    summary:
      'Runs of an entry, of a rule’s too, the newest first: of the last day, unless `from` says so; and open ones',
    query: v.strictObject({
      from: v.optional(NAME, '1d'),
      limit: v.optional(integerText(1, MAX_LISTED_HISTORY)),
      cursor: v.optional(NAME),
    }),
    answer: RUNS,
    run: ({ service, params, query }) => runs(service, params.name, query),
  }),
];

interface RunsQuery {
  readonly from: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

async function runs(service: MonitoredService, schedule: string, query: RunsQuery): Promise<unknown> {
  const list = await service.app.history.list({ ...said(query), schedule });
  const begun = query.cursor === undefined ? await begunRuns(service, schedule, list.entries) : [];
  return { ...list, begun };
}

interface Wanted {
  readonly search?: string | undefined;
  readonly state?: 'enabled' | 'disabled' | 'missed' | undefined;
  readonly source?: 'code' | 'stored' | undefined;
  readonly sort: 'name' | 'next' | 'last' | 'changed';
  readonly from?: number | undefined;
  readonly limit?: number | undefined;
}

async function list(
  service: MonitoredService,
  { search, state, source, sort, from = 0, limit = SHOWN }: Wanted,
): Promise<unknown> {
  const all = await service.app.schedules.list({ limit: MOST_ENTRIES });
  const sought = search?.toLowerCase();
  const found = all.filter(
    (entry) =>
      (source === undefined || entry.source === source) &&
      (sought === undefined ||
        `${entry.name}\n${entry.task.task}\n${entry.description}`.toLowerCase().includes(sought)),
  );
  const nowMs = service.app.clock.nowMs();
  const isMissed = (entry: StoredSchedule): boolean => missedBy(entry, nowMs) !== undefined;
  const shown = found.filter(
    (entry) => state === undefined || (state === 'missed' ? isMissed(entry) : entry.enabled === (state === 'enabled')),
  );
  const until = from + limit;
  return {
    entries: await scheduleViews(service, shown.toSorted(ORDERS[sort]).slice(from, until)),
    totals: {
      all: found.length,
      enabled: found.filter(({ enabled }) => enabled).length,
      disabled: found.filter(({ enabled }) => !enabled).length,
      missed: found.filter(isMissed).length,
      declared: found.filter((entry) => entry.source === 'code').length,
    },
    next: shown.length > until ? until : null,
  };
}

type Order = (left: StoredSchedule, right: StoredSchedule) => number;
const timeOf = (date: Date | null | undefined, otherwise: number): number => date?.getTime() ?? otherwise;
const ORDERS: Readonly<Record<Wanted['sort'], Order>> = {
  name: (left, right) => (left.name < right.name ? -1 : 1),
  // What has no next tick is last.
  next: (left, right) => timeOf(left.nextTicks[0], Infinity) - timeOf(right.nextTicks[0], Infinity) || 0,
  last: (left, right) => timeOf(right.lastRunAt, 0) - timeOf(left.lastRunAt, 0),
  changed: (left, right) => timeOf(right.changedAt, 0) - timeOf(left.changedAt, 0),
};
