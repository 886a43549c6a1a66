/** What must be true when everything has come to rest. */
import type { TaskRecord } from '../../../lib/ports/backend.ts';
import { isFinal } from '../../../lib/base/states.ts';
import { CHORD_ERROR, gathered, isBefore, joined, UNKNOWN } from './check-joined.ts';
import { failureOf, type Kept, type Outcome, PLAIN, TaskChecker } from './check-task.ts';
import type { TaskError } from './expect.ts';
import type { End } from './facts.ts';
import type { Ledger, Run } from './ledger.ts';
import { isGroup, type Leaf, leavesOf, type Policy, type Program, type Tree, valueOf } from './program.ts';
import { UNSENT } from './refusals.ts';
import { fits } from './values.ts';

export interface Sent {
  readonly program: Program;
  readonly resultIds: readonly string[];
  readonly atMs: number;
  /** Its sender died before anything of it was sent. */
  readonly unsent?: boolean;
}

/** SQS delays whole seconds. */
export const PUNCTUAL_MS = 1500;

type ReadRecords = (ids: readonly string[]) => Promise<readonly (TaskRecord | undefined)[]>;
type Called = 'yes' | 'no' | 'maybe';

const REVOKED = { state: 'REVOKED', error: { type: 'TaskRevokedError' } };
const UNREACHED: Outcome = { ok: false, state: 'FAILURE', error: { type: 'Error' } };

export class Checker {
  readonly #read: ReadRecords;
  readonly #ledger: Ledger;
  readonly #ends = new Map<string, End>();
  readonly #skewMs: number;
  readonly #punctual: boolean;
  readonly #tasks: TaskChecker;

  /**
   * @param punctual nothing is in the way: what is due runs at once
   * @param deadLetters reasons of the dead letters by task id; undefined where nobody can look
   */
  constructor(
    read: ReadRecords,
    ledger: Ledger,
    skewSeconds: number,
    punctual = false,
    deadLetters?: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#read = read;
    this.#ledger = ledger;
    this.#skewMs = 2 * skewSeconds * 1000;
    this.#punctual = punctual;
    this.#tasks = new TaskChecker(ledger, this.#ends, deadLetters, this.#skewMs);
  }

  /** How every task ended that was heard of. */
  get ends(): ReadonlyMap<string, End> {
    return this.#ends;
  }

  async check(sent: readonly Sent[]): Promise<void> {
    const { facts } = this.#ledger;
    const heard = [...this.#ledger.ids, ...facts.sent.keys(), ...facts.ended.keys()];
    const ids = [...new Set([...heard, ...sent.flatMap((each) => each.resultIds)])];
    const records = await this.#read(ids);
    for (const [index, id] of ids.entries()) this.#stands(id, records[index]);
    await this.#named(sent);
    for (const each of sent) {
      if (each.unsent === true) this.#nothing(each.program);
      else this.#program(each);
    }
  }

  /** Steps that nobody heard of, whose ids are known all the same. */
  async #named(sent: readonly Sent[]): Promise<void> {
    const trees = sent.filter(({ program }) => program.explicitIds).map(({ program }) => program.tree);
    const ids = trees.flatMap((tree) => leavesOf(tree).map(({ key }) => key)).filter((key) => !this.#ends.has(key));
    const records = ids.length === 0 ? [] : await this.#read(ids);
    for (const [index, id] of ids.entries()) if (records[index] !== undefined) this.#stands(id, records[index]);
  }

  /** What was committed is what is read, as long as it is kept. */
  #stands(id: string, record: TaskRecord | undefined): void {
    const written = this.#ledger.facts.end(id);
    if (record === undefined && written !== undefined) {
      this.#ends.set(id, written);
      return;
    }
    if (record === undefined || !isFinal(record.status)) {
      this.#ledger.violate('every task ends', `${id} is ${record?.status ?? 'unknown'}`, id);
      return;
    }
    if (written !== undefined && written.state !== record.status)
      this.#ledger.violate('one final state', `${id} became ${written.state} and is ${record.status}`, id);
    const { status: state, attempt, meta, ignored } = record;
    this.#ends.set(id, { state, attempt, meta: ignored === true ? undefined : meta, atMs: written?.atMs });
  }

