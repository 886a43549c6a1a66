/** Within which time failures of one kind are told in one mail. */
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import { shown } from '../base/checks.ts';
import { DEFAULT_NOTICE_WINDOW_SECONDS, MAX_NOTICE_WINDOW_SECONDS, MIN_NOTICE_WINDOW_SECONDS } from '../base/limits.ts';

/** Whole minutes: failures are counted by the minute. @throws InvalidOption */
export function noticeWindowSeconds(window: Duration | undefined, field: string): number {
  if (window === undefined) return DEFAULT_NOTICE_WINDOW_SECONDS;
  const seconds = durationSeconds(window, field);
  if (seconds >= MIN_NOTICE_WINDOW_SECONDS && seconds <= MAX_NOTICE_WINDOW_SECONDS && seconds % 60 === 0)
    return seconds;
  throw new InvalidOption(
    `${field}: ${shown(window)} given; whole minutes from '1m' to '1d' are allowed, as in '15m'.`,
  );
}
