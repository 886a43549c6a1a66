/** What is done to schedule entries: tried, stored, switched, renamed, run. Versions are kept to: the second of two editors is told. */
import * as v from 'valibot';

import { CeleriacError } from '../../base/celeriac-error.ts';
import { NotRegistered } from '../../base/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import type { Duration } from '../../base/duration.ts';
import { cut, errorText } from '../../base/error-text.ts';
import { MAX_CHANGED_BY_CHARACTERS } from '../../base/limits.ts';
import type { StoredSchedule } from '../../beat/schedule-view.ts';
import type { ScheduleChange } from '../../beat/schedules.ts';
import { readLinks } from '../../wire/links.ts';
import { signaturesIn } from '../../wire/signature.ts';
import { noteRun } from '../begun-runs.ts';
import { action, type Route, type Visitor } from '../route.ts';
import { scheduleView, scheduleViews } from '../schedule-view.ts';
import { ARGS, DONE, KWARGS, NAME, TEXT } from '../schemas/common.ts';
import { SENT } from '../schemas/history.ts';
import { MANY, SCHEDULE, SCHEDULE_DATA } from '../schemas/schedules.ts';
import type { MonitoredService } from '../service.ts';
import { checkKnown, refuseMarked } from './task-actions.ts';
import { said } from './tasks.ts';

const MOST_AT_ONCE = 100;
const WHAT = ['enable', 'disable', 'follow-code', 'delete', 'run'] as const;

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

const SWITCHES = {
  enable: 'Lets an entry fire',
  disable: 'Keeps an entry from firing, at once and over deployments',
  'follow-code': 'Takes back what `enable` or `disable` said of a declared entry: its code decides again',
} as const;

export const SCHEDULE_ACTIONS: readonly Route[] = [
  action('POST', '/api/schedules/check', {
    summary: 'What storing an entry would give, its next five ticks among it; nothing is stored',
    action: 'schedule.check',
    body: v.strictObject({ ...ENTRY, name: NAME }),
    answer: SCHEDULE,
    about: ({ body }) => ({ on: [body.name] }),
    isOnlyLooking: () => true,
    run: async ({ service, body }) => {
      const { name, ...entry } = body;
      return { answer: scheduleView(await service.app.schedules.check(name, entryOf(entry, service))) };
    },
  }),
  action('POST', '/api/schedules/many', {
    summary: 'Enables, disables, hands back, deletes or runs many entries, one after the other; each has its own end',
    action: 'schedule.many',
    body: v.strictObject({
      names: v.pipe(v.array(NAME), v.minLength(1), v.maxLength(MOST_AT_ONCE)),
      what: v.picklist(WHAT),
    }),
    answer: MANY,
    about: ({ body }) => ({ on: body.names, count: body.names.length, note: body.what }),
    run: async ({ service, visitor, body }) => ({
      answer: { results: await many(service, body.names, body.what, visitor) },
    }),
  }),
  action('PUT', '/api/schedules/{name}', {
    summary: 'Stores an entry, new or in place of the `version` that was read',
    action: 'schedule.put',
    body: PUT,
    answer: SCHEDULE,
    about: ({ params }) => ({ on: [params.name] }),
    run: async ({ service, visitor, params, body }) => {
      const { version, createOnly, ...entry } = body;
      const options = { ...said({ version, createOnly }), ...byOf(visitor) };
      const stored = await service.app.schedules.put(params.name, entryOf(entry, service), options);
      return changedTo(stored, service);
    },
  }),
  ...(['enable', 'disable', 'follow-code'] as const).map((what) =>
    action('POST', `/api/schedules/{name}/${what}`, {
      summary: SWITCHES[what],
      action: `schedule.${what}`,
      body: CHANGE,
      answer: SCHEDULE,
      about: ({ params }) => ({ on: [params.name] }),
      run: async ({ service, visitor, params, body }) => {
        const entry = await service.app.schedules[callOf(what)](params.name, { ...said(body), ...byOf(visitor) });
        return changedTo(entry, service);
      },
    }),
  ),
  action('POST', '/api/schedules/{name}/rename', {
    summary: 'Stores an entry under another name: its counts go on',
    action: 'schedule.rename',
    body: v.strictObject({ version: VERSION, to: NAME }),
    answer: SCHEDULE,
    about: ({ params, body }) => ({ on: [params.name, body.to] }),
    run: async ({ service, visitor, params, body }) => {
      const { to, ...which } = body;
      const options = { ...said(which), ...byOf(visitor) };
      return changedTo(await service.app.schedules.rename(params.name, to, options), service);
    },
  }),
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
    body: CHANGE,
    answer: DONE,
    about: ({ params }) => ({ on: [params.name] }),
    run: async ({ service, visitor, params, body }) => {
      await service.app.schedules.delete(params.name, { ...said(body), ...byOf(visitor) });
      return { answer: { done: true } };
    },
  }),
];

