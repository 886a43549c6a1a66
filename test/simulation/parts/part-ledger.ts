/**
 * What really happened to tasks in parts: told by the writes to their records, below every fault, and by their functions. Each
 * write must be one that leaves the task where it may go on; what it shares with the library is the record's form alone.
 */
import type { TaskRecord } from '../../../lib/ports/backend.ts';
import { CURRENT_INVOCATION, type SimulatedInvocation } from '../../../lib/testing/simulated-invocation.ts';
import type { Violation } from '../world/ledger.ts';
import { MAX_DELIVERIES } from './jobs.ts';
import { type Claim, isBack, type Known, storedOf, unknown } from './known-task.ts';

/** A function that has begun. */
export interface PartRun {
  readonly id: string;
  readonly line: string | undefined;
  readonly invocation: SimulatedInvocation | undefined;
  readonly part: number;
  readonly fromMs: number;
  readonly claim: Claim | undefined;
  over: boolean;
}

/** A task between two parts, which holds its line. */
interface Gap {
  readonly id: string;
  readonly untilMs: number;
}

const GAP_MS = 900_000;

export class PartLedger {
  readonly violations: Violation[] = [];
  readonly runs: PartRun[] = [];
  readonly #known = new Map<string, Known>();
  readonly #history = new Map<string, string[]>();
  readonly #began = new WeakMap<SimulatedInvocation, number>();
  readonly #lines = new Map<string, string>();
  readonly #gaps = new Map<string, Gap>();
  nowMs: () => number = () => 0;
  /** How far clocks may differ. */
  slackMs = 0;
  invocationMs = 0;

  violate(rule: string, what: string, id?: string): void {
    const trace = id === undefined ? '' : `\n      ${(this.#history.get(id) ?? []).join('\n      ')}`;
    this.violations.push({ rule, what: `${what}${trace}` });
  }

  note(id: string, text: string): void {
    const lines = this.#history.get(id) ?? [];
    lines.push(`${this.nowMs()} ${text}`);
    this.#history.set(id, lines);
  }

  known(id: string): Known {
    const known = this.#known.get(id) ?? unknown();
    this.#known.set(id, known);
    return known;
  }

  invocationBegins(invocation: SimulatedInvocation): void {
    this.#began.set(invocation, this.nowMs());
  }

  /** When an invocation began. */
  beganMs(invocation: SimulatedInvocation | undefined): number {
    return (invocation && this.#began.get(invocation)) ?? this.nowMs();
  }

  /** A record was written. */
  wrote(before: TaskRecord | undefined, after: TaskRecord): void {
    const { id } = after;
    const known = this.known(id);
    const isClaim = after.owner !== undefined && (after.owner !== before?.owner || after.attempt !== before.attempt);
    const isCommit = after.committed !== before?.committed && after.committed !== undefined;
    this.#mayStore(known, after, { isClaim });
    if (after.revokedMs !== undefined) known.revokedMs ??= this.nowMs();
    if ((after.requeues ?? 0) > (before?.requeues ?? 0)) {
      known.vain -= 1;
      known.open = false;
      if (!known.storedInPart) known.givenBack += 1;
      else if (isBack(after)) {
        this.#mayGoOn(id, known);
        this.#gap(id);
      }
    }
    if (isClaim) this.#claimed(known, before, after);
    if (before?.finishedMs !== undefined && after.finishedMs === undefined) this.#opened(id, known);
    const vain = known.vain + known.givenBack;
    if (isCommit && after.owner !== undefined) this.#committed(known, after);
    if (after.finishedMs !== undefined && after.finishedMs !== before?.finishedMs) {
      this.note(id, `end as ${after.status}`);
      known.ends.push({ state: after.status, meta: after.meta ?? '', atMs: this.nowMs(), vain });
      this.#gaps.delete(id);
    }
  }

  #opened(id: string, known: Known): void {
    this.note(id, 'opened again');
    Object.assign(known, { vain: 0, givenBack: 0, retries: known.retries + 1 });
  }

