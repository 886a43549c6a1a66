/** An outcome as it is stored, and what settling needs beyond its document. */
import type { RetryOverrides } from '../base/errors.ts';
import type { TaskRecord } from '../ports/backend.ts';
import { decodeJson, decodeJsonKeepingTypes, encodeJson } from '../wire/json.ts';
import { decodeTyped } from '../wire/json-typed.ts';

/** What settling needs beyond the result document; stored with the commit as JSON. */
export interface Settlement {
  /** Result of a success whose document is not stored (`ignoreResult`), when somebody follows. */
  readonly value?: unknown;
  /** `atMs`: when it was decided, for the history. */
  readonly retry?: { readonly dueMs: number; readonly overrides: RetryOverrides; readonly atMs?: number };
  /** Put the message into the dead-letter queue with this reason. */
  readonly deadLetter?: { readonly reason: string; readonly error: string; readonly deliveries: number };
}

/** A committed outcome, as stored. */
export interface Committed {
  readonly status: string;
  /** Result document; absent where it is not stored. */
  readonly meta: string | undefined;
  readonly settlement: Settlement;
  /** Read from the store: an earlier delivery may have settled it. */
  readonly again?: true;
  /** The attempt of which all that follows is known to be sent. */
  readonly settledAttempt?: number | undefined;
  /** For the history: which attempt it was, when it ended, when its run began, and of how many deliveries. */
  readonly ended?: Ended | undefined;
}

export interface Ended {
  readonly attempt?: number | undefined;
  /** Milliseconds since the epoch, as it was stored. */
  readonly atMs?: number | undefined;
  readonly startedMs?: number | undefined;
  readonly deliveries?: number | undefined;
  /** How many of them ended without a word. */
  readonly lost?: number | undefined;
}

/** The outcome that an earlier delivery stored. */
export function committedOf(record: TaskRecord): Committed {
  return {
    status: record.status,
    meta: record.ignored ? undefined : record.meta,
    settlement: readSettlement(record.settlement),
    again: true,
    settledAttempt: record.settledAttempt,
    ended: endedOf(record),
  };
}

function endedOf(record: TaskRecord): Ended {
  const { attempt, committed = -1, owner, finishedMs: atMs, revokedMs, startedMs, deliveries, requeues = 0 } = record;
  // Revoked while nobody ran it: the attempt that would have come next.
  if (owner === undefined && atMs !== undefined && atMs === revokedMs) return { attempt: committed + 1, atMs };
  const lost = deliveries && deliveries - 1 - requeues;
  return { attempt, atMs, startedMs: owner === undefined ? undefined : startedMs, deliveries, lost };
}

/** How an attempt ended after which its task was opened again. */
export interface Past {
  readonly attempt: number;
  readonly status: string;
  readonly meta?: string | undefined;
  readonly settlement?: string | undefined;
  /** When it ended, milliseconds since the epoch. */
  readonly atMs?: number | undefined;
}

/** The outcome of an earlier attempt, where the record still tells it. */
export function pastOf({ past }: TaskRecord, attempt: number): Committed | undefined {
  if (past === undefined) return undefined;
  const { attempt: ended, status, meta, settlement, atMs } = decodeJson(past) as Past;
  if (ended !== attempt) return undefined;
  return { status, meta, settlement: readSettlement(settlement), again: true, ended: { attempt, atMs } };
}

export function writeSettlement(settlement: Settlement): string | undefined {
  return Object.keys(settlement).length === 0 ? undefined : encodeJson(settlement, 'settlement');
}

export function readSettlement(text: string | undefined): Settlement {
  if (text === undefined) return {};
  // The value goes on to whoever comes next, in Python perhaps, as it is.
  const { value, ...rest } = decodeJsonKeepingTypes(text) as Settlement;
  return { ...(decodeTyped(rest) as Settlement), ...(value === undefined ? {} : { value }) };
}