  /** A task that was sent by itself. */
  single(leaf: Pick<Leaf, 'behaviour' | 'task'>, id: string): void {
    this.#tasks.reached(leaf, id, id);
  }

  #nothing(program: Program): void {
    for (const { key } of leavesOf(program.tree))
      if (this.#ledger.runsByKey.has(key))
        this.#ledger.violate('whole or not at all', `${key} ran, and was never sent`);
  }

  #program({ program, atMs, resultIds }: Sent): void {
    this.#tree(program.tree, undefined, true, program);
    const [only] = resultIds;
    // What never ran is known to nobody by another id than the one that was told.
    const known = program.tree.type === 'leaf' ? this.#idOf(program.tree, program) : undefined;
    if (known !== undefined && only !== undefined && only !== known)
      this.#ledger.violate('one task per place', `${program.name}: its result is told under another id`, only);
    for (const leaf of leavesOf(program.tree)) {
      const runs = this.#ledger.runsByKey.get(leaf.key) ?? [];
      for (const run of runs) {
        const etaMs = atMs + (leaf.countdown ?? 0) * 1000;
        if (run.atMs < etaMs - this.#skewMs)
          this.#ledger.violate('never early', `${leaf.key} by ${etaMs - run.atMs} ms`, run.id);
      }
      this.#tasks.timely(leaf, runs);
      if (this.#punctual && program.tree === leaf) this.#onTime(leaf, atMs);
    }
  }

  /** An ETA is met to about a second; `late` waits for its deployment, FIFO for what comes before it. */
  #onTime(leaf: Leaf, atMs: number): void {
    const [run] = this.#ledger.runsByKey.get(leaf.key) ?? [];
    if (run === undefined || leaf.task === 'late' || leaf.task === 'ordered') return;
    if (this.#ledger.facts.heldUp.has(leaf.task)) return;
    const lateMs = run.atMs - atMs - (leaf.countdown ?? 0) * 1000;
    if (lateMs > PUNCTUAL_MS) this.#ledger.violate('on time', `${leaf.key} ${lateMs} ms late`, run.id);
  }

  /** What a tree came to, from what its leaves came to; on the way everything that does not fit is told. */
  #tree(tree: Tree, prev: unknown, first: boolean, program: Program, body?: Leaf): Outcome {
    if (tree.type === 'leaf') return this.#leaf(tree, prev, first, program);
    if (tree.type === 'group') {
      const whole = this.#joined(this.#members(tree.members, prev, first, program), 'celery', program, body);
      return { ...whole, ...this.#kept(undefined, undefined) };
    }
    if (tree.type === 'chord') {
      const members = this.#members(tree.header, prev, first, program);
      const uncounted = this.#uncounted(tree.header);
      const header = uncounted ?? this.#joined(members, tree.policy, program, tree.body);
      return header.ok
        ? this.#leaf(tree.body, header.value, false, program)
        : this.#failBody(tree.body, header, program, uncounted?.error);
    }
    return this.#chain(tree.steps, prev, first, program, body);
  }

  /** A member that nobody can count: its body must not wait for it. */
  #uncounted(header: readonly Tree[]): Extract<Outcome, { ok: false }> | undefined {
    const { refusals } = this.#ledger.facts;
    const refusal = header
      .map((member) => (member.type === 'leaf' ? refusals.get(member.key) : undefined))
      .find((each) => each?.at === 'mark');
    return refusal === undefined ? undefined : { ok: false, state: 'FAILURE', error: { type: refusal.error } };
  }

