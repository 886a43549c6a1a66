/** What the protocol's model remembers, and what must hold of it. */
import { FAILURE, RETRY, SUCCESS } from '../../lib/base/states.ts';
import type { TaskRecord } from '../../lib/ports/backend.ts';
import type { Stored } from './record-store.ts';

/** What a delivery does next. `settle` is done once for each id to send. */
export type Todo = 'run' | 'commit' | 'conclude' | 'settle' | 'ack';

export interface Delivery {
  readonly owner: string;
  /** Index of its message. */
  readonly message: number;
  readonly todo: readonly Todo[];
  /** How the attempt ended, once it is known. */
  readonly status: string;
  readonly sends: readonly string[];
  /** A zombie: its lease is over and it goes on. */
  readonly zombie: boolean;
  /** It claimed after an operator had revoked the task. */
  readonly revoked: boolean;
}

export interface QueuedMessage {
  readonly attempt: number;
  /** `waiting`: kept until the lease ends that stood in the way. */
  readonly location: 'visible' | 'waiting' | 'flight' | 'deleted';
}

/** What happened, as far as no stored record tells it. Lists of numbers have one place for each attempt. */
export interface Ledger {
  readonly runs: readonly number[];
  readonly commits: readonly number[];
  /** Owners that crashed or outlived their lease before they committed. */
  readonly losses: readonly number[];
  readonly finals: readonly string[];
  /** Ids of sent messages, each as often as it was sent. */
  readonly sent: readonly string[];
  readonly runsAfterCommit: number;
  readonly runsAfterRevoke: number;
  readonly strangersCommits: number;
  readonly orphans: number;
}

export interface State {
  /** A tick is longer than a lease. */
  readonly now: number;
  readonly record: Stored;
  readonly messages: readonly QueuedMessage[];
  /** Live ones; crashed and ended ones are gone. */
  readonly deliveries: readonly Delivery[];
  readonly crashesLeft: number;
  readonly zombiesLeft: number;
  readonly revokesLeft: number;
  readonly ledger: Ledger;
}

export interface Variant {
  readonly acksLate: boolean;
  readonly maxDeliveries: number;
  /** Copies of the first message. */
  readonly copies: number;
  /** How a run of each attempt ends. */
  readonly outcomes: readonly string[];
  readonly crashes: number;
  readonly zombies: number;
  readonly revokes: number;
}

/** What settling sends for each outcome, in this order. */
export const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  [SUCCESS]: ['link'],
  [RETRY]: ['retry'],
  [FAILURE]: ['errback'],
};

/** A task that was lost again and again is explained by a dead letter, which its commit asks for. */
export const DEAD_LETTER = 'dead letter';

/** What follows from an outcome as it is stored. */
export function followersOf({ status, settlement }: Pick<TaskRecord, 'status' | 'settlement'>): readonly string[] {
  const sends = FOLLOWERS[status] ?? [];
  return settlement === DEAD_LETTER ? [DEAD_LETTER, ...sends] : sends;
}

export function initialState(variant: Variant): State {
  const none = variant.outcomes.map(() => 0);
  return {
    now: 0,
    record: null,
    messages: Array.from({ length: variant.copies }, () => ({ attempt: 0, location: 'visible' as const })),
    deliveries: [],
    crashesLeft: variant.crashes,
    zombiesLeft: variant.zombies,
    revokesLeft: variant.revokes,
    ledger: {
      runs: none,
      commits: none,
      losses: none,
      finals: [],
      sent: [],
      runsAfterCommit: 0,
      runsAfterRevoke: 0,
      strangersCommits: 0,
      orphans: 0,
    },
  };
}

/** Somebody owns the newest attempt, as far as the store can tell. */
export function leaseRuns({ record, now }: State): boolean {
  if (record === null || record.attempt === undefined || record.finishedMs !== undefined) return false;
  return record.committed !== record.attempt && (record.leaseMs ?? 0) >= now;
}

/** The outcome of this attempt, or of one that follows from it. */
export function outcomeStored(record: Stored, attempt: number): boolean {
  const { attempt: newest = -1, committed = -1, finishedMs } = record ?? {};
  return finishedMs !== undefined || newest > attempt || committed >= attempt;
}

export const INVARIANTS = {
  'one final state': ({ ledger }) => ledger.finals.length <= 1,
  'one commit of an attempt': ({ ledger }) => ledger.commits.every((count) => count <= 1),
  // A zombie cannot be kept from starting: that is why a lease ends after its owner's deadline.
  'no run after the commit': ({ ledger }) => ledger.runsAfterCommit === 0,
  'a lost lease commits nothing': ({ ledger }) => ledger.strangersCommits === 0,
  'acksLate: false runs once': ({ ledger }, { acksLate }) => acksLate || ledger.runs.every((count) => count <= 1),
  'a run again means a loss': ({ ledger }) =>
    ledger.runs.every((count, attempt) => count <= 1 + (ledger.losses[attempt] ?? 0)),
  'no run of a revoked task': ({ ledger }) => ledger.runsAfterRevoke === 0,
  'children follow the stored outcome': ({ ledger }) => ledger.orphans === 0,
} as const satisfies Readonly<Record<string, (state: State, variant: Variant) => boolean>>;

export type Invariant = keyof typeof INVARIANTS;
export const ALL_INVARIANTS = Object.keys(INVARIANTS) as Invariant[];

export const TASK_ENDS = 'the task has a final state';
export const CHILDREN_SENT = 'every child is sent';
export const QUEUE_EMPTY = 'the queue is empty';

/** Of a state in which nothing is left to do: what is missing. */
export function missingAtEnd({ record, messages, deliveries, ledger }: State): string | undefined {
  if (record?.finishedMs === undefined) return TASK_ENDS;
  if (!followersOf(record).every((id) => ledger.sent.includes(id))) return CHILDREN_SENT;
  const empty = deliveries.length === 0 && messages.every(({ location }) => location === 'deleted');
  return empty ? undefined : QUEUE_EMPTY;
}
