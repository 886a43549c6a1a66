/** What really happened in a run, written down beside the world: by the tasks, and by watching its stores. */
import type { World } from 'celeriac/testing';

import { isFinal } from '../../../lib/base/states.ts';
import { Facts } from './facts.ts';
import { Instances } from './instances.ts';
import type { LaneRun } from './lanes.ts';
import { Witness } from './terminations.ts';

export interface Run {
  readonly key: string;
  readonly id: string;
  readonly attempt: number;
  readonly prev: unknown;
  readonly atMs: number;
  /** The time that it was told it had left. */
  readonly leftMs?: number;
  /** Place among everything that was written down. */
  readonly order: number;
}

export interface Violation {
  readonly rule: string;
  readonly what: string;
}

/** A run from its first line to its last: its place among everything that was written down. */
export interface Hold {
  readonly attempt: number;
  readonly from: number;
  readonly until: number;
}

interface Claimed {
  readonly owner: string;
  readonly leaseMs: number;
}

export class Ledger {
  readonly facts: Facts = new Facts();
  readonly witness: Witness = new Witness(this.facts, (...violation) => this.violate(...violation));
  readonly instances: Instances = new Instances(
    (...violation) => this.violate(...violation),
    (id, attempt) => this.#outcomes.has(`${id}/${attempt}`),
  );
  /** How long the record of a task is kept once it has ended, by its queue. */
  keptMsIn: (queue: string | undefined) => number = () => Infinity;
  readonly runs: Run[] = [];
  /** Runs of tasks of a queue with lanes. */
  readonly laneRuns: LaneRun[] = [];
  readonly runsByKey: Map<string, Run[]> = new Map();
  readonly ticks: {
    readonly entry: string;
    readonly scheduledMs: number;
    readonly id: string;
    readonly atMs: number;
  }[] = [];
  readonly violations: Violation[] = [];
  /** Last lines of what happened to each task, for the trace of a violation. */
  readonly #history = new Map<string, string[]>();
  readonly #queues = new Map<string, string>();
  readonly #claims = new Map<string, Claimed>();
  readonly #holds = new Map<string, readonly Hold[]>();
  /** Attempt -> who committed it. */
  readonly #commits = new Map<string, string>();
  readonly #committedMs = new Map<string, number>();
  /** The place of its outcome, by attempt. */
  readonly #outcomes = new Map<string, number>();
  /** When what was never run was told so. */
  readonly #endMs = new Map<string, number>();
  readonly #finals = new Map<string, string>();
  #order = 0;

  violate(rule: string, what: string, id?: string): void {
    const trace = id === undefined ? '' : `\n      ${(this.#history.get(id) ?? []).join('\n      ')}`;
    this.violations.push({ rule, what: `${what}${trace}` });
  }

  note(id: string, line: string): void {
    const lines = this.#history.get(id) ?? [];
    lines.push(line);
    this.#history.set(id, lines);
  }

