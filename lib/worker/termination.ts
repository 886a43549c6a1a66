/**
 * Ends runs whose tasks are revoked with `terminate`. All runs of an invocation that have gone on for some seconds are asked
 * about together; one that stores a state is told by the answer.
 */
import { errorLine } from '../base/error-text.ts';
import { TaskRevokedError } from '../base/errors.ts';
import { TERMINATION_GRACE_SECONDS, TERMINATION_LOOK_SECONDS } from '../base/limits.ts';
import type { Invocation } from '../ports/delivery.ts';
import type { WatchedRun } from './watched-run.ts';
import type { Worker } from './worker.ts';

/** Of one invocation. */
interface Watch {
  readonly runs: Set<WatchedRun>;
  /** Ends the wait for the next look; undefined while there is none. */
  cancel: (() => void) | undefined;
  /** Who may not look is told so once. */
  told: boolean;
}

// By invocation: of its worker each run may have a variant of its own.
const WATCHES = new WeakMap<Invocation, Watch>();

/** Looks now, where no other run of the invocation is looked after, and then again and again until the run is over. */
export async function keepLooking(run: WatchedRun): Promise<void> {
  // The code that does it had to be loaded.
  if (run.over === true || run.revoked !== undefined) return;
  const { worker } = run;
  const watch = WATCHES.get(worker.invocation) ?? { runs: new Set(), cancel: undefined, told: false };
  WATCHES.set(worker.invocation, watch);
  const isFirst = watch.runs.size === 0;
  watch.runs.add(run);
  run.leave = () => {
    watch.runs.delete(run);
    if (watch.runs.size === 0) watch.cancel?.();
  };
  // Those that began in the same moment are asked about together.
  if (isFirst) await worker.ports.clock.nextTurn();
  if (isFirst && watch.runs.size > 0) await look(watch, worker);
}

async function look(watch: Watch, worker: Worker): Promise<void> {
  const { clock, backend, logger } = worker.ports;
  const runs = [...watch.runs];
  const begunMs = clock.nowMs();
  try {
    // Two deliveries of one idempotent task may run side by side, and DynamoDB takes no key twice.
    const ids = [...new Set(runs.map(({ message }) => message.id))];
    const answers = await backend.terminated(ids);
    const terminated = new Set(ids.filter((_, index) => answers[index] === true));
    for (const run of runs) if (terminated.has(run.message.id)) end(run);
  } catch (error) {
    // The next look makes up for it. Where none ever succeeds, tasks end by themselves or at their time limit.
    if (!watch.told)
      logger.log('warn', `Whether running tasks were revoked could not be read: ${errorLine(error)}`, {
        queue: runs[0]?.message.queue,
      });
    watch.told = true;
  }
  if (watch.runs.size === 0) return;
  const waitMs = Math.max(0, begunMs + TERMINATION_LOOK_SECONDS * 1000 - clock.nowMs());
  watch.cancel = clock.schedule(waitMs, () => void look(watch, worker));
}

/** Its signal has aborted when this resolves. */
export function terminate(run: WatchedRun): Promise<void> {
  end(run);
  return Promise.resolve();
}

/** A process that lives on has lost it, or gives it back: its signal has aborted when this resolves. Its end is told nobody. */
export function abandon(run: WatchedRun): Promise<void> {
  end(run, 'runs elsewhere from now on');
  return Promise.resolve();
}

/** Its signal aborts now; what goes on all the same is left alone after a while, as at its time limit. */
function end(run: WatchedRun, why: string = 'is revoked'): void {
  if (run.over === true || run.revoked !== undefined) return;
  const { message, worker, abort } = run;
  const error = new TaskRevokedError('terminated');
  const ending = { ok: false, error, terminated: true } as const;
  run.revoked = ending;
  run.leave?.();
  const cancel = worker.ports.clock.schedule(TERMINATION_GRACE_SECONDS * 1000, () => run.stop?.(ending));
  run.leave = cancel;
  worker.ports.logger.log('info', `Task ${message.task}[${message.id}] ${why}: its signal aborts`, {
    task: message.task,
    taskId: message.id,
    queue: message.queue,
    attempt: message.retries,
  });
  abort.abort(error);
}
