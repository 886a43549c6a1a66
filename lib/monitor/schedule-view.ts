/** Schedule entries as the API shows them: fields that a change takes back as they are. */
import type { StoredSchedule } from '../beat/schedule-view.ts';
import { APPLY_KEYS, type ApplyOptions, MARKS } from '../options/apply-options.ts';
import { fromSignatureOptions } from '../options/signature-options.ts';
import { describeSchedule } from '../schedules/describe-schedule.ts';
import { nextTicks } from '../schedules/next-due.ts';
import type { ScheduleView } from './answers.ts';
import type { MonitoredService } from './service.ts';

/** A tick has a time and an id of its own; signatures and what a sender does are no plain data that a page can change. */
const NOT_OF_TICKS: ReadonlySet<string> = new Set<keyof ApplyOptions>([
  'eta',
  'taskId',
  'kwargs',
  'retry',
  'retryPolicy',
  'link',
  'linkError',
  ...MARKS,
]);
const OPTIONS = [...APPLY_KEYS].filter((name) => !NOT_OF_TICKS.has(name));
const TICKS = 5;

/** Why each declared entry is swept, or not. */
export function reasonsOf({ app, hasCode }: MonitoredService): ReadonlyMap<string, string> {
  return new Map(hasCode ? app.manifest().beat.map(({ name, reason }) => [name, reason]) : []);
}

export function scheduleView(
  { task: signature, ...entry }: StoredSchedule,
  reasons: ReadonlyMap<string, string>,
): Omit<ScheduleView, 'startTime' | 'expires' | 'changedAt' | 'lastRunAt' | 'nextTicks'> &
  Pick<StoredSchedule, 'startTime' | 'expires' | 'changedAt' | 'lastRunAt' | 'nextTicks'> {
  return {
    ...entry,
    task: signature.task,
    args: signature.args,
    kwargs: signature.kwargs,
    options: optionsOf(signature),
    scheduleText: describeSchedule(entry.schedule),
    reason: entry.source === 'stored' ? 'stored while the app runs' : (reasons.get(entry.name) ?? null),
    nextTicks: moreTicks(entry),
  };
}

function optionsOf({ options }: StoredSchedule['task']): Record<string, unknown> {
  const { options: said } = fromSignatureOptions(options);
  return Object.fromEntries(OPTIONS.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])));
}

/** Behind those that the entry tells of. */
function moreTicks({ nextTicks: told, schedule, expires, oneOff }: Omit<StoredSchedule, 'task'>): readonly Date[] {
  const last = told.at(-1)?.getTime();
  if (last === undefined || oneOff || told.length >= TICKS) return told;
  const bounds = { schedule, startMs: null, expiresMs: expires?.getTime() ?? null };
  const more = nextTicks(bounds, last, last, TICKS - told.length);
  return [...told, ...more.map((ms) => new Date(ms))];
}
