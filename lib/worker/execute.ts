/** One delivery from its bytes to its disposition: decode -> claim -> run -> commit -> settle -> ack. */
import { attemptNumber } from '../wire/attempt-number.ts';
import { defer } from '#deployed/worker/defer';
import { settleLost } from '#deployed/worker/lost';
import { readStored } from '#deployed/worker/read-stored';
import { endUnreadable } from '#deployed/worker/unreadable';
import { atGates } from '#deployed/worker/gates';
import {
  DecryptionFailed,
  HopLimitExceeded,
  NotRegistered,
  TaskRevokedError,
  WorkerLostError,
} from '../base/errors.ts';
import { errorMessage } from '../base/error-text.ts';
import { fromRule } from '../wire/rule-message.ts';
import { CLOCK_SKEW_SECONDS } from '../base/limits.ts';
import { decodeMessage } from '../wire/decode-message.ts';
import type { Message } from '../wire/message.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { writeDocument } from '../wire/result-document.ts';
import { FAILURE, PENDING, RETRY, REVOKED, STARTED } from '../base/states.ts';
import { ACK, deliveriesOf, type Disposition } from './attempt.ts';
import { endLost } from './commit.ts';
import { ignoresResult } from './outcome.ts';
import { decideArrival, decideClaim, mayStart } from './decide.ts';
import type { Delivery } from '../ports/delivery.ts';
import { conclude } from './conclude.ts';
import { recordExpiresAtSeconds } from './record-expiry.ts';
import { isOfDisabledEntry } from './rule-tick.ts';
import { isLargeUnpacked } from './large.ts';
import { runAttempt } from './run-attempt.ts';
import { settleEnded } from './ended-next.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { Worker } from './worker.ts';

export async function execute(delivery: Delivery, worker: Worker): Promise<Disposition> {
  const run = (): Promise<Disposition> => executeOne(delivery, worker);
  return isLargeUnpacked(delivery.body) ? worker.exclusively(run) : run();
}

async function executeOne(delivery: Delivery, worker: Worker): Promise<Disposition> {
  const sent = await readOrEnd(delivery, worker);
  if (sent === undefined) return ACK;
  const { telemetry } = worker.app.settings;
  const run = (): Promise<Disposition> => executeRead(sent, delivery, worker);
  return telemetry === undefined ? run() : telemetry.within(sent.headers, run);
}

async function executeRead(sent: Message, delivery: Delivery, worker: Worker): Promise<Disposition> {
  const { app, ports } = worker;
  // The queue it came from is where a retry must go, whatever the sender wrote.
  const message: Message = { ...fromRule(sent), queue: delivery.queue };
  const { lost, ...celeriac } = message.celeriac;
  if (lost !== undefined) return settleLost({ ...message, celeriac }, lost, delivery, worker);
  if (await isOfDisabledEntry(sent, ports))
    return conclude(message, delivery, REVOKED, new TaskRevokedError('its schedule entry is disabled'), worker);
  await waitOutClockSkew(message, worker);
  const decision = decideArrival({
    nowMs: ports.clock.nowMs(),
    etaMs: message.etaMs,
    expiresMs: message.expiresMs,
    hops: message.celeriac.hops ?? 0,
    definition: app.registry.find(message.task),
    unknownDeferrals: message.celeriac.unknown ?? 0,
  });
  switch (decision.kind) {
    case 'defer':
      return defer(message, delivery, decision, worker);
    case 'expired':
      return conclude(message, delivery, REVOKED, new TaskRevokedError('expired'), worker);
    case 'hops':
      return conclude(
        message,
        delivery,
        FAILURE,
        new HopLimitExceeded(`${message.celeriac.hops} messages followed from the root task ${message.rootId}.`),
        worker,
        'hop limit',
      );
    case 'unknown':
      return conclude(message, delivery, FAILURE, new NotRegistered(message.task), worker, 'not registered');
    case 'run':
      return passGates(message, delivery, decision.definition, worker);
    default:
      return decision satisfies never;
  }
}

async function readOrEnd(delivery: Delivery, worker: Worker): Promise<Message | undefined> {
  // Outside of what is caught: a store that does not answer is asked again.
  const read = worker.app.settings.largePayloads && (await readStored(delivery, worker));
  try {
    if (read && 'unreadable' in read) throw read.unreadable;
    const message = read?.message ?? decodeMessage(delivery.body);
    // Throws where a rule's message has no time.
    fromRule(message);
    return message;
  } catch (error) {
    // A deployment may bring the key: it comes again.
    if (DecryptionFailed.is(error)) throw error;
    worker.ports.logger.log('error', `Message ${delivery.messageId} cannot be read: ${errorMessage(error)}`, {
      queue: delivery.queue,
    });
    await endUnreadable(delivery, worker, error, { reason: 'invalid message', lastTry: false });
    return undefined;
  }
}

