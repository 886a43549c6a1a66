/** Steps that are sent window by window. */
import { signature } from 'celeriac';

import type { CanvasTasks } from './canvas-world.ts';

/** Messages of a request of SQS; a window is sent by fifty of them side by side. */
export const REQUEST = 10;
/** The ports that a step of many messages calls. */
export const PORTS = ['broker', 'groups', 'backend'] as const;

/** Celery's own form: one signature that becomes a message for each item. */
export function chunksOf({ echo }: CanvasTasks, size: number): never {
  const it = Array.from({ length: size }, (_, index) => [index]);
  return signature('celery.chunks', { kwargs: { task: echo.s(), it, n: 1 }, subtaskType: 'chunks' }) as never;
}
