/** Runs of a schedule entry that have not ended: the history tells of ends alone. */
import { cut } from '../base/error-text.ts';
import { AUDIT_RETENTION_SECONDS, MAX_AUDIT_CHARACTERS } from '../base/limits.ts';
import { isFinal, PENDING } from '../base/states.ts';
import type { TaskEnd } from '../history/end-view.ts';
import { taskStates } from '../operate/task-summary.ts';
import type { BegunRun } from './answers.ts';
import { lastTick } from './schedule-view.ts';
import type { MonitoredService } from './service.ts';

const RUN = 'schedule.run';
// One page of what people did: who looks at what was sent by hand has just done so.
const AUDIT_LOOKED_AT = 100;
// What is in its queue for longer than this nobody knows of, or it has ended without a trace.
const LONGEST_PENDING_MS = 3_600_000;

/**
 * Notes in the audit list that somebody has sent an entry's task by hand: so its runs have it at once. One write.
 *
 * @param by who, as the list has them
 */
export async function noteRun(
  { app, audit }: Pick<MonitoredService, 'app' | 'audit'>,
  { name, id, by }: { readonly name: string; readonly id: string; readonly by: string },
): Promise<void> {
  const atMs = app.clock.nowMs();
  await audit.put({
    id: app.ids.next(),
    atMs,
    by: cut(by, MAX_AUDIT_CHARACTERS),
    action: RUN,
    on: [name, id].map((each) => cut(each, MAX_AUDIT_CHARACTERS)),
    outcome: 'done',
    expiresAtSeconds: Math.ceil(atMs / 1000) + AUDIT_RETENTION_SECONDS,
  });
}

/**
 * Its last tick, and what people have sent by hand lately: their states, in one read.
 *
 * @param ended those that the history knows
 */
export async function begunRuns(
  { app, audit }: MonitoredService,
  name: string,
  ended: readonly TaskEnd[],
): Promise<readonly BegunRun[]> {
  const nowMs = app.clock.nowMs();
  const [entry, actions] = await Promise.all([app.schedules.get(name), audit.list({ limit: AUDIT_LOOKED_AT, nowMs })]);
  const tick = entry === undefined ? undefined : lastTick(entry, nowMs);
  const sent = [
    ...actions.flatMap(({ action, on: [on, id], atMs, by }) =>
      action === RUN && on === name && id !== undefined ? [{ id, atMs, by }] : [],
    ),
    ...(tick === undefined ? [] : [{ id: tick.id, atMs: tick.at.getTime(), by: null }]),
  ];
  const gone = new Set(ended.filter(({ state }) => isFinal(state)).map(({ id }) => id));
  const open = sent.filter(({ id }) => !gone.has(id));
  if (open.length === 0) return [];
  const summaries = await taskStates(
    open.map(({ id }) => id),
    await app.ports(),
  );
  return open
    .flatMap(({ id, atMs, by }, index): (BegunRun & { readonly atMs: number })[] => {
      const state = summaries[index]?.state ?? PENDING;
      const isOver = isFinal(state) || (state === PENDING && nowMs - atMs > LONGEST_PENDING_MS);
      return isOver ? [] : [{ id, state, sentAt: new Date(atMs).toISOString(), by, atMs }];
    })
    .toSorted((left, right) => right.atMs - left.atMs)
    .map(({ atMs: _order, ...run }) => run);
}
