/** The gate of a task's rate limit: it starts now, or its message comes back when it may. */
import { InvalidKey, RateLimitTooLong, TaskRevokedError } from '../base/errors.ts';
import {
  DEFAULT_RETENTION_SECONDS,
  HIDDEN_LOOK_SECONDS,
  RATE_RETENTION_MARGIN_SECONDS,
  RATE_RETENTION_SECONDS,
  SQS_MAX_DELAY_SECONDS,
  SQS_MAX_VISIBILITY_SECONDS,
} from '../base/limits.ts';
import { FAILURE, REVOKED } from '../base/states.ts';
import { itemKey } from '../flow/key.ts';
import { decideSlot, hasCome, isLate, lateLine, movedSlot, type RateDecision, slotOf } from '../flow/rate.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { RateLimit } from '../options/rate-limit.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { KeptSlot } from '../ports/rates.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import { deliveriesOf, type Disposition } from './attempt.ts';
import { conclude } from './conclude.ts';
import { defer } from './defer.ts';
import { settleIfEnded } from './ended-already.ts';
import { flowKey } from './flow-key.ts';
import type { Worker } from './worker.ts';

// Others took places in the same line again and again: so long, and up to so much more by chance.
const CROWDED_SECONDS = 1;
const CROWDED_SPREAD_SECONDS = 3;

/** One delivery of a task with a rate limit. */
interface Gated {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly definition: TaskDefinition;
  readonly limit: RateLimit;
  /** Of its line. */
  readonly key: string;
  readonly worker: Worker;
}

interface Placed {
  readonly slot: KeptSlot;
  readonly decision: RateDecision;
}

/** @returns what becomes of the message, or undefined where the attempt may start. */
export async function atRateGate(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  limit: RateLimit,
  worker: Worker,
): Promise<Disposition | undefined> {
  if (await startedBefore(message, delivery, definition, worker)) return undefined;
  let key: string | undefined;
  try {
    key = await flowKey(message, definition, limit.key, 'rateLimit', worker);
  } catch (error) {
    if (!InvalidKey.is(error)) throw error;
    return conclude(message, delivery, FAILURE, error, worker);
  }
  if (key === undefined) return undefined;
  return passOrWait({ message, delivery, definition, limit, key: itemKey(message.task, key), worker });
}

/** A redelivery takes no slot: its attempt has started before. */
async function startedBefore(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  { ports }: Worker,
): Promise<boolean> {
  // Its attempt goes on.
  if (message.celeriac.part !== undefined) return true;
  // Without a claim nothing tells.
  if (deliveriesOf(message, delivery) <= 1 || definition.options.idempotent) return false;
  const [record] = await ports.backend.get([message.id], ports.clock.nowMs(), 'state');
  return (record?.attempt ?? -1) >= message.retries;
}

async function passOrWait(gated: Gated): Promise<Disposition | undefined> {
  const { message, delivery, worker } = gated;
  const before = slotIn(message) ?? (deliveriesOf(message, delivery) > 1 ? await keptSlot(gated) : undefined);
  const placed = await placeIn(gated, before);
  if (placed === undefined) {
    const { random } = worker.ports;
    return { kind: 'keep', seconds: CROWDED_SECONDS + Math.floor(random.next() * CROWDED_SPREAD_SECONDS) };
  }
  const { decision, slot } = placed;
  switch (decision.kind) {
    case 'start':
      return undefined;
    case 'expired':
      return conclude(message, delivery, REVOKED, new TaskRevokedError('expired'), worker);
    case 'wait': {
      const ended = await settledBefore(gated, decision.untilMs, before);
      if (ended !== undefined) return ended;
      const inPlace = (): Promise<Disposition> => waitInPlace(gated, slot, before);
      // In a FIFO queue a message that is sent on comes behind the rest of its group.
      if (isFifo(message.queue, worker.app.settings)) return inPlace();
      const { slotMicros, paceMicros, lates } = slot;
      const header = { slot: slotMicros, pace: paceMicros, ...(lates === 0 ? {} : { lates }) };
      return defer(message, delivery, { untilMs: decision.untilMs, because: 'rate', header, inPlace }, worker);
    }
    default:
      return decision satisfies never;
  }
}

/** A short wait is over before its record is gone; the next one is asked. */
async function settledBefore(
  { message, delivery, definition, worker }: Gated,
  untilMs: number,
  before: KeptSlot | undefined,
): Promise<Disposition | undefined> {
  if (before === undefined && untilMs - worker.ports.clock.nowMs() <= SQS_MAX_DELAY_SECONDS * 1000) return undefined;
  return settleIfEnded(message, delivery, definition, worker);
}

