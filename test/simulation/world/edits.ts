/** Stored schedule entries that are made, edited, switched, run now and deleted while sweepers are under faults. */
import { type AsyncResult, type Celeriac, clocked, crontab } from 'celeriac';
import type { World } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import type { Ledger } from './ledger.ts';
import { STORED_TASK } from './load.ts';

const MINUTE_MS = 60_000;
export const STORED_NAMES: readonly string[] = ['first', 'second', 'third', 'fourth'];
// Sweeps may fail, and be out for ten minutes: what they have held up goes with an edit.
const HELD_UP_MS = 1_500_000;

/** While an entry stood so. */
interface Segment {
  readonly fromMs: number;
  /** Whether a minute is one of its times. */
  readonly isDue: (ms: number) => boolean;
  /** It has one tick at most. */
  readonly once: boolean;
}

interface Entry {
  readonly name: string;
  readonly segments: Segment[];
  exists: boolean;
}

const never = (): boolean => false;
const everyMinutes =
  (minutes: number) =>
  (ms: number): boolean =>
    ms % (minutes * MINUTE_MS) === 0;

export class Edits {
  readonly #world: World;
  readonly #app: Celeriac;
  readonly #random: Random;
  readonly #entries: readonly Entry[] = STORED_NAMES.map((name) => ({ name, segments: [], exists: false }));
  readonly #now: AsyncResult[] = [];

  constructor(world: World, app: Celeriac, random: Random) {
    this.#world = world;
    this.#app = app;
    this.#random = random;
  }

  /** Perhaps one change. */
  async step(): Promise<void> {
    if (this.#random.next() > 0.25) return;
    const entry = this.#entries[Math.floor(this.#random.next() * this.#entries.length)];
    if (entry === undefined) return;
    await this.#withoutFaults(() => (entry.exists ? this.#change(entry) : this.#make(entry)));
  }

  /** Whoever edits is told of a fault, and tries again: here it has none. Sweepers and workers do. */
  async #withoutFaults(run: () => Promise<void>): Promise<void> {
    const { faults } = this.#world;
    faults.on = false;
    await run();
    faults.on = true;
  }

  /** All of them off: what is due by then still runs. */
  async stop(): Promise<void> {
    for (const entry of this.#entries.filter(({ exists }) => exists))
      await this.#withoutFaults(() => this.#delete(entry));
  }

  /** @param slackMs how far clocks may differ */
  check(ledger: Ledger, slackMs: number): void {
    for (const result of this.#now)
      if (ledger.facts.end(result.id)?.state !== 'SUCCESS' && !isLost(ledger, result.id))
        ledger.violate('what is run now runs', `${result.id} is ${ledger.facts.end(result.id)?.state}`, result.id);
    for (const entry of this.#entries) {
      const seen = new Set(ledger.ticks.filter((tick) => tick.entry === entry.name).map((tick) => tick.scheduledMs));
      for (const ms of seen)
        if (
          !this.#spans(entry).some(
            ({ fromMs, toMs, isDue }) => isDue(ms) && ms > fromMs - slackMs && ms < toMs + slackMs,
          )
        )
          ledger.violate('no other tick runs', `${entry.name} at ${new Date(ms).toISOString()}`);
      this.#missing(entry, seen, ledger, slackMs);
    }
  }

  #missing(entry: Entry, seen: ReadonlySet<number>, ledger: Ledger, slackMs: number): void {
    for (const { fromMs, toMs, isDue, once } of this.#spans(entry)) {
      const due: number[] = [];
      const first = Math.ceil((fromMs + slackMs) / MINUTE_MS) * MINUTE_MS;
      for (let ms = first; ms < toMs - HELD_UP_MS; ms += MINUTE_MS) if (isDue(ms)) due.push(ms);
      const ran = [...seen].filter((ms) => ms > fromMs - slackMs && ms < toMs + slackMs && isDue(ms));
      if (once && ran.length > 1)
        ledger.violate('no other tick runs', `${entry.name} is one-off and ran ${ran.length} times`);
      const missing = once ? due.slice(0, ran.length > 0 ? 0 : 1) : due.filter((ms) => !seen.has(ms));
      for (const ms of missing)
        ledger.violate('every tick runs', `${entry.name} (stored) at ${new Date(ms).toISOString()}`);
    }
  }

  #spans(entry: Entry): (Segment & { readonly toMs: number })[] {
    return entry.segments.map((segment, index) => ({
      ...segment,
      toMs: entry.segments[index + 1]?.fromMs ?? this.#world.clock.nowMs(),
    }));
  }

  async #make(entry: Entry): Promise<void> {
    const { schedules } = this.#app;
    const task = { task: STORED_TASK, args: [], catchUp: 'all' } as const;
    const nowMs = this.#world.clock.nowMs();
    const kind = Math.floor(this.#random.next() * 3);
    entry.exists = true;
    if (kind === 0) {
      const dueMs = Math.ceil(nowMs / MINUTE_MS + 1 + this.#random.next() * 20) * MINUTE_MS;
      this.#stands(entry, (ms) => ms === dueMs, true);
      await schedules.put(entry.name, { ...task, schedule: clocked(new Date(dueMs)) });
      return;
    }
    const once = kind === 1;
    this.#stands(entry, everyMinutes(1), once);
    await schedules.put(entry.name, { ...task, schedule: crontab(), oneOff: once });
  }

  async #change(entry: Entry): Promise<void> {
    const { schedules } = this.#app;
    const { name, segments } = entry;
    const last = segments.at(-1);
    const kind = Math.floor(this.#random.next() * 4);
    if (kind === 0) this.#now.push(await schedules.runNow(name));
    else if (kind === 1) await this.#delete(entry);
    else if (last?.once === true) return;
    else if (kind === 2) {
      this.#stands(entry, never, false);
      await schedules.disable(name);
    } else {
      const minutes = 1 + Math.floor(this.#random.next() * 4);
      this.#stands(entry, everyMinutes(minutes), false);
      await schedules.update(name, { schedule: crontab({ minute: `*/${minutes}` }), enabled: true });
    }
  }

  async #delete(entry: Entry): Promise<void> {
    entry.exists = false;
    this.#stands(entry, never, false);
    await this.#app.schedules.delete(entry.name);
  }

  #stands(entry: Entry, isDue: Segment['isDue'], once: boolean): void {
    entry.segments.push({ fromMs: this.#world.clock.nowMs(), isDue, once });
  }
}

function isLost(ledger: Ledger, id: string): boolean {
  return ledger.facts.claims(id, 0) > 5;
}
