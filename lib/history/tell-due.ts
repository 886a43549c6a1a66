/**
 * What a sweep tells of failures, behind the roll-up that has counted them:
 *
 *   1. kinds in the history that no window knows: who ended them died, or could not mark them;
 *   2. kinds that were marked a while ago and not told: who marked them died, or could not send;
 *   3. the digest of a window that is over, from the counts of its minutes; then the window ends.
 *
 * Sent before it is noted, at each step: a crash tells twice, and never nothing.
 */
import { errorLine } from '../base/error-text.ts';
import {
  MAX_KNOWN_FAILURES,
  MAX_NOTICES_AT_ONCE,
  NOTICE_FRESH_SECONDS,
  NOTICE_OVERDUE_SECONDS,
  NOTICE_RETENTION_SECONDS,
} from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import {
  byFrequency,
  countFailures,
  type FailureCounts,
  mergeCounts,
  OTHER_KINDS,
  packFailures,
  unpackFailures,
} from '../notify/counts.ts';
import { digestMail } from '../notify/mail.ts';
import { logFailed, type Sending, sendMail, tellMarked } from '../notify/send.ts';
import type { Logger } from '../ports/log.ts';
import type { Failure, KnownFailure, Notices, Notifying, NoticeWindow } from '../ports/notices.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';

const MINUTE_MS = 60_000;

interface TellPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a roll-up has counted. */
export interface Rolled {
  /** Every minute before it is counted, milliseconds since the epoch. */
  readonly untilMs: number;
  /** Of the minutes that were counted now. */
  readonly counts: FailureCounts;
}

/** Stores the failures of one minute. @returns what it has counted. Never throws: counts of tasks are worth more. */
export async function keepFailures(
  startMs: number,
  entries: readonly HistoryEntry[],
  notices: Notices,
  logger: Logger,
): Promise<FailureCounts> {
  const counts = countFailures(entries);
  if (counts.size === 0) return counts;
  try {
    const expiresAtSeconds = Math.ceil(startMs / 1000) + NOTICE_RETENTION_SECONDS;
    await notices.putMinute({ startMs, ...packFailures(counts), expiresAtSeconds });
  } catch (error) {
    logFailed(`The failures of a minute are not counted for mails: ${errorLine(error)}`, logger);
  }
  return counts;
}

/**
 * Never throws: the next sweep tries again.
 *
 * @returns whether a window is over whose digest another one makes, who has to see that its minutes are counted
 */
export async function tellDue(rolled: Rolled, notifying: Notifying, ports: TellPorts): Promise<boolean> {
  try {
    const { notices, notifier } = notifying;
    const window = await markMissed(rolled.counts, await notices.window(), notifying, ports);
    if (window === undefined) return false;
    const isOver = rolled.untilMs >= window.untilMs;
    if (notifier === undefined) return isOver;
    const sending = sendingOf({ ...notifying, notifier }, ports.logger);
    if (!(await tellOverdue(window, rolled.counts, sending, ports.clock.nowMs()))) return false;
    if (isOver && (await notifying.notices.takeDigest(window, ports.clock.nowMs())))
      await endWindow(window, rolled.untilMs, notifying, sending);
  } catch (error) {
    logFailed(`Who is to be told of failures was not told now: ${errorLine(error)}`, ports.logger);
  }
  return false;
}

/**
 * What processes tell where the sweeper sends nothing: the same, of what the sweeper has marked and counted. Several processes may
 * look at once, so that whoever has something to tell takes the window first. Never throws.
 *
 * @param rolledUntilMs how far the sweeper is; asked where a window may be over
 */
