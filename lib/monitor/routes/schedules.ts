/** Schedule entries: found, looked at, changed. Versions are kept to: the second of two editors is told. */
import * as v from 'valibot';

import { CeleriacError } from '../../base/celeriac-error.ts';
import { ScheduleNotFound } from '../../base/errors.ts';
import { errorText } from '../../base/error-text.ts';
import type { StoredSchedule } from '../../beat/schedule-view.ts';
import type { ScheduleChange } from '../../beat/schedules.ts';
import type { Duration } from '../../base/duration.ts';
import { action, read, type Route } from '../route.ts';
import { reasonsOf, scheduleView } from '../schedule-view.ts';
import { ARGS, DONE, integerText, KWARGS, NAME, NOTHING, TEXT } from '../schemas/common.ts';
import { SENT } from '../schemas/history.ts';
import { MANY, SCHEDULE, SCHEDULE_DATA, SCHEDULES } from '../schemas/schedules.ts';
import type { MonitoredService } from '../service.ts';
import { checkKnown, refuseMarked } from './task-actions.ts';
import { said } from './tasks.ts';

// More than one service has; a page of the store is a megabyte of entries.
const MOST_ENTRIES = 2000;
const SHOWN = 100;
const MOST_AT_ONCE = 100;

const VERSION = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)));
const ENTRY = {
  task: NAME,
  schedule: v.union([SCHEDULE_DATA, v.number(), NAME]),
  args: v.optional(ARGS),
  kwargs: v.optional(KWARGS),
  options: v.optional(KWARGS),
  enabled: v.optional(v.boolean()),
  oneOff: v.optional(v.boolean()),
  startTime: v.optional(v.nullable(TEXT)),
  expires: v.optional(v.nullable(TEXT)),
  catchUp: v.optional(v.picklist(['one', 'all'])),
  startingDeadline: v.optional(v.nullable(v.number())),
  customTask: v.optional(v.boolean()),
  description: v.optional(TEXT),
};
const PUT = v.strictObject({ ...ENTRY, version: VERSION, createOnly: v.optional(v.boolean()) });
const CHANGE = v.strictObject({ version: VERSION });

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
      return scheduleView(entry, reasonsOf(service));
    },
  }),
  action('POST', '/api/schedules/check', {
    summary: 'What storing an entry would give, its next five ticks among it; nothing is stored',
    action: 'schedule.check',
    body: v.strictObject({ ...ENTRY, name: NAME }),
    answer: SCHEDULE,
    about: ({ body }) => ({ on: [body.name] }),
    isOnlyLooking: () => true,
    run: async ({ service, body }) => {
      const { name, ...entry } = body;
      return { answer: scheduleView(await service.app.schedules.check(name, entryOf(entry, service)), new Map()) };
    },
  }),
  action('POST', '/api/schedules/many', {
    summary: 'Enables, disables, deletes or runs many entries, one after the other; each has its own end',
    action: 'schedule.many',
    body: v.strictObject({
      names: v.pipe(v.array(NAME), v.minLength(1), v.maxLength(MOST_AT_ONCE)),
      what: v.picklist(['enable', 'disable', 'delete', 'run']),
    }),
    answer: MANY,
    about: ({ body }) => ({ on: body.names, count: body.names.length, note: body.what }),
    run: async ({ service, body }) => ({ answer: { results: await many(service, body.names, body.what) } }),
  }),
  action('PUT', '/api/schedules/{name}', {
    summary: 'Stores an entry, new or in place of the `version` that was read',
    action: 'schedule.put',
    body: PUT,
    answer: SCHEDULE,
    about: ({ params }) => ({ on: [params.name] }),
    run: async ({ service, params, body }) => {
      const { version, createOnly, ...entry } = body;
      const options = said({ version, createOnly });
      const stored = await service.app.schedules.put(params.name, entryOf(entry, service), options);
      return changedTo(stored, service);
    },
  }),
  ...(['enable', 'disable'] as const).map((what) =>
    action('POST', `/api/schedules/{name}/${what}`, {
      summary: what === 'enable' ? 'Lets an entry fire' : 'Keeps an entry from firing, at once and over deployments',
      action: `schedule.${what}`,
      body: CHANGE,
      answer: SCHEDULE,
      about: ({ params }) => ({ on: [params.name] }),
      run: async ({ service, params, body }) =>
        changedTo(await service.app.schedules[what](params.name, said(body)), service),
    }),
  ),
  action('POST', '/api/schedules/{name}/run', {
    summary: 'Sends an entry’s task now, with its own arguments or others',
    action: 'schedule.run',
    body: v.strictObject({ args: v.optional(ARGS), kwargs: v.optional(KWARGS) }),
    answer: SENT,
    about: ({ params }) => ({ on: [params.name] }),
    run: async ({ service, params, body }) => {
      const { id, duplicate } = await service.app.schedules.runNow(params.name, said(body));
      return { answer: { id, duplicate }, acted: { on: [params.name, id] } };
    },
  }),
  action('DELETE', '/api/schedules/{name}', {
    summary: 'Deletes a stored entry',
    action: 'schedule.delete',
    body: NOTHING,
    answer: DONE,
    about: ({ params }) => ({ on: [params.name] }),
    run: async ({ service, params }) => {
      await service.app.schedules.delete(params.name);
      return { answer: { done: true } };
    },
  }),
];

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
  const isMissed = ({ enabled, lastError }: StoredSchedule): boolean => enabled && lastError !== null;
  const shown = found.filter(
    (entry) => state === undefined || (state === 'missed' ? isMissed(entry) : entry.enabled === (state === 'enabled')),
  );
  const reasons = reasonsOf(service);
  const until = from + limit;
  return {
    entries: shown
      .toSorted(ORDERS[sort])
      .slice(from, until)
      .map((entry) => scheduleView(entry, reasons)),
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

/** Without the code of its task its name is looked up here, and not by the app. */
function entryOf(
  entry: v.InferOutput<v.StrictObjectSchema<typeof ENTRY, undefined>>,
  service: MonitoredService,
): ScheduleChange {
  const { schedule, customTask = false, ...fields } = entry;
  refuseMarked(entry.task, service);
  if (!customTask) checkKnown(entry.task, service);
  return {
    ...said(fields),
    // What is none the app refuses, in its own words.
    schedule: schedule as Duration,
    customTask: customTask || !service.hasCode,
  };
}

function changedTo(entry: StoredSchedule, service: MonitoredService): { readonly answer: unknown } {
  return { answer: scheduleView(entry, reasonsOf(service)) };
}

async function many(
  { app }: MonitoredService,
  names: readonly string[],
  what: 'enable' | 'disable' | 'delete' | 'run',
): Promise<unknown> {
  const results: unknown[] = [];
  for (const name of names)
    try {
      await (what === 'run' ? app.schedules.runNow(name) : app.schedules[what](name));
      results.push({ name, ok: true, error: null });
    } catch (error) {
      if (!CeleriacError.is(error)) throw error;
      results.push({ name, ok: false, error: errorText(error).message });
    }
  return results;
}
