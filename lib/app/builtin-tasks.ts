/** Celery's own tasks (celery/app/builtins.py), and some of this package. Workers know them; nobody lists them. */
import {
  applyAgain,
  debounced,
  fail,
  mapEach,
  postWebhook,
  pumpSlots,
  repair,
  starmapEach,
  unlockChord,
} from '#deployed/app/builtin-runs';
import { COLLECT_TASK, DEBOUNCE_TASK, FAIL_TASK, PUMP_TASK, REPAIR_TASK, WEBHOOK_TASK } from '../canvas/own-tasks.ts';
import type { TaskContext } from '../task/context.ts';
import { TimeLimitExceeded } from '../base/errors.ts';
import { isPassing } from '../base/passing.ts';
import type { App } from '../producer/app.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { resolveTaskOptions, type TaskOptions } from '../options/task-options.ts';

type Run = (context: TaskContext, args: readonly unknown[]) => unknown;

/**
 * Their ids are fixed: what a throttle, a lost answer or a call that never answers has cut short is sent again, and
 * nobody else would.
 */
const SENDS = {
  autoretryFor: [isPassing, TimeLimitExceeded],
  retryBackoff: true,
  retryBackoffMax: 300,
  maxRetries: null,
} as const;
// No claim, no result: nobody asks for them.
const UNSEEN = { ...SENDS, idempotent: true, ignoreResult: true } as const;
// With this backoff some four hours, as long as a message that nobody can handle is received again.
const MOST_SENDINGS = 100;

export function builtinTasks(app: App): TaskDefinition[] {
  const define = (name: string, run: Run, options: TaskOptions = {}): TaskDefinition => ({
    name,
    // What is left to do for others' tasks does not wait for a limit that is meant for users' own.
    options: resolveTaskOptions(name, { rateLimit: null, ...options }, app.settings),
    hooks: {},
    arity: 1,
    declaredAt: 'celeriac',
    run,
  });
  const all = [
    define('celery.map', (context) => mapEach(app, context, ownNames)),
    define('celery.starmap', (context) => starmapEach(app, context, ownNames)),
    ...['celery.chain', 'celery.group', 'celery.chord', 'celery.chunks'].map((name) =>
      // Whoever wrote it may have given it to a schema that never passes.
      define(name, (context, args) => applyAgain(app, name, context, args), {
        ...SENDS,
        maxRetries: MOST_SENDINGS,
      }),
    ),
    define('celery.accumulate', (context, args) => {
      const { index } = context.request.kwargs;
      return typeof index === 'number' ? args[index] : args;
    }),
    define('celery.chord_unlock', (context, args) => unlockChord(app, context, args), {
      ...SENDS,
      ignoreResult: true,
    }),
    define('celery.ping', () => 'pong'),
    define('celery.backend_cleanup', (context) => {
      context.logger.info('Nothing to clean up: DynamoDB deletes what has expired by its TTL.');
      return null;
    }),
    define(FAIL_TASK, (_context, args) => fail(args)),
    define(COLLECT_TASK, (_context, [results]) => results),
    // Without a claim: its message has the id of the task that it sends.
    define(DEBOUNCE_TASK, (_context, args) => debounced(app, args), UNSEEN),
    define(PUMP_TASK, (context, args) => pumpSlots(app, context, args), UNSEEN),
    define(WEBHOOK_TASK, (context, args) => postWebhook(app, context, args), { ignoreResult: true }),
    define(REPAIR_TASK, (context, args) => repair(app, context, args), { ...SENDS, ignoreResult: true }),
  ];
  const ownNames: ReadonlySet<string> = new Set(all.map(({ name }) => name));
  return all;
}
