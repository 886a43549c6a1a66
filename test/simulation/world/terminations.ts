/**
 * Programs with tasks that take long and are revoked with `terminate` while they run, and an eye on what their workers ask
 * and are told. It stands outside of every fault: it sees what a worker sees, and asks nothing of the library.
 */
import type { CommitRequest } from '../../../lib/ports/backend.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import type { Random } from '../../../lib/base/time.ts';
import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import type { Facts } from './facts.ts';
import type { Behaviour, Leaf, Program, TaskName, Tree } from './program.ts';
import { over } from './refusals.ts';

const HEEDS = ['signal', 'progress', 'nothing'] as const;
const TASKS: readonly TaskName[] = ['leaf', 'leaf', 'once', 'ordered'];
const LONGEST_SECONDS = 90;
// What the design promises: looks come so often, and so long after the answer the run is over.
const LOOK_MS = 5000;
const GRACE_MS = 5000;
// Alarms of virtual time are exact; what begins in one millisecond may be asked about in the next.
const SLACK_MS = 50;

/** By the number of the program after which each is sent. */
export function terminations(random: Random, programs: number, count: number): ReadonlyMap<number, Program> {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  const planned = new Map<number, Program>();
  for (let index = 0; index < count; index += 1) {
    const name = `t${index}`;
    const leaf = (key: string, behaviour: Behaviour): Leaf => {
      const task = TASKS[int(TASKS.length)] ?? 'leaf';
      return {
        type: 'leaf',
        key: `${name}.${key}`,
        behaviour,
        task,
        ...(task === 'ordered' ? { groupKey: `customer-${int(2)}` } : {}),
      };
    };
    const long = leaf('long', {
      kind: 'long',
      seconds: 1 + int(LONGEST_SECONDS),
      heeds: HEEDS[int(HEEDS.length)] ?? 'signal',
    });
    const plain = (key: string): Leaf => leaf(key, { kind: 'ok' });
    const trees: readonly Tree[] = [
      long,
      long,
      { type: 'chain', steps: [long, plain('next')] },
      { type: 'group', members: [long, plain('beside')] },
      {
        type: 'chord',
        header: [plain('first'), long],
        body: plain('body'),
        policy: int(2) === 0 ? 'celery' : 'settled',
      },
    ];
    planned.set(int(programs), {
      name,
      tree: trees[int(trees.length)] ?? long,
      explicitIds: true,
      link: int(3) === 0,
      // Some are revoked before they begin, some in the middle, some after their end.
      revoke: { key: long.key, afterSeconds: int(LONGEST_SECONDS), terminate: true },
    });
  }
  return planned;
}

interface Call {
  readonly askedMs: number;
  answeredMs: number;
}

interface Look extends Call {
  readonly ids: readonly string[];
}

interface Commit extends Call {
  readonly requests: readonly CommitRequest[];
}

interface Run {
  readonly id: string;
  readonly attempt: number;
  readonly fromMs: number;
  untilMs: number;
}

/** One invocation. */
interface Seen {
  readonly runs: Run[];
  readonly looks: Look[];
  readonly commits: Commit[];
  /** Ids that it was told of, and when first. */
  readonly told: Map<string, number>;
}

export class Witness {
  readonly #facts: Facts;
  readonly #violate: (rule: string, what: string, id?: string) => void;
  readonly #seen = new Map<object, Seen>();
  /** Tasks that were told so when they stored a state. */
  readonly #answered = new Set<string>();
  nowMs: () => number = () => 0;
  /** What is asked is what was written: no store lags behind. */
  exact = true;

  constructor(facts: Facts, violate: (rule: string, what: string, id?: string) => void) {
    this.#facts = facts;
    this.#violate = violate;
  }

  /** A run that takes some time; the returned function is called when its code ends. */
  begins(id: string, attempt: number): () => void {
    const run: Run = { id, attempt, fromMs: this.nowMs(), untilMs: Infinity };
    this.#now()?.runs.push(run);
    return () => {
      run.untilMs = this.nowMs();
    };
  }

