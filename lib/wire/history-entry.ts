/** One end of an attempt as the history keeps it, and many of them unpacked. Pure. */
import { InvalidResult } from '../base/errors.ts';
import { decompress } from './compression.ts';

/** One attempt that ended. Times are milliseconds since the epoch. */
export interface HistoryEntry {
  readonly id: string;
  readonly attempt: number;
  readonly task: string;
  readonly queue: string;
  /** A final state, or RETRY. */
  readonly state: string;
  /** As it was committed: the same whoever writes it down. */
  readonly endedMs: number;
  /** When its run began; absent where nothing ran. */
  readonly startedMs?: number;
  /** When its message was sent or due, whichever is later; absent where that is unknown. */
  readonly dueMs?: number;
  /** Deliveries, where there were several. */
  readonly deliveries?: number;
  /** How many of them ended without a word, where any did: a worker died under the run, or ran out of time. */
  readonly lost?: number;
  /** Arguments as the message shows them, cut. */
  readonly repr?: string;
  /** Error, `name: message`, cut. */
  readonly error?: string;
  readonly parentId?: string;
  /** Why its message lies in the dead-letter queue. */
  readonly deadLetter?: string;
  /** The schedule entry whose tick it is. */
  readonly entry?: string;
  /** When the attempt before it ended. */
  readonly previousMs?: number;
  /** Of a failure that mails tell of: what makes it the same as others. */
  readonly kind?: string;
  /** A later delivery wrote it, from what was stored: whoever ended it may have written it too. */
  readonly again?: true;
}

/** An entry as it is packed; times are counted back from its end. */
export type HistoryRow = readonly [
  id: string,
  attempt: number,
  names: readonly [task: number, queue: number, state: number],
  times: readonly [ended: number, run: number | null, due: number | null],
  rest?: HistoryRest,
];

export type HistoryRest = Omit<
  HistoryEntry,
  'id' | 'attempt' | 'task' | 'queue' | 'state' | 'endedMs' | 'startedMs' | 'dueMs' | 'again'
> & { readonly again?: true };

/** Many entries as they are packed. */
export interface PackedHistory {
  /** Names of tasks, queues and states, each once. */
  readonly n: readonly string[];
  /** The time from which others count. */
  readonly t: number;
  readonly r: readonly HistoryRow[];
}

/** @throws InvalidMessage, InvalidResult for what `packHistory` (history-pack.ts) has not made */
export function unpackHistory(bytes: Uint8Array): HistoryEntry[] {
  const text = Buffer.from(decompress('zlib', bytes)).toString('utf8');
  try {
    const { n, t, r } = JSON.parse(text) as PackedHistory;
    return r.map(([id, attempt, [task, queue, state], [ended, run, due], rest]) => {
      const endedMs = t + ended;
      return {
        id,
        attempt,
        task: n[task] ?? '',
        queue: n[queue] ?? '',
        state: n[state] ?? '',
        endedMs,
        ...(run === null ? {} : { startedMs: endedMs - run }),
        ...(due === null ? {} : { dueMs: endedMs - due }),
        ...rest,
      };
    });
  } catch (error) {
    throw new InvalidResult('An item of the history cannot be read.', { cause: error });
  }
}

/** What makes two entries the same: an attempt ends once. */
export function historyKey({ id, attempt }: Pick<HistoryEntry, 'id' | 'attempt'>): string {
  return `${attempt}/${id}`;
}

/**
 * Each attempt once, as whoever ended it wrote it down where that was written too. The order of what is given does not
 * matter.
 */
export function distinct(entries: Iterable<HistoryEntry>): HistoryEntry[] {
  const kept = new Map<string, HistoryEntry>();
  for (const entry of entries) {
    const key = historyKey(entry);
    const known = kept.get(key);
    if (known === undefined || isBetter(entry, known)) kept.set(key, entry);
  }
  return [...kept.values()];
}

function isBetter(entry: HistoryEntry, known: HistoryEntry): boolean {
  if (entry.again !== known.again) return known.again === true;
  // Of a task that claims nothing and ran twice.
  return entry.endedMs < known.endedMs;
}