/**
 * FIFO: sent on, what is early would come behind the rest of its group. By this little only the sweeper's clock can be
 * ahead of ours, one of them fast and the other slow, so its group waits with it.
 */
async function waitOutClockSkew({ etaMs, queue }: Message, { app, ports: { clock } }: Worker): Promise<void> {
  if (etaMs === null || !isFifo(queue, app.settings)) return;
  const earlyMs = etaMs - clock.nowMs();
  // Twice: the sweeper's clock may be ahead of the true time, and ours behind it.
  if (earlyMs > 0 && earlyMs <= 2 * CLOCK_SKEW_SECONDS * 1000) await clock.sleep(earlyMs);
}

async function passGates(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  worker: Worker,
): Promise<Disposition> {
  const { clock } = worker.ports;
  const { options } = definition;
  if (!mayStart(clock.nowMs(), worker.invocation.deadlineMs, worker.invocationStartMs, options))
    return { kind: 'keep', seconds: 0 };
  // Before the claim: whatever is claimed when its worker ends counts as delivered, and is lost after too many of them.
  if ((await worker.mayRun?.(message, delivery, definition)) === false) return { kind: 'keep', seconds: 0 };
  // Before the claim: what waits for its slot must hold nothing.
  const pass = (passed: Worker, instead = definition): Promise<Disposition> =>
    claimAndRun(message, delivery, instead, passed);
  return options.flow?.gated === true
    ? atGates(message, delivery, definition, options.flow, worker, pass)
    : pass(worker);
}

async function claimAndRun(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  worker: Worker,
): Promise<Disposition> {
  const { clock } = worker.ports;
  const { options } = definition;
  // Unclaimed it would leave nothing for its caller to read.
  if (options.idempotent && worker.app.eager === undefined)
    return runAttempt({
      message,
      delivery,
      definition,
      owner: undefined,
      deliveries: deliveriesOf(message, delivery),
      worker,
    });
  const owner = `${worker.invocation.requestId}/${worker.ports.ids.next()}`;
  const outcome = await worker.claim(claimRequest(message, owner, definition, worker));
  const decision = decideClaim(outcome, options);
  switch (decision.kind) {
    case 'run': {
      // The store took its time: what starts now is cut off soon, runs when its lease may be another's, or has expired.
      if (
        !mayStart(clock.nowMs(), worker.invocation.deadlineMs, worker.invocationStartMs, options, true) ||
        (message.expiresMs !== null && message.expiresMs <= clock.nowMs())
      ) {
        await worker.release({ id: message.id, attempt: attemptNumber(message), owner });
        return { kind: 'keep', seconds: 0 };
      }
      const { deliveries, lost } = decision;
      return runAttempt({ message, delivery, definition, owner, deliveries, lost, worker });
    }
    case 'duplicate': {
      await settleEnded(message, delivery, decision.record, worker, decision.settle);
      return ACK;
    }
    case 'revoked':
      return conclude(message, delivery, REVOKED, new TaskRevokedError('revoked'), worker);
    case 'busy':
      // One second beyond the lease, since the condition asks for a lease that has passed.
      return { kind: 'keep', seconds: Math.ceil((decision.untilMs - clock.nowMs()) / 1000) + 1 };
    case 'lost': {
      const { deliveries, lost } = decision;
      const error = new WorkerLostError(lostMessage(deliveries, options.acksLate));
      return endLost({ message, delivery, definition, owner, deliveries, lost, worker }, error, 'worker lost');
    }
    default:
      return decision satisfies never;
  }
}

function lostMessage(deliveries: number, acksLate: boolean): string {
  return acksLate
    ? `The task was delivered ${deliveries} times and its worker ended every time before its outcome was stored: killed, out of memory, timed out, or without an answer of the store.`
    : 'The worker ended before the task finished, and acksLate: false forbids to run it again.';
}

function claimRequest(
  message: Message,
  owner: string,
  definition: TaskDefinition,
  worker: Worker,
): Parameters<Worker['claim']>[0] {
  const nowMs = worker.ports.clock.nowMs();
  const { settings } = worker.app;
  const shown = definition.options.trackStarted && !ignoresResult(message, definition);
  // The process is killed at its deadline, so a passed lease means a dead owner on any clock.
  const leaseMs = worker.invocation.deadlineMs + CLOCK_SKEW_SECONDS * 1000;
  return {
    id: message.id,
    attempt: attemptNumber(message),
    owner,
    nowMs,
    leaseMs,
    name: message.task,
    queue: message.queue,
    meta: writeDocument({
      status: shown ? STARTED : message.retries > 0 ? RETRY : PENDING,
      result: shown ? { hostname: worker.invocation.requestId } : null,
      traceback: null,
      children: [],
      dateDone: null,
      taskId: message.id,
    }),
    ...(shown ? {} : { keepMeta: true }),
    // Not before the lease ends: an expired record keeps no second delivery from running beside the first.
    expiresAtSeconds: recordExpiresAtSeconds(leaseMs, message.queue, settings),
  };
}