/** Without the code of its task its name is looked up here, and not by the app. */
function entryOf(
  entry: v.InferOutput<v.StrictObjectSchema<typeof ENTRY, undefined>>,
  service: MonitoredService,
): ScheduleChange {
  const { schedule, customTask = false, ...fields } = entry;
  refuseMarked(entry.task, service);
  if (!customTask) {
    checkKnown(entry.task, service);
    checkLinked(linkedTasks(fields.options), service);
  }
  return {
    ...said(fields),
    // What is none the app refuses, in its own words.
    schedule: schedule as Duration,
    customTask: customTask || !service.hasCode,
  };
}

/** Names of the tasks that follow; what is no signature the app refuses. Composites are no tasks of anybody. */
function linkedTasks({ link, linkError }: Readonly<Record<string, unknown>> = {}): readonly string[] {
  const links = [...readLinks(link), ...readLinks(linkError)].flatMap((each) => [...signaturesIn(each)]);
  return links.flatMap(({ task, subtask_type: kind }) => (kind === null && task !== '' ? [task] : []));
}

/** Of an entry the app checks its own task alone. @throws NotRegistered */
function checkLinked(tasks: readonly string[], service: MonitoredService): void {
  const { app, hasCode, environment } = service;
  for (const task of tasks)
    if (!hasCode) checkKnown(task, service);
    else if (environment.externalQueues.length === 0 && app.registry.findAnywhere(task) === undefined)
      throw new NotRegistered(
        `options.link or linkError: a task named '${task}' is not registered in '${app.name}'.${didYouMean(task, app.registry.names())} Correct the name, or say customTask: true.`,
      );
}

async function changedTo(entry: StoredSchedule, service: MonitoredService): Promise<{ readonly answer: unknown }> {
  const [answer] = await scheduleViews(service, [entry]);
  return { answer };
}

/** As the entry keeps it. */
function byOf({ name }: Pick<Visitor, 'name'>): { readonly by?: string } {
  return name === '' ? {} : { by: cut(name, MAX_CHANGED_BY_CHARACTERS) };
}

function callOf(what: 'enable' | 'disable' | 'follow-code'): 'enable' | 'disable' | 'followCode' {
  return what === 'follow-code' ? 'followCode' : what;
}

/** Each run stands in the audit list by itself, where its entry's runs find it. */
async function runOne(service: MonitoredService, name: string, visitor: Pick<Visitor, 'name'>): Promise<void> {
  const { id } = await service.app.schedules.runNow(name);
  await noteRun(service, { name, id, by: visitor.name });
}

async function many(
  service: MonitoredService,
  names: readonly string[],
  what: (typeof WHAT)[number],
  visitor: Pick<Visitor, 'name'>,
): Promise<unknown> {
  const { app } = service;
  const by = byOf(visitor);
  const results: unknown[] = [];
  for (const name of names)
    try {
      if (what === 'run') await runOne(service, name, visitor);
      else if (what === 'delete') await app.schedules.delete(name, by);
      else await app.schedules[callOf(what)](name, by);
      results.push({ name, ok: true, error: null });
    } catch (error) {
      if (!CeleriacError.is(error)) throw error;
      results.push({ name, ok: false, error: errorText(error).message });
    }
  return results;
}
