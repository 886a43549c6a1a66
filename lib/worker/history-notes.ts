/**
 * What ended in a batch, written down in one item for each minute: once by whoever ended it, and again by each later
 * delivery that settles it. Readers take each attempt once, and all writers name the same time, so that both lie together.
 */
import { errorLine, shownText } from '../base/error-text.ts';
import {
  HISTORY_PUNCTUAL_SECONDS,
  HISTORY_RETENTION_SECONDS,
  MAX_ENTRY_NAME_CHARACTERS,
  MAX_HISTORY_ENTRIES,
  MAX_HISTORY_ERROR_CHARACTERS,
  MAX_HISTORY_ITEM_BYTES,
  MAX_HISTORY_REPR_CHARACTERS,
} from '../base/limits.ts';
import { beginTelling } from '#deployed/worker/tell-failures';
import { isPassing } from '../base/passing.ts';
import { FAILURE, RETRY, SUCCESS } from '../base/states.ts';
import type { HistoryOption } from '../options/settings.ts';
import type { ConcludeOutcome, ConcludeRequest } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import { historyShard, MINUTE_MS, startOf } from '../ports/history-place.ts';
import type { History } from '../ports/history.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { packHistory } from '../wire/history-pack.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';
import type { Message } from '../wire/message.ts';
import { readDocument } from '../wire/result-document.ts';
import { type Committed, committedOf } from './committed.ts';
import type { EndNotes } from './end-notes.ts';
import type { Telling } from './tell-failures.ts';

type NotesPorts = Pick<Ports, 'clock' | 'logger' | 'notify'> & { readonly history: History };
type NotesApp = Pick<App, 'registry'>;

/**
 * @param requestId of the invocation
 * @param app knows tasks of whose failures nobody is told; absent where there are none
 */
export function notesOf(kept: HistoryOption, ports: NotesPorts, requestId: string, app?: NotesApp): EndNotes {
  return new HistoryNotes(kept, ports, requestId, app);
}

interface Noted {
  readonly entry: HistoryEntry;
  readonly messageId: string;
  /** Of a failure: what makes it the same as others, and when it is told. */
  readonly telling?: Promise<Telling | undefined> | undefined;
}

class HistoryNotes implements EndNotes {
  readonly #kept: HistoryOption;
  readonly #ports: NotesPorts;
  readonly #requestId: string;
  readonly #app: NotesApp | undefined;
  #noted: Noted[] = [];
  #items = 0;
  readonly #again = new Set<string>();

  constructor(kept: HistoryOption, ports: NotesPorts, requestId: string, app: NotesApp | undefined) {
    this.#app = app;
    this.#kept = kept;
    this.#ports = ports;
    this.#requestId = requestId;
  }

