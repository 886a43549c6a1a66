/** The beat of one app: what it declares, and the sweep that serves declared and stored entries alike. */
import { errorMessage } from '../base/error-text.ts';
import { InvalidSchedule } from '../base/errors.ts';
import type { Pause } from '../ports/pauses.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { type BeatEntry, resolveEntry, type ScheduleEntry } from './entry.ts';
import { checkArgumentsNow, checkEntry } from './check-entry.ts';
import { type BeatPlan, planBeat } from './plan.ts';
import { keepPaused, pausedQueues, pausesNow } from './paused.ts';
import { ScheduleBook } from './schedules.ts';
import { sweep, type SweepOptions } from './sweep.ts';
import { sweepSchedules } from './sweep-schedules.ts';
import { endRefused } from './end-refused.ts';
import { syncDeclared } from './sync-declared.ts';

export interface FullSweepReport {
  /** Timers sent. */
  readonly sent: number;
  /** Timers and entries that could not be sent now. */
  readonly failed: number;
  /** Ticks of schedule entries sent. */
  readonly ticks: number;
  /** Timers that are due and stay where they are, since their queue is paused. */
  readonly held: number;
}

// django-celery-beat looks at everything anew as often.
const SYNC_EVERY_MS = 300_000;

export class Beat {
  readonly book: ScheduleBook;
  readonly #app: App;
  readonly #entries = new Map<string, ScheduleEntry>();
  #plans: readonly BeatPlan[] | undefined;
  #synced: { readonly schedules: Ports['schedules']; readonly atMs: number } | undefined;

  constructor(app: App) {
    this.#app = app;
    this.book = new ScheduleBook(app, () => this.plans());
  }

  /** @throws InvalidSchedule, InvalidOption, InvalidArguments, QueueNotFound: each names the entry. */
  declare(entries: Readonly<Record<string, BeatEntry>>): void {
    for (const [name, given] of Object.entries(entries)) {
      if (this.#entries.has(name))
        throw new InvalidSchedule(`entry '${name}' is declared twice. Rename one, or merge them.`);
      const entry = resolveEntry(name, given, this.#app.settings.timezone);
      checkEntry(entry, this.#app);
      this.#entries.set(name, checkArgumentsNow(entry, this.#app));
    }
    this.#plans = undefined;
    this.#synced = undefined;
  }

  /** Every declared entry, and what fires it. */
  plans(): readonly BeatPlan[] {
    return (this.#plans ??= planBeat(this.#app, [...this.#entries.values()]));
  }

  /** Ticks first: those of FIFO queues become timers, which the second half may send at once. */
  async sweep(ports: Ports, options: SweepOptions = {}): Promise<FullSweepReport> {
    // Where nothing fires rules, everything is swept.
    const plans: readonly BeatPlan[] =
      ports.rules === undefined ? this.plans().map((plan) => ({ ...plan, firedBy: 'sweep' })) : this.plans();
    const { settings } = this.#app;
    const pauses = await pausesNow(ports);
    const beat = await this.#sweepEntries(plans, ports, options);
    const paused = pausedQueues(pauses, settings);
    const timers = await sweep(settings, ports, { ...options, paused }, endRefused(this.#app, ports));
    await this.#keepPaused(pauses, ports, options);
    return { sent: timers.sent, failed: timers.failed + beat.failed, ticks: beat.ticks, held: timers.held };
  }

  /** An error here must not end the sweep: the next one tries again. */
  async #keepPaused(pauses: readonly Pause[], ports: Ports, { eventSources }: SweepOptions): Promise<void> {
    if (eventSources === undefined) return;
    try {
      await keepPaused(pauses, eventSources, this.#app.settings, ports);
    } catch (error) {
      ports.logger.log('error', `What feeds paused queues could not be looked at: ${errorMessage(error)}`);
    }
  }

  /** An error here must not keep the timers waiting. */
  async #sweepEntries(
    plans: readonly BeatPlan[],
    ports: Ports,
    options: SweepOptions,
  ): Promise<{ readonly ticks: number; readonly failed: number }> {
    try {
      const nowMs = ports.clock.nowMs();
      const synced = this.#synced;
      if (synced?.schedules !== ports.schedules || nowMs - synced.atMs >= SYNC_EVERY_MS) {
        const all = plans.length === 0 || (await syncDeclared(plans, ports));
        this.#synced = all ? { schedules: ports.schedules, atMs: nowMs } : undefined;
      }
      const declared = new Map(plans.map((plan) => [plan.name, plan.firedBy]));
      return await sweepSchedules(this.#app, ports, declared, options.horizonSeconds);
    } catch (error) {
      ports.logger.log('error', `The sweep of schedule entries failed: ${errorMessage(error)}`);
      return { ticks: 0, failed: 1 };
    }
  }
}
