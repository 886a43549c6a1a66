/**
 * claim -> run -> commit -> settle -> ack as a machine: copies of a message, crashes, ends of leases and
 * a revoke in every order. The store is the real MemoryBackend, the verdict on a claim the real decideClaim.
 */
import type { TaskRecord } from '../../lib/ports/backend.ts';
import { FAILURE, RETRY, REVOKED } from '../../lib/base/states.ts';
import { decideClaim } from '../../lib/worker/decide.ts';
import {
  advanced,
  attemptOf,
  bumped,
  following,
  givenBack,
  holder,
  lost,
  normal,
  noted,
  owns,
  moved,
  stored,
  withDelivery,
  without,
} from './changes.ts';
import type { Model, Step } from './explorer.ts';
import { RecordStore, type Store } from './record-store.ts';
import {
  ALL_INVARIANTS,
  type Delivery,
  initialState,
  type Invariant,
  INVARIANTS,
  leaseRuns,
  DEAD_LETTER,
  missingAtEnd,
  outcomeStored,
  type QueuedMessage,
  type State,
  type Todo,
  type Variant,
} from './state.ts';

/** The protocol's parts that a test may replace by broken ones. */
export interface Rules {
  backend(real: Store): Store;
  readonly decide: typeof decideClaim;
  readonly afterRun: readonly Todo[];
  readonly afterLostCommit: 'keep' | 'ack';
}

export const REAL_RULES: Rules = {
  backend: (real) => real,
  decide: decideClaim,
  afterRun: ['commit', 'settle', 'ack'],
  afterLostCommit: 'keep',
};

type Move = Step<State>;

export function protocol(
  variant: Variant,
  rules: Rules = REAL_RULES,
  invariants: readonly Invariant[] = ALL_INVARIANTS,
): Model<State> {
  const store = new RecordStore((real) => rules.backend(real));
  return {
    initial: initialState(variant),
    steps: async (state) => {
      const moves = [
        ...(await receives(state, variant, rules, store)),
        ...(await Promise.all(state.deliveries.map((each) => proceed(state, each, variant, rules, store)))).flat(),
        ...crashes(state),
        ...leaseEnds(state),
        ...(await revokes(state, store)),
      ];
      return moves.map((move) => ({ ...move, next: normal(move.next) }));
    },
    invariant: (state) => invariants.find((name) => !INVARIANTS[name](state, variant)),
    final: missingAtEnd,
  };
}

// ------------------------------------------------------------ the outside

/** Receiving and claiming is one step: nobody can see what happens in between. */
async function receives(state: State, variant: Variant, rules: Rules, store: RecordStore): Promise<Move[]> {
  const taken = new Set([...state.deliveries.map(({ owner }) => owner), state.record?.owner]);
  let number = 0;
  while (taken.has(`d${number}`)) number += 1;
  const owner = `d${number}`;
  const moves: Move[] = [];
  for (const [message, { attempt, location }] of state.messages.entries()) {
    if (location !== 'visible' && (location !== 'waiting' || leaseRuns(state))) continue;
    const delivery: Delivery = { owner, message, todo: [], status: '', sends: [], zombie: false, revoked: false };
    const { name, next } = await claim(moved(state, message, 'flight'), delivery, variant, rules, store);
    moves.push({ name: `${owner} receives message ${message} and claims attempt ${attempt}: ${name}`, next });
  }
  return moves;
}

function crashes(state: State): Move[] {
  if (state.crashesLeft === 0) return [];
  return state.deliveries.map((delivery) => {
    const left = { ...without(state, delivery), crashesLeft: state.crashesLeft - 1 };
    const next = owns(state, delivery) && !delivery.zombie ? lost(left, attemptOf(state, delivery)) : left;
    const name = `${delivery.owner} crashes before ${delivery.todo[0]}`;
    return { name, next: givenBack(next, delivery, 'visible'), optional: true };
  });
}

/** A living owner is killed at its deadline, before its lease ends: only a zombie outlives it. */
function leaseEnds(state: State): Move[] {
  if (!leaseRuns(state)) return [];
  const later = { ...state, now: state.now + 1 };
  const owner = state.deliveries.find((delivery) => owns(state, delivery));
  if (owner === undefined) return [{ name: 'the lease ends', next: later }];
  if (state.zombiesLeft === 0 || owner.zombie) return [];
  const zombie = withDelivery({ ...later, zombiesLeft: state.zombiesLeft - 1 }, { ...owner, zombie: true });
  const next = givenBack(lost(zombie, attemptOf(state, owner)), owner, 'visible');
  return [{ name: `the lease of ${owner.owner} ends, who goes on`, next, optional: true }];
}

async function revokes(state: State, store: RecordStore): Promise<Move[]> {
  if (state.revokesLeft === 0) return [];
  const { after } = await store.revoke(state.record, state.now);
  const next = stored({ ...state, revokesLeft: state.revokesLeft - 1 }, after);
  return [{ name: 'an operator revokes', next, optional: true }];
}

// ------------------------------------------------------------- a delivery

async function proceed(
  state: State,
  delivery: Delivery,
  variant: Variant,
  rules: Rules,
  store: RecordStore,
): Promise<Move[]> {
  const [todo] = delivery.todo;
  switch (todo) {
    case 'run':
      return [run(state, delivery, variant, rules)];
    case 'commit':
      return [await commit(state, delivery, rules, store)];
    case 'conclude':
      return [await conclude(state, delivery, store)];
    case 'settle':
      return [settle(state, delivery)];
    case 'ack':
      return ack(state, delivery);
    case undefined:
      return [];
    default:
      return todo satisfies never;
  }
}

