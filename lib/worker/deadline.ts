/** How long a run may take: the message's limits before the task's, and never beyond the invocation. */
import { TimeLimitExceeded } from '../base/errors.ts';
import { DEADLINE_MARGIN_SECONDS } from '../base/limits.ts';
import type { Message } from '../wire/message.ts';
import type { Clock } from '../base/time.ts';
import { limitsInForce, type ResolvedTaskOptions } from '../options/task-options.ts';
import type { Limits } from './run-task.ts';

/** An invocation is nearly over: its message comes back, and what it needs begins in time in another. */
export class OutOfTime extends Error {
  override readonly name: string = 'OutOfTime';
  readonly retryable: boolean = true;

  constructor() {
    super('The invocation had too little time left; the rest is done in another one.');
  }
}

/** The invocation's time is nearly over: the message stays, and its next delivery goes on. */
export class SettleInterrupted extends OutOfTime {}

/** Until the worker has to answer, before Lambda's own timeout takes its whole batch along. */
export function timeLeftMs(clock: Clock, deadlineMs: number): number {
  return Math.max(0, deadlineMs - clock.nowMs() - DEADLINE_MARGIN_SECONDS * 1000);
}

/** Waits for user code no longer than this. It cannot be stopped, only left alone. @throws TimeLimitExceeded */
export async function within<R>(clock: Clock, limitMs: number, what: string, run: () => R | Promise<R>): Promise<R> {
  if (!Number.isFinite(limitMs)) return run();
  let cancel = (): void => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    cancel = clock.schedule(limitMs, () =>
      reject(new TimeLimitExceeded(`The ${(limitMs / 1000).toFixed(1)} s are over that there were ${what}.`)),
    );
  });
  try {
    return await Promise.race([run(), stopped]);
  } finally {
    cancel();
  }
}

export function limitsOf(
  message: Pick<Message, 'timeLimit'>,
  options: Pick<ResolvedTaskOptions, 'softTimeLimitSeconds' | 'timeLimitSeconds'>,
  startMs: number,
  deadlineMs: number,
): Limits {
  const [hardSeconds, softSeconds] = limitsInForce(message.timeLimit, options);
  // Before Lambda's own timeout, which would take the whole batch and its answer along.
  const usableMs = Math.max(0, deadlineMs - startMs - DEADLINE_MARGIN_SECONDS * 1000);
  const byDeadline = hardSeconds === null || hardSeconds * 1000 > usableMs;
  const hardMs = byDeadline ? usableMs : hardSeconds * 1000;
  const finite = Number.isFinite(hardMs) ? hardMs : null;
  return {
    softMs: softSeconds === null ? null : Math.min(softSeconds * 1000, hardMs),
    hardMs: finite,
    byDeadline,
  };
}
