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
  [key, dueMs]: readonly unknown[],
  ports: SlotPorts,
): Promise<void> {
  if (typeof key !== 'string' || !isSlotsKey(key) || typeof dueMs !== 'number') return;
  const { queue } = context.request.deliveryInfo;
  for (let round = 0; round < SLOT_ROUNDS; round += 1) {
    const slots = await ports.slots.read(key);
    const { checkMs } = slots;
    // Another one is on its way.
    if (checkMs !== undefined && checkMs > dueMs) return;
    if (checkMs !== dueMs) {
      if (ports.clock.nowMs() > dueMs + UNWRITTEN_LONGEST_MS) return;
      context.retry({ countdown: UNWRITTEN_SECONDS, maxRetries: null });
    }
    await sendForForgotten(key, slots, ports);
    if (await pump({ key, limit: await limitOf(key, ports.app), seen: slots }, ports)) continue;
    if (await goOn(key, dueMs, queue, ports)) return;
  }
  // Others change it all the time: nobody else would look.
  context.retry({ countdown: UNWRITTEN_SECONDS, maxRetries: null });
}

/** Sends the next one, or ends where nobody waits any more. False where the key has changed meanwhile. */
async function goOn(key: string, dueMs: number, queue: string, ports: SlotPorts): Promise<boolean> {
  const slots = await ports.slots.read(key);
  if (slots.checkMs !== dueMs) return true;
  const nowMs = ports.clock.nowMs();
  const expiresAtSeconds = Math.ceil(nowMs / 1000) + SLOT_RETENTION_SECONDS;
  if (slots.line === undefined)
    return (await ports.slots.write({ key, checkMs: null, expiresAtSeconds, when: { checkMs: dueMs, line: null } }))
      .done;
  const nextMs = Math.max(dueMs + 1, nextCheckMs(slots, nowMs));
  await scheduleCheck(key, nextMs, queue, ports);
  await ports.slots.write({ key, checkMs: nextMs, expiresAtSeconds, when: { checkMs: dueMs } });
  // For people alone: no line stops by it.
  await ports.slots.noteLine(key, nowMs).catch(() => undefined);
  return true;
}
