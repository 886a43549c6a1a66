/**
 * Which message of a task is the newer one. A task that goes on in another message keeps its attempt: its parts are counted
 * behind the point, so that stores compare one number, and a part stands between its attempt and the next one.
 */
import type { CeleriacHeader } from './message.ts';

/** More parts than an attempt may have. Quotients of whole numbers: the same text wherever it is written and read. */
const PARTS = 10_000;

/** Attempt 2 is 2; the message of its third part is 2.0002. */
export function attemptNumber({
  retries,
  celeriac: { part = 0 } = {},
}: {
  readonly retries: number;
  readonly celeriac?: CeleriacHeader;
}): number {
  return (retries * PARTS + Math.min(part, PARTS - 1)) / PARTS;
}
