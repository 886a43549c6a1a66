/** Where notes of what has been told stand in a store, and when their time is over: one place for all adapters. */
import type { CloseRequest, MarkRequest, NoticeWindow } from './notices.ts';
import { NOTICE_RETENTION_SECONDS } from '../base/limits.ts';
import { timeKey } from './store-limits.ts';

// Not that of history-place.ts: a worker would load a file more to write its history.
const MINUTE_MS = 60_000;
const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS;

/** One partition: asked once a minute, and written to a few times in a window. */
export const NOTICES_PARTITION = 'notices';
export const WINDOW_KEY = 'window';
const MINUTE_PREFIX = 'minute#';

export function noticeMinuteKey(startMs: number): string {
  return `${MINUTE_PREFIX}${timeKey(startMs)}`;
}

/**
 * The window that a failure begins where none is open. It begins a minute before: another one of its kind may have ended in that
 * minute, be marked a moment later, and would be in no digest.
 */
export function firstWindow({ failure, nowMs, windowMs }: MarkRequest): Pick<NoticeWindow, 'startMs' | 'untilMs'> {
  const minuteMs = minuteOf(failure.endedMs);
  return { startMs: minuteMs - MINUTE_MS, untilMs: Math.max(minuteMs, minuteOf(nowMs)) + windowMs };
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
