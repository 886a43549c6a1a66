/**
 * Rate limits: who starts when. Pure. One number stands for all that wait (GCRA): when the next one may start, in whole
 * microseconds. A start is reserved once, in a line that all workers share; who is too early comes back at his slot.
 */
import { RATE_AHEAD_SECONDS, RATE_LOOK_SECONDS } from '../base/limits.ts';
import { movedMicros } from '../ports/rate-line.ts';
import type { RateLimit } from '../options/rate-limit.ts';
import type { KeptSlot, RateLine } from '../ports/rates.ts';

const MICROS_PER_MS = 1000;

/** What the pure part needs to know of a limit. */
export type RateOf = Pick<RateLimit, 'paceMicros' | 'burst' | 'graceSeconds'>;

/** The slot of the `index`-th (from 0) of `count` that were reserved together. */
export function slotOf(line: RateLine, index: number, count: number, limit: RateOf): number {
  return line.nextMicros - (count - index) * limit.paceMicros - (limit.burst - 1) * limit.paceMicros;
}

export type RateDecision =
  | { readonly kind: 'start' }
  /** `untilMs`: the slot, or earlier, since the limit may be changed meanwhile. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** It will have expired by then. */
  | { readonly kind: 'expired' };

/**
 * Whether a slot has passed by more than its grace: after an outage all that waited would start at once, so that such go
 * to the end of the line. The grace does not grow with it: a queue that stands still again and again would have all start
 * at once some day.
 */
export function isLate({ slotMicros }: KeptSlot, nowMs: number, limit: RateOf): boolean {
  return nowMs > slotMicros / MICROS_PER_MS + limit.graceSeconds * 1000;
}

/**
 * The line of those that were late before, beside that of their limit. In a queue that is slower than the grace all would
 * go to the end of the line for ever; so one of them starts whenever a place of this line has come. It is half as quick:
 * with those that are in time there are never more than one and a half times as many as the limit says.
 */
export function lateLine(key: string, limit: RateOf): { readonly key: string; readonly paceMicros: number } {
  // No task has a name that begins so.
  return { key: `*late#${key}`, paceMicros: 2 * limit.paceMicros };
}

/** Whether the first place that is left in a line is not ahead. */
export function hasCome({ nextMicros }: RateLine, nowMs: number): boolean {
  return nextMicros <= nowMs * MICROS_PER_MS;
}

/** What a slot that is not late means now. */
export function decideSlot({ slotMicros }: KeptSlot, nowMs: number, expiresMs: number | null): RateDecision {
  const slotMs = slotMicros / MICROS_PER_MS;
  // SQS delays by whole seconds: nothing finer can be kept.
  if (slotMs <= nowMs + RATE_AHEAD_SECONDS * 1000) return { kind: 'start' };
  if (expiresMs !== null && expiresMs <= slotMs) return { kind: 'expired' };
  return { kind: 'wait', untilMs: Math.min(Math.ceil(slotMs), nowMs + RATE_LOOK_SECONDS * 1000) };
}

/**
 * The slot under a limit that has been changed since: the whole line was stretched or shortened around the moment of the
 * change, and each place of it likewise, so that no two share one. Undefined where the change is not known any more.
 */
export function movedSlot(slot: KeptSlot, line: RateLine, paceMicros: number): KeptSlot | undefined {
  const { changed } = line;
  if (changed === undefined || changed.fromMicros !== slot.paceMicros) return undefined;
  return {
    ...slot,
    paceMicros,
    slotMicros: movedMicros(slot.slotMicros, changed.atMicros, slot.paceMicros, paceMicros),
  };
}
