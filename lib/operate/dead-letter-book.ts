/** `app.deadLetters`: what was put aside, listed, sent back, thrown away. */
import { ImproperlyConfigured } from '../base/errors.ts';
import { booleanOption, idIn, integerIn } from '../base/checks.ts';
import { DEFAULT_LETTERS_LISTED, MAX_LETTERS_LISTED, SQS_MAX_VISIBILITY_SECONDS } from '../base/limits.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { type Rate, resolveRateLimit } from '../options/rate-limit.ts';
import type { DeadLetters, QueueCounts } from '../ports/dead-letters.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { eachQueue, QUEUES_AT_ONCE } from './each-queue.ts';
import { groupLetters, type LetterGroup } from './group-letters.ts';
import { type DeadLetter, type OpenLetter, readLetter } from './letter.ts';
import { checkedEdit } from './letter-edit.ts';
import { type DeadLetterQuery, type LetterFilter, resolveQuery } from './letter-query.ts';
import { LETTERS_AT_ONCE, redriveLetters, withPayload, wouldRedrive } from './redrive.ts';
import { type LetterEdit, messageOf } from './redriven-message.ts';
import { LetterReport, type RedriveProgress, type RedriveReport } from './letter-report.ts';
import { Pace } from './pace.ts';
import { Returned } from './returned.ts';
import { walkLetters } from './walk-letters.ts';

/** How dead letters are listed. */
export interface ListLettersOptions extends DeadLetterQuery {
  /** Letters that are looked at in each queue, 1 to 100,000. Default 1,000. */
  readonly limit?: number;
}

/** What lies in dead-letter queues. */
export interface DeadLetterList {
  /** Of each queue, task, error type and shape of message: the largest first. */
  readonly groups: readonly LetterGroup[];
  /** Every letter that was asked for, oldest first. */
  readonly letters: readonly DeadLetter[];
  /** False where a queue has more letters than were looked at. */
  readonly complete: boolean;
  /** What SQS counts of each queue, which may lag by a minute. */
  readonly counts: Readonly<Record<string, QueueCounts>>;
}

/** One letter with what its task was called with. */
export interface OpenedLetter extends DeadLetter {
  /** Positional arguments; absent where the message cannot be read. */
  readonly args?: readonly unknown[];
  /** Keyword arguments; absent where the message cannot be read. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** The body as it lies there. */
  readonly body: string;
}

/** How dead letters go back to their queues. */
export interface RedriveOptions extends DeadLetterQuery {
  /** So many in a time: `'5/s'`, `'100/m'`. Default: as fast as it goes. */
  readonly rate?: Rate;
  /** What their tasks do otherwise. Of a function: asked of each letter. */
  readonly edit?: LetterEdit | ((letter: OpenedLetter) => LetterEdit);
  /** Only tells what would become of them. Default false. */
  readonly dryRun?: boolean;
  /** Told after each step. */
  readonly onProgress?: (progress: RedriveProgress) => void;
  /** Ends it early: what has been sent has been sent, all else stays. */
  readonly signal?: AbortSignal;
}

/** How dead letters are thrown away. */
export type DropOptions = Omit<RedriveOptions, 'rate' | 'edit'>;

const COMMON_KEYS = ['dryRun', 'onProgress', 'signal'];

type LetterPorts = Ports & { readonly deadLetters: DeadLetters };

/**
 * The dead letters of a service. SQS has no list of a queue: whoever looks receives, so that letters are hidden from others
 * meanwhile. On AWS a caller needs `service.grantDeadLetters(fn)`.
 */
export class DeadLetterBook {
  readonly #app: App;

  /** Reads nothing yet. */
  constructor(app: App) {
    this.#app = app;
  }

