/**
 * Does what follows from a committed outcome, window by window. Runs once or many times with the same effect. In deployed
 * functions it is loaded where something follows: most tasks end with their commit.
 */
import type { RetryOverrides } from '../base/errors.ts';
import { REFUSED_RECEIVES } from '../base/limits.ts';
import { laneFor, queueOfLane, requireQueue } from '../options/declared-queue.ts';
import type { Message } from '../wire/message.ts';
import { nextAttempt, nextPart } from '../wire/next-attempt.ts';
import type { App } from '../producer/app.ts';
import { checkTimerSize, prepare, type Prepared } from '../producer/publish.ts';
import { traceMessage } from '../producer/trace-message.ts';
import { derivedId } from '../base/ids.ts';
import { deliveriesOf } from './attempt.ts';
import { addStep } from './children.ts';
import { countMember } from './celery-chord.ts';
import { deadLetter, sendDeadLetters } from './dead-letter.ts';
import type { Delivery } from '../ports/delivery.ts';
import { OutOfTime } from './deadline.ts';
import { concludeSteps } from './failed-steps.ts';
import type { Follower } from './followers.ts';
import { markMembers, orRefused } from './group-marks.ts';
import { noteTold } from './told.ts';
import { callErrback } from './inline-errback.ts';
import { sendChildren } from './send-children.ts';
import { type Child, Pending, type Settling } from './settling.ts';
import { inWindows, Outbox, Progress } from './windows.ts';
import { unmarkEnded } from './unmark.ts';
import { webhookStep } from './webhook.ts';
import type { Worker } from './worker.ts';
import type { Committed, Settlement } from './committed.ts';

/** @throws SettleInterrupted where the time is nearly over: the next delivery goes on. */
export async function settleFollowers(
  followers: readonly Follower[],
  message: Message,
  delivery: Delivery,
  committed: Committed,
  worker: SettlingWorker,
): Promise<void> {
  const settling = settlingOf(message, delivery, committed, worker);
  const { progress } = settling;
  try {
    await settling.follow(followers);
    await settling.drain();
  } catch (error) {
    if (error instanceof OutOfTime) await progress.save();
    throw error;
  }
  await settling.finish();
  await progress.finish();
}

export type SettlingWorker = Pick<
  Worker,
  'app' | 'ports' | 'invocation' | 'invocationStartMs' | 'followedUp' | 'history'
>;

function settlingOf(
  message: Message,
  delivery: Delivery,
  committed: Committed,
  { app, ports, invocation: { deadlineMs }, invocationStartMs: startMs, followedUp, history }: SettlingWorker,
): Settling {
  // Of this very outcome: a task that is run anew under its old id sends all of its own.
  const name = (): string =>
    derivedId(`${message.id}:${message.retries}:progress:${outcomeName(message, committed, app)}`);
  const pending = new Pending();
  const settling: Settling = {
    parent: message,
    committed,
    app,
    ports,
    deadlineMs,
    again: committed.again === true,
    lastTry: deliveriesOf(message, delivery) >= REFUSED_RECEIVES,
    followedUp,
    storeConcluded: async (requests, outcomes) => history?.storeConcluded(requests, outcomes, message.id),
    outbox: new Outbox<Child>(),
    progress: new Progress(name, ports, { startMs, deadlineMs }),
    pending,
    follow: async (followers) => {
      for (const follower of followers) await begin(follower, settling);
    },
    drain: async () => {
      // A failed step may be the last member of a group, whose body may be a step that fails: until nothing follows.
      while (!isDrained(settling)) {
        await concludeSteps(settling);
        await markMembers(settling);
        if (pending.count('failed step') > 0) continue;
        const deadLetters = pending
          .take('dead letter')
          .map(({ cause }) => deadLetter(delivery, cause, message, { app, ports }));
        await sendDeadLetters(deadLetters, ports);
        await sendChildren(settling, committed);
      }
    },
    finish: async () => {
      const told = pending.take('told');
      for (const { groupId } of pending.take('close'))
        await orRefused(
          settling,
          async () => ports.celeryGroups?.close(groupId),
          // The body has been sent: members that come back only send it again, under its id.
          () => {},
        );
      // Last, since they may take as long as there is time: nobody else waits for them.
      for (const errback of pending.take('errback')) await callErrback(errback, settling);
      // After the calls: a crash before this has whoever comes next call them all.
      for (const { groupId } of told) await noteTold(settling, groupId);
    },
  };
  return settling;
}

async function begin(follower: Follower, settling: Settling): Promise<void> {
  const { kind } = follower;
  if (kind === 'step') await addStep(settling, follower);
  else if (kind === 'retry') settling.outbox.add(retryMessage(settling.parent, follower.retry, settling.app));
  else if (kind === 'unmark') await unmarkEnded(settling.parent, settling.ports);
  else if (kind === 'webhook')
    await settling.follow(
      [webhookStep(settling.parent, settling.committed, settling.app)].filter((each) => each !== undefined),
    );
  else if (kind === 'member') await settling.follow(await countMember(settling, follower.member));
  else if (kind === 'each')
    await inWindows(settling, follower.list, follower.of, (signature, index) =>
      begin(follower.follower(signature, index), settling),
    );
  else settling.pending.add(follower);
}

/** An idempotent task stores no outcome that a redelivery would find: it runs again, and goes on where it was. */
function outcomeName(message: Message, committed: Committed, { registry }: App): string {
  return registry.find(message.task)?.options.idempotent === true ? '' : (committed.meta ?? '');
}

const LEFT_TO_DRAIN = ['failed step', 'conclusion', 'mark', 'dead letter'] as const;

function isDrained({ pending, outbox }: Settling): boolean {
  return outbox.isEmpty && LEFT_TO_DRAIN.every((kind) => pending.count(kind) === 0);
}

/** Throws before the outcome is written what would make every settling of it fail. @throws MessageTooLarge, NotSerializable */
export async function checkRetry(
  message: Message,
  retry: NonNullable<Settlement['retry']>,
  { app, ports }: Pick<Worker, 'app' | 'ports'>,
): Promise<void> {
  checkTimerSize(retryMessage(message, retry, app), ports.clock.nowMs(), app.settings);
}

function retryMessage(message: Message, retry: NonNullable<Settlement['retry']>, app: App): Prepared {
  if (retry.overrides.part !== undefined) return tracedNext(nextPart(message), app);
  // Celery: who runs a task here does not wait for its retry.
  const dueMs = app.eager === undefined ? retry.dueMs : null;
  const after = nextAttempt(message, dueMs, retry.overrides);
  // Where its history goes on.
  const { atMs } = retry;
  const links = atMs !== undefined && app.settings.history !== 'off';
  const next = links ? { ...after, celeriac: { ...after.celeriac, retried: atMs } } : after;
  const queue = laneOfRetry(next, retry.overrides, app);
  return tracedNext({ ...next, queue }, app);
}

function tracedNext(next: Message, app: App): Prepared {
  const { message, span } = traceMessage(app, next);
  return { ...prepare(message, app.settings, { asPython: true }), span };
}

/** The lane that it came from, unless the retry names another queue or priority. */
function laneOfRetry({ queue, priority }: Message, overrides: RetryOverrides, { settings }: App): string {
  if (overrides.queue === undefined && overrides.priority === undefined) return queue;
  return laneFor(requireQueue(overrides.queue ?? queueOfLane(queue, settings), settings), priority, settings);
}
