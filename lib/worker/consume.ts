/** A batch of deliveries in, a partial batch response out. Never throws, never answers `undefined`: both lose work. */
import { runApart } from '#deployed/worker/apart';
import { afterError } from '#deployed/worker/give-up';
import { SettleInterrupted } from './deadline.ts';
import { errorLine, errorStack } from '../base/error-text.ts';
import type { Ports } from '../ports/ports.ts';
import { batchConcurrencyOf, isFifo } from '../options/declared-queue.ts';
import type { Settings } from '../options/settings.ts';
import type { App } from '../producer/app.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { type BatchResponse, type Delivery, type Invocation, LOST_QUEUE } from '../ports/delivery.ts';
import { ACK, type Disposition } from './attempt.ts';
import { execute } from './execute.ts';
import { createWorker, type Worker } from './worker.ts';

export async function consume(
  deliveries: readonly Delivery[],
  invocation: Invocation,
  app: App,
  ports: Ports,
): Promise<BatchResponse> {
  const run = (): Promise<BatchResponse> =>
    work(deliveries, createWorker(app, ports, invocation), { handle: execute, afterError });
  return app.settings.telemetry === undefined
    ? run()
    : app.settings.telemetry.batch(
        deliveries.map(({ queue }) => queue),
        () => invocation.deadlineMs - ports.clock.nowMs(),
        run,
      );
}

/** How one kind of queue is worked off. */
export interface Handling {
  readonly handle: (delivery: Delivery, worker: Worker) => Promise<Disposition>;
  /** Never throws. */
  readonly afterError: (delivery: Delivery, worker: Worker, error: unknown) => Promise<Disposition>;
}

export async function work(received: readonly Delivery[], worker: Worker, handling: Handling): Promise<BatchResponse> {
  const deliveries = (await worker.ports.open?.(received)) ?? received;
  const failures: string[] = [];
  const lanes = lanesOf(deliveries, worker.app.settings);
  const run = (lane: readonly Delivery[], by = worker): Promise<void> => runLane(lane, by, handling, failures);
  // What ended its worker must not take others with it again: nothing does that has never come before, or comes alone.
  if (lanes.length > 1 && deliveries.some(({ receiveCount }) => receiveCount > 1)) await runApart(lanes, worker, run);
  else await mapConcurrently(lanes, batchConcurrencyOf(deliveries, worker.app.settings), (lane) => run(lane));
  // What is not written down comes again: its settling writes it.
  if (worker.history !== undefined) failures.push(...(await worker.history.write()));
  return { batchItemFailures: [...new Set(failures)].map((itemIdentifier) => ({ itemIdentifier })) };
}

/** What must run one after another: the messages of one FIFO group. Everything else runs side by side. */
function lanesOf(deliveries: readonly Delivery[], settings: Settings): Delivery[][] {
  const lanes: Delivery[][] = [];
  const groups = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    if (!isFifo(delivery.queue, settings)) {
      lanes.push([delivery]);
      continue;
    }
    const key = `${delivery.queue}/${delivery.groupId ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(delivery);
    else {
      const lane = [delivery];
      groups.set(key, lane);
      lanes.push(lane);
    }
  }
  return lanes;
}

async function runLane(
  lane: readonly Delivery[],
  worker: Worker,
  handling: Handling,
  failures: string[],
): Promise<void> {
  for (const [index, delivery] of lane.entries()) {
    const disposition = await guarded(delivery, worker, handling);
    if (disposition.kind === 'ack') continue;
    // Order: what comes after a message of its group that stays must stay too.
    for (const kept of lane.slice(index)) {
      failures.push(kept.messageId);
      // Its followers come back together with the head, not after the queue's whole timeout.
      if (kept !== delivery && disposition.seconds !== undefined) await showAgain(kept, disposition.seconds, worker);
    }
    return;
  }
}

async function guarded(delivery: Delivery, worker: Worker, handling: Handling): Promise<Disposition> {
  let disposition: Disposition;
  try {
    disposition = await handling.handle(delivery, worker);
  } catch (error) {
    if (error instanceof SettleInterrupted) {
      await showAgain(delivery, 0, worker);
      return { kind: 'keep', seconds: 0 };
    }
    worker.ports.logger.log('error', `Message ${delivery.messageId} could not be handled: ${errorLine(error)}`, {
      queue: delivery.queue,
      stack: errorStack(error),
    });
    disposition = await handling.afterError(delivery, worker, error);
  }
  if (disposition.kind === 'ack') return ACK;
  if (disposition.seconds !== undefined && disposition.hidden !== true)
    await showAgain(delivery, disposition.seconds, worker);
  return disposition;
}

async function showAgain(delivery: Delivery, seconds: number, worker: Worker): Promise<void> {
  try {
    await worker.ports.broker.changeVisibility(
      delivery.lostFrom === undefined ? delivery.queue : LOST_QUEUE,
      delivery.receipt,
      Math.max(0, seconds),
    );
  } catch (error) {
    // The queue's own timeout brings it back too, only later.
    worker.ports.logger.log(
      'warn',
      `Message ${delivery.messageId}: its visibility was not changed: ${errorLine(error)}`,
      { queue: delivery.queue },
    );
  }
}
