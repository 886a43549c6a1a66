/** Where notes of what has been told stand in a store, and when their time is over: one place for all adapters. */
import { MINUTE_MS, startOf } from './history-place.ts';
import type { CloseRequest, MarkRequest, NoticeWindow } from './notices.ts';
import { NOTICE_RETENTION_SECONDS } from '../base/limits.ts';
import { timeKey } from './store-limits.ts';

/** One partition: asked once a minute, and written to a few times in a window. */
export const NOTICES_PARTITION = 'notices';
export const WINDOW_KEY = 'window';
const MINUTE_PREFIX = 'minute#';

export function noticeMinuteKey(startMs: number): string {
  return `${MINUTE_PREFIX}${timeKey(startMs)}`;
}

/** The window that a failure begins where none is open. */
export function firstWindow({ failure, nowMs, windowMs }: MarkRequest): Pick<NoticeWindow, 'startMs' | 'untilMs'> {
  const startMs = startOf(failure.endedMs, MINUTE_MS);
  return { startMs, untilMs: Math.max(startMs, startOf(nowMs, MINUTE_MS)) + windowMs };
}

export function noticesExpireAtSeconds(untilMs: number): number {
  return Math.ceil(untilMs / 1000) + NOTICE_RETENTION_SECONDS;
}

/** Keys that a closing forgets. What failed at or after the end goes on by itself, and so does what nobody was told. */
export function forgotten({ window, keep, startMs }: CloseRequest): string[] {
  const kept = new Set(keep);
  return [...window.known].flatMap(([key, { endedMs, untold }]) =>
    kept.has(key) || endedMs >= startMs || untold !== undefined ? [] : [key],
  );
}
