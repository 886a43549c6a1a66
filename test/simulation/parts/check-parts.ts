/** What must have come of jobs when everything is at rest: told by what they say of themselves, and by what the faults did. */
import { bodyOf, type PartLoad } from './part-load.ts';
import {
  FIFO_TASKS,
  INVOCATION_SECONDS,
  type Job,
  MAX_DELIVERIES,
  maxPartsOf,
  type PartPlan,
  SHORT_SECONDS,
  sumAfter,
  undisturbedParts,
} from './jobs.ts';
import type { End } from './known-task.ts';
import type { PartLedger } from './part-ledger.ts';

export interface SentPlan {
  readonly plan: PartPlan;
  readonly atMs: number;
}

interface Outcome {
  readonly ok: boolean;
  readonly value?: unknown;
}

export class PartChecker {
  readonly #ledger: PartLedger;
  readonly #load: PartLoad;
  readonly #punctual: boolean;

  constructor(ledger: PartLedger, load: PartLoad, punctual: boolean) {
    this.#ledger = ledger;
    this.#load = load;
    this.#punctual = punctual;
  }

  check(sent: readonly SentPlan[]): void {
    for (const each of sent) {
      const { plan } = each;
      if (plan.kind === 'chain') this.#chain(each);
      else {
        const ends = plan.jobs.map((job) => this.#job(job, undefined, each));
        if (plan.kind === 'chord') this.#body(plan, ends);
      }
    }
    this.#signals(sent);
  }

  #chain(sent: SentPlan): void {
    let given: Outcome = { ok: true };
    for (const job of sent.plan.jobs) {
      const { runs } = this.#ledger;
      if (given.ok) given = this.#job(job, given.value, sent);
      else if (runs.some(({ id }) => id === job.key))
        this.#ledger.violate('nothing runs after a failure', job.key, job.key);
    }
  }

