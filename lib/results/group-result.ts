/** Reading what became of a group (celery/result.py, GroupResult). */
import { idIn } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { maybeCurrentTask } from '../task/context.ts';
import { InvalidResult, TimeoutError, WaitInsideTask } from '../base/errors.ts';
import { decodeJson, encodeJson } from '../wire/json.ts';
import { CELERY_GROUP_MAX_MEMBERS, GROUP_PART_MEMBERS } from '../base/limits.ts';
import type { GroupCount } from '../ports/groups.ts';
import { type MemberEnd, MemberEnds } from './member-ends.ts';
import type { TaskRecord } from '../ports/backend.ts';
import {
  AsyncResult,
  errorOf,
  type GetOptions,
  type ResultParent,
  type ResultReader,
  visibleDocument,
} from './result.ts';
import { refuseEncrypted } from '../wire/result-document.ts';
import type { RevokeOptions } from './revoke.ts';
import { isFinal, isPropagated, SUCCESS } from '../base/states.ts';

/** How far a group is, in numbers of members. */
export interface GroupProgress {
  /** Members of the group. */
  readonly total: number;
  /** Finished, failed ones among them. */
  readonly done: number;
  /** Ended otherwise than with SUCCESS. */
  readonly failed: number;
}

// Members revoked side by side.
const WIDTH = 16;

/**
 * What became of a group. `R` is the tuple or array of its members' results. Rights and errors are those of
 * `AsyncResult`.
 */
export class GroupResult<R extends readonly unknown[] = readonly unknown[]> {
  /** Id of the group: Celery's `group_id`. */
  readonly id: string;
  /** Task ids of the members, in the order in which they were given. */
  readonly memberIds: readonly string[];
  /** What came before it in a chain; undefined where nothing did. */
  readonly parent: ResultParent | undefined;
  readonly #reader: ResultReader;
  /** Nobody counts its members: each is looked at. */
  readonly #uncounted: boolean;
  #ends: MemberEnds;

  /** Made by `group(...).delay()` and `app.groupResult(id)`. `reader` is the app. */
  constructor(
    id: string,
    memberIds: readonly string[],
    reader: ResultReader,
    options: { readonly parent?: ResultParent | undefined; readonly uncounted?: boolean } = {},
  ) {
    this.id = id;
    this.memberIds = memberIds;
    this.parent = options.parent;
    this.#reader = reader;
    this.#uncounted = options.uncounted ?? false;
    this.#ends = this.#newEnds();
  }