  /** What a header comes to for its body: records that nobody can read any more are none. */
  #joined(members: readonly Outcome[], policy: Policy, program: Program, body: Leaf | undefined): Outcome {
    const id = body === undefined ? undefined : this.#idOf(body, program);
    const end = id === undefined ? undefined : this.#tasks.end(id);
    const runs = body === undefined ? [] : (this.#ledger.runsByKey.get(body.key) ?? []);
    // Of a body that was never sent, and failed, nothing is known.
    if (body === undefined || (end === undefined && id !== undefined)) return joined(members, policy);
    return gathered(members, policy, { end, runs }, this.#skewMs);
  }

  #kept(id: string | undefined, end: End | undefined): { readonly kept?: Kept } {
    if (id === undefined && this.#ledger.keptMsIn(undefined) < Infinity) return { kept: UNKNOWN };
    // What is revoked is remembered for longer than any message may wait.
    if (id === undefined || end?.atMs === undefined || this.#ledger.facts.revoke(id) !== undefined) return {};
    return { kept: { fromMs: end.atMs, untilMs: end.atMs + this.#ledger.keptMs(id) } };
  }

  #chain(steps: readonly Tree[], prev: unknown, first: boolean, program: Program, body?: Leaf): Outcome {
    let given: Outcome = { ok: true, value: prev };
    let failed: Outcome | undefined;
    for (const [index, step] of steps.entries()) {
      if (given.ok) {
        const after = steps[index + 1];
        const follows = after === undefined ? body : leavesOf(after)[0];
        const next = this.#tree(step, given.value, first && index === 0, program, follows);
        // A group and what follows it are a chord.
        if (!next.ok && after?.type === 'leaf' && isGroup(step)) failed = this.#failBody(after, next, program);
        given = next;
      } else if (failed === undefined) {
        this.#lose(step, given, program, isGroup(steps[index - 1] ?? step) ? 'maybe' : 'no');
        given = this.#lostOutcome(step, program, given.error);
      } else {
        given = failed;
        failed = undefined;
      }
    }
    return given;
  }

  /** Of every member, those of a group directly in it included: they are its own. */
  #members(members: readonly Tree[], prev: unknown, first: boolean, program: Program): Outcome[] {
    return members.flatMap((member) => {
      const inner = isGroup(member) ? groupIn(member) : undefined;
      if (inner !== undefined) return this.#members(inner, prev, first, program);
      return [this.#tree(member, prev, first, program)];
    });
  }

  #leaf(leaf: Leaf, prev: unknown, first: boolean, program: Program): Outcome {
    const runs = this.#ledger.runsByKey.get(leaf.key) ?? [];
    const given = first ? undefined : prev;
    const last = runs.at(-1);
    const wrong = runs.find((run) => !fits(run.prev, given) && (run === last || !isBefore(run.prev, given)));
    if (wrong !== undefined)
      this.#ledger.violate(
        'right values in order',
        `${leaf.key} got ${JSON.stringify(wrong.prev)}, not ${JSON.stringify(given)}`,
        wrong.id,
      );
    const id = this.#idOf(leaf, program);
    if (!first && id !== undefined && this.#isUnsent(leaf, id)) {
      const failure = { ok: false, state: 'FAILURE', error: { type: UNSENT } } as const;
      this.#lose(leaf, failure, program, 'yes');
      return this.#lostOutcome(leaf, program, failure.error);
    }
    const end = id === undefined ? undefined : this.#tasks.reached(leaf, leaf.key, id);
    if (id === undefined || end === undefined) {
      if (id !== undefined || this.#ledger.facts.watched)
        this.#ledger.violate('reached steps run', `${leaf.key}: ${JSON.stringify(leaf)} of ${JSON.stringify(program)}`);
      return UNREACHED;
    }
    if (program.link) this.#links(leaf, id, end, runs[0]?.prev, end.state === 'FAILURE' ? 'yes' : 'no');
    if (end.state !== 'SUCCESS') return { ...failureOf(end), ...this.#kept(id, end) };
    const value = valueOf(leaf.key, last?.prev);
    if (leaf.behaviour.kind === 'spawn') this.#children(leaf.behaviour.children, id);
    if (end.meta !== undefined) {
      const { result } = JSON.parse(end.meta) as { readonly result: unknown };
      if (result !== value)
        this.#ledger.violate('right values in order', `${leaf.key} returned ${String(result)}, not ${value}`, id);
    }
    return { ok: true, value, ...this.#kept(id, end) };
  }

  /** Its message was refused before it ever was a timer. */
  #isUnsent({ key }: Leaf, id: string): boolean {
    const { facts } = this.#ledger;
    return facts.refusals.get(key)?.at === 'send' && facts.watched && facts.sends(id) === undefined;
  }

  /** Members have failed: the body has too, and its error links are called. */
  #failBody(body: Leaf, header: Outcome, program: Program, cause: TaskError = CHORD_ERROR): Outcome {
    if (!header.ok) this.#lose(body, header, program, 'yes');
    return this.#lostOutcome(body, program, cause);
  }

  /** What never ran is told as a failure, where nobody had revoked it before; those who follow learn the cause. */
  #lostOutcome(tree: Tree, program: Program, error: TaskError): Extract<Outcome, { ok: false }> {
    const leaf = leavesOf(tree).at(-1);
    const id = leaf === undefined ? undefined : this.#idOf(leaf, program);
    const end = id === undefined ? undefined : this.#tasks.end(id);
    const isRevoked = id !== undefined && end?.state === 'REVOKED' && this.#ledger.facts.revoke(id) !== undefined;
    return { ok: false, state: 'FAILURE', error, ...(isRevoked ? { told: REVOKED } : this.#kept(id, end)) };
  }

  #lose(tree: Tree, cause: Extract<Outcome, { ok: false }>, program: Program, errbacks: Called): void {
    const error = cause.state === 'IGNORED' ? { type: 'ImproperlyConfigured' } : cause.error;
    for (const leaf of leavesOf(tree)) {
      const id = this.#idOf(leaf, program);
      this.#tasks.unreached(leaf, id, error);
      if (program.explicitIds && this.#tasks.end(leaf.key) === undefined)
        this.#ledger.violate('every task ends', `${leaf.key} can never run, and has no state`);
      if (program.link && id !== undefined)
        this.#links(leaf, id, this.#tasks.end(id), undefined, leaf === tree ? errbacks : 'maybe');
    }
  }

  #links(leaf: Leaf, id: string, end: End | undefined, prev: unknown, errbacks: Called): void {
    const called = (key: string, expected: Called, given: unknown): void => {
      const runs = this.#ledger.runsByKey.get(key) ?? [];
      const known = runs.length > 0 || this.#tasks.end(key) !== undefined;
      if (expected !== 'maybe' && known !== (expected === 'yes') && (this.#ledger.facts.watched || known))
        this.#ledger.violate('links follow ends', `${key} of ${end?.state}: called ${known}, not ${expected}`, id);
      if (known) this.#tasks.reached(PLAIN, key, key);
      // The first step of a chord's body that is a chain is told of as the whole, whose id is its last step's: a task's
      // or a group's, which no task has.
      const isOther = (run: Run): boolean => !fits(run.prev, given) && (end?.state !== 'FAILURE' || !isStep(run.prev));
      const wrong = runs.find(isOther);
      if (wrong !== undefined)
        this.#ledger.violate('right values in order', `${key} got ${JSON.stringify(wrong.prev)}`, wrong.id);
    };
    const isStep = (failedId: unknown): boolean =>
      errbacks !== 'no' &&
      prev === undefined &&
      typeof failedId === 'string' &&
      (this.#tasks.end(failedId) !== undefined || !this.#ledger.facts.sent.has(failedId));
    const succeeded = end?.state === 'SUCCESS';
    called(`${leaf.key}.link`, succeeded ? 'yes' : 'no', valueOf(leaf.key, prev));
    called(`${leaf.key}.errback`, errbacks, id);
  }

  #children(count: number, id: string): void {
    for (let index = 0; index < count; index += 1) {
      const child = `${id}:child:${index}`.slice(0, 120);
      if (this.#tasks.reached(PLAIN, child, child) === undefined)
        this.#ledger.violate('every task ends', `${child} was sent, and has no state`);
    }
  }

  #idOf(leaf: Leaf, program: Program): string | undefined {
    if (program.explicitIds) return leaf.key;
    return this.#ledger.facts.idOf(leaf.key) ?? this.#ledger.runsByKey.get(leaf.key)?.[0]?.id;
  }
}

function groupIn(tree: Tree): readonly Tree[] | undefined {
  if (tree.type === 'group') return tree.members;
  const [only] = tree.type === 'chain' ? tree.steps : [];
  return only === undefined ? undefined : groupIn(only);
}
