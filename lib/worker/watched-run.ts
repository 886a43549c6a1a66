/** A run under way, as who watches it sees it. */
import type { Message } from '../wire/message.ts';
import type { Ending } from './decide.ts';
import type { Worker } from './worker.ts';

export interface WatchedRun {
  readonly message: Message;
  readonly worker: Worker;
  /** What `TaskContext.signal` shows. */
  readonly abort: AbortController;
  /** Ends the run, whatever its function still does. */
  stop?: (ending: Ending) => void;
  /** How it ends, once it is known to be revoked. */
  revoked?: Ending;
  over?: boolean;
  /** To be called when it is over. */
  leave?: () => void;
}
