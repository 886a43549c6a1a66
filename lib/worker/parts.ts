/**
 * A task that takes longer than an invocation: it goes on in another one, from what it stored last. To the protocol that is a
 * retry of the same number: one conditional write says that the part has ended and what the next one begins with, the next
 * message is sent, and then this one is acknowledged; whoever finds the write without the message sends it again.
 */
import { durationSeconds } from '../base/duration.ts';
import { refuseUnknownKeys } from '../base/checks.ts';
import { ResultTooLarge, Retry, TooManyParts, WorkerLostError } from '../base/errors.ts';
import { MAX_CHECKPOINT_BYTES, MAX_FIFO_PARTS, MAX_RECORDED_CHILDREN, PART_CUT_SECONDS } from '../base/limits.ts';
import { isPassing } from '../base/passing.ts';
import { RETRY, SUCCESS } from '../base/states.ts';
import { type Checkpoint, isNearlyOver, readCheckpoint } from '../flow/checkpoint.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { Logger } from '../ports/log.ts';
import type { ClaimOutcome, ClaimRequest, CommitRequest, UpdateOutcome } from '../ports/backend.ts';
import type { CheckpointOptions, TaskContext } from '../task/context.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { encodeJson } from '../wire/json.ts';
import type { Disposition } from './attempt.ts';
import { SettleInterrupted, timeLeftMs } from './deadline.ts';
import type { EndNotes } from './end-notes.ts';
import type { Pass } from './slot-gate.ts';
import type { Wanted } from './slot-seat.ts';
import type { Worker } from './worker.ts';

type Part = Omit<Wanted, 'key' | 'limit'>;

/** Runs what may have had parts before, and may go on. */
export function runPart(part: Part, maxParts: number, pass: Pass): Promise<Disposition> {
  const run = new PartRun(part, maxParts);
  return pass(run.worker(), run.definition());
}

const CHECKPOINT_KEYS: ReadonlySet<string> = new Set<keyof CheckpointOptions>(['every']);

// Those of the client itself come before.
const STORE_TRIES = 5;

/** One delivery of it. */
class PartRun {
  readonly #of: Part;
  readonly #isFifo: boolean;
  readonly #maxParts: number;
  #claim: ClaimRequest | undefined;
  /** When the attempt's first part began. */
  #sinceMs: number | undefined;
  /** What it began with. */
  #from: Checkpoint | undefined;
  /** What it stored last, as it is stored. */
  #stored: string | undefined;
  #storedMs = -Infinity;
  /** What goes on, by the error that says so. */
  readonly #nexts = new WeakMap<object, string>();
  /** What the next part begins with, once this one has ended. */
  #next: string | undefined;
  #calledMs = 0;
  #stretchMs = 0;

  constructor(of: Part, maxParts: number) {
    this.#of = of;
    this.#isFifo = isFifo(of.message.queue, of.worker.app.settings);
    this.#maxParts = this.#isFifo ? Math.min(maxParts, MAX_FIFO_PARTS) : maxParts;
  }

