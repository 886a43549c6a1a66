/** Schemas of schedule entries. */
import * as v from 'valibot';

import type { Schedule } from '../../schedules/schedule.ts';
import { SOLAR_EVENTS } from '../../schedules/schedule.ts';
import type { ManyAnswer, SchedulesAnswer, ScheduleView } from '../answers.ts';
import { ARGS, COUNT, KWARGS, TEXT, TIME } from './common.ts';

const ZONE = v.exactOptional(TEXT);

export const SCHEDULE_DATA: v.GenericSchema<Schedule> = v.variant('type', [
  v.strictObject({
    type: v.literal('crontab'),
    minute: TEXT,
    hour: TEXT,
    dayOfMonth: TEXT,
    monthOfYear: TEXT,
    dayOfWeek: TEXT,
    timezone: ZONE,
    dst: v.picklist(['shift', 'skip']),
  }),
  v.strictObject({ type: v.literal('interval'), seconds: v.number(), relative: v.boolean(), timezone: ZONE }),
  v.strictObject({
    type: v.literal('solar'),
    event: v.picklist(SOLAR_EVENTS),
    latitude: v.number(),
    longitude: v.number(),
  }),
  v.strictObject({ type: v.literal('clocked'), at: TIME }),
]);

export const SCHEDULE: v.GenericSchema<ScheduleView> = v.strictObject({
  name: TEXT,
  task: TEXT,
  args: ARGS,
  kwargs: KWARGS,
  options: KWARGS,
  schedule: SCHEDULE_DATA,
  scheduleText: TEXT,
  enabled: v.boolean(),
  oneOff: v.boolean(),
  startTime: v.nullable(TIME),
  expires: v.nullable(TIME),
  catchUp: v.picklist(['one', 'all']),
  startingDeadline: v.nullable(v.number()),
  customTask: v.boolean(),
  description: TEXT,
  source: v.picklist(['code', 'stored']),
  firedBy: v.picklist(['rule', 'sweep']),
  reason: v.nullable(TEXT),
  version: COUNT,
  changedAt: TIME,
  lastRunAt: v.nullable(TIME),
  totalRunCount: v.nullable(COUNT),
  nextTicks: v.array(TIME),
  lastError: v.nullable(TEXT),
  missed: v.nullable(v.strictObject({ text: TEXT, since: v.nullable(TIME) })),
  lastRun: v.nullable(v.strictObject({ id: TEXT, state: TEXT, at: TIME })),
  changedBy: v.nullable(TEXT),
  choice: v.nullable(v.boolean()),
});

export const SCHEDULES: v.GenericSchema<SchedulesAnswer> = v.strictObject({
  entries: v.array(SCHEDULE),
  totals: v.strictObject({ all: COUNT, enabled: COUNT, disabled: COUNT, missed: COUNT, declared: COUNT }),
  next: v.nullable(COUNT),
});

export const MANY: v.GenericSchema<ManyAnswer> = v.strictObject({
  results: v.array(v.strictObject({ name: TEXT, ok: v.boolean(), error: v.nullable(TEXT) })),
});
