/** Results that belong to no group, looked at together (celery/result.py, ResultSet). */
import { durationSeconds } from '../base/duration.ts';
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { AsyncResult, type GetOptions } from './result.ts';
import type { RevokeOptions } from './revoke.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { FAILURE, isFinal, SUCCESS } from '../base/states.ts';

// Results read at the same time. Each is one read; a final one is read once and then known.
const WIDTH = 16;

/**
 * A set of results that can grow and shrink, each there once. For tasks that were sent together, a `GroupResult` is
 * cheaper: it reads many in a request, or, of a group that is counted, a count.
 *
 * @example
 * ```ts
 * const set = new ResultSet([await add.delay(1, 1), await add.delay(2, 2)]);
 * await set.join({ timeout: 10 }); // [2, 4]
 * ```
 */
export class ResultSet<R = unknown> {
  readonly #members = new Map<string, AsyncResult<R>>();

  /** @throws InvalidOption for what is no result. */
  constructor(results: Iterable<AsyncResult<R>> = []) {
    this.update(results);
  }

  /** In the order in which they were added. */
  get results(): readonly AsyncResult<R>[] {
    return [...this.#members.values()];
  }

  /** How many results are in the set. */
  get length(): number {
    return this.#members.size;
  }

  /** Adds a result; one that is there already changes nothing. @throws InvalidOption for what is no result. */
  add(result: AsyncResult<R>): this {
    if (!(result instanceof AsyncResult))
      throw new InvalidOption(`ResultSet: ${shown(result)} given; results of delay() or app.result(id) are allowed.`);
    if (!this.#members.has(result.id)) this.#members.set(result.id, result);
    return this;
  }

  /** Adds each of them. */
  update(results: Iterable<AsyncResult<R>>): this {
    for (const result of results) this.add(result);
    return this;
  }

  /** Takes a result out; one that is not there changes nothing. */
  discard(result: AsyncResult<R> | string): this {
    this.#members.delete(typeof result === 'string' ? result : result.id);
    return this;
  }

  /** Takes a result out. @throws InvalidOption for one that is not there. */
  remove(result: AsyncResult<R> | string): this {
    const id = typeof result === 'string' ? result : result.id;
    if (!this.#members.has(id))
      throw new InvalidOption(`ResultSet.remove(): '${id}' is no member. discard() does not mind.`);
    return this.discard(id);
  }

  /** Takes all out. */
  clear(): this {
    this.#members.clear();
    return this;
  }

  /** Whether every one is finished. */
  async ready(): Promise<boolean> {
    return (await this.#states()).every(isFinal);
  }

  /** Whether any is not finished. */
  async waiting(): Promise<boolean> {
    return !(await this.ready());
  }

  /** Whether every one succeeded. */
  async successful(): Promise<boolean> {
    return (await this.#states()).every((state) => state === SUCCESS);
  }

  /** Whether any failed. */
  async failed(): Promise<boolean> {
    return (await this.#states()).includes(FAILURE);
  }

  /** How many succeeded. */
  async completedCount(): Promise<number> {
    return (await this.#states()).filter((state) => state === SUCCESS).length;
  }

  /**
   * Waits for all, and gives their results in the order in which they were added. `timeout` is for all together.
   *
   * @throws TimeoutError, WaitInsideTask, or the exception of the first that failed, in order; with
   * `propagate: false` exceptions stand among the results.
   */
  async join(options: GetOptions = {}): Promise<R[]> {
    const { results } = this;
    const clock = results[0] === undefined ? undefined : AsyncResult.clockOf(results[0]);
    const timeoutSeconds = options.timeout === undefined ? undefined : durationSeconds(options.timeout, 'timeout');
    const startedMs = clock?.nowMs() ?? 0;
    const values: R[] = [];
    for (const result of results) {
      const spentSeconds = ((clock?.nowMs() ?? 0) - startedMs) / 1000;
      const left = timeoutSeconds === undefined ? {} : { timeout: Math.max(0, timeoutSeconds - spentSeconds) };
      values.push(await result.get({ ...options, ...left }));
    }
    return values;
  }

  /** The same as `join`. */
  get(options: GetOptions = {}): Promise<R[]> {
    return this.join(options);
  }

  /** Keeps every one from starting; with `terminate: true` those that run end too. @throws InvalidOption */
  async revoke(options: RevokeOptions = {}): Promise<void> {
    await mapConcurrently(this.results, WIDTH, (result) => result.revoke(options));
  }

  /** Deletes their stored results. */
  async forget(): Promise<void> {
    await mapConcurrently(this.results, WIDTH, (result) => result.forget());
  }

  #states(): Promise<string[]> {
    return mapConcurrently(this.results, WIDTH, (result) => result.state());
  }
}
