/** One delivery that wants a slot of a key, and how it waits. */
import { MessageTooLarge } from '../base/errors.ts';
import {
  CLOCK_SKEW_SECONDS,
  DEFAULT_RETENTION_SECONDS,
  MAX_PARKED_BYTES,
  RATE_RETENTION_MARGIN_SECONDS,
  SLOT_LOOK_LONGEST_SECONDS,
  SLOT_LOOK_SECONDS,
} from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import { holderName } from '../flow/slots.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Holder, Parked } from '../ports/slots.ts';
import { prepare } from '../producer/publish.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import { sentOn } from './sent-on.ts';
import type { Seat } from './slot-desk.ts';
import type { SlotPorts } from './slot-ports.ts';
import type { Worker } from './worker.ts';

/** One delivery of an attempt that wants a slot of a key. */
export interface Wanted {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly definition: TaskDefinition;
  /** As `slotsKey()` and its kin make it. */
  readonly key: string;
  /** Slots of the key. */
  readonly limit: number;
  /** It holds the slot no longer than this. Absent: as long as its invocation can run. */
  readonly leaseSeconds?: number;
  readonly worker: Worker;
}

export interface OwnSeat extends Seat {
  /** Its lease may be renewed. */
  mine: Holder;
  /** It is not renewed beyond this, milliseconds since the epoch. */
  readonly latestMs: number;
  /** Its message stays in its queue while it waits: it is of a FIFO queue, which it may not leave, or too large to be stored. */
  readonly inPlace: boolean;
}

export function seatOf(wanted: Wanted, ports: SlotPorts): OwnSeat {
  const { message, delivery, definition, worker } = wanted;
  const { requestId } = worker.invocation;
  const { place, grant } = message.celeriac;
  const sinceMs = place ?? delivery.sentMs ?? ports.clock.nowMs();
  const stored = isFifo(message.queue, worker.app.settings) ? undefined : storedForm(wanted, sinceMs);
  const holder = holderName(message.id, message.retries);
  return {
    holder,
    sinceMs,
    mine: { leaseMs: leaseMsOf(wanted, ports.clock), by: `${requestId}/${ports.ids.next()}` },
    latestMs: latestMsOf(wanted, ports.clock),
    sentFor: grant !== undefined,
    unclaimed: definition.options.idempotent,
    queue: message.queue,
    inPlace: stored === undefined,
    park: async (token): Promise<Parked> => {
      if (stored === undefined) await hide(delivery, ports);
      return {
        sinceMs,
        holder,
        token,
        grants: grant ?? 0,
        wake:
          stored === undefined
            ? { kind: 'show', queue: delivery.queue, receipt: delivery.receipt }
            : { kind: 'send', message: stored },
        ...(message.expiresMs === null ? {} : { expiresMs: message.expiresMs }),
      };
    },
  };
}

/** As the claim's: the process is killed at its deadline, or renews what it has. */
function leaseMsOf(wanted: Wanted, clock: Clock): number {
  const { deadlineMs, keeper } = wanted.worker.invocation;
  const endMs = keeper === undefined ? deadlineMs : clock.nowMs() + keeper.leaseMs;
  return Math.min(endMs + CLOCK_SKEW_SECONDS * 1000, latestMsOf(wanted, clock));
}

function latestMsOf({ leaseSeconds = Infinity }: Wanted, clock: Clock): number {
  return clock.nowMs() + Math.ceil(leaseSeconds * 1000);
}

/** As it is sent when its turn has come: at its old place, should it come too late for its slot. Undefined where it is too large. */
function storedForm({ message, delivery, key, worker }: Wanted, sinceMs: number): OutgoingMessage | undefined {
  const header = { place: sinceMs, grant: (message.celeriac.grant ?? 0) + 1, slots: key };
  try {
    const { outgoing } = prepare(sentOn(message, delivery, header), worker.app.settings, { asPython: true });
    return outgoing.body.length > MAX_PARKED_BYTES ? undefined : outgoing;
  } catch (error) {
    if (!MessageTooLarge.is(error)) throw error;
    return undefined;
  }
}

/** Before its place stands: what wakes it shows it again, and must not be undone. */
async function hide(delivery: Delivery, { broker, clock }: SlotPorts): Promise<void> {
  const { queue, receipt, receiveCount } = delivery;
  const leftSeconds = Math.floor((latestWaitMs(delivery, clock) - clock.nowMs()) / 1000);
  const lookSeconds = SLOT_LOOK_SECONDS * 2 ** Math.min(10, Math.max(0, receiveCount - 1));
  await broker.changeVisibility(
    queue,
    receipt,
    Math.max(1, Math.min(leftSeconds, lookSeconds, SLOT_LOOK_LONGEST_SECONDS)),
  );
}

/** SQS deletes what is older than its queue's retention, wherever it waits. */
export function latestWaitMs({ sentMs }: Delivery, clock: Clock): number {
  return (sentMs ?? clock.nowMs()) + (DEFAULT_RETENTION_SECONDS - RATE_RETENTION_MARGIN_SECONDS) * 1000;
}
