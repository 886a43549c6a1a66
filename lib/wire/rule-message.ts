/** A message that a rule of EventBridge sent: which tick it is. */
import { derivedId } from '../base/ids.ts';
import type { Message } from './message.ts';
import { parseIsoTime } from '../base/iso-time.ts';
import { InvalidMessage } from '../base/errors.ts';
import { quoted } from '../base/quote.ts';
import { shapeOf } from '../base/shape.ts';

/** Our header's part on ticks. A rule's message has `time` and `expires` as EventBridge wrote them; everybody else `scheduled`. */
export interface BeatHeader {
  readonly entry: string;
  /** ISO 8601: the time the tick was due. */
  readonly scheduled?: string;
  /** A rule's firing, to the second. */
  readonly time?: string;
  /** Seconds after the tick. */
  readonly expires?: number;
  /** Of a rate, whose firings have no minute of their own: their very time is theirs. */
  readonly rate?: true;
}

const MINUTE_MS = 60_000;

/**
 * The task id of a tick: entry and scheduled time, so that whatever fires twice runs once. `version` tells
 * the ticks of an edited entry from those that the edit took back.
 */
export function tickId(entry: string, scheduledMs: number, version = 0): string {
  return derivedId(`beat:${entry}:${new Date(scheduledMs).toISOString()}${version === 0 ? '' : `:${version}`}`);
}

/**
 * A rule's message as everybody else would have sent it: EventBridge can put a time into a message, but
 * neither hash nor add. Its firings come within their minute, and sometimes twice.
 *
 * @throws InvalidMessage
 */
export function fromRule(message: Message): Message {
  const beat = message.celeriac['beat'] as BeatHeader | undefined;
  if (typeof beat !== 'object' || beat === null || typeof beat.entry !== 'string' || typeof beat.time !== 'string')
    return message;
  const timeMs = parseIsoTime(beat.time);
  if (timeMs === undefined)
    throw new InvalidMessage(
      `The rule's message of entry ${quoted(beat.entry)} has no readable time: ${shapeOf(beat.time)}.`,
    );
  // A doubled firing of a cron may be seconds later; one of a rate is the same event, with the same time.
  const scheduledMs = beat.rate === true ? timeMs : Math.floor(timeMs / MINUTE_MS) * MINUTE_MS;
  const id = tickId(beat.entry, scheduledMs);
  return {
    ...message,
    id,
    rootId: id,
    expiresMs: isSpan(beat.expires) ? scheduledMs + Math.round(beat.expires * 1000) : message.expiresMs,
    celeriac: { ...message.celeriac, beat: { entry: beat.entry, scheduled: new Date(scheduledMs).toISOString() } },
  };
}

// Untrusted: what is longer would be no time any more.
const LONGEST_SPAN_SECONDS = 100 * 366 * 86_400;

function isSpan(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_SPAN_SECONDS;
}
