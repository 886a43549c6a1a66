/** One task against what must have come of it: its state, error, attempts, dead letter, times. */
import { type Ending, endingsOf, errorOf, hasError, isSame, type TaskError, untimely } from './expect.ts';
import type { End, Facts } from './facts.ts';
import type { Ledger, Run } from './ledger.ts';
import type { Leaf } from './program.ts';

/** What a part of a program came to. */
export type Outcome = { readonly kept?: Kept } & (
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly state: string;
      readonly error: TaskError;
      /** What its reader is told, where that is not what is passed on to those who follow. */
      readonly told?: { readonly state: string; readonly error: TaskError };
    }
);

/** The record of who came to it: from when, and until when it can be read. */
export interface Kept {
  readonly fromMs: number;
  readonly untilMs: number;
  /** It never ran, and nobody knows its id: it may be gone at any time. */
  readonly isUnknown?: boolean;
}

/** A task that does as it is told at once: a link, a child, a tick. */
export const PLAIN: Pick<Leaf, 'behaviour' | 'task'> = { behaviour: { kind: 'ok' }, task: 'leaf' };

// No task has a limit of its own: a quarter of an invocation of 300 s, less what is kept for its end, is asked for before
// the claim, and half of that after it, since a store may stand still in between.
const LEAST_LEFT_MS = (300_000 - 2000) / 4 / 2;

const LONGEST_FREEZE_MS = 600_000;

const ENDED_WITHOUT: Readonly<Record<string, TaskError>> = {
  IGNORED: { type: 'ImproperlyConfigured' },
};

export class TaskChecker {
  readonly #ledger: Ledger;
  readonly #facts: Facts;
  readonly #ends: ReadonlyMap<string, End>;
  readonly #deadLetters: ReadonlyMap<string, readonly string[]> | undefined;
  readonly #slackMs: number;

  /**
   * @param ends how every task ended, as its readers see it
   * @param deadLetters reasons of the dead letters by task id; undefined where nobody can look
   */
  constructor(
    ledger: Ledger,
    ends: ReadonlyMap<string, End>,
    deadLetters: ReadonlyMap<string, readonly string[]> | undefined,
    slackMs: number,
  ) {
    this.#ledger = ledger;
    this.#facts = ledger.facts;
    this.#ends = ends;
    this.#deadLetters = deadLetters;
    this.#slackMs = slackMs;
  }

  end(id: string): End | undefined {
    return this.#ends.get(id);
  }

  /** A task that was sent. */
  reached(leaf: Pick<Leaf, 'behaviour' | 'task' | 'expires'>, name: string, id: string): End | undefined {
    const end = this.#ends.get(id);
    // Told by 'every task ends'.
    if (end === undefined) return undefined;
    const endings = endingsOf(leaf, id, this.#facts);
    const ending = endings.find((each) => isSame(each, end) && hasError(each.error, end));
    if (ending === undefined) {
      const near = endings.some((each) => each.state === end.state);
      this.#ledger.violate(
        near ? 'right error and attempt' : 'ends as it must',
        `${name} is ${shown(end)}; allowed: ${endings.map(shownEnding).join(' or ')}`,
        id,
      );
      return end;
    }
    this.#runs(name, id, ending, end);
    this.#checkDeadLetter(name, id, ending);
    this.#expiry(leaf, name, id, end, ending);
    return end;
  }

  /** A step that can never run: its state says why, for whoever waits for it. */
  unreached(leaf: Leaf, id: string | undefined, cause: TaskError): void {
    const [run] = this.#ledger.runsByKey.get(leaf.key) ?? [];
    if (run !== undefined) this.#ledger.violate('nothing runs after a failure', leaf.key, run.id);
    const end = id === undefined ? undefined : this.#ends.get(id);
    if (id === undefined || end === undefined) return;
    const isRevoked = this.#facts.revoke(id) !== undefined && end.state === 'REVOKED';
    if (!isRevoked && (end.state !== 'FAILURE' || !hasError(cause, end)))
      this.#ledger.violate('a failure is passed on', `${leaf.key} is ${shown(end)}, not FAILURE ${cause.type}`, id);
    this.#checkDeadLetter(leaf.key, id, { state: 'FAILURE' });
  }