  /** The worker, as its attempt is to see it. */
  worker(): Worker {
    const { worker } = this.#of;
    const { logger } = worker.ports;
    return {
      ...worker,
      ports: {
        ...worker.ports,
        logger: {
          log: (level, text, fields) => {
            // Nothing has ended: the line of a retry, and its metrics, would say so.
            if (this.#next !== undefined && fields?.['state'] === 'retry') this.#logNext(logger);
            else logger.log(level, text, fields);
          },
        },
      },
      history: worker.history && this.#wholeIn(worker.history),
      claim: async (request) => this.#begin(request, await worker.claim(request)),
      commit: (request) => this.#commit(request),
    };
  }

  /** The time of all its parts is the attempt's, and how long the message of the last one waited says nothing. */
  #wholeIn(history: EndNotes): EndNotes {
    return {
      note: (message, { sentMs: _sentMs, ...delivery }, { ended = {}, ...committed }) =>
        history.note(message, delivery, {
          ...committed,
          ended: { ...ended, startedMs: this.#sinceMs ?? ended.startedMs },
        }),
      noteConcluded: (...of) => history.noteConcluded(...of),
      storeConcluded: (...of) => history.storeConcluded(...of),
      write: () => history.write(),
    };
  }

  definition(): TaskDefinition {
    const { definition } = this.#of;
    return { ...definition, run: (context, args) => this.#run(context, args) };
  }

  /** From 1. */
  get #part(): number {
    return this.#from?.part ?? 1;
  }

  #begin(request: ClaimRequest, outcome: ClaimOutcome): ClaimOutcome {
    if (outcome.kind !== 'claimed') return outcome;
    this.#claim = request;
    this.#from = readCheckpoint(outcome.checkpoint);
    // What a retry goes on from is an attempt's before.
    const isNew = this.#of.message.celeriac.part === undefined && outcome.deliveries === 1;
    this.#sinceMs = isNew ? request.nowMs : (this.#from?.sinceMs ?? request.nowMs);
    if (this.#from?.back !== true || outcome.requeues === 0) return outcome;
    return { ...outcome, deliveries: outcome.deliveries - 1, requeues: outcome.requeues - 1 };
  }

  async #commit(request: CommitRequest): Promise<boolean> {
    const { worker } = this.#of;
    const next = this.#next;
    if (next !== undefined && request.status === RETRY) {
      if (this.#isFifo) return this.#stay(next);
      // What readers see stays as it is: nothing has ended.
      const { meta: _meta, ignored: _ignored, ...ended } = request;
      return worker.commit({ ...ended, checkpoint: next });
    }
    const has = this.#from !== undefined || this.#stored !== undefined;
    // After a failure it may be run once more, by hand, and goes on from there.
    return worker.commit(has && request.status === SUCCESS ? { ...request, checkpoint: '' } : request);
  }

  /**
   * In a FIFO queue its message stays: sent anew it would come behind the rest of its group. Two writes, since a message that is
   * given back is one that nobody has ended: after the first alone it comes again when its lease is over.
   */
  async #stay(next: string): Promise<boolean> {
    const { worker } = this.#of;
    const claim = this.#claimed();
    const checkpoint = encodeJson({ ...readCheckpoint(next), back: true }, 'checkpoint');
    // Before the write: its answer may be lost.
    worker.leaveSlot?.();
    const outcome = await worker.ports.backend.update({ ...claim, checkpoint });
    if (outcome === 'lost') return false;
    await worker.release(claim);
    throw new SettleInterrupted();
  }

