/** All routes of the API. Adding one: a line in a file of lib/monitor/routes; its rights, its description and its tests follow. */
import type { Route } from './route.ts';
import { AUDIT_ROUTES } from './routes/audit.ts';
import { CATALOGUE_ROUTES } from './routes/catalogue.ts';
import { DEAD_LETTER_ROUTES } from './routes/dead-letters.ts';
import { LIMIT_ROUTES } from './routes/limits.ts';
import { OVERVIEW_ROUTES } from './routes/overview.ts';
import { QUEUE_ROUTES } from './routes/queues.ts';
import { SCHEDULE_ACTIONS } from './routes/schedule-actions.ts';
import { SCHEDULE_ROUTES } from './routes/schedules.ts';
import { TASK_ACTIONS } from './routes/task-actions.ts';
import { TASK_ROUTES } from './routes/tasks.ts';

export const ROUTES: readonly Route[] = [
  ...OVERVIEW_ROUTES,
  ...TASK_ROUTES,
  ...TASK_ACTIONS,
  ...QUEUE_ROUTES,
  ...DEAD_LETTER_ROUTES,
  ...SCHEDULE_ROUTES,
  ...SCHEDULE_ACTIONS,
  ...LIMIT_ROUTES,
  ...CATALOGUE_ROUTES,
  ...AUDIT_ROUTES,
];