  timely(leaf: Leaf, runs: readonly Run[]): void {
    const wrong = untimely(leaf, runs, this.#facts, this.#slackMs);
    if (wrong !== undefined) this.#ledger.violate(wrong.rule, wrong.what, wrong.id);
    const [first] = runs;
    const revoke = first === undefined ? undefined : this.#facts.revoke(first.id);
    if (first === undefined || revoke === undefined) return;
    // What a worker had when it was revoked may have begun a moment later; nothing begins again.
    const allowed = revoke.runs + (revoke.open ? 1 : 0);
    if (!revoke.ended && runs.length > allowed)
      this.#ledger.violate('what is revoked does not start', `${leaf.key} ran ${runs.length} times`, first.id);
  }

  #runs(name: string, id: string, ending: Ending, end: End): void {
    const runs = this.#ledger.runs.filter((run) => run.id === id);
    const last = end.attempt ?? ending.attempt ?? 0;
    const limited = this.#facts.watched && ending.error?.type === 'TimeLimitExceeded';
    if (limited) this.#limited(name, runs.at(-1), end);
    const ran =
      ending.unrun !== true &&
      ending.state !== 'REVOKED' &&
      ending.error?.type !== 'WorkerLostError' &&
      ending.deadLetter !== 'not registered';
    for (let attempt = 0; attempt <= last; attempt += 1) {
      const count = runs.filter((run) => run.attempt === attempt).length;
      if (count === 0 && (attempt < last ? ending.gaps !== true : ran))
        this.#ledger.violate('every attempt runs', `${name}: attempt ${attempt} of ${last} did not`, id);
      if (this.#facts.watched && count > this.#facts.claims(id, attempt))
        this.#ledger.violate('no run without a claim', `${name}: ${count} runs of attempt ${attempt}`, id);
    }
    if (end.attempt !== undefined && runs.some((run) => run.attempt > last))
      this.#ledger.violate('nothing follows an end', `${name} ran after attempt ${last}`, id);
  }

  /** Its time was over, and it had begun where enough was left. */
  #limited(name: string, run: Run | undefined, { atMs: endMs = 0 }: End): void {
    if (run?.leftMs === undefined) return;
    const { id, atMs, leftMs } = run;
    // In whole milliseconds.
    if (endMs - atMs < leftMs - 1)
      this.#ledger.violate('ends as it must', `${name}: of its ${leftMs} ms ${endMs - atMs} were over`, id);
    if (leftMs < LEAST_LEFT_MS) this.#ledger.violate('ends as it must', `${name} began with ${leftMs} ms left`, id);
  }

  #checkDeadLetter(name: string, id: string, ending: Ending): void {
    if (this.#deadLetters === undefined) return;
    const reasons = this.#deadLetters.get(id) ?? [];
    if (ending.deadLetter !== undefined && !reasons.includes(ending.deadLetter))
      this.#ledger.violate('dead letters are sent', `${name}: no dead letter '${ending.deadLetter}'`, id);
    const stray = reasons.find((reason) => reason !== ending.deadLetter);
    if (stray !== undefined)
      this.#ledger.violate('dead letters are explained', `${name}, ${ending.state}: ${stray}`, id);
  }

  #expiry(leaf: Pick<Leaf, 'expires' | 'task'>, name: string, id: string, end: End, ending: Ending): void {
    const sends = this.#facts.sends(id);
    if (leaf.expires === undefined || sends === undefined) return;
    const [first = 0] = sends.expiresMs;
    const lateMs = sends.firstMs + leaf.expires * 1000 - first;
    // Whoever sent it may have stood still between writing it and sending it.
    if (lateMs < -this.#slackMs - 1000 || lateMs > LONGEST_FREEZE_MS + this.#slackMs + 1000)
      this.#ledger.violate('expires as it was told', `${name}: sent at ${sends.firstMs}, expires at ${first}`, id);
    // What may start after it expires only is told so at once.
    const early = !this.#facts.heldUp.has(leaf.task) && (end.atMs ?? Infinity) < first - this.#slackMs;
    if (ending.error?.message === 'expired' && end.atMs !== undefined && early)
      this.#ledger.violate('ends as it must', `${name} expired ${first - end.atMs} ms too early`, id);
  }
}

/** What those learn that follow a task without a result. */
export function failureOf(end: End): Outcome {
  const error = errorOf(end) ?? ENDED_WITHOUT[end.state] ?? { type: 'Error' };
  return { ok: false, state: end.state, error };
}

function shown(end: End): string {
  const error = errorOf(end);
  return `${end.state} of attempt ${end.attempt}${error === undefined ? '' : ` with ${error.type}: ${error.message}`}`;
}

function shownEnding({ state, attempt, error }: Ending): string {
  return `${state} of attempt ${attempt ?? 'any'}${error === undefined ? '' : ` with ${error.type}: ${error.message ?? '...'}`}`;
}
