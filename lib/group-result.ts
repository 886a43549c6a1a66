/** Reading what became of a group (celery/result.py, GroupResult). */
import { type Duration, durationSeconds } from './duration.ts';
import { TimeoutError } from './errors.ts';
import { GROUP_PART_MEMBERS } from './limits.ts';
import { AsyncResult, type GetOptions, type ResultParent, type ResultReader } from './result.ts';
import { encodeJson } from './json.ts';

export interface GroupProgress {
  readonly total: number;
  /** Finished, failed ones among them. */
  readonly done: number;
  readonly failed: number;
}

// Results fetched side by side by join() and iterate().
const WIDTH = 16;

/** `R` is the tuple or array of the members' results. */
export class GroupResult<R extends readonly unknown[] = readonly unknown[]> {
  readonly id: string;
  readonly memberIds: readonly string[];
  /** What came before it in a chain. */
  readonly parent: ResultParent | undefined;
  readonly #reader: ResultReader;

  constructor(id: string, memberIds: readonly string[], reader: ResultReader, parent?: ResultParent) {
    this.id = id;
    this.memberIds = memberIds;
    this.parent = parent;
    this.#reader = reader;
  }

  /** One result for each member, in order. */
  get results(): AsyncResult<R[number]>[] {
    return this.memberIds.map((id) => new AsyncResult<R[number]>(id, this.#reader));
  }

  get total(): number {
    return this.memberIds.length;
  }

  get length(): number {
    return this.memberIds.length;
  }

  /** How far the group is, for a progress bar: reads one item for each 64 members, not the members. */
  async progress(): Promise<GroupProgress> {
    if (this.total === 0) return { total: 0, done: 0, failed: 0 };
    const { groups } = await this.#reader.ports();
    const { done, failed } = await groups.count(this.id);
    return { total: this.total, done, failed: failed.length };
  }

  /** Members that succeeded. */
  async completedCount(): Promise<number> {
    const { done, failed } = await this.progress();
    return done - failed;
  }

  async failedCount(): Promise<number> {
    return (await this.progress()).failed;
  }

  /** Whether any member is not finished. */
  async waiting(): Promise<boolean> {
    return !(await this.ready());
  }

  /** Whether every member is finished. */
  async ready(): Promise<boolean> {
    const { done, total } = await this.progress();
    return done >= total;
  }

  /** Whether every member succeeded. */
  async successful(): Promise<boolean> {
    const { done, failed, total } = await this.progress();
    return done >= total && failed === 0;
  }

  /** Whether any member failed. */
  async failed(): Promise<boolean> {
    return (await this.failedCount()) > 0;
  }

  /**
   * Waits for all members and gives their results in order.
   *
   * @throws TimeoutError, WaitInsideTask, or the first failed member's own exception; with `propagate: false`
   * exceptions stand among the results.
   */
  async join(options: GetOptions = {}): Promise<R> {
    const { clock } = this.#reader;
    const deadlineMs =
      options.timeout === undefined ? Infinity : clock.nowMs() + durationSeconds(options.timeout, 'timeout') * 1000;
    await this.#ready(deadlineMs, options);
    const values: unknown[] = [];
    for (let start = 0; start < this.total; start += WIDTH) {
      const page = this.memberIds.slice(start, start + WIDTH).map((id) => new AsyncResult(id, this.#reader));
      values.push(
        ...(await Promise.all(
          page.map((result) => result.get({ ...options, timeout: left(deadlineMs, clock.nowMs()) })),
        )),
      );
    }
    return values as unknown as R;
  }

  /** The same as `join`. */
  get(options: GetOptions = {}): Promise<R> {
    return this.join(options);
  }

  /** Results as they finish, each with its place. */
  async *iterate(options: GetOptions = {}): AsyncGenerator<{ readonly index: number; readonly value: R[number] }> {
    const { clock } = this.#reader;
    const deadlineMs =
      options.timeout === undefined ? Infinity : clock.nowMs() + durationSeconds(options.timeout, 'timeout') * 1000;
    const open = new Map(this.results.entries());
    while (open.size > 0) {
      const before = open.size;
      const { backend } = await this.#reader.ports();
      const entries = [...open];
      for (let start = 0; start < entries.length; start += GROUP_PART_MEMBERS) {
        const page = entries.slice(start, start + GROUP_PART_MEMBERS);
        const records = await backend.get(
          page.map(([, result]) => result.id),
          clock.nowMs(),
        );
        for (const [position, [index, result]] of page.entries()) {
          if (records[position]?.finishedMs === undefined) continue;
          open.delete(index);
          yield { index, value: await result.get({ ...options, timeout: left(deadlineMs, clock.nowMs()) }) };
        }
      }
      if (open.size === before) await this.#wait(deadlineMs, options, open.size);
    }
  }

  /** Revokes every member that has not started. */
  async revoke(): Promise<void> {
    for (let start = 0; start < this.total; start += WIDTH)
      await Promise.all(
        this.memberIds.slice(start, start + WIDTH).map((id) => new AsyncResult(id, this.#reader).revoke()),
      );
  }

  /** Deletes the members' results and the group's count. */
  async forget(): Promise<void> {
    const { backend, groups } = await this.#reader.ports();
    await backend.forget(this.memberIds);
    await groups.forget(this.id);
  }

  /** Stores the ids of its members, for `app.groupResult(id)`. */
  async save(expires: Duration = '1d'): Promise<void> {
    const { groups } = await this.#reader.ports();
    const nowMs = this.#reader.clock.nowMs();
    await groups.define({
      groupId: this.id,
      size: this.total,
      createdMs: nowMs,
      definition: encodeJson(this.memberIds, 'members'),
      expiresAtSeconds: Math.floor(nowMs / 1000) + durationSeconds(expires, 'expires', 1),
    });
  }

  async #ready(deadlineMs: number, options: GetOptions): Promise<void> {
    for (;;) {
      const { done, total, failed } = await this.progress();
      if (done >= total) return;
      // A failure is told at once, as in Celery: the rest is not waited for.
      if (failed > 0 && options.propagate !== false) return;
      await this.#wait(deadlineMs, options, total - done);
    }
  }

  async #wait(deadlineMs: number, options: GetOptions, open: number): Promise<void> {
    const { clock } = this.#reader;
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs <= 0)
      throw new TimeoutError(`${open} of ${this.total} members of group ${this.id} did not finish in time.`);
    options.onInterval?.();
    await clock.sleep(Math.min(durationSeconds(options.interval ?? 0.5, 'interval', 0.001) * 1000, leftMs));
  }
}

/** Seconds. */
function left(deadlineMs: number, nowMs: number): number {
  return deadlineMs === Infinity ? 100 * 366 * 86_400 : Math.max(0, (deadlineMs - nowMs) / 1000);
}