  run(run: Omit<Run, 'order'>, atMostOnce: boolean): void {
    this.#order += 1;
    const attempt = `${run.id}/${run.attempt}`;
    this.note(run.id, `${run.atMs} run of attempt ${run.attempt}`);
    if (this.#commits.has(attempt)) this.violate('run after commit', `${run.key} ${attempt}`, run.id);
    const earlier = this.runsByKey.get(run.key) ?? [];
    if (earlier.some((each) => each.id !== run.id))
      this.violate('one task per place', `${run.key} ran under two ids`, run.id);
    if (atMostOnce && earlier.some((each) => each.attempt === run.attempt))
      this.violate('acksLate: false runs once', `${run.key} ${attempt}`, run.id);
    const written = { ...run, order: this.#order };
    this.runs.push(written);
    this.runsByKey.set(run.key, [...earlier, written]);
  }

  /** The function of a run has returned, or thrown. Of one whose worker died nothing is heard. */
  ran(id: string, attempt: number): void {
    this.#order += 1;
    const from = this.runs.findLast((run) => run.id === id && run.attempt === attempt)?.order ?? this.#order;
    // At its time limit a run is left alone: its slot is the next one's, whatever its function still does.
    const until = Math.min(this.#order, this.#outcomes.get(`${id}/${attempt}`) ?? Infinity);
    this.#holds.set(id, [...this.holdsOf(id), { attempt, from, until }]);
  }

  keptMs(id: string): number {
    return this.keptMsIn(this.#queues.get(id));
  }

  holdsOf(id: string): readonly Hold[] {
    return this.#holds.get(id) ?? [];
  }

  /** Watches the true stores, below every fault. */
  watch(world: World): void {
    this.facts.watch(world);
    const { backend } = world;
    const now = (): number => world.clock.nowMs();
    const claim = backend.claim.bind(backend);
    backend.claim = async (requests) => {
      const outcomes = await claim(requests);
      for (const [index, request] of requests.entries()) {
        if (outcomes[index]?.kind !== 'claimed') continue;
        const key = `${request.id}/${request.attempt}`;
        this.#queues.set(request.id, request.queue);
        const held = this.#claims.get(key);
        this.note(request.id, `${now()} claimed attempt ${request.attempt} by ${request.owner}`);
        // A lease ends with its invocation, and that is when its owner is dead.
        if (held !== undefined && held.owner !== request.owner && held.leaseMs > now() + LEASE_SLACK_MS)
          this.violate('one owner at a time', `${key} taken from ${held.owner} by ${request.owner}`, request.id);
        this.#forget(request.id, key, now());
        if (this.#commits.has(key)) this.violate('claim after commit', key, request.id);
        this.#claims.set(key, { owner: request.owner, leaseMs: request.leaseMs });
      }
      return outcomes;
    };
    const commit = backend.commit.bind(backend);
    backend.commit = async (requests) => {
      const outcomes = await commit(requests);
      for (const [index, request] of requests.entries()) {
        if (outcomes[index] !== true) continue;
        const key = `${request.id}/${request.attempt}`;
        this.#order += 1;
        this.note(request.id, `${now()} committed ${request.status} by ${request.owner}`);
        if (this.#claims.get(key)?.owner !== request.owner)
          this.violate('only the owner commits', `${key} by ${request.owner}`, request.id);
        // The same write again, whose answer was lost on the way.
        if (this.#commits.get(key) === request.owner) continue;
        this.#commits.set(key, request.owner);
        this.#committedMs.set(key, now());
        this.#outcomes.set(key, this.#order);
        if (request.final) this.#final(request.id, request.status);
      }
      return outcomes;
    };
    const release = backend.release.bind(backend);
    backend.release = async (request) => {
      const done = await release(request);
      if (done) this.#claims.delete(`${request.id}/${request.attempt}`);
      return done;
    };
    const conclude = backend.conclude.bind(backend);
    backend.conclude = async (requests) => {
      const outcomes = await conclude(requests);
      for (const [index, request] of requests.entries()) {
        if (outcomes[index]?.kind !== 'concluded') continue;
        this.note(request.id, `${now()} concluded ${request.status}`);
        this.#queues.set(request.id, request.queue);
        // A body whose header failed is told so by each further member: by then its record may be gone.
        const endMs = request.status === 'FAILURE' ? this.#endMs.get(request.id) : undefined;
        if (endMs !== undefined && endMs + this.keptMs(request.id) <= now() + LEASE_SLACK_MS) continue;
        this.#endMs.set(request.id, now());
        if (isFinal(request.status)) this.#final(request.id, request.status);
      }
      return outcomes;
    };
  }

  /** Of what ended so long ago that its record has gone nothing tells a message that comes again. */
  #forget(id: string, key: string, nowMs: number): void {
    const committedMs = this.#committedMs.get(key);
    if (committedMs === undefined || nowMs < committedMs + this.keptMs(id) - LEASE_SLACK_MS) return;
    this.#commits.delete(key);
    this.#finals.delete(id);
  }

  /** Every final state that was written, by task id. */
  get finals(): ReadonlyMap<string, string> {
    return this.#finals;
  }

  get ids(): readonly string[] {
    return [...this.#history.keys()];
  }

  #final(id: string, status: string): void {
    const known = this.#finals.get(id);
    if (known !== undefined) this.violate('one final state', `${id} was ${known}, became ${status}`, id);
    this.#finals.set(id, status);
  }
}

// What one invocation's clock may be ahead of another's: twice the skew.
const LEASE_SLACK_MS = 4000;
