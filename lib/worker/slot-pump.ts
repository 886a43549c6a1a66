/**
 * A slot that is given back goes to whoever has waited longest, in the same write: nobody who comes meanwhile can take it.
 * Whoever is given one is sent for; who was given one and does not run gives it back in turn.
 */
import { errorLine } from '../base/error-text.ts';
import { SLOT_CHECK_MARGIN_MS, SLOT_GRANT_SECONDS, SLOT_RETENTION_SECONDS, SLOT_ROUNDS } from '../base/limits.ts';
import type { Clock, Random } from '../base/time.ts';
import {
  freeSlots,
  granter,
  grantMs,
  type HandOver,
  handOver,
  isForgotten,
  isGrant,
  isSame,
  isUnchecked,
  type Look,
} from '../flow/slots.ts';
import type { Holder, Parked, Slots, SlotsWrite } from '../ports/slots.ts';
import { scheduleCheck } from './slot-schedule.ts';
import type { SlotPorts } from './slot-ports.ts';

// Of those whose time is over; as many are looked for as are free besides.
const LEAST_LOOKED_AT = 10;

/** One that gives its slot back: whatever its entry is, or only this one. */
export interface Leaving {
  readonly holder: string;
  readonly entry?: Holder;
  /** Its attempt has ended: what is kept for another message of it is given back, too. */
  readonly ended?: boolean;
  /**
   * It does not run, and its own place may stand in a line that nobody has noted: another delivery of its message may have
   * waited there too, or ended its attempt meanwhile.
   */
  readonly stood?: boolean;
}

export interface Pumping {
  readonly key: string;
  /** Slots of the key; undefined for as many as were last known. */
  readonly limit: number | undefined;
  /** Those that give their slots back. */
  readonly leaving?: readonly Leaving[];
  /** Those of the line who are here, and run at once: the slots that they would hold. */
  readonly here?: ReadonlyMap<string, Holder>;
  /** As the key was seen to stand, where that is known. */
  readonly seen?: Slots;
}

/** @returns whether anybody was given a slot who is sent for. */
export async function pump(pumping: Pumping, ports: SlotPorts): Promise<boolean> {
  const by = granter(ports.ids.next());
  let { seen } = pumping;
  let asked: readonly Parked[] = [];
  for (let round = 0; round < SLOT_ROUNDS; round += 1) {
    if (round > 0) await pause(ports);
    const slots = seen ?? (await ports.slots.read(pumping.key));
    seen = undefined;
    // What was asked for has been done, and the answer was lost.
    const known = asked.filter(({ holder }) => slots.holders.get(holder)?.by === by);
    if (known.length > 0) {
      await wake(pumping.key, known, ports);
      return true;
    }
    const { waiting, unsent } = await lookAt(pumping, slots, ports);
    const nowMs = ports.clock.nowMs();
    const limit = pumping.limit ?? slots.limit ?? 1;
    const plan = handOver({ slots, limit, nowMs, leaving: heldBy(pumping.leaving ?? [], slots), waiting, unsent });
    if (plan === undefined) return false;
    const away = plan.chosen.filter(({ holder }) => pumping.here?.has(holder) !== true);
    asked = away;
    const outcome = await ports.slots.write(await writeOf(pumping, plan, { slots, by, limit, away }, ports));
    if (!outcome.done) {
      seen = outcome.seen;
      continue;
    }
    await wake(pumping.key, away, ports);
    return away.length > 0;
  }
  return false;
}

/** Those of them that hold, as they do. */
function heldBy(leaving: readonly Leaving[], { holders }: Slots): Map<string, Holder> {
  const held = new Map<string, Holder>();
  for (const { holder, entry, ended = false } of leaving) {
    const known = holders.get(holder);
    if (known === undefined) continue;
    if (entry === undefined || isSame(known, entry) || (ended && isGrant(known))) held.set(holder, known);
  }
  return held;
}

/** The first of the line. Those whose time is over are sent for without a slot, to be told so. */
async function lookAt(pumping: Pumping, slots: Slots, ports: SlotPorts): Promise<Pick<Look, 'waiting' | 'unsent'>> {
  const { key } = pumping;
  if (slots.line === undefined && pumping.leaving?.some(({ stood }) => stood) !== true)
    return { waiting: [], unsent: false };
  const limit = pumping.limit ?? slots.limit ?? 1;
  for (;;) {
    const nowMs = ports.clock.nowMs();
    const free = Math.max(0, freeSlots(slots, limit, nowMs) + heldBy(pumping.leaving ?? [], slots).size);
    const waiting = await ports.slots.line(key, Math.max(LEAST_LOOKED_AT, free + slots.holders.size));
    const over = waiting.filter(
      ({ holder, expiresMs = Infinity }) =>
        expiresMs <= nowMs && !slots.holders.has(holder) && pumping.here?.has(holder) !== true,
    );
    if (over.length === 0) return { waiting, unsent: false };
    if ((await wake(key, over, ports)) < over.length)
      return { waiting: waiting.filter((each) => !over.includes(each)), unsent: true };
  }
}

