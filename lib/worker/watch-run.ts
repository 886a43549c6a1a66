/** A run that may be revoked while it goes on (`revoke({ terminate: true })`). What takes less than some seconds asks nobody. */
import { abandon, keepLooking } from '#deployed/worker/termination';
import { TERMINATION_LOOK_SECONDS } from '../base/limits.ts';
import type { Ending } from './decide.ts';
import type { WatchedRun } from './watched-run.ts';

/** @returns what ends the watch. */
export function watchRun(run: WatchedRun, stop: (ending: Ending) => void): () => void {
  run.stop = stop;
  run.worker.invocation.keeper?.onLost(() => void abandon(run));
  const cancel = run.worker.ports.clock.schedule(TERMINATION_LOOK_SECONDS * 1000, () => void keepLooking(run));
  return () => {
    run.over = true;
    cancel();
    run.leave?.();
  };
}