  /** When a run has stored a state: its signal has aborted where that was answered so. */
  stored(id: string, signal: AbortSignal): void {
    if (this.#answered.has(id) && !signal.aborted)
      this.#violate('who stores a state is told at once', `${id} at ${this.nowMs()}`, id);
  }

  watch(ports: Ports): Ports {
    const { backend } = ports;
    const asked = async <R>(call: Call, run: () => Promise<R>): Promise<R> => {
      try {
        return await run();
      } finally {
        call.answeredMs = this.nowMs();
      }
    };
    return {
      ...ports,
      backend: over(backend, {
        terminated: async (ids) => {
          const look: Look = { ids, askedMs: this.nowMs(), answeredMs: Infinity };
          this.#now()?.looks.push(look);
          const revokedBefore = ids.map((id) => this.#facts.revoke(id)?.terminate === true);
          const answers = await asked(look, () => backend.terminated(ids));
          for (const [index, id] of ids.entries()) {
            if (answers[index] === true) this.#told(id);
            else if (this.exact && revokedBefore[index] === true && this.#facts.revoke(id)?.ended === false)
              this.#violate('who asks is told', `${id}: not told at ${this.nowMs()}`, id);
          }
          return answers;
        },
        update: async (request) => {
          const outcome = await backend.update(request);
          if (outcome !== 'terminated') return outcome;
          this.#told(request.id);
          this.#answered.add(request.id);
          return outcome;
        },
        commit: async (requests) => {
          const commit: Commit = { requests, askedMs: this.nowMs(), answeredMs: Infinity };
          this.#now()?.commits.push(commit);
          return asked(commit, () => backend.commit(requests));
        },
      }),
    };
  }

  check(): void {
    for (const seen of this.#seen.values()) {
      for (const run of seen.runs) this.#run(run, seen);
      for (const { requests, askedMs } of seen.commits)
        for (const { id, status } of requests)
          if (status === 'REVOKED' && !((seen.told.get(id) ?? Infinity) <= askedMs))
            this.#violate('only who is told ends as REVOKED', `${id} at ${askedMs}`, id);
      for (const look of seen.looks) this.#look(look, seen);
    }
  }

  #run({ id, attempt, fromMs, untilMs }: Run, seen: Seen): void {
    const toldMs = seen.told.get(id) ?? Infinity;
    const isOwn = (each: CommitRequest): boolean => each.id === id && each.attempt === attempt;
    const commit = seen.commits.find(({ requests }) => requests.some(isOwn));
    const status = commit?.requests.find(isOwn)?.status;
    const overMs = commit?.askedMs ?? Infinity;
    const endMs = Math.min(untilMs, toldMs, overMs);
    if (toldMs > fromMs && toldMs < untilMs) {
      if (status !== undefined && overMs > toldMs && status !== 'REVOKED')
        this.#violate('who is told ends as REVOKED', `${id} ends as ${status}`, id);
      // Commits of a batch go together: one that stands still holds up the others.
      const stood = seen.commits.some(
        (each) => each !== commit && isDuring(each, toldMs, toldMs + GRACE_MS + SLACK_MS),
      );
      if (overMs > toldMs + GRACE_MS + SLACK_MS && !stood)
        this.#violate('a run is left alone in time', `${id}: told at ${toldMs}, over at ${overMs}`, id);
    }
    // The first look may come together with that of another run, within one interval.
    let lastMs = fromMs + LOOK_MS;
    for (const look of seen.looks.filter(({ ids }) => ids.includes(id))) {
      if (look.askedMs > endMs) break;
      if (
        look.askedMs - lastMs > LOOK_MS + SLACK_MS &&
        !seen.looks.some((each) => each !== look && isDuring(each, lastMs, look.askedMs))
      )
        this.#violate('looks come in time', `${id}: none from ${lastMs} to ${look.askedMs}`, id);
      lastMs = look.answeredMs;
    }
    if (
      endMs - lastMs > LOOK_MS + SLACK_MS &&
      endMs < Infinity &&
      !seen.looks.some((each) => isDuring(each, lastMs, endMs))
    )
      this.#violate('looks come in time', `${id}: none from ${lastMs} to ${endMs}`, id);
  }

  #look({ ids, askedMs }: Look, seen: Seen): void {
    for (const id of ids) {
      const run = seen.runs.find((each) => each.id === id && each.fromMs <= askedMs && each.untilMs >= askedMs);
      if (run !== undefined && askedMs - run.fromMs < LOOK_MS)
        this.#violate('short tasks cost nothing', `${id}: asked about after ${askedMs - run.fromMs} ms`, id);
      // A run that ends in the same moment may have been about to ask.
      if (run === undefined && seen.runs.some((each) => each.id === id && each.untilMs < askedMs))
        this.#violate('short tasks cost nothing', `${id}: asked about at ${askedMs}, after its end`, id);
    }
    if (new Set(ids).size < ids.length) this.#violate('each run is asked about once', ids.join(', '));
  }

  #told(id: string): void {
    if (this.#facts.revoke(id)?.terminate !== true) this.#violate('only what is revoked is told', id, id);
    this.#facts.told.add(id);
    const seen = this.#now();
    if (seen !== undefined && !seen.told.has(id)) seen.told.set(id, this.nowMs());
  }

  #now(): Seen | undefined {
    const invocation = CURRENT_INVOCATION.getStore();
    if (invocation === undefined) return undefined;
    const seen = this.#seen.get(invocation) ?? { runs: [], looks: [], commits: [], told: new Map() };
    this.#seen.set(invocation, seen);
    return seen;
  }
}

/** Whether a call was under way at any time in between. */
function isDuring({ askedMs, answeredMs }: Call, fromMs: number, untilMs: number): boolean {
  return askedMs <= untilMs && answeredMs >= fromMs && answeredMs > askedMs;
}
