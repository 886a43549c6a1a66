/**
 * What follows from one outcome may be a hundred thousand messages. They are made and sent window by window, so that
 * memory stays bounded; how far that has come is written down, so that the next invocation goes on where this one ends.
 */
import { decodeJson, encodeJson } from '../wire/json.ts';
import { isPassing } from '../base/passing.ts';
import { CANVAS_WINDOW_BYTES, CANVAS_WINDOW_MESSAGES } from '../base/limits.ts';
import type { Ports } from '../ports/ports.ts';
import type { Prepared } from '../producer/publish.ts';
import { SettleInterrupted } from './deadline.ts';

/** Messages that wait to be sent together. */
export class Outbox<T extends Prepared> {
  #prepared: T[] = [];
  #bytes = 0;

  add(prepared: T): void {
    this.#prepared.push(prepared);
    this.#bytes += prepared.outgoing.body.length;
  }

  get isEmpty(): boolean {
    return this.#prepared.length === 0;
  }

  get isFull(): boolean {
    return this.#prepared.length >= CANVAS_WINDOW_MESSAGES || this.#bytes >= CANVAS_WINDOW_BYTES;
  }

  take(): readonly T[] {
    const taken = this.#prepared;
    this.#prepared = [];
    this.#bytes = 0;
    return taken;
  }
}

// A crash repeats at most so many windows, and one small write stands against some hundred requests.
const WINDOWS_BETWEEN_SAVES = 8;
// Redeliveries come within minutes, and what is noted of an attempt that was run anew would be wrong.
const PROGRESS_SECONDS = 3600;
// For the window under way, and for what is left to do.
const LONGEST_RESERVE_MS = 10_000;

export interface Span {
  readonly startMs: number;
  readonly deadlineMs: number;
}

/** How many items of each long list have been dealt with, all that follows from them included. */
export class Progress {
  readonly #name: () => string;
  readonly #ports: Ports;
  readonly #stopMs: number;
  #done: Map<string, number> | undefined;
  #stored = false;
  #unsaved = 0;
  #moved = false;

  /** @param name of this attempt's outcome, wherever it is settled: a hash of all of it, which few ever need. */
  constructor(name: () => string, ports: Ports, { startMs, deadlineMs }: Span) {
    this.#name = name;
    this.#ports = ports;
    this.#stopMs = deadlineMs - Math.min(LONGEST_RESERVE_MS, (deadlineMs - startMs) / 4);
  }

  async of(list: string): Promise<number> {
    this.#done ??= await this.#load();
    return this.#done.get(list) ?? 0;
  }

  async advance(list: string, done: number): Promise<void> {
    this.#done?.set(list, done);
    this.#moved = true;
    this.#unsaved += 1;
    if (this.#unsaved >= WINDOWS_BETWEEN_SAVES) await this.save();
  }

  /** One window at least is done by every delivery, or none would ever get on. @throws SettleInterrupted */
  checkTime(): void {
    if (this.#moved && this.#ports.clock.nowMs() >= this.#stopMs) throw new SettleInterrupted();
  }

  async save(): Promise<void> {
    if (this.#unsaved === 0 || this.#done === undefined) return;
    const nowMs = this.#ports.clock.nowMs();
    const record = {
      groupId: this.#name(),
      size: this.#done.size,
      createdMs: nowMs,
      definition: encodeJson(Object.fromEntries(this.#done), 'progress'),
      expiresAtSeconds: Math.floor(nowMs / 1000) + PROGRESS_SECONDS,
    };
    this.#unsaved = 0;
    await unlessRefused(async () => {
      await this.#ports.groups.define(record);
      this.#stored = true;
    });
  }

  /** All is sent. */
  async finish(): Promise<void> {
    if (this.#stored) await unlessRefused(() => this.#ports.groups.forget(this.#name()));
  }

  async #load(): Promise<Map<string, number>> {
    const record = await unlessRefused(() => this.#ports.groups.definition(this.#name(), this.#ports.clock.nowMs()));
    this.#stored = record !== undefined;
    return new Map(record === undefined ? [] : Object.entries(decodeJson(record.definition) as Record<string, number>));
  }
}

/** Without it more is sent twice, and does no harm: what is refused for good must not keep all that follows from being sent. */
export async function unlessRefused<R>(ask: () => Promise<R>): Promise<R | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isPassing(error)) throw error;
    return undefined;
  }
}

/** What deals with a list window by window. */
export interface Windowed {
  readonly outbox: { readonly isFull: boolean };
  readonly progress: Progress;
  /** Deals with all that has gathered, and with what follows from it. */
  readonly drain: () => Promise<void>;
  /** Done when all is sent: of a long list, window by window, since what is counted does not come again. */
  readonly finish: () => Promise<void>;
}

/**
 * Calls `each` in order. A long list goes window by window: one is counted when all that it brought has been sent.
 *
 * @throws SettleInterrupted
 */
export async function inWindows<T>(
  { outbox, progress, drain, finish }: Windowed,
  list: string,
  items: readonly T[],
  each: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const isLong = items.length > CANVAS_WINDOW_MESSAGES;
  let done = isLong ? await progress.of(list) : 0;
  while (done < items.length) {
    if (isLong) progress.checkTime();
    const end = Math.min(items.length, done + CANVAS_WINDOW_MESSAGES);
    for (; done < end && !outbox.isFull; done += 1) await each(items[done] as T, done);
    if (!isLong && !outbox.isFull) continue;
    await drain();
    if (!isLong) continue;
    await finish();
    await progress.advance(list, done);
  }
}
