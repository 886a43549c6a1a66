/** The final state of a task that nobody runs (any more), as it is written down. */
import { attemptNumber } from '../wire/attempt-number.ts';
import type { CeleriacHeader } from '../wire/message.ts';
import type { ConcludeRequest } from '../ports/backend.ts';
import { writeException } from '../wire/result-document.ts';
import { type Settlement, writeSettlement } from './committed.ts';
import { recordExpiresAtSeconds } from './record-expiry.ts';
import type { Worker } from './worker.ts';

/** Whose end it is: a message, or as much of one as there is. */
export interface Concluded {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Number of the attempt. */
  readonly retries: number;
  readonly parentId?: string | null;
  readonly groupId?: string | null;
  /** Tells its part. */
  readonly celeriac?: CeleriacHeader;
}

export type Conclusion = { readonly error: unknown } | { readonly meta: string };

/** @param conclusion an error, or a document that is written already */
export function concludeRequest(
  of: Concluded,
  status: string,
  conclusion: Conclusion,
  { ports, app }: Pick<Worker, 'ports' | 'app'>,
  settlement: Settlement = {},
): ConcludeRequest {
  const { id, task: name, queue, parentId = null, groupId = null } = of;
  const nowMs = ports.clock.nowMs();
  const stored = writeSettlement(settlement);
  const dateDone = new Date(nowMs).toISOString();
  return {
    id,
    attempt: attemptNumber(of),
    nowMs,
    status,
    name,
    queue,
    meta:
      'meta' in conclusion
        ? conclusion.meta
        : writeException(status, conclusion.error, { children: [], dateDone, taskId: id, parentId, groupId }),
    ...(stored === undefined ? {} : { settlement: stored }),
    expiresAtSeconds: recordExpiresAtSeconds(nowMs, queue, app.settings),
  };
}
