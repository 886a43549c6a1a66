/** What Celery's `app.control` does where there are no workers to be told: a note that they find. */
import { idIn } from '../base/checks.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { type Rate, resolveRateLimit } from '../options/rate-limit.ts';
import type { App } from '../producer/app.ts';
import { type ExplainOptions, explainTask } from '../operate/explain/explain-task.ts';
import type { Explanation } from '../operate/explain/reasons.ts';
import { slotsOf, type SlotsQuery, type SlotsView } from './slot-book.ts';
import { revokeById, type RevokeOptions } from '../results/revoke.ts';

/** In Celery's words. */
export type ControlReply = { readonly ok: string } | { readonly error: string };

// Tasks revoked side by side.
const WIDTH = 16;

/** Commands to a service's workers: Celery's `app.control`. On AWS a caller needs `service.grantManage(fn)`, for `explain` `grantExplain`. */
export class Control {
  readonly #app: App;

  /** Reads and writes nothing yet. */
  constructor(app: App) {
    this.#app = app;
  }

  /** Revokes tasks by id, as `result.revoke()` does. @returns their states after it, in order. @throws InvalidOption */
  async revoke(ids: string | readonly string[], options: RevokeOptions = {}): Promise<string[]> {
    // All of them or none.
    const all = [ids].flat().map((id) => idIn(id, 'revoke()'));
    return mapConcurrently(all, WIDTH, (id) => revokeById(id, options, this.#app));
  }

  /** The same as `revoke(ids, { terminate: true })`. */
  terminate(ids: string | readonly string[]): Promise<string[]> {
    return this.revoke(ids, { terminate: true });
  }

  /**
   * Changes how often a task may start, without a deployment; its `burst`, `key` and `grace` stay. Workers look once a
   * minute. What waits moves along, as after a deployment that changes it. It holds until it is changed again.
   *
   * @param limit such as `'10/m'`; null or 0 for none. Left out, what the task declares holds again.
   * @returns Celery's words: `{ ok: 'new rate limit set successfully' }`, or `{ error }` for an unknown task, and for one
   * that declares no rate limit: its workers do not look.
   * @throws InvalidOption for what is no rate
   */
  async rateLimit(task: string, limit?: Rate | null): Promise<ControlReply> {
    const rate = resolveRateLimit(limit === undefined ? null : { limit: limit ?? 0 }, 'rateLimit()');
    const unfit = this.#unfit(task);
    if (unfit !== undefined) return { error: unfit };
    const { rates } = await this.#app.ports();
    if (rates === undefined)
      throw new ImproperlyConfigured('rateLimit(): app.use() was given no `rates`: give it a store of them.');
    await rates.setLimit(task, limit === undefined ? undefined : (rate?.text ?? '0'));
    if (limit === undefined) return { ok: 'rate limit as declared' };
    return { ok: rate === undefined ? 'rate limit disabled successfully' : 'new rate limit set successfully' };
  }

  /**
   * Who runs under a task's `concurrency` or `oneInstance`, and who waits, as Celery's `inspect` tells it of its workers.
   *
   * @example
   * ```ts
   * const { active, reserved, waiting } = await app.control.slots('sync', { key: 'acme' });
   * ```
   * @throws InvalidOption
   */
  slots(task: string, query?: SlotsQuery): Promise<SlotsView> {
    return slotsOf(this.#app, task, query);
  }

  /** What `app.explain()` gives. @throws InvalidOption */
  explain(id: string, options?: ExplainOptions): Promise<Explanation> {
    return explainTask(this.#app, id, options);
  }

  #unfit(task: string): string | undefined {
    const names = this.#app.taskNames();
    if (names !== undefined && !names.has(task)) return 'unknown task';
    const definition = this.#app.registry.find(task);
    if (definition === undefined || definition.options.flow?.given.rateLimit !== undefined) return undefined;
    return `task '${task}' declares no rateLimit, so that its workers look for none; declare one, a high one perhaps`;
  }
}
