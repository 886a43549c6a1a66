/** `app.history` and `app.stats()`: what ended, for people and tools. */
import { idIn, refuseUnknownKeys } from '../base/checks.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import type { History } from '../ports/history.ts';
import type { Ports } from '../ports/ports.ts';
import { type HistoryList, type HistoryQuery, listHistory } from './list.ts';
import { type Stats, type StatsQuery, statsOf } from './stats.ts';
import { storyOf, type TaskStory } from './story.ts';
import { type Since, sinceMs } from './time-range.ts';

/** What it asks of an app. */
interface HistoryApp {
  readonly clock: Clock;
  ports(): Promise<Pick<Ports, 'history' | 'backend' | 'logger'>>;
}

/**
 * `app.history`: which attempts of tasks ended in the last seven days. On AWS a caller needs `service.grantHistory(fn)`.
 * What is written down in settling stands there a moment after the task has ended; nothing is scanned.
 */
export class HistoryBook {
  readonly #app: HistoryApp;

  /** Made by the app: use `app.history`. */
  constructor(app: HistoryApp) {
    this.#app = app;
  }

  /**
   * Ends of attempts, the newest first. Each attempt stands there once, however often its message was delivered.
   *
   * @example
   * ```ts
   * const { entries, cursor } = await app.history.list({ state: 'FAILURE', from: '1h' });
   * ```
   * @throws InvalidOption; OperationalError where the store cannot be asked.
   */
  async list(query: HistoryQuery = {}): Promise<HistoryList> {
    return listHistory(query, this.#app.clock.nowMs(), await this.#ports());
  }

  /**
   * One task's story: its attempts, what it was sent by and what it sent, why it was dead-lettered, as far as that is
   * stored. undefined where nothing is.
   *
   * @param options `from`: a task without an item is searched for so far back, which reads the history. Default: seven days.
   * @throws InvalidOption for an empty id; OperationalError where a store cannot be asked.
   */
  async task(id: string, options: { readonly from?: Since } = {}): Promise<TaskStory | undefined> {
    idIn(id, 'history.task()');
    refuseUnknownKeys(options, new Set(['from']), 'options of history.task()');
    const nowMs = this.#app.clock.nowMs();
    const { from } = options;
    const searchFromMs = from === undefined ? 0 : sinceMs(from, 'from of history.task()', nowMs);
    return storyOf(id, { nowMs, searchFromMs }, await this.#ports());
  }

  /** What `app.stats()` gives. @throws InvalidOption; OperationalError where the store cannot be asked. */
  async stats(query: StatsQuery = {}): Promise<Stats> {
    return statsOf(query, this.#app.clock.nowMs(), await this.#ports());
  }

  async #ports(): Promise<Pick<Ports, 'backend' | 'logger'> & { readonly history: History }> {
    const { history, ...ports } = await this.#app.ports();
    if (history !== undefined) return { ...ports, history };
    throw new ImproperlyConfigured('app.history: app.use() was given no `history`: give it a store of it.');
  }
}
