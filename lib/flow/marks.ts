/** What stands in the way of a call, and when calls that come together run. Pure. */
import { createHash } from 'node:crypto';

import { DEBOUNCE_TOKEN_LATE_SECONDS } from '../base/limits.ts';
import type { Debounce } from '../options/debounce.ts';
import type { Until } from '../options/unique.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Episode, KeyMark } from '../ports/marks.ts';
import { encodeJson } from '../wire/json.ts';

/**
 * `over`: its task has ended, or begun where that is enough, and nobody has cleared its mark. `unsent`: its sender may have
 * died before it sent anything, so that whoever finds it sends.
 */
export type Standing = 'over' | 'sent' | 'unsent';

/** What a mark means to a call that finds it, by what is stored of its task. */
export function standingOf(mark: KeyMark, record: TaskRecord | undefined, until: Until): Standing {
  const begun = record?.startedMs !== undefined;
  const ended = record?.finishedMs !== undefined;
  if (until !== 'time' && (ended || (begun && until === 'started'))) return 'over';
  return mark.sent ? 'sent' : 'unsent';
}

/** When an episode is due after a call at `nowMs`. */
export function episodeDueMs({ waitSeconds, maxWaitSeconds }: Debounce, firstMs: number, nowMs: number): number {
  const dueMs = nowMs + waitSeconds * 1000;
  return maxWaitSeconds === undefined ? dueMs : Math.min(dueMs, firstMs + maxWaitSeconds * 1000);
}

/**
 * Whether a call that has found an episode must send its token: none is known to be sent, or it is so late that it may be
 * lost. One too many does no harm.
 */
export function needsToken({ tokenMs, dueMs }: Pick<Episode, 'tokenMs' | 'dueMs'>, nowMs: number): boolean {
  return tokenMs === undefined || nowMs > Math.max(tokenMs, dueMs) + DEBOUNCE_TOKEN_LATE_SECONDS * 1000;
}

/** The key of arguments as they are sent: the same for objects that differ in the order of their properties. */
export function argumentsKey(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): string {
  return `args:${createHash('sha256')
    .update(encodeJson(sorted([args, kwargs]), 'args'))
    .digest('hex')}`;
}

/** Plain objects alone: what has another prototype is written as a value. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || !PLAIN.has(Object.getPrototypeOf(value))) return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, each]) => [name, sorted(each)]));
}

const PLAIN: ReadonlySet<unknown> = new Set([Object.prototype, null]);
