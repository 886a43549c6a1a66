/** Reading what became of a task. */
import { collect, iterdeps } from '#deployed/results/result-tree';
import { revokeById } from '#deployed/results/revoke';
import { awaitEnd } from '#deployed/results/await-end';
import { maybeCurrentTask } from '../task/context.ts';
import type { Duration } from '../base/duration.ts';
import { ImproperlyConfigured, PayloadNotFound, WaitInsideTask } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import type { Eager } from './eager.ts';
import type { Ports } from '../ports/ports.ts';
import type { TaskRecord } from '../ports/backend.ts';
import {
  type ExtendedFields,
  extendedIn,
  isExceptionDocument,
  readDocument,
  restoreError,
  type ResultDocument,
  refuseEncrypted,
} from '../wire/result-document.ts';
import { taskIdsIn } from '../wire/celery-group.ts';
import type { RevokeOptions } from './revoke.ts';
import type { IterdepsOptions } from './result-tree.ts';
import { FAILURE, isFinal, isPropagated, PENDING, SUCCESS } from '../base/states.ts';

export interface ResultReader {
  readonly clock: Clock;
  ports(): Promise<Ports>;
  /** Signs an address at which a task's state is told; absent where nothing can. */
  statusUrl?(id: string, options: StatusUrlExpiry): Promise<string>;
  /** Of eager mode: what is read here is complete. */
  readonly eager?: Eager;
}

/** How long a status address holds. */
export interface StatusUrlExpiry {
  /** Default 1 h, at most 7 days. */
  readonly expires?: Duration;
}

/** How `get()`, `join()` and the like wait. */
export interface GetOptions {
  /** Give up after this long with TimeoutError. Default: wait for ever. */
  readonly timeout?: Duration;
  /** Throw the task's exception. Default true; false returns it. */
  readonly propagate?: boolean;
  /** Time between two looks. Default 0.5 s. */
  readonly interval?: Duration;
  /** Called before each wait. */
  readonly onInterval?: () => void;
}

/** The task that it followed from, undefined for the first one; and itself. */
export type ResultPair = readonly [parent: AsyncResult | undefined, result: AsyncResult];

/** What came before a result in a chain: a task, or a group. */
export interface ResultParent {
  /** Id of the task or the group. */
  readonly id: string;
  /** What came before it, in its turn; undefined at the chain's first step. */
  readonly parent?: ResultParent | undefined;
}

/**
 * What became of one task, read from the results table each time it is asked until the task has ended. `delay()` and
 * `applyAsync()` give it, `app.result(id)` makes it of an id. On AWS whoever reads needs `service.grantResults(fn)`,
 * whoever revokes or forgets `service.grantManage(fn)`.
 *
 * Methods that read or write throw OperationalError where DynamoDB cannot be asked, MissingEnvironment where nothing
 * tells of tables.
 */
export class AsyncResult<R = unknown> {
  /** Id of the task: Celery's `task_id`. */
  readonly id: string;
  /** The step before it in a chain, for a chord's body its header. */
  readonly parent: ResultParent | undefined;
  /** Sent with `ignoreResult`: there is nothing to wait for. */
  readonly ignored: boolean;
  /**
   * The call has sent nothing of its own: this task stood for its key (`unique`, `throttle`), or has taken its arguments
   * (`debounce`).
   */
  readonly duplicate: boolean;
  readonly #reader: ResultReader;
  /** Final states do not change, so they are read once. */
  #final: ResultDocument | undefined;

  /** Made by `delay()`, `applyAsync()` and `app.result(id)`. `reader` is the app. */
  constructor(
    id: string,
    reader: ResultReader,
    options: { readonly ignored?: boolean; readonly duplicate?: boolean; readonly parent?: ResultParent } = {},
  ) {
    this.id = id;
    this.parent = options.parent;
    this.ignored = options.ignored ?? false;
    this.duplicate = options.duplicate ?? false;
    this.#reader = reader;
  }

  /** Whose time its waiting takes. */
  static clockOf(result: AsyncResult): Clock {
    return result.#reader.clock;
  }

  /** The same as `id`: Celery's older name. */
  get taskId(): string {
    return this.id;
  }

