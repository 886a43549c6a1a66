/**
 * Slots: who of those that want to run under a key may, and who waits. Pure. A slot is an entry of its own among the key's
 * holders, never a count: what is taken away twice is gone once. Each has a lease, which ends with its worker.
 */
import {
  SLOT_CHECK_MARGIN_MS,
  SLOT_GRANT_LONGEST_SECONDS,
  SLOT_GRANT_SECONDS,
  SQS_MAX_DELAY_SECONDS,
} from '../base/limits.ts';
import type { Holder, Parked, Slots, SlotsCondition } from '../ports/slots.ts';

const GRANT = 'grant/';

/** The attempt's name among the holders of its key. */
export function holderName(id: string, attempt: number): string {
  return `${id}#${attempt}`;
}

/** The task id of a holder, and its attempt. */
export function partsOf(holder: string): [id: string, attempt: number] {
  const at = holder.lastIndexOf('#');
  return [holder.slice(0, at), Number(holder.slice(at + 1))];
}

/**
 * What the parts before have left to this one: none comes before the last one has ended, and none gives a slot back that the
 * next one needs.
 */
export function leftTo(holder: string, { holders }: Slots): Map<string, Holder> {
  const [id, attempt] = partsOf(holder);
  return new Map(
    [...holders].filter(([name]) => {
      const [otherId, other] = partsOf(name);
      return otherId === id && other < attempt && Math.floor(other) === Math.floor(attempt);
    }),
  );
}

/** Whoever gives slots to those that wait signs with this. */
export function granter(id: string): string {
  return `${GRANT}${id}`;
}

/** A slot that was given to a task that is on its way: no delivery holds it. */
export function isGrant({ by }: Holder): boolean {
  return by.startsWith(GRANT);
}

/** A message that comes too late for its slot gets it for longer the next time: what is always late would wait for ever. */
export function grantMs(nowMs: number, grants: number): number {
  return nowMs + Math.min(SLOT_GRANT_LONGEST_SECONDS, SLOT_GRANT_SECONDS * 4 ** Math.min(grants, 10)) * 1000;
}

/**
 * Whether one that still stands in the line was given a slot so long ago that whoever gave it must have died before it sent
 * for it: what has been sent for has left the line. Its slot may be kept for an hour, and nobody would come for it.
 */
export function isForgotten({ holders }: Slots, { holder, grants }: Parked, nowMs: number): boolean {
  const entry = holders.get(holder);
  if (entry === undefined || !isGrant(entry)) return false;
  const givenMs = entry.leaseMs - grantMs(0, grants);
  return nowMs - givenMs >= SLOT_GRANT_SECONDS * 1000;
}

export function isSame(holder: Holder | undefined, other: Holder): boolean {
  return holder !== undefined && holder.leaseMs === other.leaseMs && holder.by === other.by;
}

/** Whose lease has passed: they are dead. */
export function lapsed({ holders }: Slots, nowMs: number): Map<string, Holder> {
  return new Map([...holders].filter(([, { leaseMs }]) => leaseMs < nowMs));
}

/** Slots that nobody holds who lives. Negative where a limit was lowered. */
export function freeSlots(slots: Slots, limit: number, nowMs: number): number {
  return limit - slots.holders.size + lapsed(slots, nowMs).size;
}

/** How a key's holders stand towards one who wants a slot. */
export type Standing =
  /** It has one: an earlier answer was lost. */
  | { readonly kind: 'own' }
  /** One was given to it while it waited. */
  | { readonly kind: 'granted'; readonly entry: Holder }
  /** Another delivery of the same attempt holds it, and may run. */
  | { readonly kind: 'other'; readonly entry: Holder }
  | { readonly kind: 'none' };

export function standingOf({ holders }: Slots, holder: string, mine: Holder): Standing {
  const entry = holders.get(holder);
  if (entry === undefined) return { kind: 'none' };
  if (isSame(entry, mine)) return { kind: 'own' };
  return { kind: isGrant(entry) ? 'granted' : 'other', entry };
}

/** When somebody has to look whether a holder has died. Until then nothing can have changed without anybody knowing. */
export function nextCheckMs({ holders }: Slots, nowMs: number): number {
  // Whether it was sent for, what is kept for one on its way is asked sooner than its slot ends.
  const endsMs = (entry: Holder): number =>
    isGrant(entry) ? Math.min(entry.leaseMs, grantMs(nowMs, 0)) : entry.leaseMs;
  const earliestMs = Math.min(nowMs + SQS_MAX_DELAY_SECONDS * 1000, ...[...holders.values()].map(endsMs));
  const dueMs = Math.max(nowMs + SLOT_CHECK_MARGIN_MS, earliestMs) + SLOT_CHECK_MARGIN_MS;
  return Math.min(dueMs, nowMs + SQS_MAX_DELAY_SECONDS * 1000);
}

/** Whether nobody will look: the message that was to do it is overdue, or there never was one. */
export function isUnchecked({ checkMs }: Slots, nowMs: number): boolean {
  return checkMs === undefined || checkMs <= nowMs;
}

/** What a look at a line has found. */
export interface Look {
  readonly slots: Slots;
  /** Of the key. */
  readonly limit: number;
  readonly nowMs: number;
  /** Who is known to hold no longer, with the entry that it has. */
  readonly leaving: ReadonlyMap<string, Holder>;
  /** The first of the line, as many as `freeSlots` and holders together. */
  readonly waiting: readonly Parked[];
  /** Before them stand some whose time is over, and who could not be sent for. */
  readonly unsent: boolean;
}

/** One write that hands free slots over to those that wait. */
export interface HandOver {
  readonly chosen: readonly Parked[];
  readonly remove: readonly string[];
  /** Nobody waits any more. */
  readonly clears: boolean;
  readonly when: SlotsCondition;
}

/** Undefined where there is nothing to do. */
export function handOver({ slots, limit, nowMs, leaving, waiting, unsent }: Look): HandOver | undefined {
  const dropped = new Map([...lapsed(slots, nowMs), ...leaving]);
  const free = Math.max(0, limit - slots.holders.size + dropped.size);
  const live = (holder: string): boolean => slots.holders.has(holder) && !dropped.has(holder);
  const chosen = waiting.filter(({ holder }) => !live(holder)).slice(0, free);
  // Only a line that was seen empty: one of whom all hold a slot may still be needed by them.
  const clears = slots.line !== undefined && waiting.length === 0 && !unsent;
  if (dropped.size === 0 && chosen.length === 0 && !clears) return undefined;
  const names = chosen.map(({ holder }) => holder);
  return {
    chosen,
    // A grant that was too late for its task is replaced by the next one.
    remove: [...dropped.keys()].filter((holder) => !names.includes(holder)),
    clears,
    when: {
      same: dropped,
      absent: names.filter((holder) => !dropped.has(holder)),
      // Entries leave whatever the limit is; it was lowered, perhaps.
      ...(chosen.length === 0 ? {} : { atMost: limit - chosen.length + dropped.size }),
      ...(clears || slots.line === undefined ? { line: slots.line ?? null } : {}),
    },
  };
}
