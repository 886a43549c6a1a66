/** Schedule entries as the API shows them: fields that a change takes back as they are. */
import { PENDING } from '../base/states.ts';
import type { StoredSchedule } from '../beat/schedule-view.ts';
import { APPLY_KEYS, type ApplyOptions, MARKS } from '../options/apply-options.ts';
import { taskStates } from '../operate/task-summary.ts';
import { fromSignatureOptions } from '../options/signature-options.ts';
import { scheduleExpression } from '../schedules/schedule-expression.ts';
import { nextTicks } from '../schedules/next-due.ts';
import { previousDueMs } from '../schedules/previous-due.ts';
import { tickId } from '../wire/rule-message.ts';
import type { ScheduleView } from './answers.ts';
import { type Missed, missedBy } from './missed.ts';
import type { MonitoredService } from './service.ts';

/** A tick has a time and an id of its own, and what only a task's code says is not the entry's. All else comes back with a change, or it is lost. */
const NOT_OF_TICKS: ReadonlySet<string> = new Set<keyof ApplyOptions>(['eta', 'taskId', 'kwargs', ...MARKS]);
const OPTIONS = [...APPLY_KEYS].filter((name) => !NOT_OF_TICKS.has(name));
const TICKS = 5;

/** Why each declared entry is swept, or not. */
function reasonsOf({ app, hasCode }: MonitoredService): ReadonlyMap<string, string> {
  return new Map(hasCode ? app.manifest().beat.map(({ name, reason }) => [name, reason]) : []);
}

type Times = 'startTime' | 'expires' | 'changedAt' | 'lastRunAt' | 'nextTicks';
type Viewed = Omit<ScheduleView, Times | 'lastRun' | 'missed'> &
  Pick<StoredSchedule, Times> & { readonly lastRun: LastRun | null; readonly missed: Omit<Missed, 'kind'> | null };
interface LastRun {
  readonly id: string;
  readonly state: string;
  readonly at: Date;
}

/** With the states of their last runs: one read for all of them. */
export async function scheduleViews(
  service: MonitoredService,
  entries: readonly StoredSchedule[],
): Promise<readonly Viewed[]> {
  const { app } = service;
  const nowMs = app.clock.nowMs();
  const last = entries.map((entry) => lastTick(entry, nowMs));
  const ids = last.flatMap((tick) => tick?.id ?? []);
  const summaries = ids.length === 0 ? [] : await taskStates(ids, await app.ports());
  const states = new Map(summaries.map(({ id, state }) => [id, state]));
  const reasons = reasonsOf(service);
  return entries.map((entry, index) => {
    const tick = last[index];
    const lastRun = tick === undefined ? null : { ...tick, state: states.get(tick.id) ?? PENDING };
    return { ...scheduleView(entry, reasons, lastRun), missed: missedView(entry, nowMs) };
  });
}

/** Of a rule the one that its times tell of: EventBridge says nothing of what it fired. */
export function lastTick(entry: StoredSchedule, nowMs: number): Pick<LastRun, 'id' | 'at'> | undefined {
  const { name, firedBy, lastRunId, lastRunAt, schedule, changedAt } = entry;
  if (firedBy === 'sweep')
    return lastRunId === null || lastRunAt === null ? undefined : { id: lastRunId, at: lastRunAt };
  const dueMs = previousDueMs(schedule, nowMs);
  // Before it there was no such rule, or another one.
  if (dueMs === undefined || dueMs < changedAt.getTime()) return undefined;
  return { id: tickId(name, dueMs), at: new Date(dueMs) };
}

export function scheduleView(
  { task: signature, lastRunId: _id, ...entry }: StoredSchedule,
  reasons: ReadonlyMap<string, string> = new Map(),
  lastRun: LastRun | null = null,
): Viewed {
  return {
    ...entry,
    lastRun,
    // Of an entry that is only tried.
    missed: null,
    task: signature.task,
    args: signature.args,
    kwargs: signature.kwargs,
    options: optionsOf(signature),
    scheduleText: scheduleExpression(entry.schedule),
    reason: entry.source === 'stored' ? 'stored while the app runs' : (reasons.get(entry.name) ?? null),
    nextTicks: moreTicks(entry),
  };
}

function missedView(entry: StoredSchedule, nowMs: number): Viewed['missed'] {
  const found = missedBy(entry, nowMs);
  return found === undefined ? null : { text: found.text, since: found.since };
}

function optionsOf({ options }: StoredSchedule['task']): Record<string, unknown> {
  const { options: said } = fromSignatureOptions(options);
  return Object.fromEntries(OPTIONS.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])));
}

/** Behind those that the entry tells of. */
function moreTicks({
  nextTicks: told,
  schedule,
  expires,
  oneOff,
}: Pick<StoredSchedule, 'nextTicks' | 'schedule' | 'expires' | 'oneOff'>): readonly Date[] {
  const last = told.at(-1)?.getTime();
  if (last === undefined || oneOff || told.length >= TICKS) return told;
  const bounds = { schedule, startMs: null, expiresMs: expires?.getTime() ?? null };
  const more = nextTicks(bounds, last, last, TICKS - told.length);
  return [...told, ...more.map((ms) => new Date(ms))];
}