  /** One result for each member, in order. */
  get results(): AsyncResult<R[number]>[] {
    return this.memberIds.map((id) => new AsyncResult<R[number]>(id, this.#reader));
  }

  /** How many members there are, finished or not. */
  get total(): number {
    return this.memberIds.length;
  }

  /** The same as `total`. */
  get length(): number {
    return this.memberIds.length;
  }

  /**
   * How far the group is, for a progress bar: reads the result of each member that had not finished when last asked. Of
   * one that is counted (`count: true`, or a chord's header) it reads one item for each 64 members.
   */
  async progress(): Promise<GroupProgress> {
    const { done, failed } = await this.#count('all');
    return { total: this.total, done, failed: failed.length };
  }

  /** @param reading of members that nobody counts: all of them, or as many as it takes to know that some are open. */
  async #count(reading: 'all' | 'some'): Promise<Pick<GroupCount, 'done' | 'failed'>> {
    if (this.#uncounted || this.total === 0) return this.#ends[reading]();
    return (await this.#reader.ports()).groups.count(this.id);
  }

  #newEnds(): MemberEnds {
    return new MemberEnds(this.total, (indexes) => this.#outcomes(indexes));
  }

  /** Members that succeeded. */
  async completedCount(): Promise<number> {
    const { done, failed } = await this.progress();
    return done - failed;
  }

  /** Members that ended otherwise than with SUCCESS. */
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

  /** Whether any member has ended otherwise than with SUCCESS by now. */
  async failed(): Promise<boolean> {
    return (await this.failedCount()) > 0;
  }

  /**
   * Waits for all members and gives their results in order. A member without a result (`ignoreResult`, `Ignore`) gives
   * undefined.
   *
   * @example
   * ```ts
   * const result = await group([add.s(1, 1), add.s(2, 2)]).delay();
   * await result.join({ timeout: '30s' }); // [2, 4]
   * ```
   * @throws TimeoutError, WaitInsideTask, InvalidResult for a result that has expired, or a failed member's own
   * exception, as soon as there is one; with `propagate: false` exceptions stand among the results.
   */
  async join(options: GetOptions = {}): Promise<R> {
    refuseInsideTask(this.#reader);
    const deadlineMs = deadlineOf(options, this.#reader.clock.nowMs());
    const seen = new Set<number>();
    while (this.total > 0) {
      const { done, failed } = await this.#count('some');
      if (options.propagate !== false) {
        const fresh = failed.filter((index) => index < this.total && !seen.has(index));
        for (const index of fresh) seen.add(index);
        for (const { value, thrown } of await this.#outcomes(fresh)) if (thrown) throw value;
      }
      if (done >= this.total) break;
      await this.#wait(deadlineMs, options, this.total - done);
    }
    const outcomes = await this.#outcomes([...this.memberIds.keys()]);
    const lost = outcomes.find(({ thrown }) => thrown);
    if (lost !== undefined && options.propagate !== false) throw lost.value;
    return outcomes.map(({ value }) => value) as unknown as R;
  }

  /** The same as `join`. */
  get(options: GetOptions = {}): Promise<R> {
    return this.join(options);
  }

  /**
   * Results as they finish, each with its index.
   *
   * @throws as `join` does, when it comes to a failed member.
   */
  async *iterate(options: GetOptions = {}): AsyncGenerator<{ readonly index: number; readonly value: R[number] }> {
    refuseInsideTask(this.#reader);
    const deadlineMs = deadlineOf(options, this.#reader.clock.nowMs());
    const open = new Set(this.memberIds.keys());
    while (open.size > 0) {
      const before = open.size;
      // Looked at first: whatever is counted has its result by the time that results are read.
      const complete = !this.#uncounted && (await this.ready());
      for await (const page of this.#pages([...open])) {
        const ended = page.filter(({ final }) => final || complete);
        for (const { index, value, thrown } of ended.toSorted(byEnd)) {
          open.delete(index);
          if (thrown && options.propagate !== false) throw value;
          yield { index, value };
        }
      }
      if (open.size === before) await this.#wait(deadlineMs, options, open.size);
    }
  }

  /**
   * Keeps every member from starting that has not ended; those that run go on, with `terminate: true` they end too.
   *
   * @throws InvalidOption
   */
  async revoke(options: RevokeOptions = {}): Promise<void> {
    await mapConcurrently(this.results, WIDTH, (result) => result.revoke(options));
  }

  /** Deletes the members' results, the group's count, and what `save()` stored. */
  async forget(): Promise<void> {
    const { backend, groups, celeryGroups } = await this.#reader.ports();
    await backend.forget(this.memberIds);
    await groups.forget(this.id);
    await celeryGroups?.forget(this.id);
    this.#ends = this.#newEnds();
  }

  /**
   * Stores the ids of its members for `expires`, one day by default: for `app.groupResult(id)`; and where Celery looks
   * for them, for its `GroupResult.restore(id)`, unless they are more than its one item holds (some 7,000).
   */
  async save(expires: Duration = '1d'): Promise<void> {
    const { groups, celeryGroups } = await this.#reader.ports();
    const nowMs = this.#reader.clock.nowMs();
    const expiresAtSeconds = Math.floor(nowMs / 1000) + durationSeconds(expires, 'expires', 1);
    const { id: groupId, memberIds } = this;
    await groups.define({
      groupId,
      size: this.total,
      createdMs: nowMs,
      definition: encodeJson(this.#uncounted ? { uncounted: true, memberIds } : memberIds, 'members'),
      expiresAtSeconds,
    });
    if (memberIds.length <= CELERY_GROUP_MAX_MEMBERS)
      await celeryGroups?.define({ groupId, memberIds, chord: false, nowMs, expiresAtSeconds });
  }

  async #outcomes(indexes: readonly number[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for await (const page of this.#pages(indexes)) outcomes.push(...page);
    return outcomes;
  }

  async *#pages(indexes: readonly number[]): AsyncGenerator<Outcome[]> {
    const { backend } = await this.#reader.ports();
    for (let start = 0; start < indexes.length; start += GROUP_PART_MEMBERS) {
      const page = indexes.slice(start, start + GROUP_PART_MEMBERS);
      const ids = page.map((index) => this.memberIds[index] ?? '');
      const records = await backend.get(ids, this.#reader.clock.nowMs());
      yield page.map((index, position) => outcomeOf(index, ids[position] ?? '', records[position], this.#reader));
    }
  }

  async #wait(deadlineMs: number, options: GetOptions, open: number): Promise<void> {
    const { clock } = this.#reader;
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs <= 0)
      throw new TimeoutError(
        `${open} of ${this.total} members of group ${this.id} did not finish in time${this.#uncounted ? ', or their results have expired' : ''}.`,
      );
    options.onInterval?.();
    await clock.sleep(Math.min(durationSeconds(options.interval ?? 0.5, 'interval', 0.001) * 1000, leftMs));
  }
}

/** What became of a member, as its record says. */
interface Outcome extends MemberEnd {
  readonly value: unknown;
  /** `value` is an exception. */
  readonly thrown: boolean;
  readonly finishedMs: number | undefined;
}

function outcomeOf(index: number, id: string, record: TaskRecord | undefined, reader: ResultReader): Outcome {
  if (record === undefined) {
    const gone = new InvalidResult(
      `Member ${id} has finished and has no result: it expired, was forgotten, or its task stores none.`,
    );
    return { index, value: gone, thrown: true, final: false, failed: false, finishedMs: undefined };
  }
  const document = visibleDocument(id, record);
  refuseEncrypted(document);
  const thrown = isPropagated(document.status);
  const value = thrown ? errorOf(document, reader) : isFinal(document.status) ? document.result : undefined;
  // Python's records have no time of their own, and their document says what they are.
  const final = record.finishedMs !== undefined || isFinal(document.status);
  // Of an ignored result the record alone knows that there was one.
  const failed = final && document.status !== SUCCESS && record.status !== SUCCESS;
  return { index, value, thrown, final, failed, finishedMs: record.finishedMs };
}

function byEnd(left: Outcome, right: Outcome): number {
  return (left.finishedMs ?? 0) - (right.finishedMs ?? 0) || left.index - right.index;
}

function deadlineOf({ timeout }: GetOptions, nowMs: number): number {
  return timeout === undefined ? Infinity : nowMs + durationSeconds(timeout, 'timeout') * 1000;
}

function refuseInsideTask({ eager }: ResultReader): void {
  if (eager !== undefined || maybeCurrentTask()?.request.calledDirectly !== false) return;
  throw new WaitInsideTask(
    'Never wait for a group within a task: workers that wait for workers starve each other. Use a chord instead.',
  );
}

/** A group that `save()` has stored, here or in Python. undefined where it is unknown or expired. @throws InvalidOption */
export async function savedGroup(id: string, reader: ResultReader): Promise<GroupResult | undefined> {
  idIn(id, 'groupResult()');
  const { groups, celeryGroups } = await reader.ports();
  const record = await groups.definition(id, reader.clock.nowMs());
  const saved = record === undefined ? undefined : decodeJson(record.definition);
  if (Array.isArray(saved)) return new GroupResult(id, saved as readonly string[], reader);
  const own = (saved as { readonly memberIds?: readonly string[] } | undefined)?.memberIds;
  const memberIds = own ?? (await celeryGroups?.members(id, reader.clock.nowMs()));
  return memberIds === undefined ? undefined : new GroupResult(id, memberIds, reader, { uncounted: true });
}