function slotIn({ celeriac: { slot, pace, lates = 0 } }: Message): KeptSlot | undefined {
  return slot === undefined || pace === undefined || pace === 0
    ? undefined
    : { slotMicros: slot, paceMicros: pace, lates };
}

async function keptSlot({ message, worker }: Gated): Promise<KeptSlot | undefined> {
  return worker.rates().kept(message.id, message.retries);
}

/** Undefined where the line was too crowded to take a place. */
async function placeIn(gated: Gated, before: KeptSlot | undefined): Promise<Placed | undefined> {
  const { limit } = gated;
  if (before === undefined) return newPlace(gated, 0);
  let slot: KeptSlot = before;
  if (slot.paceMicros !== limit.paceMicros) {
    // The limit was changed while it waited. Asking moves the line, where nobody has asked since.
    const asked = await ask(gated, 0);
    if (asked === undefined) return undefined;
    const moved = movedSlot(slot, asked.line, limit.paceMicros);
    if (moved === undefined) return newPlace(gated, slot.lates);
    slot = moved;
  }
  if (!isLate(slot, gated.worker.ports.clock.nowMs(), limit)) return decided(gated, slot);
  if (slot.lates > 0 && (await startsLate(gated))) return { slot, decision: { kind: 'start' } };
  return newPlace(gated, slot.lates + 1);
}

/** Whether one that was late before may start now. Looked at first: each place that is taken and is ahead is lost. */
async function startsLate(gated: Gated): Promise<boolean> {
  const { limit, worker } = gated;
  const { clock } = worker.ports;
  const line = lateLine(gated.key, limit);
  const asking = (count: number): Parameters<Worker['reserve']>[0] => ({ ...line, count, nowMs: clock.nowMs() });
  const seen = await worker.reserve(asking(0));
  if (seen === undefined || !hasCome(seen.line, clock.nowMs())) return false;
  const taken = await worker.reserve(asking(1));
  if (taken === undefined) return false;
  const slotMicros = slotOf(taken.line, taken.index, taken.count, { ...limit, paceMicros: line.paceMicros, burst: 1 });
  return slotMicros <= clock.nowMs() * 1000;
}

async function newPlace(gated: Gated, lates: number): Promise<Placed | undefined> {
  const { limit } = gated;
  const asked = await ask(gated, 1);
  if (asked === undefined) return undefined;
  const slotMicros = slotOf(asked.line, asked.index, asked.count, limit);
  // Given now, it is never late: a burst's slots lie in the past.
  return decided(gated, { slotMicros, paceMicros: limit.paceMicros, lates });
}

function decided({ message, worker }: Gated, slot: KeptSlot): Placed {
  return { slot, decision: decideSlot(slot, worker.ports.clock.nowMs(), message.expiresMs) };
}

function ask({ key, limit, worker }: Gated, count: number): ReturnType<Worker['reserve']> {
  return worker.reserve({ key, count, paceMicros: limit.paceMicros, nowMs: worker.ports.clock.nowMs() });
}

/**
 * Its slot is kept beside it, since its bytes stay as they are; it is shown again when the slot comes, or when SQS
 * hides it no longer.
 */
async function waitInPlace(gated: Gated, slot: KeptSlot, before: KeptSlot | undefined): Promise<Disposition> {
  const { message, delivery, limit, worker } = gated;
  const { clock } = worker.ports;
  const slotMs = slot.slotMicros / 1000;
  const sentMs = delivery.sentMs ?? clock.nowMs();
  if (slotMs > sentMs + (DEFAULT_RETENTION_SECONDS - RATE_RETENTION_MARGIN_SECONDS) * 1000) {
    const error = new RateLimitTooLong(
      `The slot of task id ${message.id} under rateLimit '${limit.text}' is ${new Date(slotMs).toISOString()}, when SQS has deleted its message, which waits in its queue. Use a standard queue, a higher limit, or fewer tasks.`,
    );
    return conclude(message, delivery, FAILURE, error, worker, 'rate limit too long');
  }
  const kept =
    slot === before
      ? slot
      : await worker.rates().keep({
          id: message.id,
          attempt: message.retries,
          slot,
          ...(before === undefined ? {} : { instead: before }),
          expiresAtSeconds: Math.ceil(slotMs / 1000) + RATE_RETENTION_SECONDS,
        });
  const seconds = Math.ceil((kept.slotMicros / 1000 - clock.nowMs()) / 1000);
  const longest = isFifo(message.queue, worker.app.settings) ? SQS_MAX_VISIBILITY_SECONDS : HIDDEN_LOOK_SECONDS;
  return { kind: 'keep', seconds: Math.max(0, Math.min(longest, seconds)) };
}