  #body({ jobs }: PartPlan, ends: readonly Outcome[]): void {
    const id = bodyOf(jobs);
    const given = this.#load.bodies.get(id) ?? [];
    const succeeded = ends.every(({ ok }) => ok);
    const values = JSON.stringify(ends.map(({ value }) => value));
    if (!succeeded && given.length > 0) this.#ledger.violate('nothing runs after a failure', id);
    if (succeeded && given.length === 0) this.#ledger.violate('a body waits for the last part, and comes', id);
    for (const each of succeeded ? given : [])
      if (JSON.stringify(each) !== values)
        this.#ledger.violate('right values in order', `${id} got ${JSON.stringify(each)}, not ${values}`, id);
    const successes = this.#ledger.known(id).ends.filter(({ state }) => state === 'SUCCESS').length;
    if (successes !== (succeeded ? 1 : 0)) this.#ledger.violate('a body runs once', `${id}: ${successes}`, id);
  }

  #job(job: Job, given: unknown, { plan, atMs }: SentPlan): Outcome {
    const { key } = job;
    const known = this.#ledger.known(key);
    const end = known.ends.at(-1);
    const value = sumAfter(key, given, job.steps);
    if (end === undefined) {
      this.#ledger.violate('every task ends', key, key);
      return { ok: false };
    }
    const runs = this.#ledger.runs.filter(({ id }) => id === key);
    const most = Math.max(0, ...runs.map(({ part }) => part));
    if (most > maxPartsOf(job.task)) this.#ledger.violate('no more parts than maxParts', `${key}: ${most}`, key);
    for (const { claim } of runs) {
      const state = claim?.stored?.state;
      if (state !== undefined && state.sum !== sumAfter(key, given, state.at))
        this.#ledger.violate('the state is its own', `${key}: ${JSON.stringify(state)}`, key);
    }
    if (!this.#mayEnd(job, end, most, { plan, atMs }))
      this.#ledger.violate('each ends as it must', `${key} as ${end.state} ${end.meta}, ${JSON.stringify(job)}`, key);
    if (end.state !== 'SUCCESS') return { ok: false };
    this.#result(job, end, value);
    if (this.#punctual) this.#parts(job, most, plan);
    return { ok: true, value };
  }

  #result({ key, twist }: Job, { meta }: End, value: unknown): void {
    const { result, children } = JSON.parse(meta) as { readonly result: unknown; readonly children?: unknown };
    if (result !== value) this.#ledger.violate('one result', `${key}: ${String(result)}, not ${String(value)}`, key);
    if (twist.kind === 'spawn' && this.#ledger.known(key).claims.length === 1 + this.#ledger.known(key).goneOn) {
      const told = JSON.stringify(children ?? []);
      if (!told.includes('"')) this.#ledger.violate('children of every part are told', `${key}: ${told}`, key);
    }
    if (this.#ledger.known(key).stored !== undefined)
      this.#ledger.violate('what has succeeded keeps no checkpoint', key, key);
  }

  /** Whether nothing but what the job says of itself, and what the faults did, led to its end. */
  #mayEnd(job: Job, end: End, most: number, { plan, atMs }: SentPlan): boolean {
    const { twist, key, task } = job;
    const known = this.#ledger.known(key);
    if (end.state === 'SUCCESS') return !['fail', 'stuck'].includes(twist.kind);
    if (end.state === 'REVOKED') {
      if (plan.revoke !== undefined && known.revokedMs !== undefined) return true;
      const isOver = plan.expires !== undefined && end.atMs >= atMs + plan.expires * 1000 - this.#ledger.slackMs;
      return isOver && (FIFO_TASKS.has(task) || known.goneOn === 0);
    }
    // What has expired is not redriven.
    if (end.state === 'REJECTED')
      return twist.kind === 'reject' && (plan.expires !== undefined || !this.#load.redriven.has(key));
    if (end.state === 'IGNORED') return task === 'left' && this.#mayBeLeftOut(job, end);
    if (end.state !== 'FAILURE') return false;
    const { exc_type: type } = (JSON.parse(end.meta) as { readonly result: { readonly exc_type: string } }).result;
    if (type === 'WorkerLostError') return end.vain > MAX_DELIVERIES;
    if (type === 'TooManyParts') return most === maxPartsOf(task);
    if (type === 'TimeLimitExceeded') return this.#wasLong(job, end);
    return type === 'TypeError' && twist.kind === 'fail';
  }

  /** It holds nothing: it has not begun, its worker has died, it is retried, or its next part was away for too long. */
  #mayBeLeftOut({ key, twist }: Job, { atMs }: End): boolean {
    const { claims, open, heldMs } = this.#ledger.known(key);
    return claims.length === 0 || open || twist.kind === 'retry' || atMs >= heldMs;
  }

  /** Its last run took as long as it may. */
  #wasLong({ key, task }: Job, { atMs }: End): boolean {
    const last = this.#ledger.runs.findLast(({ id }) => id === key);
    if (last === undefined) return false;
    const ofTask = task === 'short' && atMs - last.fromMs >= (SHORT_SECONDS - 1) * 1000;
    return ofTask || atMs - this.#ledger.beganMs(last.invocation) >= (INVOCATION_SECONDS - 5) * 1000;
  }

  /** Without faults there are no more parts than its time asks for. */
  #parts(job: Job, most: number, { revoke }: PartPlan): void {
    if (job.twist.kind !== 'none' || revoke !== undefined || FIFO_TASKS.has(job.task)) return;
    // Another one of its batch has killed its worker.
    const { claims, goneOn } = this.#ledger.known(job.key);
    if (claims.length > 1 + goneOn) return;
    const parts = undisturbedParts(job, INVOCATION_SECONDS - 2);
    if (most !== parts)
      this.#ledger.violate(
        'parts as the page has it',
        `${job.key}: ${most}, not ${parts}, ${JSON.stringify(job)}`,
        job.key,
      );
  }

  #signals(sent: readonly SentPlan[]): void {
    const { retry, success } = this.#load.told;
    for (const job of sent.flatMap(({ plan }) => plan.jobs)) {
      if (retry.has(job.key) && job.twist.kind !== 'retry')
        this.#ledger.violate('no retry is told of a part', job.key, job.key);
      const ended = this.#ledger.known(job.key).ends.some(({ state }) => state === 'SUCCESS');
      if (success.has(job.key) && !ended) this.#ledger.violate('a success is told at the end', job.key, job.key);
    }
  }
}
