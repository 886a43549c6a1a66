/**
 * The sweeper: every minute it sends the timers due within its horizon, each with its exact remaining
 * delay, then deletes them. Sends before deletes: a crash between the two makes a duplicate, which the
 * claim absorbs, never a loss.
 *
 * FIFO queues take no delay: their timers are sent when they are due, one group's one after another, and
 * for those that are due soon a wake-up is sent.
 */
import { errorText } from '../base/error-text.ts';
import { REFUSED_TIMER_SECONDS, SQS_MAX_BATCH_ENTRIES, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { Settings } from '../options/settings.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { Ports } from '../ports/ports.ts';
import type { DueTimers, Timer } from '../ports/timers.ts';
import { groupOf } from '../ports/timer-order.ts';
import { wakeUpsOf } from '../ports/wake-up.ts';

export interface SweepOptions {
  /** Default 120 s: two periods. */
  readonly horizonSeconds?: number;
  /** Which code runs: where it is another one than before, the history has a mark. Default: none is made. */
  readonly version?: string;
  /** What feeds the workers: kept off where its queue is paused. Default: nobody looks at it. */
  readonly eventSources?: EventSources;
}

export interface SweepReport {
  readonly sent: number;
  /** Timers that were not sent; they stay and the next sweep tries again. */
  readonly failed: number;
  /** Those of them that the broker will never take. */
  readonly refused: number;
  /** Timers that are due and stay where they are, since their queue is paused. */
  readonly held: number;
}

// One page of a part of the store: bounds memory, and a crash repeats at most this many sends.
const PAGE = 100;

/** Ends the task of a timer that its queue will never take. False where the timer has to stay. */
export type EndRefused = (timer: Timer, why: string) => Promise<boolean>;

/** Which timers are swept. */
export interface Due extends Omit<DueTimers, 'limit'> {
  /**
   * Queues and lanes whose timers stay: in a paused queue a message would wait, too, and SQS deletes it once it is older than
   * the queue keeps messages. What is held is read by each sweep.
   */
  readonly paused: ReadonlySet<string>;
}

export function sweep(
  settings: Settings,
  ports: Ports,
  { horizonSeconds = SWEEP_HORIZON_SECONDS, paused }: SweepOptions & Pick<Due, 'paused'>,
  endRefused?: EndRefused,
): Promise<SweepReport> {
  const untilMs = ports.clock.nowMs() + horizonSeconds * 1000;
  return sweepTimers({ untilMs, paused }, settings, ports, endRefused);
}

/** Sends the timers that are due, in all parts of the store or in some. */
export async function sweepTimers(
  { paused, ...due }: Due,
  settings: Settings,
  ports: Ports,
  endRefused?: EndRefused,
): Promise<SweepReport> {
  const reports: SweepReport[] = [];
  const swept: Swept = { refused: [], halted: new Set(), settings, ports };
  await ports.timers.eachDue({ ...due, limit: PAGE }, async (page, part) => {
    const free = page.filter(({ message }) => !paused.has(message.queue));
    reports.push({ ...(await sweepPage(free, part, swept)), held: page.length - free.length });
  });
  // Behind all that can be sent: one after another they may take a while.
  if (endRefused !== undefined) await endAll(swept.refused, ports, endRefused);
  const total = sumOf(reports);
  if (total.sent > 0 || total.failed > 0)
    ports.logger.log(total.failed > 0 ? 'error' : 'info', `Sweep: ${total.sent} timers sent, ${total.failed} failed`, {
      ...total,
    });
  return total;
}

interface Swept {
  readonly refused: Refused[];
  /** Groups of which a timer could not be sent: those behind it wait, for longer than its page. */
  readonly halted: Set<string>;
  readonly settings: Settings;
  readonly ports: Ports;
}

async function sweepPage(
  page: readonly Timer[],
  part: number,
  { refused, halted, settings, ports }: Swept,
): Promise<SweepReport> {
  const nowMs = ports.clock.nowMs();
  const ordered = page.filter((timer) => isFifo(timer.message.queue, settings));
  const plain = page.filter((timer) => !isFifo(timer.message.queue, settings));
  const reports = await Promise.all([
    sendTimers(plain, ports, refused),
    sendInOrder(
      ordered.filter(({ dueMs }) => dueMs <= nowMs),
      halted,
      ports,
      refused,
    ),
  ]);
  const ahead = ordered.filter(({ dueMs }) => dueMs > nowMs).map((timer) => ({ timer, part }));
  const wakeUps = wakeUpsOf(ahead, nowMs);
  // One that is not sent is sent by the next sweep, or its timers are.
  if (wakeUps.length > 0) await trySend(wakeUps, ports);
  return sumOf(reports);
}

/** Of standard queues: in batches. */
async function sendTimers(timers: readonly Timer[], ports: Ports, refused: Refused[]): Promise<SweepReport> {
  const reports: SweepReport[] = [];
  for (let start = 0; start < timers.length; start += SQS_MAX_BATCH_ENTRIES) {
    const chunk = timers.slice(start, start + SQS_MAX_BATCH_ENTRIES);
    const outcomes = await trySend(
      chunk.map((timer) => messageOf(timer, ports)),
      ports,
    );
    const { done, report } = readOutcomes(chunk, outcomes, ports, refused);
    if (done.length > 0) await ports.timers.remove(done);
    reports.push(report);
  }
  return sumOf(reports);
}

/**
 * Of FIFO queues: never two of one group in a request, since SQS may take the second and not the first, and none
 * of a group behind one that was not taken. A second sweeper may do the same at the same time: both send in the
 * same order, and SQS drops what it had within five minutes, so the order of the first sends stands.
 */
async function sendInOrder(
  timers: readonly Timer[],
  halted: Set<string>,
  ports: Ports,
  refused: Refused[],
): Promise<SweepReport> {
  const groups = new Map<string, Timer[]>();
  for (const timer of timers) {
    const group = groups.get(groupOf(timer));
    if (group) group.push(timer);
    else groups.set(groupOf(timer), [timer]);
  }
  const reports: SweepReport[] = [];
  const sent: Timer[] = [];
  for (let round = 0; ; round += 1) {
    const heads = [...groups].flatMap(([name, group]) => (halted.has(name) ? [] : (group[round] ?? [])));
    if (heads.length === 0) break;
    const outcomes = await trySend(
      heads.map(({ message }) => message),
      ports,
    );
    const { done, again, report } = readOutcomes(heads, outcomes, ports, refused);
    sent.push(...done);
    reports.push(report);
    // What will never be taken holds up nobody.
    for (const timer of again) halted.add(groupOf(timer));
  }
  if (sent.length > 0) await ports.timers.remove(sent);
  return sumOf(reports);
}

interface Refused {
  readonly timer: Timer;
  readonly why: string;
}

/**
 * What a queue refuses for good is given up some time after it was due, and not at once: while a deployment is under
 * way a queue may be there for its senders, and not yet for the sweeper.
 */
async function endAll(refused: readonly Refused[], ports: Ports, endRefused: EndRefused): Promise<void> {
  const ended: Timer[] = [];
  for (const { timer, why } of refused)
    if (ports.clock.nowMs() - timer.dueMs >= REFUSED_TIMER_SECONDS * 1000 && (await endRefused(timer, why)))
      ended.push(timer);
  if (ended.length > 0) await ports.timers.remove(ended);
}

/** A broker that throws has told nothing of any of them. */
async function trySend(messages: readonly OutgoingMessage[], ports: Ports): Promise<readonly SendOutcome[]> {
  try {
    return await ports.broker.send(messages);
  } catch (error) {
    const { name: code, message } = errorText(error);
    return messages.map(() => ({ ok: false, code, message, retryable: true }));
  }
}

interface Outcomes {
  readonly done: readonly Timer[];
  /** Not sent now, perhaps later. */
  readonly again: readonly Timer[];
  readonly report: SweepReport;
}

function readOutcomes(
  timers: readonly Timer[],
  outcomes: readonly SendOutcome[],
  ports: Ports,
  refused: Refused[],
): Outcomes {
  const done: Timer[] = [];
  const again: Timer[] = [];
  for (const [index, timer] of timers.entries()) {
    const outcome = outcomes[index];
    if (outcome?.ok === true) done.push(timer);
    else {
      if (outcome?.retryable === false) refused.push({ timer, why: `${outcome.code}: ${outcome.message}` });
      else again.push(timer);
      ports.logger.log('error', `Timer of task ${timer.id} was not sent: ${outcome?.code}: ${outcome?.message}`, {
        taskId: timer.id,
      });
    }
  }
  const failed = timers.length - done.length;
  return { done, again, report: { sent: done.length, failed, refused: failed - again.length, held: 0 } };
}

function messageOf(timer: Timer, ports: Ports): OutgoingMessage {
  const delaySeconds = Math.max(0, Math.ceil((timer.dueMs - ports.clock.nowMs()) / 1000));
  return delaySeconds > 0 ? { ...timer.message, delaySeconds } : timer.message;
}

function sumOf(reports: readonly SweepReport[]): SweepReport {
  return reports.reduce(
    (sum, { sent, failed, refused, held }) => ({
      sent: sum.sent + sent,
      failed: sum.failed + failed,
      refused: sum.refused + refused,
      held: sum.held + held,
    }),
    { sent: 0, failed: 0, refused: 0, held: 0 },
  );
}