async function claim(
  state: State,
  delivery: Delivery,
  variant: Variant,
  rules: Rules,
  store: RecordStore,
): Promise<Move> {
  const { answer, after } = await store.claim(state.record, holder(state, delivery));
  const decision = rules.decide(answer, variant);
  const name = `${answer.kind}, so ${decision.kind}`;
  const next = stored(state, after);
  const then = (change: Partial<Delivery>): Move => ({ name, next: withDelivery(next, { ...delivery, ...change }) });
  const settleAgain = (record: TaskRecord): Move => {
    // Of a newer attempt that still runs there is no outcome to settle from.
    const known = record.finishedMs !== undefined || record.attempt === attemptOf(state, delivery);
    const { orphans } = state.ledger;
    return {
      name,
      next: noted(withDelivery(next, { ...delivery, ...following(record) }), {
        orphans: orphans + Number(!known),
      }),
    };
  };
  switch (decision.kind) {
    case 'run':
      return then({ todo: ['run'], revoked: state.revokesLeft < variant.revokes });
    case 'duplicate':
      return decision.settle ? settleAgain(decision.record) : then({ todo: ['ack'] });
    case 'revoked':
      return then({ todo: ['conclude'] });
    case 'busy':
      return { name, next: givenBack(without(next, delivery), delivery, 'waiting') };
    case 'lost':
      return then({ ...following({ status: FAILURE, settlement: DEAD_LETTER }), todo: ['commit', 'settle', 'ack'] });
    default:
      return decision satisfies never;
  }
}

function run(state: State, delivery: Delivery, variant: Variant, rules: Rules): Move {
  const attempt = attemptOf(state, delivery);
  const { runs, runsAfterCommit, runsAfterRevoke } = state.ledger;
  const late = !delivery.zombie && outcomeStored(state.record, attempt);
  const next = noted(state, {
    runs: bumped(runs, attempt),
    runsAfterCommit: runsAfterCommit + Number(late),
    runsAfterRevoke: runsAfterRevoke + Number(delivery.revoked),
  });
  const status = variant.outcomes[attempt] ?? FAILURE;
  const follow = following({ status });
  const todo = rules.afterRun.filter((each) => each !== 'settle' || follow.sends.length > 0);
  return { name: `${delivery.owner} runs: ${status}`, next: withDelivery(next, { ...delivery, ...follow, todo }) };
}

async function commit(state: State, delivery: Delivery, rules: Rules, store: RecordStore): Promise<Move> {
  const { status } = delivery;
  const { answer, after } = await store.commit(state.record, holder(state, delivery), {
    status,
    final: status !== RETRY,
    ...(delivery.sends.includes(DEAD_LETTER) ? { settlement: DEAD_LETTER } : {}),
  });
  const attempt = attemptOf(state, delivery);
  const { commits, strangersCommits } = state.ledger;
  const took = after !== state.record;
  const next = noted(stored(state, after), {
    commits: took ? bumped(commits, attempt) : commits,
    strangersCommits: strangersCommits + Number(took && !owns(state, delivery)),
  });
  const name = `${delivery.owner} commits ${status}: ${answer ? 'done' : 'refused'}`;
  if (answer) return { name, next: withDelivery(next, advanced(delivery)) };
  if (rules.afterLostCommit === 'ack') return { name, next: withDelivery(next, { ...delivery, todo: ['ack'] }) };
  return { name, next: givenBack(without(next, delivery), delivery, 'visible') };
}

async function conclude(state: State, delivery: Delivery, store: RecordStore): Promise<Move> {
  const { answer, after } = await store.conclude(state.record, holder(state, delivery), REVOKED);
  const attempt = attemptOf(state, delivery);
  const { commits } = state.ledger;
  const next = noted(stored(state, after), { commits: after === state.record ? commits : bumped(commits, attempt) });
  const name = `${delivery.owner} concludes ${REVOKED}: ${answer.kind}`;
  switch (answer.kind) {
    case 'concluded':
      return { name, next: withDelivery(next, { ...delivery, ...following({ status: REVOKED }) }) };
    case 'finished':
      return { name, next: withDelivery(next, { ...delivery, ...following(answer.record) }) };
    case 'older':
      return { name, next: withDelivery(next, { ...delivery, todo: ['ack'] }) };
    case 'busy':
      return { name, next: givenBack(without(next, delivery), delivery, 'waiting') };
    default:
      return answer satisfies never;
  }
}

/** One message at a time: a crash may come between any two. */
function settle(state: State, delivery: Delivery): Move {
  const [id = '', ...sends] = delivery.sends;
  const attempt = attemptOf(state, delivery);
  const { record, ledger } = state;
  const known = outcomeStored(record, attempt) && (delivery.status === RETRY || record?.status === delivery.status);
  const sent = noted(state, {
    sent: [...ledger.sent, id].toSorted(),
    orphans: ledger.orphans + Number(!known),
  });
  const retry: QueuedMessage = { attempt: attempt + 1, location: 'visible' };
  const next = id === 'retry' ? { ...sent, messages: [...sent.messages, retry] } : sent;
  return {
    name: `${delivery.owner} sends ${id}`,
    next: withDelivery(next, sends.length > 0 ? { ...delivery, sends } : advanced({ ...delivery, sends })),
  };
}

function ack(state: State, delivery: Delivery): Move[] {
  const left = withDelivery(state, advanced(delivery));
  const name = `${delivery.owner} acks`;
  const deleted: Move = { name, next: moved(left, delivery.message, 'deleted') };
  // SQS may take an old receipt for the message or for nothing.
  return delivery.zombie ? [deleted, { name: `${name} in vain`, next: left }] : [deleted];
}