  #claimed(): Pick<ClaimRequest, 'id' | 'attempt' | 'owner'> {
    // It runs, so it was claimed.
    const { id, attempt, owner } = this.#claim as ClaimRequest;
    return { id, attempt, owner };
  }

  async #run(context: TaskContext, args: readonly unknown[]): Promise<unknown> {
    const { definition, worker } = this.#of;
    const { clock } = worker.ports;
    if (this.#part > this.#maxParts) throw this.#tooMany();
    const abort = new AbortController();
    const signal = AbortSignal.any([context.signal, abort.signal]);
    const wholeMs = context.remainingTime() * 1000;
    this.#calledMs = clock.nowMs();
    // Its own list, made for this run; readers see it as readonly.
    (context.request.children as string[]).unshift(...(this.#from?.children ?? []));
    const extended: Partial<TaskContext> = {
      part: this.#part,
      state: this.#from?.state,
      signal,
      checkpoint: (state, options) => this.#checkpoint(state, options, wholeMs, context),
      goOn: (state) => this.#goOn(state, context),
    };
    let cancel = (): void => {};
    const cut = new Promise<never>((_resolve, reject) => {
      const leftMs = timeLeftMs(clock, worker.invocation.deadlineMs) - PART_CUT_SECONDS * 1000;
      if (!Number.isFinite(leftMs)) return;
      cancel = clock.schedule(Math.max(0, leftMs), () => {
        // Cut off without a word of progress it would be cut off again.
        if (this.#stored === undefined || this.#part >= this.#maxParts) return;
        const error = this.#nextFrom(this.#stored);
        abort.abort(error);
        reject(error);
      });
    });
    try {
      return await Promise.race([definition.run(Object.assign(context, extended), args), cut]);
    } catch (error) {
      this.#next = typeof error === 'object' && error !== null ? this.#nexts.get(error) : undefined;
      throw error;
    } finally {
      cancel();
    }
  }

  async #checkpoint(
    state: unknown,
    options: CheckpointOptions = {},
    wholeMs: number,
    context: TaskContext,
  ): Promise<void> {
    const { worker } = this.#of;
    const nowMs = worker.ports.clock.nowMs();
    refuseUnknownKeys(options, CHECKPOINT_KEYS, 'checkpoint()');
    const everyMs = options.every === undefined ? 0 : durationSeconds(options.every, 'every of checkpoint()') * 1000;
    this.#stretchMs = Math.max(this.#stretchMs, nowMs - this.#calledMs);
    this.#calledMs = nowMs;
    const leftMs = context.remainingTime() * 1000;
    if (isNearlyOver({ leftMs, wholeMs, stretchMs: this.#stretchMs })) throw this.#goOn(state, context);
    if (nowMs - this.#storedMs < everyMs) return;
    const stored = this.#written(state, context);
    // Cut off before an answer comes, the part ends with it: it may stand, and never goes back.
    this.#stored = stored;
    const outcome = await this.#store(stored);
    if (outcome === 'stored') {
      this.#storedMs = nowMs;
      return;
    }
    if (outcome === 'lost')
      throw new WorkerLostError('Another delivery has taken the task over: what this one does counts no more.');
    // Who watches the run looks every few seconds, and aborts its signal.
    await aborted(context.signal);
    throw context.signal.reason;
  }

  /** A store that does not answer for a moment is no failure of the task. Written again it is the same. */
  async #store(checkpoint: string): Promise<UpdateOutcome> {
    const { backend, clock } = this.#of.worker.ports;
    for (let tries = 1; ; tries += 1) {
      try {
        return await backend.update({ ...this.#claimed(), checkpoint });
      } catch (error) {
        if (tries === STORE_TRIES || !isPassing(error)) throw error;
        await clock.sleep(100 * 2 ** tries);
      }
    }
  }

  #goOn(state: unknown, context: TaskContext): Retry {
    if (this.#part >= this.#maxParts) throw this.#tooMany();
    return this.#nextFrom(this.#written(state, context));
  }

  #nextFrom(stored: string): Retry {
    const part = this.#part + 1;
    const next = new Retry(`It goes on as part ${part}.`, this.#of.worker.ports.clock.nowMs(), undefined, { part });
    this.#nexts.set(next, stored);
    return next;
  }

  #written(state: unknown, context: TaskContext): string {
    const { message, worker } = this.#of;
    const children = context.request.children.slice(0, MAX_RECORDED_CHILDREN);
    const atMs = worker.ports.clock.nowMs();
    const next: Checkpoint = {
      part: this.#part + 1,
      sinceMs: this.#sinceMs ?? atMs,
      atMs,
      ...(children.length === 0 ? {} : { children }),
      state: state === undefined ? null : state,
    };
    const text = encodeJson(next, 'checkpoint');
    const bytes = Buffer.byteLength(encodeJson(next.state, 'checkpoint'));
    if (bytes <= MAX_CHECKPOINT_BYTES) return text;
    throw new ResultTooLarge(
      `The checkpoint of ${message.task}[${message.id}] takes ${bytes} bytes; ${MAX_CHECKPOINT_BYTES} are allowed, since it is written with its task's item. Store the data elsewhere, and its place in the checkpoint.`,
    );
  }

  #tooMany(): TooManyParts {
    const { message } = this.#of;
    const why = this.#isFifo
      ? `in a FIFO queue ${MAX_FIFO_PARTS} are the most, and maxParts may say less`
      : `maxParts of its task is ${this.#maxParts}`;
    return new TooManyParts(
      `Task ${message.task}[${message.id}] would go on as part ${this.#part + 1}, and ${why}. Raise it, do more in a part, or split the work into tasks.`,
    );
  }

  #logNext(logger: Logger): void {
    const { task, id, queue, retries } = this.#of.message;
    const part = this.#part + 1;
    const fields = { task, taskId: id, queue, attempt: retries, part };
    logger.log('info', `Task ${task}[${id}] goes on as part ${part}`, fields);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
