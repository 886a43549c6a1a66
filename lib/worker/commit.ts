/** Writes down how an attempt ended, then settles it. The commit comes first: what is not committed may run again. */
import { attemptNumber } from '../wire/attempt-number.ts';
import { announceEnd, runHooks } from '#deployed/worker/hooks';
import { metricFields } from '#deployed/worker/metric-fields';
import { errorLine, errorMessage, shownText } from '../base/error-text.ts';
import { isPassing, OutcomeRefused } from '../base/passing.ts';
import type { Clock } from '../base/time.ts';
import type { CommitRequest } from '../ports/backend.ts';
import { FAILURE, RETRY } from '../base/states.ts';
import { fieldsOf, logEnd } from './attempt-log.ts';
import { decideEnd, type Ending } from './decide.ts';
import { minimalFailure, describe, writeOutcome } from './outcome.ts';
import { concludeRequest } from './conclude-request.ts';
import { recordExpiresAtSeconds } from './record-expiry.ts';
import { type Committed, writeSettlement } from './committed.ts';
import { settle } from './settle.ts';
import type { Worker } from './worker.ts';
import { ACK, type Attempt, type Disposition } from './attempt.ts';

export async function endRun(
  attempt: Attempt,
  ending: Ending,
  args: readonly unknown[],
  startMs: number,
): Promise<Disposition> {
  const { message, definition, worker } = attempt;
  const { clock, random } = worker.ports;
  const decision = decideEnd({
    ending,
    options: definition.options,
    retries: message.retries,
    // Celery: given back to a caller, it is rejected.
    deliveries: worker.app.eager === undefined ? attempt.deliveries : definition.options.maxDeliveries,
    nowMs: clock.nowMs(),
    random,
  });
  attempt.announced?.decided(decision);
  attempt.span?.ended(decision);
  if (decision.kind === 'requeue') return requeue(attempt, decision.reason);
  const { record, decision: written } = await writeOutcome(attempt, decision);
  attempt.announced?.decided(written);
  attempt.span?.ended(written);
  if (written.kind === 'fail') worker.app.eager?.failed(message.id, written.error);
  return commitAndSettle(attempt, record, startMs, async () => {
    logEnd(attempt, written, startMs, await metricsOf(attempt, record.status, startMs));
    if (worker.app.signals !== undefined || Object.keys(definition.hooks).length > 0)
      await runHooks(attempt, written, args);
  });
}

/** The attempt will not run (again): FAILURE with `error`, and a dead letter with `reason`. */
export async function endLost(attempt: Attempt, error: Error, reason: string): Promise<Disposition> {
  const record = describe(
    attempt,
    { kind: 'fail', error, expected: false },
    { deadLetter: { reason, error: errorLine(error), deliveries: attempt.deliveries } },
  );
  attempt.worker.ports.logger.log(
    'error',
    `Task ${attempt.message.task}[${attempt.message.id}] lost: ${errorMessage(error)}`,
    { ...fieldsOf(attempt), ...(await metricsOf(attempt, FAILURE)) },
  );
  const { message, worker } = attempt;
  return commitAndSettle(attempt, record, undefined, async () => {
    if (worker.app.signals !== undefined) await announceEnd(message, FAILURE, error, worker);
  });
}

/** Nothing where the app asks for no metrics. */
async function metricsOf(
  attempt: Attempt,
  state: string,
  startedMs?: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { message, delivery, worker } = attempt;
  return worker.app.settings.metrics && metricFields({ message, delivery, state, startedMs }, worker);
}

async function requeue(attempt: Attempt, reason: string): Promise<Disposition> {
  const { message, worker, owner } = attempt;
  worker.ports.logger.log(
    'info',
    `Task ${message.task}[${message.id}] reject requeue=True: ${shownText(reason)}`,
    fieldsOf(attempt),
  );
  if (owner !== undefined) await worker.release({ id: message.id, attempt: attemptNumber(message), owner });
  return { kind: 'keep', seconds: 0 };
}

