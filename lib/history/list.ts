/** Ends of attempts, the newest first, page by page. */
import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  DEFAULT_LISTED_HISTORY,
  HISTORY_RETENTION_SECONDS,
  MAX_HISTORY_QUERIES,
  MAX_LISTED_HISTORY,
} from '../base/limits.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';
import { endView, type TaskEnd } from './end-view.ts';
import { type Budget, minutesOf, type ReadPorts } from './read.ts';
import { type Since, timeRange } from './time-range.ts';

/** Which ends are asked for. */
export interface HistoryQuery {
  /** Not before it. Default: as far back as the history goes, seven days. */
  readonly from?: Since;
  /** Before it. Default: now. */
  readonly to?: Since;
  /** Name of the task. */
  readonly task?: string;
  /** Celery's name of the queue. */
  readonly queue?: string;
  /** A state, or several: `['FAILURE', 'REJECTED']`. */
  readonly state?: string | readonly string[];
  /** Name of the schedule entry whose ticks are asked for. */
  readonly schedule?: string;
  /** Text that stands in the arguments shown or in the error; upper and lower case are the same. */
  readonly text?: string;
  /** How many, 1 to 1,000. Default 50. */
  readonly limit?: number;
  /** Of the page before: goes on behind it. */
  readonly cursor?: string;
}

/** One page of the history. */
export interface HistoryList {
  /** The newest first. */
  readonly entries: readonly TaskEnd[];
  /** Gives the next page; null where there is none. A page may be short, or empty, and have a next one: see `readBackTo`. */
  readonly cursor: string | null;
  /** All that ended since, up to `to`, has been looked at. */
  readonly readBackTo: Date;
}

const KEYS: ReadonlySet<string> = new Set<keyof HistoryQuery>([
  'from',
  'to',
  'task',
  'queue',
  'state',
  'schedule',
  'text',
  'limit',
  'cursor',
]);

/** Behind which end a page goes on. */
interface Position {
  readonly endedMs: number;
  readonly attempt: number;
  readonly id: string;
}

/** @throws InvalidOption */
export async function listHistory(query: HistoryQuery, nowMs: number, ports: ReadPorts): Promise<HistoryList> {
  refuseUnknownKeys(query, KEYS, 'history.list()');
  const limit = integerIn(query.limit ?? DEFAULT_LISTED_HISTORY, 1, MAX_LISTED_HISTORY, 'limit of history.list()');
  const matches = matcherOf(query);
  const range = timeRange(query, { nowMs, defaultMs: HISTORY_RETENTION_SECONDS * 1000, what: 'history.list()' });
  // What is older may be there still, since stores delete late.
  const fromMs = Math.max(range.fromMs, nowMs - HISTORY_RETENTION_SECONDS * 1000);
  const after = query.cursor === undefined ? undefined : positionIn(query.cursor);
  const untilMs = after === undefined ? range.untilMs : Math.min(range.untilMs, after.endedMs + 1);
  const budget: Budget = { queries: MAX_HISTORY_QUERIES, reachedMs: untilMs };
  const found: HistoryEntry[] = [];
  if (fromMs < untilMs)
    for await (const { entries } of minutesOf({ fromMs, untilMs }, budget, ports)) {
      const some = entries.filter((entry) => matches(entry) && (after === undefined || isBehind(entry, after)));
      found.push(...some.toSorted(newestFirst));
      if (found.length > limit) break;
    }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const isCut = found.length > limit && last !== undefined;
  const isRead = budget.reachedMs <= fromMs || fromMs >= untilMs;
  return {
    entries: page.map(endView),
    cursor: isCut ? cursorOf(last) : isRead ? null : cursorOf({ endedMs: budget.reachedMs, attempt: -1, id: '' }),
    readBackTo: new Date(isCut ? last.endedMs : isRead ? fromMs : budget.reachedMs),
  };
}

function newestFirst(left: Position, right: Position): number {
  return right.endedMs - left.endedMs || right.attempt - left.attempt || (left.id < right.id ? -1 : 1);
}

function isBehind(entry: Position, position: Position): boolean {
  if (entry.endedMs !== position.endedMs) return entry.endedMs < position.endedMs;
  if (entry.attempt !== position.attempt) return entry.attempt < position.attempt;
  return entry.id > position.id;
}

function cursorOf({ endedMs, attempt, id }: Position): string {
  return Buffer.from(JSON.stringify([endedMs, attempt, id])).toString('base64url');
}

/** @throws InvalidOption */
function positionIn(cursor: string): Position {
  try {
    const [endedMs, attempt, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (Number.isSafeInteger(endedMs) && Number.isSafeInteger(attempt) && typeof id === 'string')
      return { endedMs: endedMs as number, attempt: attempt as number, id };
  } catch {
    // Told below.
  }
  throw new InvalidOption(
    `cursor of history.list(): ${shown(cursor)} given; \`cursor\` of an earlier page is allowed.`,
  );
}

/** @throws InvalidOption */
function matcherOf({ task, queue, state, schedule, text }: HistoryQuery): (entry: HistoryEntry) => boolean {
  for (const [field, value] of Object.entries({ task, queue, schedule, text }))
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new InvalidOption(`${field} of history.list(): ${shown(value)} given; text is allowed.`);
  const states = state === undefined ? undefined : [state].flat();
  if (states?.some((each) => typeof each !== 'string' || each === '') === true || states?.length === 0)
    throw new InvalidOption(
      `state of history.list(): ${shown(state)} given; a state such as 'FAILURE' is allowed, or several.`,
    );
  const sought = text?.toLowerCase();
  return (entry) =>
    (task === undefined || entry.task === task) &&
    (queue === undefined || entry.queue === queue) &&
    (states === undefined || states.includes(entry.state)) &&
    (schedule === undefined || entry.entry === schedule) &&
    (sought === undefined || `${entry.repr ?? ''}\n${entry.error ?? ''}`.toLowerCase().includes(sought));
}