  note(message: Message, delivery: Delivery, committed: Committed): void {
    // Its attempt goes on.
    if (committed.settlement.retry?.overrides.part !== undefined) return;
    this.#safely(message.id, () =>
      this.#add(entryOf(message, delivery, committed, this.#ports), delivery.messageId, committed.meta, message),
    );
  }

  noteConcluded(request: ConcludeRequest, outcome: ConcludeOutcome, delivery: Delivery, message?: Message): void {
    this.#safely(request.id, () => {
      const entry = concludedEntry(request, outcome, message === undefined ? {} : withMessage(message));
      if (entry !== undefined) this.#add(entry, delivery.messageId, request.meta, message);
    });
  }

  /** Not with the batch: its settling goes on behind what it has concluded, and concludes it no more when it comes again. */
  async storeConcluded(
    requests: readonly ConcludeRequest[],
    outcomes: readonly ConcludeOutcome[],
    parentId: string,
  ): Promise<void> {
    const entries: HistoryEntry[] = [];
    for (const [index, request] of requests.entries())
      this.#safely(request.id, () => {
        const entry = concludedEntry(request, outcomes[index], { parentId });
        if (entry !== undefined && this.#isKept(entry)) entries.push(entry);
      });
    for (const [minuteMs, some] of byMinute(entries, (entry) => entry)) await this.#store(minuteMs, some);
  }

  async write(): Promise<readonly string[]> {
    await this.#flush();
    return [...this.#again];
  }

  /** What a task left cannot be read: its history is no reason why its message stays. */
  #safely(id: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#ports.logger.log('error', `The history of task ${id} is not kept: ${errorLine(error)}`, { taskId: id });
    }
  }

  #add(entry: HistoryEntry, messageId: string, meta: string | undefined, message: Message | undefined): void {
    if (this.#isKept(entry)) this.#noted.push({ entry, messageId, telling: this.#tell(entry, meta, message) });
  }

  /** Begun at once, and waited for with the batch: what else is in it may run for minutes. */
  #tell(entry: HistoryEntry, meta: string | undefined, message: Message | undefined): Noted['telling'] {
    if (this.#ports.notify === undefined || (entry.state !== FAILURE && entry.deadLetter === undefined))
      return undefined;
    return beginTelling({ entry, meta, message, worker: this.#requestId }, this.#app, this.#ports);
  }

  #isKept({ state, endedMs }: HistoryEntry): boolean {
    if (this.#kept === 'failures' && state === SUCCESS) return false;
    // A message may come long after its task has ended: it was revoked, or sent twice.
    return endedMs > this.#ports.clock.nowMs() - HISTORY_RETENTION_SECONDS * 1000;
  }

  async #flush(): Promise<void> {
    const found = this.#noted;
    this.#noted = [];
    const noted = await Promise.all(found.map(withKind));
    const told = found.map(async ({ telling }) => (await telling)?.done);
    await Promise.all(
      [...byMinute(noted, ({ entry }) => entry)].map(async ([minuteMs, list]) => {
        try {
          await this.#store(
            minuteMs,
            list.map(({ entry }) => entry),
          );
        } catch {
          for (const { messageId } of list) this.#again.add(messageId);
        }
      }),
    );
    await Promise.all(told);
  }

  /** @throws what passes; what is refused would be refused again, and tasks end all the same. */
  async #store(minuteMs: number, entries: readonly HistoryEntry[]): Promise<void> {
    const { clock, history, logger } = this.#ports;
    const expiresAtSeconds = Math.ceil(minuteMs / 1000) + HISTORY_RETENTION_SECONDS;
    try {
      await history.put(this.#itemsOf(entries).map((item) => ({ ...item, expiresAtSeconds })));
      // Asked after the write: one that took long may have come too late for the sweeper.
      const nowMs = clock.nowMs();
      if (nowMs > minuteMs + MINUTE_MS + HISTORY_PUNCTUAL_SECONDS * 1000)
        await history.noteLate({ startMs: minuteMs, token: `${this.#requestId}/${nowMs}`, expiresAtSeconds });
    } catch (error) {
      const passing = isPassing(error);
      logger.log(
        passing ? 'warn' : 'error',
        `The history of ${entries.length} tasks was not stored: ${errorLine(error)}`,
      );
      if (passing) throw error;
    }
  }

  #itemsOf(noted: readonly HistoryEntry[]): Omit<Parameters<History['put']>[0][number], 'expiresAtSeconds'>[] {
    const entries = noted.toSorted((left, right) => left.endedMs - right.endedMs);
    return inItems(entries).map(({ ends, data }) => {
      const name = this.#items === 0 ? this.#requestId : `${this.#requestId}#${this.#items}`;
      this.#items += 1;
      const firstMs = Math.min(...ends.map(({ endedMs }) => endedMs));
      return { firstMs, name, shard: historyShard(this.#requestId), data };
    });
  }
}

async function withKind(noted: Noted): Promise<Noted> {
  const { entry, telling } = noted;
  const kind = (await telling)?.kind;
  return kind === undefined ? noted : { ...noted, entry: { ...entry, kind } };
}

/** As few items as hold them: what senders choose may be long, and hard to pack. */
function inItems(
  ends: readonly HistoryEntry[],
): { readonly ends: readonly HistoryEntry[]; readonly data: Uint8Array }[] {
  if (ends.length <= MAX_HISTORY_ENTRIES) {
    const data = packHistory(ends);
    // Each of its texts is bounded: one end always fits.
    if (ends.length === 1 || data.byteLength <= MAX_HISTORY_ITEM_BYTES) return [{ ends, data }];
  }
  const half = Math.ceil(ends.length / 2);
  return [...inItems(ends.slice(0, half)), ...inItems(ends.slice(half))];
}

function byMinute<T>(all: readonly T[], entryIn: (each: T) => HistoryEntry): Map<number, T[]> {
  const minutes = new Map<number, T[]>();
  for (const each of all) {
    const minuteMs = startOf(entryIn(each).endedMs, MINUTE_MS);
    const list = minutes.get(minuteMs);
    if (list === undefined) minutes.set(minuteMs, [each]);
    else list.push(each);
  }
  return minutes;
}