  #committed(known: Known, { id, committed, status, finishedMs }: TaskRecord): void {
    this.note(id, `commit of ${committed} as ${status}`);
    Object.assign(known, { vain: 0, givenBack: 0, open: false });
    if (finishedMs !== undefined) return;
    if (known.claims.at(-1)?.retrying === true) known.retries += 1;
    else {
      known.goneOn += 1;
      this.#mayGoOn(id, known);
      this.#gap(id);
    }
  }

  /** The last part that may be ends the task, however it ends. */
  #mayGoOn(id: string, { claims, maxParts }: Known): void {
    const part = claims.at(-1)?.part ?? 1;
    if (part >= maxParts) this.violate('the last part goes on as no other', `${id}: part ${part} of ${maxParts}`, id);
  }

  #mayStore(known: Known, after: TaskRecord, { isClaim }: { readonly isClaim: boolean }): void {
    const { id } = after;
    const stored = storedOf(after);
    const before = known.stored;
    if (JSON.stringify(stored) === JSON.stringify(before)) return;
    this.note(id, `stores ${JSON.stringify(stored)}`);
    known.stored = stored;
    if (stored === undefined) {
      // What has succeeded needs none.
      if (after.status !== 'SUCCESS' || after.finishedMs === undefined)
        this.violate('no checkpoint is lost', `${id} had ${before?.state.at}`, id);
      return;
    }
    known.storedInPart = true;
    Object.assign(known, { vain: Math.min(known.vain, 1), givenBack: 0 });
    const claim = known.claims.at(-1);
    if (isClaim || claim === undefined || claim.invocation !== CURRENT_INVOCATION.getStore())
      this.violate('only the owner stores', `${id} at ${stored.state.at}`, id);
    if (stored.state.at < (before?.state.at ?? 0))
      this.violate('no checkpoint goes back', `${id} from ${before?.state.at} to ${stored.state.at}`, id);
  }

  #claimed(known: Known, before: TaskRecord | undefined, after: TaskRecord): void {
    const { id, attempt = 0, owner } = after;
    const last = known.claims.at(-1);
    const part = last === undefined ? 1 : last.part + (known.storedInPart ? 1 : 0);
    this.note(id, `claim of ${attempt}, part ${part}`);
    if (before?.revokedMs !== undefined) this.violate('nothing begins once it is revoked', id, id);
    if (before?.finishedMs !== undefined) this.violate('nothing begins after the end', id, id);
    // Who gives a claim back counts none; the next attempt counts anew.
    known.vain += 1;
    Object.assign(known, { storedInPart: false, open: true });
    const invocation = CURRENT_INVOCATION.getStore();
    known.claims.push({ invocation, attempt, owner, stored: known.stored, part, retrying: false });
    this.#gaps.delete(id);
  }

  /** It is between two parts: what it holds stays its own for as long as docs/long-tasks.md says. */
  #gap(id: string): void {
    if (!this.#lines.has(id)) return;
    const known = this.known(id);
    // Who stood still ends late, and what it holds is renewed by nobody.
    const endMs = Math.min(this.nowMs(), this.beganMs(known.claims.at(-1)?.invocation) + this.invocationMs);
    const untilMs = endMs + GAP_MS - this.slackMs;
    known.heldMs = untilMs;
    this.#gaps.set(id, { id, untilMs });
  }

  /** A function begins. @param line where one runs at a time */
  begins(
    id: string,
    line: string | undefined,
    of: { readonly part: number; readonly state: unknown; readonly retries: number; readonly maxParts: number },
  ): PartRun {
    const invocation = CURRENT_INVOCATION.getStore();
    const known = this.known(id);
    known.maxParts = of.maxParts;
    const claim = known.claims.findLast((each) => each.invocation === invocation);
    const run: PartRun = { id, line, invocation, part: of.part, fromMs: this.nowMs(), claim, over: false };
    this.note(id, `run of part ${of.part} from ${JSON.stringify(of.state)}`);
    if (line !== undefined) this.#lines.set(id, line);
    if (claim === undefined) this.violate('no run without a claim', id, id);
    else if (known.claims.at(-1) === claim) {
      if (of.retries !== known.retries)
        this.violate('a part is no retry', `${id}: ${of.retries} retries, and ${known.retries} were asked for`, id);
      if (known.vain > MAX_DELIVERIES) this.violate('lost workers are counted', `${id}: ${known.vain}`, id);
    }
    if (claim !== undefined) {
      if (JSON.stringify(of.state ?? null) !== JSON.stringify(claim.stored?.state ?? null))
        this.violate('a part begins with the last checkpoint', `${id}: ${JSON.stringify(of.state)}`, id);
      if (of.part !== claim.part) this.violate('parts are counted', `${id}: part ${of.part} is ${claim.part}`, id);
    }
    for (const other of this.runs) if (this.#lives(other) && this.#lives(run)) this.#beside(run, other);
    this.#beforeGaps(run);
    this.runs.push(run);
    return run;
  }

  #beside(run: PartRun, other: PartRun): void {
    if (other.id === run.id) this.violate('a task never runs beside itself', run.id, run.id);
    else if (run.line !== undefined && other.line === run.line)
      this.violate('one at a time', `${run.id} beside ${other.id} in ${run.line}`, run.id);
  }

  #beforeGaps(run: PartRun): void {
    if (run.line === undefined || !this.#lives(run)) return;
    for (const gap of this.#gaps.values())
      if (
        gap.id !== run.id &&
        this.#lines.get(gap.id) === run.line &&
        gap.untilMs > this.nowMs() &&
        // Whoever meets a revoked one gives its slot back, before its end is written: nobody may run it any more.
        this.known(gap.id).revokedMs === undefined
      )
        this.violate('a line is held between two parts', `${run.id} begins, ${run.line} is ${gap.id}'s`, gap.id);
  }

  /** What is cut off counts no more, whatever its function still does. */
  #lives({ id, invocation, claim, over }: PartRun): boolean {
    if (over || invocation?.dead === true) return false;
    const known = this.known(id);
    if (known.claims.at(-1) !== claim || known.ends.length > 0) return false;
    return this.nowMs() < this.beganMs(invocation) + this.invocationMs - 1000 - this.slackMs;
  }

  /** A function asks for a retry. */
  retries({ claim }: PartRun): void {
    if (claim !== undefined) claim.retrying = true;
  }

  /** The function was told that `at` is stored. */
  answered(id: string, at: number): void {
    const stands = this.known(id).stored?.state.at ?? -1;
    if (CURRENT_INVOCATION.getStore()?.dead !== true && stands < at && this.known(id).ends.length === 0)
      this.violate('what is answered is stored', `${id}: ${at}, and ${stands} stands`, id);
  }
}
