/** Small changes of a state, each a new state. */
import type { Holder, Stored } from './record-store.ts';
import { type Delivery, followersOf, type Ledger, type QueuedMessage, type State } from './state.ts';
import type { TaskRecord } from '../../lib/ports/backend.ts';

export function attemptOf(state: State, delivery: Delivery): number {
  return state.messages[delivery.message]?.attempt ?? 0;
}

export function holder(state: State, delivery: Delivery): Holder {
  return { owner: delivery.owner, attempt: attemptOf(state, delivery), now: state.now };
}

/** Its claim stands and is not committed yet. */
export function owns(state: State, delivery: Delivery): boolean {
  const { record } = state;
  if (record?.owner !== delivery.owner || record.finishedMs !== undefined) return false;
  return record.attempt === attemptOf(state, delivery) && record.committed !== record.attempt;
}

// -------------------------------------------------------------- deliveries

/** Adds or replaces it; one that has nothing left to do is over. */
export function withDelivery(state: State, delivery: Delivery): State {
  const others = without(state, delivery);
  if (delivery.todo.length === 0) return others;
  const deliveries = [...others.deliveries, delivery].toSorted((a, b) => (a.owner < b.owner ? -1 : 1));
  return { ...others, deliveries };
}

export function without(state: State, { owner }: Delivery): State {
  return { ...state, deliveries: state.deliveries.filter((each) => each.owner !== owner) };
}

export function advanced(delivery: Delivery): Delivery {
  return { ...delivery, todo: delivery.todo.slice(1) };
}

/** What is left to do once the outcome is stored. */
export function following(
  record: Pick<TaskRecord, 'status' | 'settlement'>,
): Pick<Delivery, 'status' | 'sends' | 'todo'> {
  const { status } = record;
  const sends = followersOf(record);
  return { status, sends, todo: sends.length > 0 ? ['settle', 'ack'] : ['ack'] };
}

// ---------------------------------------------------------------- messages

export function moved(state: State, message: number, location: QueuedMessage['location']): State {
  const messages = state.messages.map((each, index) => (index === message ? { ...each, location } : each));
  return { ...state, messages };
}

/** A zombie's receipt is old: its message is already visible, or in other hands. */
export function givenBack(state: State, { message, zombie }: Delivery, location: 'visible' | 'waiting'): State {
  return zombie || state.messages[message]?.location !== 'flight' ? state : moved(state, message, location);
}

/** Copies of a message are alike: states that differ only in which is which become one. */
export function normal(state: State): State {
  const keys = state.messages.map(({ attempt, location }, index) => {
    const holders = state.deliveries.filter(({ message }) => message === index).map(({ owner }) => owner);
    return `${attempt} ${location} ${holders.join()}`;
  });
  const order = [...keys.keys()].toSorted((a, b) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1));
  return {
    ...state,
    messages: order.map((index) => state.messages[index]).filter((message) => message !== undefined),
    deliveries: state.deliveries.map((each) => ({ ...each, message: order.indexOf(each.message) })),
  };
}

// ------------------------------------------------------------ record, ledger

export function stored(state: State, record: Stored): State {
  if (record === state.record) return state;
  const next = { ...state, record };
  if (record?.finishedMs === undefined) return next;
  return noted(next, { finals: [...state.ledger.finals, record.status] });
}

export function noted(state: State, facts: Partial<Ledger>): State {
  return { ...state, ledger: { ...state.ledger, ...facts } };
}

export function lost(state: State, attempt: number): State {
  return noted(state, { losses: bumped(state.ledger.losses, attempt) });
}

export function bumped(counts: readonly number[], attempt: number): number[] {
  return counts.map((count, index) => (index === attempt ? count + 1 : count));
}
