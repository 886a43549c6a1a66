/**
 * The gate of a task that does not run beside itself. Who waits for its turn has a slot of one; who is left out ends at once,
 * and says because of whom.
 */
import { InvalidKey, LockNotAcquired } from '../base/errors.ts';
import { SLOT_RETENTION_SECONDS, SLOT_ROUNDS } from '../base/limits.ts';
import { FAILURE, IGNORED } from '../base/states.ts';
import { itemKey } from '../flow/key.ts';
import { type Entry, entryOf } from '../flow/one-instance.ts';
import { partsOf } from '../flow/slots.ts';
import type { OneInstance } from '../options/one-instance.ts';
import { taskLockKey } from '../ports/slot-keys.ts';
import type { SlotsWrite } from '../ports/slots.ts';
import { writeDocument } from '../wire/result-document.ts';
import type { Disposition } from './attempt.ts';
import { conclude } from './conclude.ts';
import { flowKey } from './flow-key.ts';
import { passOn } from './pass-on.ts';
import { crowded, deskOf, type Pass, runSeated, withSlot } from './slot-gate.ts';
import { pause } from './slot-pump.ts';
import { slotPorts, type SlotPorts } from './slot-ports.ts';
import { type OwnSeat, seatOf, type Wanted } from './slot-seat.ts';

export async function atInstanceGate(
  wanted: Omit<Wanted, 'key' | 'limit'>,
  { key, timeoutSeconds, whenLocked, onSkip }: OneInstance,
  pass: Pass,
): Promise<Disposition> {
  const { message, delivery, definition, worker } = wanted;
  let text: string | undefined;
  try {
    text = await flowKey(message, definition, key, 'oneInstance', worker);
  } catch (error) {
    if (!InvalidKey.is(error)) throw error;
    return conclude(message, delivery, FAILURE, error, worker);
  }
  if (text === undefined) return pass(worker);
  const own = { ...wanted, key: taskLockKey(itemKey(message.task, text)), limit: 1, leaseSeconds: timeoutSeconds };
  if (whenLocked === 'wait') return withSlot(own, pass);
  const ports = slotPorts(worker.app, worker.ports);
  const seat = seatOf(own, ports);
  const entry = await enter(own, seat, ports);
  if (entry === undefined) return crowded(ports);
  if (entry.kind !== 'locked')
    return runSeated(
      own,
      seat,
      entry.kind === 'own' ? { kind: 'own', parked: false } : entry,
      deskOf(own, ports),
      pass,
    );
  const until = new Date(entry.leaseMs).toISOString();
  const [by] = partsOf(entry.holder);
  const error = new LockNotAcquired(`Task id ${by} runs, and has its lock until ${until}.`, {
    key: own.key,
    owner: by,
    until: new Date(entry.leaseMs),
  });
  if (onSkip === 'retry') {
    await passOn(message, worker);
    // A run that only says so: retries, and their end, are as they always are.
    return pass(worker, { ...definition, run: (context) => context.retry({ exc: error }) });
  }
  const meta = writeDocument({
    status: IGNORED,
    result: { skipped: 'locked', by, until },
    traceback: null,
    children: [],
    dateDone: new Date(ports.clock.nowMs()).toISOString(),
    taskId: message.id,
    parentId: message.parentId,
    groupId: message.groupId,
  });
  return conclude(message, delivery, IGNORED, error, worker, undefined, meta);
}

/** Undefined where too many want it at once. */
async function enter(
  { key }: Wanted,
  { holder, mine }: OwnSeat,
  ports: SlotPorts,
): Promise<Exclude<Entry, { readonly kind: 'free' }> | undefined> {
  // Most of the time nobody runs: a failed write tells as much as a read.
  let next: Pick<SlotsWrite, 'remove' | 'when'> = { remove: [], when: { absent: [holder], atMost: 0 } };
  for (let round = 0; round < SLOT_ROUNDS; round += 1) {
    if (round > 1) await pause(ports);
    const outcome = await ports.slots.write({
      key,
      put: new Map([[holder, mine]]),
      ...next,
      limit: 1,
      expiresAtSeconds: Math.ceil(mine.leaseMs / 1000) + SLOT_RETENTION_SECONDS,
    });
    if (outcome.done) return { kind: 'own' };
    const entry = entryOf(outcome.seen, holder, mine, ports.clock.nowMs());
    if (entry.kind !== 'free') return entry;
    next = entry;
  }
  return undefined;
}
