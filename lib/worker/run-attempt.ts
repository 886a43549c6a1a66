/** One claimed attempt: its arguments, its context, its run, its end. */
import { attemptNumber } from '../wire/attempt-number.ts';
import { gatherResults } from '#deployed/worker/gather';
import { announceRun } from '#deployed/worker/hooks';
import { unmarkStarted } from '#deployed/worker/unmark';
import { terminate } from '#deployed/worker/termination';
import { OWN_TASKS } from '../canvas/own-tasks.ts';
import type { Message } from '../wire/message.ts';
import type { TaskContext } from '../task/context.ts';
import { isOf } from '../base/error-text.ts';
import { isPassing } from '../base/passing.ts';
import { callArguments, validateArguments } from '../producer/arguments.ts';
import { writeDocument } from '../wire/result-document.ts';
import { createContext } from '../task/task-context.ts';
import type { Attempt, Disposition } from './attempt.ts';
import { endRun } from './commit.ts';
import { ignoresResult } from './outcome.ts';
import type { Announced } from './announced.ts';
import { limitsOf, within } from './deadline.ts';
import { type Ending, mayStart } from './decide.ts';
import { runTask } from './run-task.ts';
import { watchRun } from './watch-run.ts';
import type { WatchedRun } from './watched-run.ts';
import type { Worker } from './worker.ts';

export function runAttempt(claimed: Attempt): Promise<Disposition> {
  const { telemetry } = claimed.worker.app.settings;
  // The library's own tasks only pass on whose they are.
  return telemetry === undefined || claimed.message.task.startsWith(OWN_TASKS)
    ? runTold(claimed)
    : telemetry.run(claimed.message, (span) => runTold({ ...claimed, span }));
}

async function runTold(claimed: Attempt): Promise<Disposition> {
  const children: string[] = [];
  const attempt: Attempt = { ...claimed, children };
  const { message, definition, worker } = attempt;
  const { ports, app } = worker;
  // A retry's key is free since its first attempt began.
  if (message.celeriac.unique !== undefined && message.retries === 0) await unmarkStarted(message, ports);
  const abort = new AbortController();
  const run: WatchedRun = { message, worker, abort };
  const startMs = ports.clock.nowMs();
  const limits = limitsOf(message, definition.options, startMs, worker.invocation.deadlineMs);
  ports.logger.log('info', `Task ${message.task}[${message.id}] received`, {
    task: message.task,
    taskId: message.id,
    queue: message.queue,
    attempt: message.retries,
    deliveries: attempt.deliveries,
  });
  const contextOf = (args: readonly unknown[], stopMs: number | null): TaskContext =>
    contextFor(attempt, children, args, stopMs, run);
  // Eager runs are their caller's own.
  const watch = app.eager === undefined ? { watch: (stop: (ending: Ending) => void) => watchRun(run, stop) } : {};
  let ending: Ending;
  let args: readonly unknown[] = message.args;
  // Handlers have one even where the arguments were refused.
  let context = contextOf(args, null);
  let announced: Announced | undefined;
  try {
    const whole = await withGathered(message, worker);
    if (await isGivenBack(attempt)) return { kind: 'keep', seconds: 0 };
    // A schema may wait for something too, and for ever.
    args = await within(ports.clock, limits.hardMs ?? Infinity, 'for the schema', () =>
      validateArguments(definition, callArguments(whole, definition)),
    );
    const runLimits = limitsOf(message, definition.options, ports.clock.nowMs(), worker.invocation.deadlineMs);
    context = contextOf(args, runLimits.hardMs === null ? null : ports.clock.nowMs() + runLimits.hardMs);
    if (app.signals !== undefined) announced = await announceRun({ ...attempt, context }, args);
    ending = await runTask(definition, context, args, { abort, limits: runLimits, ...watch }, ports.clock);
  } catch (error) {
    if (isOf(error, NotGathered)) throw (error as NotGathered).cause;
    ending = { ok: false, error };
  }
  try {
    return await endRun({ ...attempt, context, announced }, run.revoked ?? ending, args, startMs);
  } finally {
    await announced?.end();
  }
}

function contextFor(
  attempt: Attempt,
  children: string[],
  args: readonly unknown[],
  stopMs: number | null,
  run: WatchedRun,
): TaskContext {
  const { message, delivery, definition, deliveries, worker } = attempt;
  const { app, ports } = worker;
  return createContext({
    definition,
    message,
    args,
    queue: delivery.queue,
    deliveries,
    isEager: app.eager !== undefined,
    calledDirectly: false,
    ignoreResult: ignoresResult(message, definition),
    signal: run.abort.signal,
    stopMs,
    clock: ports.clock,
    // In eager mode the worker's own lines are fewer; a task's are the app's.
    logger: app.eager === undefined ? ports.logger : app.logger,
    settings: app.settings,
    children,
    store: (state, meta) => storeState(attempt, state, meta, run),
  });
}

/** Stores were asked since the claim, and took their time: what starts now is cut off soon, or runs when its lease may be another's. */
async function isGivenBack({ worker, message, owner, definition: { options } }: Attempt): Promise<boolean> {
  const { ports, invocation, invocationStartMs } = worker;
  if (owner === undefined || mayStart(ports.clock.nowMs(), invocation.deadlineMs, invocationStartMs, options, true))
    return false;
  await worker.release({ id: message.id, attempt: attemptNumber(message), owner });
  return true;
}

/** The results of a large header come first, read now. */
async function withGathered(message: Message, worker: Worker): Promise<Message> {
  const { gather } = message.celeriac;
  if (gather === undefined) return message;
  try {
    return { ...message, args: [await gatherResults(gather, worker.ports), ...message.args] };
  } catch (error) {
    throw isPassing(error) ? new NotGathered(error) : error;
  }
}

/** A store that does not answer is no failure of the task: the message comes back. */
class NotGathered extends Error {
  constructor(cause: unknown) {
    super('', { cause });
  }
}

async function storeState(attempt: Attempt, state: string, meta: unknown, run: WatchedRun): Promise<void> {
  const { message, owner } = attempt;
  if (owner === undefined || ignoresResult(message, attempt.definition)) return;
  const document = writeDocument({
    status: state,
    result: meta,
    traceback: null,
    children: [],
    dateDone: null,
    taskId: message.id,
    groupId: message.groupId,
    parentId: message.parentId,
  });
  const outcome = await attempt.worker.ports.backend.update({
    id: message.id,
    attempt: attemptNumber(message),
    owner,
    status: state,
    meta: document,
  });
  if (outcome === 'terminated') await terminate(run);
}
