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
import type { Failure, Notices, Notifying, NoticeWindow } from '../ports/notices.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';

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

/** Never throws: the next sweep tries again. */
export async function tellDue(rolled: Rolled, notifying: Notifying, ports: TellPorts): Promise<void> {
  try {
    const { notices, notifier } = notifying;
    const window = await markMissed(rolled.counts, await notices.window(), notifying, ports);
    if (window === undefined || notifier === undefined) return;
    const sending = sendingOf({ ...notifying, notifier }, ports.logger);
    if (!(await tellOverdue(window, rolled.counts, sending, ports.clock.nowMs()))) return;
    if (rolled.untilMs >= window.untilMs) await endWindow(window, rolled.untilMs, notifying, sending, ports.clock);
  } catch (error) {
    logFailed(`Who is to be told of failures was not told now: ${errorLine(error)}`, ports.logger);
  }
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
  for (const [key, { lastMs, count: _count, firstMs: _firstMs, ...known }] of byFrequency(counts)) {
    if (key === OTHER_KINDS || current?.known.has(key) === true || lastMs < nowMs - NOTICE_FRESH_SECONDS * 1000)
      continue;
    const failure: Failure = { ...known, key, endedMs: lastMs };
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
  for (const [key, { untold, markedMs }] of known) {
    // What is counted has ended a minute ago: nobody is about to tell it any more.
    const isOverdue = counted.has(key) || markedMs <= nowMs - NOTICE_OVERDUE_SECONDS * 1000;
    if (untold !== undefined && isOverdue && !(await tellMarked(untold, sending))) return false;
  }
  return true;
}

async function endWindow(
  window: NoticeWindow,
  endMs: number,
  { notices, windowSeconds }: Notifying,
  sending: Sending,
  clock: Clock,
): Promise<void> {
  if (!(await notices.takeDigest(window, clock.nowMs()))) return;
  const minutes = await notices.minutes({ fromMs: window.startMs, untilMs: endMs });
  const counts = mergeCounts(minutes.map(({ data }) => unpackFailures(data)));
  const mail = digestMail(
    { fromMs: window.startMs, untilMs: endMs, counts, toldAtOnce: toldIn(window, endMs) },
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

function toldIn({ known, startMs }: NoticeWindow, endMs: number): Map<string, number> {
  const told = [...known].filter(([, { endedMs }]) => endedMs >= startMs && endedMs < endMs);
  return new Map(told.map(([key]) => [key, 1]));
}