  /**
   * What was put aside, grouped by task, error type and shape of message.
   *
   * @example
   * ```ts
   * const { groups } = await app.deadLetters.list({ since: '2h' });
   * for (const { task, error, count } of groups) console.log(task, error, count);
   * ```
   * @throws InvalidOption, QueueNotFound
   */
  async list(options: ListLettersOptions = {}): Promise<DeadLetterList> {
    const filter = this.#filter(options, 'list()', ['limit']);
    const limit = integerIn(options.limit ?? DEFAULT_LETTERS_LISTED, 1, MAX_LETTERS_LISTED, 'limit of list()');
    const found: DeadLetter[] = [];
    // Side by side: that a queue is empty is known only after a second.
    const looks = await mapConcurrently(filter.queues, QUEUES_AT_ONCE, async (queue) => {
      const { deadLetters } = await this.#ports();
      const counts = await deadLetters.count(queue);
      let looked = 0;
      const all = await walkLetters({ letters: deadLetters, queue }, (received) => {
        for (const each of received.slice(0, limit - looked)) {
          const letter = readLetter(each, queue, this.#app.settings.queues);
          if (filter.matches(letter)) found.push(letter);
        }
        looked += received.length;
        return Promise.resolve({ gone: new Set<string>(), enough: looked > limit });
      });
      return { queue, counts, all };
    });
    const letters = found.toSorted((left, right) => left.failedAt.getTime() - right.failedAt.getTime());
    const counts = Object.fromEntries(looks.map((look) => [look.queue, look.counts]));
    return { groups: groupLetters(letters), letters, complete: looks.every(({ all }) => all), counts };
  }

  /**
   * Letters of one task, with the arguments that it was called with.
   *
   * @throws InvalidOption, QueueNotFound
   */
  async show(id: string, options: Pick<DeadLetterQuery, 'queue'> = {}): Promise<readonly OpenedLetter[]> {
    idIn(id, 'show()');
    const filter = this.#filter({ ...options, id }, 'show()');
    const found: OpenedLetter[] = [];
    await eachQueue(filter.queues, undefined, async (queue, signal) => {
      const { deadLetters } = await this.#ports();
      await walkLetters({ letters: deadLetters, queue, signal }, (received) => {
        found.push(...this.#matching(received, queue, filter).map(opened));
        return Promise.resolve({ gone: new Set<string>() });
      });
    });
    return found.toSorted((left, right) => left.failedAt.getTime() - right.failedAt.getTime());
  }

  /**
   * Has tasks run once more, each under its id as a new attempt. What has been told of their failures stands; a chain goes
   * on after the step. Asked twice, they still run once.
   *
   * @example
   * ```ts
   * const { sent } = await app.deadLetters.redrive({ task: 'orders.charge', error: 'TimeLimitExceeded', rate: '5/s' });
   * ```
   * @throws InvalidOption, QueueNotFound
   */
  async redrive(options: RedriveOptions = {}): Promise<RedriveReport> {
    const filter = this.#filter(options, 'redrive()', [...COMMON_KEYS, 'rate', 'edit']);
    const pace = new Pace(resolveRateLimit(options.rate, 'rate of redrive()'), this.#app.clock);
    const editOf = editor(options.edit);
    const { dryRun = false } = options;
    booleanOption(dryRun, 'dryRun of redrive()');
    const report = new LetterReport(options.onProgress);
    const returned = new Returned(this.#app.clock.nowMs());
    // What one has received waits for its turn among the others.
    const waiting = LETTERS_AT_ONCE * Math.min(filter.queues.length, QUEUES_AT_ONCE);
    const extraSeconds = Math.min(pace.secondsFor(waiting), SQS_MAX_VISIBILITY_SECONDS / 2);
    await eachQueue(filter.queues, options.signal, async (queue, signal) => {
      const { deadLetters } = await this.#ports();
      const held = new Set<string | undefined>();
      await walkLetters({ letters: deadLetters, queue, signal, extraSeconds }, async (received) => {
        const gone = new Set<string>();
        const open = this.#matching(received, queue, filter).filter((each) => !returned.has(each));
        report.looked(received.length);
        for (let from = 0; from < open.length && !signal.aborted; from += pace.atOnce) {
          const some = open.slice(from, from + pace.atOnce);
          for (const each of some) returned.note(each);
          const how = { queue, editOf, dryRun, pace, report, held };
          for (const messageId of await this.#redriveSome(some, how)) gone.add(messageId);
        }
        return { gone };
      });
    });
    return report.end(options.signal?.aborted !== true);
  }

  /**
   * Deletes letters for good: nothing tells any more what they were. The records of their tasks stay.
   *
   * @throws InvalidOption, QueueNotFound
   */
  async drop(options: DropOptions = {}): Promise<RedriveReport> {
    const filter = this.#filter(options, 'drop()', COMMON_KEYS);
    const { dryRun = false } = options;
    booleanOption(dryRun, 'dryRun of drop()');
    const report = new LetterReport(options.onProgress);
    await eachQueue(filter.queues, options.signal, async (queue, signal) => {
      const { deadLetters } = await this.#ports();
      await walkLetters({ letters: deadLetters, queue, signal }, async (received) => {
        const open = this.#matching(received, queue, filter);
        report.looked(received.length);
        if (!dryRun && open.length > 0)
          await deadLetters.remove(
            queue,
            open.map((each) => each.received.receipt),
          );
        for (const { letter } of open) report.count(letter, { kind: 'dropped' });
        return { gone: dryRun ? new Set() : messageIds(open) };
      });
    });
    return report.end(options.signal?.aborted !== true);
  }

  async #redriveSome(
    some: readonly OpenLetter[],
    { queue, editOf, dryRun, pace, report, held }: Redriving,
  ): Promise<ReadonlySet<string>> {
    const ports = await this.#ports();
    // What is not there is told by whoever redrives it.
    const letters = await mapConcurrently(some, PAYLOADS_AT_ONCE, (open) =>
      withPayload(open, this.#app, ports).catch(() => open),
    );
    const edits = letters.map((open) => editOf(open));
    if (dryRun) {
      for (const [index, open] of letters.entries())
        report.count(open.letter, await wouldRedrive(open, edits[index] ?? {}, this.#app, ports));
      return new Set();
    }
    await pace.wait(some.length);
    const outcomes = await redriveLetters(letters, edits, this.#app, ports, held);
    const done = some.filter((_, index) => DELETED_AFTER.has(outcomes[index]?.kind ?? ''));
    // What has been sent is deleted after that: a crash in between sends it twice, and it runs once.
    if (done.length > 0)
      await ports.deadLetters.remove(
        queue,
        done.map(({ received }) => received.receipt),
      );
    for (const [index, outcome] of outcomes.entries()) {
      const open = some[index];
      if (open !== undefined) report.count(open.letter, outcome);
    }
    return messageIds(done);
  }

  #matching(
    received: readonly OpenLetter['received'][],
    queue: string,
    { matches }: LetterFilter,
  ): readonly OpenLetter[] {
    return received
      .map((each) => ({ received: each, letter: readLetter(each, queue, this.#app.settings.queues) }))
      .filter(({ letter }) => matches(letter));
  }

  #filter(query: DeadLetterQuery, what: string, also: readonly string[] = []): LetterFilter {
    return resolveQuery(query, this.#app.settings, this.#app.clock.nowMs(), what, also);
  }

  async #ports(): Promise<LetterPorts> {
    const ports = await this.#app.ports();
    const { deadLetters } = ports;
    if (deadLetters === undefined)
      throw new ImproperlyConfigured('app.deadLetters: app.use() was given no `deadLetters`.');
    return { ...ports, deadLetters };
  }
}

interface Redriving {
  readonly queue: string;
  readonly editOf: (open: OpenLetter) => LetterEdit;
  readonly dryRun: boolean;
  readonly pace: Pace;
  readonly report: LetterReport;
  readonly held: Set<string | undefined>;
}

const PAYLOADS_AT_ONCE = 4;
const DELETED_AFTER: ReadonlySet<string> = new Set(['sent', 'settled', 'superseded']);

function messageIds(letters: readonly OpenLetter[]): ReadonlySet<string> {
  return new Set(letters.map(({ letter }) => letter.messageId));
}

function opened(open: OpenLetter): OpenedLetter {
  const message = messageOf(open);
  const call = message === undefined ? {} : { args: message.args, kwargs: message.kwargs };
  return { ...open.letter, ...call, body: open.received.body };
}

/** @throws InvalidOption */
function editor(edit: RedriveOptions['edit']): (open: OpenLetter) => LetterEdit {
  if (typeof edit === 'function') return (open) => checkedEdit(edit(opened(open)));
  const checked = checkedEdit(edit ?? {});
  return () => checked;
}
