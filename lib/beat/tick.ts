/** One tick: its identity and its message. */
import { elsewhereIn } from '../destination.ts';
import { InvalidMessage } from '../errors.ts';
import { parseIsoTime } from '../iso-time.ts';
import type { Message } from '../message.ts';
import { quoted } from '../quote.ts';
import { type Call, type Producer, prepareChecked } from '../producer.ts';
import type { ScheduleEntry } from '../schedules/entry.ts';
import { fromSignatureOptions } from '../signature-options.ts';
import { derivedId } from '../time.ts';
import { shapeOf } from '../shape.ts';

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

/** The header by which django-celery-beat names the entry. */
export const PERIODIC_TASK_NAME = 'periodic_task_name';

const MINUTE_MS = 60_000;

/**
 * The task id of a tick: entry and scheduled time, so that whatever fires twice runs once. `version` tells
 * the ticks of an edited entry from those that the edit took back.
 */
export function tickId(entry: string, scheduledMs: number, version = 0): string {
  return derivedId(`beat:${entry}:${new Date(scheduledMs).toISOString()}${version === 0 ? '' : `:${version}`}`);
}

/** @throws what a call throws: unknown queue, options, message too large. */
export function prepareTick(producer: Producer, entry: ScheduleEntry, scheduledMs: number, version: number): Call {
  const { signature } = entry;
  const { options, lineage } = fromSignatureOptions(signature.options);
  const { rootId: _rootId, ...line } = lineage;
  return prepareChecked(
    producer,
    signature.task,
    signature.args,
    {
      ...options,
      kwargs: { ...options.kwargs, ...signature.kwargs },
      headers: { ...options.headers, [PERIODIC_TASK_NAME]: entry.name },
      taskId: tickId(entry.name, scheduledMs, version),
    },
    {
      ...line,
      // Nobody's child, wherever it is sent from.
      parentId: null,
      scheduledMs,
      celeriac: { beat: { entry: entry.name, scheduled: new Date(scheduledMs).toISOString() } },
    },
  );
}

/**
 * Whether an entry's ticks cannot be taken back: nobody asks for revokes in Celery's workers, nor before a run of a
 * task that is `idempotent`.
 */
export function isIrrevocable(producer: Producer, { signature }: ScheduleEntry): boolean {
  return producer.registry.find(signature.task)?.options.idempotent === true || elsewhereIn(producer)(signature);
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
