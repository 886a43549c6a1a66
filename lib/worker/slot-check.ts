/**
 * The look at a key's holders when the lease of one of them ends: one delayed message for each key where somebody waits.
 * Without crashes nothing depends on it, and where nobody waits there is none.
 */
import { SLOT_RETENTION_SECONDS, SLOT_ROUNDS } from '../base/limits.ts';
import { nextCheckMs } from '../flow/slots.ts';
import { isSlotsKey } from '../ports/slot-keys.ts';
import type { TaskContext } from '../task/context.ts';
import { limitOf } from './slot-limit.ts';
import { pump, sendForForgotten } from './slot-pump.ts';
import { scheduleCheck } from './slot-schedule.ts';
import type { SlotPorts } from './slot-ports.ts';

// The message may come before its look stands in the item: it is sent first, or a crash would leave nobody to look.
const UNWRITTEN_SECONDS = 5;
const UNWRITTEN_LONGEST_MS = 60_000;

/** What the message does. */
export async function runCheck(
  context: TaskContext,
  [key, firstDueMs]: readonly unknown[],
  ports: SlotPorts,
): Promise<void> {
  if (typeof key !== 'string' || !isSlotsKey(key) || typeof firstDueMs !== 'number') return;
  const { queue } = context.request.deliveryInfo;
  let dueMs = firstDueMs;
  for (let round = 0; round < SLOT_ROUNDS; round += 1) {
    const slots = await ports.slots.read(key);
    const { checkMs } = slots;
    if (checkMs !== undefined && checkMs > dueMs) {
      // Another one is on its way.
      if (!hasGivenUp(checkMs, ports)) return;
      dueMs = checkMs;
    }
    if (checkMs !== dueMs) {
      if (hasGivenUp(dueMs, ports)) return;
      context.retry({ countdown: UNWRITTEN_SECONDS, maxRetries: null });
    }
    await sendForForgotten(key, slots, ports);
    if (await pump({ key, limit: await limitOf(key, ports.app), seen: slots }, ports)) continue;
    const nextMs = await goOn(key, dueMs, queue, ports);
    if (nextMs === 'nobody') return;
    if (nextMs !== undefined) dueMs = nextMs;
    // It was written down when its message may have come and gone.
    if (nextMs !== undefined && !hasGivenUp(dueMs, ports)) return;
  }
  // Others change it all the time: nobody else would look.
  context.retry({ countdown: UNWRITTEN_SECONDS, maxRetries: null });
}

/** Whether the message of a look found nothing written down, and was done with. */
function hasGivenUp(dueMs: number, { clock }: SlotPorts): boolean {
  return clock.nowMs() > dueMs + UNWRITTEN_LONGEST_MS;
}

/** When the next one is due; undefined where the key has changed meanwhile; or nobody waits any more. */
async function goOn(
  key: string,
  dueMs: number,
  queue: string,
  ports: SlotPorts,
): Promise<number | 'nobody' | undefined> {
  const slots = await ports.slots.read(key);
  if (slots.checkMs !== dueMs) return slots.checkMs === undefined ? 'nobody' : undefined;
  const nowMs = ports.clock.nowMs();
  const expiresAtSeconds = Math.ceil(nowMs / 1000) + SLOT_RETENTION_SECONDS;
  if (slots.line === undefined) {
    const when = { checkMs: dueMs, line: null };
    const { done } = await ports.slots.write({ key, checkMs: null, expiresAtSeconds, when });
    return done ? 'nobody' : undefined;
  }
  const nextMs = Math.max(dueMs + 1, nextCheckMs(slots, nowMs));
  await scheduleCheck(key, nextMs, queue, ports);
  const { done } = await ports.slots.write({ key, checkMs: nextMs, expiresAtSeconds, when: { checkMs: dueMs } });
  // For people alone: no line stops by it.
  await ports.slots.noteLine(key, nowMs).catch(() => undefined);
  return done ? nextMs : undefined;
}
