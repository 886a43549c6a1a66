/** Revoking a task: what a reader of its result asks of the store. */
import { booleanOption, idIn, refuseUnknownKeys } from '../base/checks.ts';
import { TaskRevokedError } from '../base/errors.ts';
import { REVOKED_RETENTION_SECONDS } from '../base/limits.ts';
import { REVOKED } from '../base/states.ts';
import type { Clock } from '../base/time.ts';
import type { Ports } from '../ports/ports.ts';
import { writeException } from '../wire/result-document.ts';

/** How a task is revoked. */
export interface RevokeOptions {
  /**
   * Ends a run under way, too: its `signal` aborts within some seconds, and five seconds later it is left alone. Default
   * false: it goes on.
   */
  readonly terminate?: boolean;
}

const KEYS: ReadonlySet<string> = new Set<keyof RevokeOptions>(['terminate']);

/** Whoever asks: an app. */
interface Revoker {
  readonly clock: Clock;
  ports(): Promise<Pick<Ports, 'backend'>>;
}

/** @returns the state after it. @throws InvalidOption */
export async function revokeById(id: string, options: RevokeOptions, by: Revoker): Promise<string> {
  idIn(id, 'revoke()');
  refuseUnknownKeys(options, KEYS, 'revoke()');
  const { terminate = false } = options;
  booleanOption(terminate, 'revoke() terminate');
  const { backend } = await by.ports();
  const nowMs = by.clock.nowMs();
  const meta = writeException(REVOKED, new TaskRevokedError('revoked'), {
    children: [],
    dateDone: new Date(nowMs).toISOString(),
    taskId: id,
  });
  return backend.revoke({
    id,
    nowMs,
    meta,
    expiresAtSeconds: Math.floor(nowMs / 1000) + REVOKED_RETENTION_SECONDS,
    ...(terminate ? { terminate } : {}),
  });
}