async function commitAndSettle(
  attempt: Attempt,
  outcome: Committed,
  startedMs?: number,
  afterCommit?: () => Promise<void>,
): Promise<Disposition> {
  const { message, worker, owner, deliveries, lost } = attempt;
  const atMs = outcome.settlement.retry?.atMs ?? worker.ports.clock.nowMs();
  let committed: Committed = { ...outcome, ended: { atMs, startedMs, deliveries, lost } };
  if (owner !== undefined) {
    const written = await commit(attempt, owner, committed, startedMs !== undefined);
    if (written === undefined) {
      // Another delivery took over while this one was thought dead. Its message is the same one: not ours to delete.
      worker.ports.logger.log(
        'warn',
        `Task ${message.task}[${message.id}]: another delivery took over; this outcome is dropped`,
        fieldsOf(attempt),
      );
      return { kind: 'keep' };
    }
    if (written !== committed) return settleAs(attempt, written);
  } else if (committed.meta !== undefined) {
    committed = await concludeIdempotent(attempt, committed);
  }
  // Celery's handlers see an outcome that stands.
  await afterCommit?.();
  return settleAs(attempt, committed);
}

async function settleAs({ message, delivery, worker }: Attempt, committed: Committed): Promise<Disposition> {
  await settle(message, delivery, committed, worker);
  return ACK;
}

/**
 * Gives what stands now: the outcome, or that it was refused for good. Undefined where the attempt is no longer ours.
 * A refusal that is not written down would have the task run again, as often as it may, to end as lost.
 */
async function commit(
  attempt: Attempt,
  owner: string,
  committed: Committed,
  ran: boolean,
): Promise<Committed | undefined> {
  const { worker } = attempt;
  try {
    return (await worker.commit(commitRequest(attempt, owner, committed))) ? committed : undefined;
  } catch (error) {
    if (isPassing(error)) throw error;
    worker.ports.logger.log(
      'error',
      `Task ${attempt.message.task}[${attempt.message.id}]: its outcome ${committed.status} was refused: ${errorLine(error)}`,
      fieldsOf(attempt),
    );
    return commitRefusal(attempt, owner, { ...minimalFailure(attempt, error), ended: committed.ended }, ran, error);
  }
}

async function commitRefusal(
  attempt: Attempt,
  owner: string,
  failure: Committed,
  ran: boolean,
  cause: unknown,
): Promise<Committed | undefined> {
  const { message, worker, definition } = attempt;
  try {
    return (await worker.commit(commitRequest(attempt, owner, failure))) ? failure : undefined;
  } catch (error) {
    if (isPassing(error)) throw error;
    // Whoever concludes it next must not wait for our lease. Released, it may be claimed before that, and a task that has
    // run and must not run again would: that one waits.
    if (!ran || definition.options.acksLate)
      await worker.release({ id: message.id, attempt: attemptNumber(message), owner });
    throw new OutcomeRefused(cause);
  }
}

function commitRequest({ message, worker }: Attempt, owner: string, committed: Committed): CommitRequest {
  const { clock } = worker.ports;
  const settlement = writeSettlement(committed.settlement);
  return {
    id: message.id,
    attempt: attemptNumber(message),
    owner,
    nowMs: committed.ended?.atMs ?? clock.nowMs(),
    status: committed.status,
    final: committed.status !== RETRY,
    ...(committed.meta === undefined ? { ignored: true } : { meta: committed.meta }),
    ...(settlement === undefined ? {} : { settlement }),
    expiresAtSeconds: expiresAtSeconds(clock, message.queue, worker, committed),
  };
}

/** A waiting retry outlives `resultExpires`, or its record would be gone when it comes back. */
function expiresAtSeconds(clock: Clock, queue: string, worker: Worker, committed: Committed): number {
  const dueMs = Math.max(clock.nowMs(), committed.settlement.retry?.dueMs ?? 0);
  return recordExpiresAtSeconds(dueMs, queue, worker.app.settings);
}

/** Idempotent tasks claim nothing; what readers may see is written once, at the end. */
async function concludeIdempotent(attempt: Attempt, committed: Committed): Promise<Committed> {
  // A retry's state would need a second write for each attempt; `idempotent` promises none.
  if (committed.meta === undefined || committed.status === RETRY) return committed;
  const { message, worker } = attempt;
  const request = concludeRequest(message, committed.status, { meta: committed.meta }, worker);
  const [outcome] = await worker.ports.backend.conclude([request]);
  // It ended when it did so for the first time.
  const atMs = outcome?.kind === 'finished' ? outcome.record.finishedMs : request.nowMs;
  return { ...committed, ended: { ...committed.ended, atMs } };
}
