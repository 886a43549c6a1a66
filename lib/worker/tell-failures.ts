/**
 * Whoever settles a failure tells it, where it is the first of its kind in the window: a conditional write says who is first. In a
 * storm that write would be the hottest item there is, so a worker remembers which kinds are known, and asks no more for those.
 */
import { cut, ENCRYPTED, errorLine, shownText } from '../base/error-text.ts';
import { failureFingerprint } from '../base/fingerprint.ts';
import {
  MAX_NOTICE_ERROR_CHARACTERS,
  MAX_NOTICE_REPR_CHARACTERS,
  MAX_NOTICE_STACK_CHARACTERS,
  MAX_NOTICES_AT_ONCE,
  NOTICE_FRESH_SECONDS,
  NOTICE_SEND_SECONDS,
} from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import { logFailed, tellMarked } from '../notify/send.ts';
import type { Logger } from '../ports/log.ts';
import type { Failure, Notices, Notifying } from '../ports/notices.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';
import type { Message } from '../wire/message.ts';
import { readDocument } from '../wire/result-document.ts';
import { within } from './deadline.ts';

/** A failure as its settling knows it. */
export interface Failed {
  readonly entry: HistoryEntry;
  /** Its document; undefined where none is stored. */
  readonly meta: string | undefined;
  /** Undefined where it cannot be read. */
  readonly message: Message | undefined;
  /** Which invocation ended it. */
  readonly worker: string;
}

interface TellPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

// At least so long a known kind is asked for no more: a window that is over is closed some minutes later.
const REMEMBERED_MS = 60_000;
// A store that does not answer is asked again by one failure of a kind in so long.
const AFTER_ERROR_MS = 10_000;
const MAX_REMEMBERED = 1000;

/** Until when nobody is to be asked for a kind, milliseconds since the epoch. */
interface Memory {
  readonly kinds: Map<string, number>;
  fullUntilMs: number;
}

// By store, which lives as long as its process does.
const MEMORIES = new WeakMap<Notices, Memory>();

/** A failure that is being told. */
export interface Telling {
  /** What makes it the same as others. */
  readonly kind: string;
  /** When that is over, well or not, `NOTICE_SEND_SECONDS` later at most. Never rejects. */
  readonly done: Promise<void>;
}

/** Tells a failure where it is the first of its kind. Never throws; undefined where it cannot be told. */
export async function beginTelling(
  failed: Failed,
  app: Pick<App, 'registry'> | undefined,
  { notify, ...ports }: TellPorts & Pick<Ports, 'notify'>,
): Promise<Telling | undefined> {
  try {
    const { entry, meta } = failed;
    if (notify === undefined || app?.registry.find(entry.task)?.options.errorEmails === false) return undefined;
    const kind = failureFingerprint(entry.task, entry.error ?? 'Error', stackIn(meta) ?? null);
    return { kind, done: tellFailure(failed, kind, await notify(), ports) };
  } catch (error) {
    logFailed(`A failure of ${failed.entry.task} is told to nobody: ${errorLine(error)}`, ports.logger);
    return undefined;
  }
}

async function tellFailure(failed: Failed, kind: string, notifying: Notifying, ports: TellPorts): Promise<void> {
  const { clock, logger } = ports;
  const { again, endedMs } = failed.entry;
  // A message that comes again days after its task has ended is no news.
  if (again === true && endedMs < clock.nowMs() - NOTICE_FRESH_SECONDS * 1000) return;
  const memory = memoryOf(notifying.notices);
  if (isKnown(kind, memory, clock.nowMs())) return;
  remember(kind, clock.nowMs() + REMEMBERED_MS, memory);
  try {
    await within(clock, NOTICE_SEND_SECONDS * 1000, 'to tell it', () =>
      markAndTell(failureOf(failed, kind), memory, notifying, ports),
    );
  } catch (error) {
    remember(kind, clock.nowMs() + AFTER_ERROR_MS, memory);
    logFailed(`A failure of ${failed.entry.task} is told later, by the sweeper: ${errorLine(error)}`, logger);
  }
}

async function markAndTell(
  failure: Failure,
  memory: Memory,
  { notices, notifier, windowSeconds, ...place }: Notifying,
  { clock, logger }: TellPorts,
): Promise<void> {
  const nowMs = clock.nowMs();
  const request = { failure, nowMs, windowMs: windowSeconds * 1000, limit: MAX_NOTICES_AT_ONCE };
  const { kind, window } = await notices.mark(request);
  const untilMs = Math.max(window.untilMs, clock.nowMs() + REMEMBERED_MS);
  for (const known of window.known.keys()) remember(known, untilMs, memory);
  if (kind === 'full') memory.fullUntilMs = untilMs;
  if (kind !== 'marked' || notifier === undefined) return;
  await tellMarked(failure, { notices, notifier, logger, place: { ...place, windowSeconds } });
}

function failureOf({ entry, meta, message, worker }: Failed, key: string): Failure {
  const { task, id, queue, state, attempt, error = 'Error', endedMs, startedMs, deliveries, deadLetter } = entry;
  const stack = stackIn(meta);
  const repr = message && shownArguments(message);
  return {
    key,
    task,
    id,
    queue,
    state,
    retries: attempt,
    error: cut(errorIn(meta) ?? error, MAX_NOTICE_ERROR_CHARACTERS),
    endedMs,
    worker,
    ...(startedMs === undefined ? {} : { startedMs }),
    ...(deliveries === undefined ? {} : { deliveries }),
    ...(deadLetter === undefined ? {} : { deadLetter }),
    ...(repr === undefined ? {} : { repr: cut(repr, MAX_NOTICE_REPR_CHARACTERS) }),
    ...(stack === undefined ? {} : { stack: cut(stack, MAX_NOTICE_STACK_CHARACTERS) }),
  };
}

/** As its sender has them shown. */
function shownArguments({ argsrepr, kwargsrepr }: Message): string {
  return kwargsrepr === '{}' || kwargsrepr === '' ? argsrepr : `${argsrepr} ${kwargsrepr}`;
}

function stackIn(meta: string | undefined): string | undefined {
  if (meta === undefined) return undefined;
  const { traceback } = readDocument(meta);
  // It begins with the error's text.
  return typeof traceback === 'string' && shownText(traceback) !== ENCRYPTED ? traceback : undefined;
}

/** Longer than the history keeps it. */
function errorIn(meta: string | undefined): string | undefined {
  const stack = stackIn(meta);
  const [head] = stack?.split(/\n\s+at /, 1) ?? [];
  return head === '' ? undefined : head;
}

function memoryOf(notices: Notices): Memory {
  const memory = MEMORIES.get(notices) ?? { kinds: new Map<string, number>(), fullUntilMs: 0 };
  MEMORIES.set(notices, memory);
  return memory;
}

function isKnown(kind: string, { kinds, fullUntilMs }: Memory, nowMs: number): boolean {
  return Math.max(kinds.get(kind) ?? 0, fullUntilMs) > nowMs;
}

function remember(kind: string, untilMs: number, { kinds }: Memory): void {
  // The oldest first: what is forgotten costs one refused write.
  if (kinds.size >= MAX_REMEMBERED) kinds.delete(kinds.keys().next().value ?? '');
  kinds.set(kind, untilMs);
}
