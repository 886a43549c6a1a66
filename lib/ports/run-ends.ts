/** How a run may end, and Celery's states for that. */
import { FAILURE, IGNORED, REJECTED, RETRY, REVOKED, SUCCESS } from '../base/states.ts';

/** What becomes of an attempt. */
export type RunEndKind = 'success' | 'retry' | 'reject' | 'requeue' | 'ignore' | 'revoke' | 'fail';

/** Celery's state of each, its internal ones among them. */
export const STATE_OF_END: Readonly<Record<RunEndKind, string>> = {
  success: SUCCESS,
  fail: FAILURE,
  retry: RETRY,
  reject: REJECTED,
  requeue: REJECTED,
  ignore: IGNORED,
  revoke: REVOKED,
};