function entryOf(
  message: Message,
  delivery: Delivery,
  { status, meta, settlement, again, ended = {} }: Committed,
  { clock }: NotesPorts,
): HistoryEntry {
  const { retry, deadLetter } = settlement;
  const { deliveries = 0 } = ended;
  const endedMs = (status === RETRY ? retry?.atMs : ended.atMs) ?? ended.atMs ?? ended.startedMs ?? clock.nowMs();
  const startedMs = ended.startedMs !== undefined && ended.startedMs <= endedMs ? ended.startedMs : undefined;
  const dueMs = Math.max(delivery.sentMs ?? 0, message.etaMs ?? 0);
  return {
    ...withMessage(message),
    id: message.id,
    // Its parts are one attempt.
    attempt: Math.floor(ended.attempt ?? message.retries),
    task: message.task,
    queue: message.queue,
    state: status,
    endedMs,
    ...(startedMs === undefined ? {} : { startedMs }),
    ...(startedMs === undefined || dueMs === 0 ? {} : { dueMs: Math.min(dueMs, startedMs) }),
    ...(deliveries > 1 && { deliveries }),
    ...(ended.lost && { lost: ended.lost }),
    ...errorOf(status, meta),
    ...(deadLetter === undefined ? {} : { deadLetter: cut(deadLetter.reason, MAX_HISTORY_ERROR_CHARACTERS) }),
    ...(again === true ? { again } : {}),
  };
}

type OfMessage = Pick<HistoryEntry, 'repr' | 'parentId' | 'entry' | 'previousMs'>;

/** What the message tells, whoever ended it. */
function withMessage(message: Message): OfMessage {
  const { argsrepr, kwargsrepr, parentId, celeriac, retries } = message;
  // Senders may leave both out.
  const shown = kwargsrepr === '{}' || kwargsrepr === '' ? argsrepr : `${argsrepr} ${kwargsrepr}`;
  const entry = (celeriac['beat'] as { readonly entry?: unknown } | undefined)?.entry;
  const { retried } = celeriac;
  return {
    ...(shown === '' || shown === '()' ? {} : { repr: cut(shown, MAX_HISTORY_REPR_CHARACTERS) }),
    ...(parentId === null ? {} : { parentId }),
    ...(typeof entry === 'string' ? { entry: cut(entry, MAX_ENTRY_NAME_CHARACTERS) } : {}),
    ...(retries > 0 && typeof retried === 'number' && Number.isSafeInteger(retried) ? { previousMs: retried } : {}),
  };
}

function concludedEntry(
  request: ConcludeRequest,
  outcome: ConcludeOutcome | undefined,
  told: OfMessage,
): HistoryEntry | undefined {
  if (outcome?.kind !== 'concluded' && outcome?.kind !== 'finished') return undefined;
  const committed: Committed =
    outcome.kind === 'finished'
      ? committedOf(outcome.record)
      : { status: request.status, meta: request.meta, settlement: {}, ended: { atMs: request.nowMs } };
  const { ended = {}, again, status, meta } = committed;
  // An attempt that waits for its retry is written by whoever settles that.
  if (ended.atMs === undefined) return undefined;
  return {
    ...told,
    id: request.id,
    attempt: Math.floor(ended.attempt ?? request.attempt),
    task: request.name,
    queue: request.queue,
    state: status,
    endedMs: ended.atMs,
    ...errorOf(status, meta),
    ...(again === true ? { again } : {}),
  };
}

function errorOf(state: string, meta: string | undefined): Pick<HistoryEntry, 'error'> {
  // A result may have some hundred kilobytes: it is not read.
  if (state === SUCCESS || meta === undefined) return {};
  const { exc_type: type, exc_message: text } = (readDocument(meta).result ?? {}) as {
    readonly exc_type?: unknown;
    readonly exc_message?: unknown;
  };
  if (typeof type !== 'string') return {};
  const said = typeof text === 'string' ? text : Array.isArray(text) ? text.join(', ') : '';
  return { error: cut(said === '' ? type : `${type}: ${shownText(said)}`, MAX_HISTORY_ERROR_CHARACTERS) };
}

/** Never half of a surrogate pair. */
function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}
