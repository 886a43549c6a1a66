/** A schedule entry in `--json`, and in a table. */
import type { StoredSchedule } from '../../beat/schedule-view.ts';
import { scheduleExpression } from '../../schedules/schedule-expression.ts';
import type { JsonSchema } from '../command.ts';
import { instant } from '../format.ts';
import type { Column } from '../output.ts';
import { TIME } from './task-schema.ts';

const TEXT = { type: 'string' };
const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] });

/** An entry: all that `app.schedules.get()` gives, and its schedule in words. */
export const SCHEDULE_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    name: TEXT,
    task: { type: 'object' },
    schedule: { type: 'object', properties: { type: TEXT }, required: ['type'] },
    scheduleText: TEXT,
    enabled: { type: 'boolean' },
    oneOff: { type: 'boolean' },
    startTime: orNull(TIME),
    expires: orNull(TIME),
    catchUp: { enum: ['one', 'all'] },
    startingDeadline: orNull({ type: 'number' }),
    customTask: { type: 'boolean' },
    description: TEXT,
    source: { enum: ['code', 'stored'] },
    firedBy: { enum: ['rule', 'sweep'] },
    version: { type: 'integer' },
    changedAt: TIME,
    lastRunAt: orNull(TIME),
    totalRunCount: orNull({ type: 'integer' }),
    nextTicks: { type: 'array', items: TIME },
    lastError: orNull(TEXT),
    lastRunId: orNull(TEXT),
    changedBy: orNull(TEXT),
    choice: orNull({ type: 'boolean' }),
  },
  required: ['name', 'task', 'schedule', 'scheduleText', 'enabled', 'source', 'firedBy', 'version', 'nextTicks'],
  additionalProperties: false,
};

/** What is printed of an entry. */
export type ScheduleRow = StoredSchedule & { readonly scheduleText: string } & Readonly<Record<string, unknown>>;

export function scheduleRow(entry: StoredSchedule): ScheduleRow {
  return { ...entry, scheduleText: scheduleExpression(entry.schedule) };
}

/** @param nowMs beside which times are shown */
export function scheduleColumns(nowMs: number, options: { readonly utc?: boolean }): readonly Column<ScheduleRow>[] {
  return [
    { head: 'NAME', of: ({ name }) => name },
    { head: 'TASK', of: ({ task }) => task.task },
    { head: 'SCHEDULE', of: ({ scheduleText }) => scheduleText },
    {
      head: 'NEXT',
      of: ({ enabled, nextTicks }) =>
        enabled && nextTicks[0] !== undefined ? instant(nextTicks[0], nowMs, options) : '–',
    },
    {
      head: 'LAST',
      of: ({ lastRunAt, lastError }) => lastError ?? (lastRunAt === null ? '–' : instant(lastRunAt, nowMs, options)),
      style: ({ lastError }) => (lastError === null ? undefined : 'red'),
    },
    {
      head: 'WAY',
      of: ({ firedBy, source, enabled, choice }) =>
        [
          firedBy,
          ...(source === 'stored' ? ['stored'] : []),
          ...(choice === null ? (enabled ? [] : ['disabled']) : [`${choice ? 'enabled' : 'disabled'} by hand`]),
        ].join(', '),
      style: ({ enabled }) => (enabled ? undefined : 'dim'),
    },
  ];
}