interface Granting {
  readonly slots: Slots;
  readonly by: string;
  readonly limit: number;
  readonly away: readonly Parked[];
}

async function writeOf(
  { key, here }: Pumping,
  plan: HandOver,
  { slots, by, limit, away }: Granting,
  ports: SlotPorts,
): Promise<SlotsWrite> {
  const nowMs = ports.clock.nowMs();
  const put = plan.chosen.map(({ holder, grants }): [string, Holder] => [
    holder,
    here?.get(holder) ?? { leaseMs: grantMs(nowMs, grants), by },
  ]);
  const latestMs = Math.max(nowMs, ...put.map(([, { leaseMs }]) => leaseMs));
  const [first] = away;
  // A crash before they are sent for is found as soon as their slots lapse.
  const dueMs = nowMs + SLOT_GRANT_SECONDS * 1000 + SLOT_CHECK_MARGIN_MS;
  const checks = first !== undefined && (isUnchecked(slots, nowMs) || (slots.checkMs ?? 0) > dueMs);
  if (checks) await scheduleCheck(key, dueMs, queueOf(first), ports);
  return {
    key,
    put: new Map(put),
    remove: plan.remove,
    ...(plan.clears ? { line: null } : {}),
    ...(checks ? { checkMs: dueMs } : {}),
    limit,
    expiresAtSeconds: Math.ceil(latestMs / 1000) + SLOT_RETENTION_SECONDS,
    when: { ...plan.when, ...(checks ? { checkMs: slots.checkMs ?? null } : {}) },
  };
}

function queueOf({ wake: by }: Parked): string {
  return by.kind === 'send' ? by.message.queue : by.queue;
}

/** Sends for them, then forgets that they wait: the other way round a crash would lose them. Gives how many left. */
async function wake(key: string, chosen: readonly Parked[], ports: SlotPorts): Promise<number> {
  const left = await Promise.all(
    chosen.map(async (parked) => {
      const failed = await sendFor(parked, ports);
      // Only this time of waiting: one that was quick may wait again by now.
      if (failed === undefined) await ports.slots.unpark(key, parked, parked.token);
      else
        // Its place stands, and is looked at again when its slot lapses.
        ports.logger.log('error', `Task ${parked.holder} waits for a slot of ${key} and was not sent: ${failed}`, {
          key,
        });
      return failed === undefined;
    }),
  );
  return left.filter(Boolean).length;
}

/** Sends for those that were given a slot by one who died before it did. */
export async function sendForForgotten(key: string, slots: Slots, ports: SlotPorts): Promise<void> {
  if (slots.line === undefined || ![...slots.holders.values()].some(isGrant)) return;
  const waiting = await ports.slots.line(key, LEAST_LOOKED_AT + slots.holders.size);
  const nowMs = ports.clock.nowMs();
  const forgotten = waiting.filter((parked) => isForgotten(slots, parked, nowMs));
  await wake(key, forgotten, ports);
}

/** Undefined where that is done, else why not. */
async function sendFor({ wake: by }: Parked, { broker }: SlotPorts): Promise<string | undefined> {
  try {
    if (by.kind === 'show') {
      await broker.changeVisibility(by.queue, by.receipt, 0);
      return undefined;
    }
    const [outcome] = await broker.send([by.message]);
    return outcome === undefined || outcome.ok ? undefined : `${outcome.code}: ${outcome.message}`;
  } catch (error) {
    return errorLine(error);
  }
}

/** Gives slots of one key back. */
export async function giveBack(
  key: string,
  limit: number | undefined,
  leaving: readonly Leaving[],
  ports: SlotPorts,
): Promise<void> {
  if (leaving.some(({ stood }) => stood)) return void (await pump({ key, limit, leaving }, ports));
  const expiresAtSeconds = Math.ceil(ports.clock.nowMs() / 1000) + SLOT_RETENTION_SECONDS;
  const remove = leaving.map(({ holder }) => holder);
  const present = leaving.flatMap(({ holder, entry }) => (entry === undefined ? [holder] : []));
  const same = new Map(leaving.flatMap(({ holder, entry }) => (entry === undefined ? [] : [[holder, entry]])));
  let outcome = await ports.slots.write({ key, remove, expiresAtSeconds, when: { line: null, present, same } });
  for (let round = 1; !outcome.done && outcome.seen.line === undefined && round < SLOT_ROUNDS; round += 1) {
    const held = heldBy(leaving, outcome.seen);
    if (held.size === 0) return;
    const when = { line: null, same: held };
    outcome = await ports.slots.write({ key, remove: [...held.keys()], expiresAtSeconds, when });
  }
  // Where somebody waits they go to him, with or without them: another may have taken them away and died.
  if (!outcome.done) await pump({ key, limit, leaving, seen: outcome.seen }, ports);
}

// Those that ask for the same item in the same moment part.
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

export async function pause({ clock, random }: { readonly clock: Clock; readonly random: Random }): Promise<void> {
  await clock.sleep(SHORTEST_PAUSE_MS + random.next() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
}
