/** What must be true when everything has come to rest. */
import { readDocument } from '../../../lib/result-document.ts';
import type { TaskRecord } from '../../../lib/ports.ts';
import { isFinal, SUCCESS } from '../../../lib/states.ts';
import type { Ledger } from './ledger.ts';
import { type Leaf, leavesOf, type Program, type Tree, valueOf } from './program.ts';

export interface Sent {
  readonly program: Program;
  readonly resultIds: readonly string[];
  readonly atMs: number;
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

/** SQS delays whole seconds. */
export const PUNCTUAL_MS = 1500;

type ReadRecords = (ids: readonly string[]) => Promise<readonly (TaskRecord | undefined)[]>;

export class Checker {
  readonly #read: ReadRecords;
  readonly #ledger: Ledger;
  readonly #records = new Map<string, TaskRecord>();
  readonly #skewMs: number;
  readonly #punctual: boolean;

  /** @param punctual nothing is in the way: what is due runs at once */
  constructor(read: ReadRecords, ledger: Ledger, skewSeconds: number, punctual = false) {
    this.#read = read;
    this.#ledger = ledger;
    this.#skewMs = 2 * skewSeconds * 1000;
    this.#punctual = punctual;
  }

  /** Of every task that was heard of. */
  get records(): ReadonlyMap<string, TaskRecord> {
    return this.#records;
  }

  async check(sent: readonly Sent[]): Promise<void> {
    const ids = [...new Set([...this.#ledger.ids, ...sent.flatMap((each) => each.resultIds)])];
    const records = await this.#read(ids);
    for (const [index, id] of ids.entries()) {
      const record = records[index];
      if (record !== undefined) this.#records.set(id, record);
      if (record === undefined || !isFinal(record.status))
        this.#ledger.violate('every task ends', `${id} is ${record?.status ?? 'unknown'}`, id);
    }
    for (const each of sent) this.#program(each);
  }

  #program({ program, atMs }: Sent): void {
    this.#tree(program.tree, undefined, true, program);
    for (const leaf of leavesOf(program.tree)) {
      for (const run of this.#ledger.runsByKey.get(leaf.key) ?? []) {
        const etaMs = atMs + (leaf.countdown ?? 0) * 1000;
        if (run.atMs < etaMs - this.#skewMs)
          this.#ledger.violate('never early', `${leaf.key} by ${etaMs - run.atMs} ms`, run.id);
      }
      if (this.#punctual && program.tree === leaf) this.#onTime(leaf, atMs);
      if (program.link) this.#link(leaf);
    }
  }

  /** An ETA is met to about a second; `late` waits for its deployment, FIFO for what comes before it. */
  #onTime(leaf: Leaf, atMs: number): void {
    const [run] = this.#ledger.runsByKey.get(leaf.key) ?? [];
    if (run === undefined || leaf.task === 'late' || leaf.task === 'ordered') return;
    const lateMs = run.atMs - atMs - (leaf.countdown ?? 0) * 1000;
    if (lateMs > PUNCTUAL_MS) this.#ledger.violate('on time', `${leaf.key} ${lateMs} ms late`, run.id);
  }

  /** What a tree came to, from what its leaves came to; on the way everything that does not fit is told. */
  #tree(tree: Tree, prev: unknown, first: boolean, program: Program): Outcome {
    if (tree.type === 'leaf') return this.#leaf(tree, prev, first, program);
    if (tree.type === 'group') return this.#group(tree.members, prev, first, program);
    if (tree.type === 'chord') {
      const header = this.#group(tree.header, prev, first, program);
      return header.ok ? this.#leaf(tree.body, header.value, false, program) : this.#unreached(tree.body);
    }
    let given: Outcome = { ok: true, value: prev };
    for (const [index, step] of tree.steps.entries()) {
      if (given.ok) given = this.#tree(step, given.value, first && index === 0, program);
      else for (const leaf of leavesOf(step)) this.#unreached(leaf);
    }
    return given;
  }

  #group(members: readonly Tree[], prev: unknown, first: boolean, program: Program): Outcome {
    const outcomes = members.map((member) => ({ member, outcome: this.#tree(member, prev, first, program) }));
    if (outcomes.some(({ outcome }) => !outcome.ok)) return { ok: false };
    // A group directly in a group is its members.
    const values = outcomes.flatMap(({ member, outcome }) => {
      const value = outcome.ok ? outcome.value : null;
      return isGroup(member) && Array.isArray(value) ? (value as readonly unknown[]) : [value];
    });
    return { ok: true, value: values };
  }

  #leaf(leaf: Leaf, prev: unknown, first: boolean, program: Program): Outcome {
    const runs = this.#ledger.runsByKey.get(leaf.key) ?? [];
    const given = first ? undefined : prev;
    const wrong = runs.find((run) => JSON.stringify(run.prev) !== JSON.stringify(given));
    if (wrong !== undefined)
      this.#ledger.violate(
        'right values in order',
        `${leaf.key} got ${JSON.stringify(wrong.prev)}, not ${JSON.stringify(given)}`,
        wrong.id,
      );
    const id = runs[0]?.id ?? (program.explicitIds ? leaf.key : undefined);
    const record = id === undefined ? undefined : this.#records.get(id);
    if (record === undefined) {
      // Without an id of its own only one that expired, was unknown or revoked before it ran can have no run.
      if (id !== undefined || (leaf.expires === undefined && !mayNeverRun(leaf, program)))
        this.#ledger.violate(
          'reached steps run',
          `${leaf.key} was reached and never ran: ${JSON.stringify(leaf)} of ${JSON.stringify(program)}`,
        );
      return { ok: false };
    }
    if (record.status !== SUCCESS) return { ok: false };
    const { result } = record.meta === undefined ? { result: null } : readDocument(record.meta);
    const value = valueOf(leaf.key, given);
    if (result !== value)
      this.#ledger.violate('right values in order', `${leaf.key} returned ${String(result)}, not ${value}`, record.id);
    return { ok: true, value };
  }

  #unreached(leaf: Leaf): Outcome {
    const [run] = this.#ledger.runsByKey.get(leaf.key) ?? [];
    if (run !== undefined) this.#ledger.violate('nothing runs after a failure', leaf.key, run.id);
    return { ok: false };
  }

  #link(leaf: Leaf): void {
    const [run] = this.#ledger.runsByKey.get(leaf.key) ?? [];
    const succeeded = run !== undefined && this.#records.get(run.id)?.status === SUCCESS;
    const linked = this.#ledger.runsByKey.get(`${leaf.key}.link`) ?? [];
    if (succeeded !== linked.length > 0 && !(succeeded && this.#lost()))
      this.#ledger.violate(
        'links follow successes',
        `${leaf.key}: ${succeeded ? 'no link ran' : 'a link ran'}`,
        run?.id,
      );
  }

  /** Whether any task was given up after its worker died again and again: its followers may have been, too. */
  #lost(): boolean {
    return [...this.#records.values()].some((record) => record.meta?.includes('WorkerLostError') === true);
  }
}

/** A chain of one is its step. */
function isGroup(tree: Tree): boolean {
  const [only] = tree.type === 'chain' ? tree.steps : [];
  if (tree.type === 'chain' && tree.steps.length === 1 && only !== undefined) return isGroup(only);
  return tree.type === 'group';
}

function mayNeverRun(leaf: Leaf, program: Program): boolean {
  // acksLate: false forbids to run what was claimed and may have begun.
  return program.revoke || leaf.task === 'late' || leaf.task === 'once';
}