  /**
   * The state as readers see it: PENDING, RETRY, SUCCESS, FAILURE, REVOKED, REJECTED, STARTED with `trackStarted`, or
   * one that the task stored by `updateState`; IGNORED only in eager mode. PENDING also where nothing is known: an
   * unknown id, an expired result. With `ignoreResult` successes and retries stay PENDING, failures show unless
   * `storeErrorsEvenIfIgnored` is false. A task that threw `Ignore` keeps the state it had. Eager mode hides nothing.
   */
  async state(): Promise<string> {
    return (await this.#stated()).status;
  }

  /**
   * Whether `state()` is one that nothing follows: SUCCESS, FAILURE, REVOKED, REJECTED or IGNORED. false for ever after
   * a success with `ignoreResult`, and after `Ignore`.
   */
  async ready(): Promise<boolean> {
    return isFinal(await this.state());
  }

  /** Whether the task has ended with a result: state SUCCESS. */
  async successful(): Promise<boolean> {
    return (await this.state()) === SUCCESS;
  }

  /** Whether the task has ended with an exception: state FAILURE. REVOKED and REJECTED are states of their own. */
  async failed(): Promise<boolean> {
    return (await this.state()) === FAILURE;
  }

  /**
   * Waits until the task has ended and gives what it returned, asking every `interval`. undefined at once where it was
   * sent with `ignoreResult`.
   *
   * @example
   * ```ts
   * const sum = await result.get({ timeout: '10s' });
   * const outcome = await result.get({ propagate: false }); // an Error where it failed
   * ```
   * @throws TimeoutError, WaitInsideTask, or the task's own exception with its remote name, message and stack.
   */
  async get(options: GetOptions = {}): Promise<R> {
    if (this.#reader.eager === undefined && maybeCurrentTask()?.request.calledDirectly === false) {
      throw new WaitInsideTask(
        'Never call result.get() within a task: workers that wait for workers starve each other. Use a link or a chain instead.',
      );
    }
    // Celery: an ignored result is None at once.
    if (this.ignored) return undefined as R;
    const document = await awaitEnd(this.id, () => this.#document(), options, this.#reader.clock);
    return outcomeOf<R>(document, options.propagate ?? true, this.#reader);
  }

  /** Celery's older name of `get`. */
  wait(options: GetOptions = {}): Promise<R> {
    return this.get(options);
  }

  /** What is stored now, without waiting: the result, the exception, or a custom state's data; undefined in PENDING. */
  async info(): Promise<unknown> {
    const document = await this.#document();
    if (document.status === PENDING) return undefined;
    refuseEncrypted(document);
    return isExceptionDocument(document) && document.result !== null
      ? errorOf(document, this.#reader)
      : document.result;
  }

  /** The remote stack text of a failed or retried task. */
  async traceback(): Promise<string | undefined> {
    const document = await this.#document();
    // It is stored beside an error, encrypted with it.
    if (isExceptionDocument(document)) refuseEncrypted(document);
    return document.traceback ?? undefined;
  }

  /**
   * The tasks it sent and its links and next step, once it is finished; of a group that Python sent, its members. At
   * most 64 are recorded.
   */
  async children(): Promise<AsyncResult[]> {
    const { children } = await this.#document();
    return children.flatMap(taskIdsIn).map((id) => new AsyncResult(id, this.#reader));
  }

  /**
   * The tree of tasks that followed from it, level by level, each with the one that it followed from.
   *
   * @throws IncompleteStream at a task that is not finished, unless `intermediate`: then what follows from it is left out.
   */
  iterdeps(options: IterdepsOptions = {}): AsyncGenerator<ResultPair> {
    return iterdeps<AsyncResult>(this, options);
  }

  /**
   * The same tree with the value of each, waited for.
   *
   * @throws as `get` does.
   */
  collect(options: GetOptions = {}): AsyncGenerator<readonly [result: AsyncResult, value: unknown]> {
    return collect<AsyncResult>(this, (result) => result.get(options));
  }

  /** Its task, where that is stored: always of tasks that ran here, in Python with `result_extended`. */
  async name(): Promise<string | undefined> {
    return (await this.#stated()).extended?.name;
  }

  /** Stored with `resultExtended`, in Python with `result_extended`. */
  async args(): Promise<readonly unknown[] | undefined> {
    const document = await this.#document();
    const { args } = document.extended ?? {};
    refuseEncrypted(document, args);
    return Array.isArray(args) ? (args as readonly unknown[]) : undefined;
  }

  /** Stored with `resultExtended`, in Python with `result_extended`. */
  async kwargs(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const document = await this.#document();
    const { kwargs } = document.extended ?? {};
    refuseEncrypted(document, kwargs);
    return typeof kwargs === 'object' && kwargs !== null ? (kwargs as Record<string, unknown>) : undefined;
  }

  /** Who ran it. Stored with `resultExtended`, in Python with `result_extended`. */
  async worker(): Promise<string | undefined> {
    return (await this.#extended()).worker;
  }

  /** Of its last attempt, where that is stored: always of tasks that ran here. */
  async retries(): Promise<number | undefined> {
    return (await this.#stated()).extended?.retries;
  }

  /** Where it ran, where that is stored: always of tasks that ran here. */
  async queue(): Promise<string | undefined> {
    return (await this.#stated()).extended?.queue;
  }

  async #extended(): Promise<ExtendedFields> {
    return (await this.#document()).extended ?? {};
  }

  /** When the task ended; undefined before, and while it waits for a retry. */
  async dateDone(): Promise<Date | undefined> {
    const { dateDone } = await this.#stated();
    if (dateDone === null) return undefined;
    // Celery before 5.4 writes UTC without an offset.
    return new Date(/(Z|[+-]\d{2}:?\d{2})$/.test(dateDone) ? dateDone : `${dateDone}Z`);
  }

  /**
   * The signed address at which a browser asks for this task's state, and for no other's. Needs `addStatusUrl({ auth: 'signed' })` of the
   * service, and its `grantSign(fn)`.
   *
   * @throws InvalidOption, MissingEnvironment, OperationalError; ImproperlyConfigured of a task that ran eagerly
   */
  async statusUrl(options: StatusUrlExpiry = {}): Promise<string> {
    const url = await this.#reader.statusUrl?.(this.id, options);
    if (url !== undefined) return url;
    throw new ImproperlyConfigured('A task that ran in the caller has no status address.');
  }

  /** Deletes the stored result: the state is PENDING after it. */
  async forget(): Promise<void> {
    const { backend } = await this.#reader.ports();
    await backend.forget([this.id]);
    this.#final = undefined;
  }

  /**
   * Keeps the task from starting. One that waits is REVOKED at once; one that runs goes on, and is not
   * started again. Returns the state after it.
   *
   * With `terminate: true` one that runs is told within some seconds: its `signal` aborts, and five seconds later its run
   * is left alone. It ends as REVOKED, whatever its function makes of it; what has ended before stays as it is.
   *
   * @throws InvalidOption
   */
  async revoke(options: RevokeOptions = {}): Promise<string> {
    return revokeById(this.id, options, this.#reader);
  }

  async #document(): Promise<ResultDocument> {
    if (this.#final) return this.#final;
    const document = await this.#read();
    if (isFinal(document.status)) this.#final = document;
    return document;
  }

  /** Where its result is gone, too. */
  async #stated(): Promise<ResultDocument> {
    try {
      return await this.#document();
    } catch (error) {
      if (!PayloadNotFound.is(error)) throw error;
      return this.#read('state');
    }
  }

  async #read(reads?: 'state'): Promise<ResultDocument> {
    const { backend } = await this.#reader.ports();
    const [record] = await backend.get([this.id], this.#reader.clock.nowMs(), reads);
    return this.#told(visibleDocument(this.id, record), record);
  }

  /** Of a task that raised Ignore nothing is stored for others. Its own caller learns it. */
  #told(document: ResultDocument, record: TaskRecord | undefined): ResultDocument {
    if (this.#reader.eager === undefined || record?.finishedMs === undefined || isFinal(document.status))
      return document;
    return {
      ...document,
      status: record.status,
      result: undefined,
      dateDone: new Date(record.finishedMs).toISOString(),
    };
  }
}

/** What a task has thrown: itself where it ran here, or what stands for it. */
export function errorOf(document: ResultDocument, { eager }: ResultReader): unknown {
  return eager?.errors.has(document.taskId) === true ? eager.errors.get(document.taskId) : restoreError(document);
}

/** What a reader may see of a record: not what `ignoreResult` hides, nor STARTED without `trackStarted`. */
export function visibleDocument(id: string, record: TaskRecord | undefined): ResultDocument {
  if (record?.meta === undefined)
    return { status: PENDING, result: null, traceback: null, children: [], dateDone: null, taskId: id };
  const document = readDocument(record.meta);
  const { name, queue, attempt: retries } = record;
  return { ...document, extended: { ...extendedIn({ name, queue, retries }), ...document.extended } };
}

function outcomeOf<R>(document: ResultDocument, propagate: boolean, reader: ResultReader): R {
  refuseEncrypted(document);
  if (!isPropagated(document.status)) return document.result as R;
  const error = errorOf(document, reader);
  if (propagate) throw error;
  return error as R;
}
