/**
 * Notes of which keys somebody waits for, so that all who wait can be listed. A note stands for a quarter of an hour, and is never
 * taken back: whoever ends a line and whoever begins the next one write at the same time, and a note that one of them deletes may
 * be the other's. Whoever reads looks into each line, where nobody may wait any more.
 *
 * Written with the first who waits (one write unit more, no request), and by each look at the key's holders, of which there is one
 * at least every 15 minutes for as long as somebody waits. What may go wrong:
 *
 * | what is lost                                                     | what follows                                                    |
 * | ---------------------------------------------------------------- | --------------------------------------------------------------- |
 * | a crash behind the note, before its line stands in the key's item | the note stands beside a line in which nobody waits, or the one |
 * |                                                                  | whose message comes again                                       |
 * | the note of one who saw a line that ended meanwhile              | that line's note is no older than its last look: it stands      |
 * |                                                                  | until the next look writes one                                  |
 * | a note of a look fails                                           | the one before it stands for two looks more                     |
 * | looks stop for an hour (an outage)                               | the line is not listed until the next look; it is as it was     |
 */
import { derivedId, stableHash } from '../base/ids.ts';
import { SQS_MAX_DELAY_SECONDS } from '../base/limits.ts';
import { partitionKey, sortKey, timeKey } from './store-limits.ts';

const NOTES = 'parked-keys#';
/** Parts of the table: lines that begin at once share its writes. */
export const LINE_NOTE_PARTS = 2;
// A look comes at least as often.
const SPAN_MS = SQS_MAX_DELAY_SECONDS * 1000;
// The note of a look, and of the one before it that may have come late.
const SPANS_LISTED = 4;
/** When a note goes, after its time. */
export const LINE_NOTE_RETENTION_SECONDS: number = (SPANS_LISTED + 1) * SQS_MAX_DELAY_SECONDS;

/** Partition of a part's notes, from 0. */
export function lineNotesOf(part: number): string {
  return partitionKey(`${NOTES}${part}`);
}

/** Where the note of a key lies: one for each quarter of an hour, however often it is written. */
export function lineNoteAt(key: string, nowMs: number): { readonly partition: string; readonly sort: string } {
  const sort = sortKey(`${timeKey(spanOf(nowMs))}#${derivedId(key)}`);
  return { partition: lineNotesOf(stableHash(key) % LINE_NOTE_PARTS), sort };
}

/** Sort keys of notes that count are no smaller. */
export function firstLineNote(nowMs: number): string {
  return timeKey(Math.max(0, spanOf(nowMs) - (SPANS_LISTED - 1) * SPAN_MS));
}

/** Notes of a part that are read for `limit` keys: each may have one for every quarter of an hour. */
export function lineNotesRead(limit: number): number {
  return (limit + 1) * SPANS_LISTED;
}

function spanOf(ms: number): number {
  return Math.floor(ms / SPAN_MS) * SPAN_MS;
}
