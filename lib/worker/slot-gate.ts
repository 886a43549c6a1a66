/**
 * The gate of a task's concurrency: it runs with a slot of its key, or waits for one. A slot is given back as soon as the
 * attempt's outcome stands, and by whoever had one and does not run.
 */
import { InvalidKey, RateLimitTooLong } from '../base/errors.ts';
import { FAILURE } from '../base/states.ts';
import { itemKey } from '../flow/key.ts';
import type { Concurrency } from '../options/concurrency.ts';
import { slotsKey } from '../ports/slot-keys.ts';
import { ACK, type Disposition } from './attempt.ts';
import { batched } from './batcher.ts';
import { conclude } from './conclude.ts';
import { mayStart } from './decide.ts';
import { settleIfEnded } from './ended-already.ts';
import { flowKey } from './flow-key.ts';
import { type Seat, SlotDesk, type Seated } from './slot-desk.ts';
import { HeldSlot } from './slot-held.ts';
import { giveBack, type Leaving } from './slot-pump.ts';
import { slotPorts, type SlotPorts } from './slot-ports.ts';
import { latestWaitMs, type OwnSeat, seatOf, type Wanted } from './slot-seat.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Worker } from './worker.ts';

// Too many wanted a slot of the same key at once: so long, and up to so much more by chance.
const CROWDED_SECONDS = 1;
const CROWDED_SPREAD_SECONDS = 3;

/** What goes on where a slot was had: the attempt, or another run in its place. */
export type Pass = (worker: Worker, instead?: TaskDefinition) => Promise<Disposition>;

export async function atSlotGate(
  { message, delivery, definition, worker }: Omit<Wanted, 'key' | 'limit'>,
  { limit, key, scope }: Concurrency,
  pass: Pass,
): Promise<Disposition> {
  let text: string | undefined;
  try {
    text = await flowKey(message, definition, key, 'concurrency', worker);
  } catch (error) {
    if (!InvalidKey.is(error)) throw error;
    return conclude(message, delivery, FAILURE, error, worker);
  }
  if (text === undefined) return pass(worker);
  // No task has this name.
  const of = itemKey(scope === 'app' ? '*' : message.task, text);
  return withSlot({ message, delivery, definition, key: slotsKey(of), limit, worker }, pass);
}

/** Runs `pass` with a slot of the key; without one the message waits. */
export async function withSlot(wanted: Wanted, pass: Pass): Promise<Disposition> {
  const { worker } = wanted;
  const ports = slotPorts(worker.app, worker.ports);
  const seat = seatOf(wanted, ports);
  const desk = deskOf(wanted, ports);
  const seated = await desk.ask(seat);
  switch (seated.kind) {
    case 'parked':
      return waitParked(wanted, seat, seated.token, ports);
    case 'crowded':
      return crowded(ports);
    case 'own':
    case 'other':
      return runSeated(wanted, seat, seated, desk, pass);
    default:
      return seated satisfies never;
  }
}

/** Comes again soon. */
export function crowded({ random }: SlotPorts): Disposition {
  return { kind: 'keep', seconds: CROWDED_SECONDS + Math.floor(random.next() * CROWDED_SPREAD_SECONDS) };
}

/** With a slot, or while another delivery of the attempt has it. */
export async function runSeated(
  wanted: Wanted,
  seat: OwnSeat,
  seated: Extract<Seated, { readonly kind: 'own' | 'other' }>,
  desk: Pick<Desk, 'giveBack'>,
  pass: Pass,
): Promise<Disposition> {
  const { definition, worker } = wanted;
  const ports = slotPorts(worker.app, worker.ports);
  // Without a claim nothing else tells that it runs.
  if (seated.kind === 'other' && definition.options.idempotent)
    return { kind: 'keep', seconds: Math.ceil((seated.leaseMs - ports.clock.nowMs()) / 1000) + 1 };
  const held = new HeldSlot(wanted, seat, seated, desk.giveBack, ports);
  const { invocation, invocationStartMs } = worker;
  // The store took its time, and a task without a claim is not asked again.
  if (!mayStart(ports.clock.nowMs(), invocation.deadlineMs, invocationStartMs, definition.options, true)) {
    await held.leave();
    return { kind: 'keep', seconds: 0 };
  }
  const release = invocation.keeper?.keep(held);
  let disposition: Disposition;
  try {
    disposition = await pass(held.worker());
  } catch (error) {
    release?.();
    // Nobody runs it any more; its next delivery takes a slot anew.
    await held.leave().catch(() => undefined);
    throw error;
  }
  release?.();
  if (definition.options.idempotent && disposition.kind === 'ack') await held.unclaimedEnd();
  await held.leave();
  return disposition;
}

async function waitParked(wanted: Wanted, seat: OwnSeat, token: string, ports: SlotPorts): Promise<Disposition> {
  const { message, delivery, definition, worker } = wanted;
  // Asked for once its place stands: whoever runs the attempt from now on was sent for from there, and takes it away.
  const ended = await settleIfEnded(message, delivery, definition, worker);
  if (ended === undefined) return seat.inPlace ? waitInPlace(wanted, ports) : ACK;
  await ports.slots.unpark(wanted.key, seat, token);
  return ended;
}

/** It is hidden already: what wakes it may have come since. */
async function waitInPlace({ message, delivery, worker }: Wanted, { clock }: SlotPorts): Promise<Disposition> {
  if (clock.nowMs() < latestWaitMs(delivery, clock)) return { kind: 'keep', seconds: 0, hidden: true };
  const error = new RateLimitTooLong(
    `Task id ${message.id} waits in its queue for a slot of its concurrency for so long that SQS would delete its message. Use a standard queue, where what waits is stored, a higher limit, or fewer tasks.`,
  );
  return conclude(message, delivery, FAILURE, error, worker, 'concurrency too long');
}

/** Those of a batch that want or give back slots of one key share their writes. */
export interface Desk {
  readonly ask: (seat: Seat) => Promise<Seated>;
  readonly giveBack: (leaving: Leaving) => Promise<void>;
}

const DESKS = new WeakMap<Worker, Map<string, Desk>>();

export function deskOf({ key, limit, worker }: Wanted, ports: SlotPorts): Desk {
  const desks = DESKS.get(worker) ?? new Map<string, Desk>();
  DESKS.set(worker, desks);
  let desk = desks.get(key);
  if (desk === undefined) {
    const holderOf = ({ holder }: { readonly holder: string }): string => holder;
    desk = {
      ask: batched(ports.clock, Infinity, holderOf, (seats: readonly Seat[]) =>
        new SlotDesk(key, limit, seats, ports).serve(seats),
      ),
      giveBack: batched(ports.clock, Infinity, holderOf, async (leaving: readonly Leaving[]) => {
        await giveBack(key, limit, leaving, ports);
        return leaving.map(() => undefined);
      }),
    };
    desks.set(key, desk);
  }
  return desk;
}
