/** What is done to tasks: sent, revoked. What was put aside is sent back by the routes of dead letters. */
import * as v from 'valibot';

import { NotRegistered } from '../../base/errors.ts';
import { MAX_MONITOR_REVOKES } from '../../base/limits.ts';
import { didYouMean } from '../../base/nearest.ts';
import { Refused } from '../problem.ts';
import { action, type Route } from '../route.ts';
import { ARGS, KWARGS, NAME } from '../schemas/common.ts';
import { REVOKED_STATES, SENT } from '../schemas/history.ts';
import type { MonitoredService } from '../service.ts';
import { said } from './tasks.ts';

const CALL = v.strictObject({
  task: NAME,
  args: v.optional(ARGS),
  kwargs: v.optional(KWARGS),
  queue: v.optional(NAME),
  countdown: v.optional(v.pipe(v.number(), v.minValue(0))),
  eta: v.optional(v.pipe(v.string(), v.isoTimestamp())),
  expires: v.optional(v.union([v.number(), NAME])),
  priority: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(9))),
  /** Of the task that it is run once more instead of, for the audit list. */
  insteadOf: v.optional(NAME),
});

export const TASK_ACTIONS: readonly Route[] = [
  action('POST', '/api/tasks', {
    summary: 'Sends a task; with the arguments of another one it runs that again',
    action: 'task.call',
    body: CALL,
    answer: SENT,
    about: ({ body }) => ({
      on: [body.task],
      ...(body.insteadOf === undefined ? {} : { note: `instead of ${body.insteadOf}` }),
    }),
    run: async ({ service, body }) => {
      const { task, args, insteadOf: _told, ...options } = body;
      refuseMarked(task, service);
      checkKnown(task, service);
      const { id, duplicate } = await service.app.send(task, args ?? [], said(options));
      return { answer: { id, duplicate }, acted: { on: [task, id] } };
    },
  }),
  action('POST', '/api/tasks/revoke', {
    summary: 'Keeps tasks from starting; with `terminate` ends those that run',
    action: 'task.revoke',
    body: v.strictObject({
      ids: v.pipe(v.array(NAME), v.minLength(1), v.maxLength(MAX_MONITOR_REVOKES)),
      terminate: v.optional(v.boolean(), false),
    }),
    answer: REVOKED_STATES,
    about: ({ body }) => ({
      on: body.ids,
      count: body.ids.length,
      ...(body.terminate ? { note: 'those that run are ended' } : {}),
    }),
    run: async ({ service, body }) => {
      const { ids, terminate } = body;
      return { answer: { states: await service.app.control.revoke(ids, terminate ? { terminate } : {}) } };
    },
  }),
];

/** Only its code says for which call such a task stands. @throws Refused */
export function refuseMarked(task: string, { hasCode, environment }: MonitoredService): void {
  if (hasCode || environment.markedTasks?.includes(task) !== true) return;
  throw new Refused({
    status: 409,
    code: 'TASK_IS_MARKED',
    title: 'Only its code can say for which call it stands.',
    detail: `Task '${task}' is unique, throttled or debounced, and its code says by which key.`,
    hint: 'Send it from the app, or by celeriac call --app with the path of its module.',
  });
}

/** With its code at hand the app itself checks. @throws NotRegistered */
export function checkKnown(task: string, { app, hasCode, environment, taskNames = [] }: MonitoredService): void {
  // A queue of somebody else's workers has names of theirs.
  if (hasCode || taskNames.length === 0 || taskNames.includes(task) || environment.externalQueues.length > 0) return;
  throw new NotRegistered(`No worker of '${app.name}' knows a task named '${task}'.${didYouMean(task, taskNames)}`);
}