export async function tellCounted(
  rolledUntilMs: () => Promise<number>,
  notifying: Notifying & Pick<Sending, 'notifier'>,
  { clock, logger }: TellPorts,
): Promise<void> {
  try {
    const { notices } = notifying;
    const window = await notices.window();
    if (window === undefined) return;
    const nowMs = clock.nowMs();
    const untilMs = nowMs < window.untilMs ? 0 : await rolledUntilMs();
    const isOver = untilMs >= window.untilMs;
    const isDue = isOver || [...window.known.values()].some((known) => isOverdue(known, nowMs));
    if (!isDue || !(await notices.takeDigest(window, nowMs))) return;
    const sending = sendingOf(notifying, logger);
    if ((await tellOverdue(window, new Map(), sending, nowMs)) && isOver)
      await endWindow(window, untilMs, notifying, sending);
  } catch (error) {
    logFailed(`Who is to be told of failures was not told now: ${errorLine(error)}`, logger);
  }
}

function isOverdue({ untold, markedMs }: KnownFailure, nowMs: number): boolean {
  return untold !== undefined && markedMs <= nowMs - NOTICE_OVERDUE_SECONDS * 1000;
}

function sendingOf({ notices, notifier, ...place }: Notifying & Pick<Sending, 'notifier'>, logger: Logger): Sending {
  return { notices, notifier, logger, place };
}

/** @returns the window as it is then */
async function markMissed(
  counts: FailureCounts,
  window: NoticeWindow | undefined,
  { notices, windowSeconds }: Notifying,
  { clock }: TellPorts,
): Promise<NoticeWindow | undefined> {
  let current = window;
  const nowMs = clock.nowMs();
  for (const [key, { lastMs, count, firstMs: _firstMs, ...known }] of byFrequency(counts)) {
    if (key === OTHER_KINDS || current?.known.has(key) === true || lastMs < nowMs - NOTICE_FRESH_SECONDS * 1000)
      continue;
    const failure: Failure = { ...known, key, endedMs: lastMs, ...(count === 1 ? {} : { times: count }) };
    const outcome = await notices.mark({
      failure,
      nowMs,
      windowMs: windowSeconds * 1000,
      limit: MAX_NOTICES_AT_ONCE,
    });
    current = outcome.window;
    if (outcome.kind === 'full') break;
  }
  return current;
}

/** @returns false where mails are not taken now */
async function tellOverdue(
  { known }: NoticeWindow,
  counted: FailureCounts,
  sending: Sending,
  nowMs: number,
): Promise<boolean> {
  for (const [key, each] of known) {
    const { untold } = each;
    // What is counted has ended a minute ago: nobody is about to tell it any more.
    const isDue = counted.has(key) || isOverdue(each, nowMs);
    if (untold !== undefined && isDue && !(await tellMarked(untold, sending))) return false;
  }
  return true;
}

/** Of whoever has taken its digest. */
async function endWindow(
  window: NoticeWindow,
  endMs: number,
  { notices, windowSeconds }: Notifying,
  sending: Sending,
): Promise<void> {
  const minutes = await notices.minutes({ fromMs: window.startMs, untilMs: endMs });
  const counts = mergeCounts(minutes.map(({ data }) => unpackFailures(data)));
  const mail = digestMail(
    { fromMs: shownStartMs(window, counts), untilMs: endMs, counts, toldAtOnce: toldIn(window, endMs) },
    sending.place,
  );
  if (mail !== undefined && !(await sendMail(mail, sending))) return;
  const goOn = byFrequency(counts).map(([key]) => key);
  await notices.close({
    window,
    keep: goOn.slice(0, MAX_KNOWN_FAILURES),
    startMs: endMs,
    untilMs: endMs + windowSeconds * 1000,
  });
}

/** Without the minute that a first window has before its first failure, where nothing was in it. */
function shownStartMs({ startMs, known }: NoticeWindow, counts: FailureCounts): number {
  const endsMs = [...known.values()].map(({ endedMs }) => endedMs);
  const firstMs = Math.min(...endsMs, ...[...counts.values()].map((count) => count.firstMs));
  return firstMs >= startMs + MINUTE_MS && firstMs < startMs + 2 * MINUTE_MS ? startMs + MINUTE_MS : startMs;
}

function toldIn({ known, startMs }: NoticeWindow, endMs: number): Map<string, number> {
  const told = [...known].filter(([, { endedMs }]) => endedMs >= startMs && endedMs < endMs);
  return new Map(told.map(([key]) => [key, 1]));
}
