/** One delivery that wants a slot of a key, and how it waits. */
import { MessageTooLarge } from '../base/errors.ts';
import {
  CLOCK_SKEW_SECONDS,
  DEFAULT_RETENTION_SECONDS,
  HIDDEN_LOOK_SECONDS,
  MAX_PARKED_BYTES,
  PART_GAP_SECONDS,
  PLACE_RETENTION_SECONDS,
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
import { attemptNumber } from '../wire/attempt-number.ts';
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
  /** Once it is parked that of its attempt, which another message of it may have brought. */
  sinceMs: number;
  /** Its lease may be renewed. */
  mine: Holder;
  /** It is not renewed beyond this, milliseconds since the epoch. */
  readonly latestMs: number;
  /** How much longer than a run its lease is: the next part is to find the slot. */
  readonly gapMs: number;
  /** Its message stays in its queue while it waits: it is of a FIFO queue, which it may not leave, or too large to be stored. */
  readonly inPlace: boolean;
}

export function seatOf(wanted: Wanted, ports: SlotPorts): OwnSeat {
  const { message, delivery, definition, worker } = wanted;
  const { requestId } = worker.invocation;
  const { place, grant } = message.celeriac;
  const cameMs = place ?? arrivalMs(message, delivery, ports.clock);
  const stored = isFifo(message.queue, worker.app.settings) ? undefined : storedForm(wanted, cameMs);
  const holder = holderName(message.id, attemptNumber(message));
  const seat: OwnSeat = {
    holder,
    sinceMs: cameMs,
    mine: { leaseMs: leaseMsOf(wanted, ports.clock), by: `${requestId}/${ports.ids.next()}` },
    latestMs: latestMsOf(wanted, ports.clock),
    gapMs: gapMsOf(wanted),
    sentFor: grant !== undefined,
    goesOn: message.celeriac.part !== undefined,
    unclaimed: definition.options.idempotent,
    queue: message.queue,
    inPlace: stored === undefined,
    park: async (token): Promise<Parked> => {
      const wake = await wakeOf(wanted, seat, stored, ports);
      return {
        sinceMs: seat.sinceMs,
        holder,
        token,
        grants: grant ?? 0,
        wake,
        ...(message.expiresMs === null ? {} : { expiresMs: message.expiresMs }),
      };
    },
  };
  return seat;
}

/**
 * When a message came to the gate: when it was sent, or was due where that is later. What is sent with a delay, as a sweep
 * sends what is ahead, arrives in another order than it was sent.
 */
function arrivalMs({ etaMs, celeriac: { slot = 0 } }: Message, { sentMs }: Delivery, clock: Clock): number {
  const nowMs = clock.nowMs();
  // Whoever can send has written the slot.
  const slotMs = Math.min(Math.ceil(slot / 1000), nowMs);
  return Math.max(sentMs ?? nowMs, etaMs ?? 0, slotMs);
}

async function wakeOf(
  wanted: Wanted,
  seat: OwnSeat,
  stored: OutgoingMessage | undefined,
  ports: SlotPorts,
): Promise<Parked['wake']> {
  const { message, delivery } = wanted;
  if (stored === undefined) {
    await hide(wanted, ports);
    return { kind: 'show', queue: delivery.queue, receipt: delivery.receipt };
  }
  if (message.celeriac.place !== undefined) return { kind: 'send', message: stored };
  // Messages of the same attempt share one place: of two that wait the second would be sent for when nobody knows any more
  // that the first has run.
  const { sinceMs, holder } = seat;
  const expiresAtSeconds = Math.ceil(ports.clock.nowMs() / 1000) + PLACE_RETENTION_SECONDS;
  seat.sinceMs = await ports.slots.since({ sinceMs, holder }, expiresAtSeconds);
  return { kind: 'send', message: (seat.sinceMs === sinceMs ? undefined : storedForm(wanted, seat.sinceMs)) ?? stored };
}

/** As the claim's: the process is killed at its deadline, or renews what it has. */
function leaseMsOf(wanted: Wanted, clock: Clock): number {
  const { deadlineMs, keeper } = wanted.worker.invocation;
  const endMs = keeper === undefined ? deadlineMs : clock.nowMs() + keeper.leaseMs;
  return Math.min(endMs + CLOCK_SKEW_SECONDS * 1000 + gapMsOf(wanted), latestMsOf(wanted, clock));
}

function gapMsOf({ definition }: Wanted): number {
  return definition.options.flow?.given.maxParts === undefined ? 0 : PART_GAP_SECONDS * 1000;
}

function latestMsOf({ leaseSeconds = Infinity }: Wanted, clock: Clock): number {
  return clock.nowMs() + Math.ceil(leaseSeconds * 1000);
}

/** As it is sent when its turn has come: at its old place, should it come too late for its slot. Undefined where it is too large. */
function storedForm({ message, delivery, key, worker }: Wanted, sinceMs: number): OutgoingMessage | undefined {
  const header = { place: sinceMs, grant: (message.celeriac.grant ?? 0) + 1, slots: key };
  try {
    const prepared = prepare(sentOn(message, delivery, header), worker.app.settings, { asPython: true });
    const { payload, ...outgoing } = prepared.outgoing;
    // What came with the message lies in its store. What is larger than it came does not, and keeps its old bytes.
    if (payload !== undefined && payload.storedMs === undefined) return undefined;
    return outgoing.body.length > MAX_PARKED_BYTES ? undefined : outgoing;
  } catch (error) {
    if (!MessageTooLarge.is(error)) throw error;
    return undefined;
  }
}

/** Before its place stands: what wakes it shows it again, and must not be undone. */
async function hide({ message, delivery, worker }: Wanted, { broker, clock }: SlotPorts): Promise<void> {
  const { queue, receipt, receiveCount } = delivery;
  const longestSeconds = isFifo(message.queue, worker.app.settings) ? SLOT_LOOK_LONGEST_SECONDS : HIDDEN_LOOK_SECONDS;
  const leftSeconds = Math.floor((latestWaitMs(delivery, clock) - clock.nowMs()) / 1000);
  const lookSeconds = SLOT_LOOK_SECONDS * 2 ** Math.min(10, Math.max(0, receiveCount - 1));
  await broker.changeVisibility(queue, receipt, Math.max(1, Math.min(leftSeconds, lookSeconds, longestSeconds)));
}

/** SQS deletes what is older than its queue's retention, wherever it waits. */
export function latestWaitMs({ sentMs }: Delivery, clock: Clock): number {
  return (sentMs ?? clock.nowMs()) + (DEFAULT_RETENTION_SECONDS - RATE_RETENTION_MARGIN_SECONDS) * 1000;
}
