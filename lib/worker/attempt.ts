/** One delivery that may run, and what becomes of its message. */
import type { Message } from '../wire/message.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { RunSpan } from '../ports/telemetry.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Announced } from './announced.ts';
import type { Worker } from './worker.ts';
import type { TaskContext } from '../task/context.ts';

/**
 * Whether SQS may delete the message. `keep` leaves it, visible again after `seconds` or after the queue's own timeout, with
 * all of its group that came with it. `hidden`: it is hidden for its own time, and the others are no reason to wait longer.
 */
export type Disposition =
  | { readonly kind: 'ack' }
  | { readonly kind: 'keep'; readonly seconds?: number; readonly hidden?: boolean };

export const ACK: Disposition = { kind: 'ack' };

/** Deliveries of the attempt so far, this one included: those of the messages too that were sent on in its place. */
export function deliveriesOf({ celeriac }: Message, { receiveCount }: Delivery): number {
  return (celeriac.deliveries ?? 0) + receiveCount;
}

/** One delivery that may run, or ran. */
export interface Attempt {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly definition: TaskDefinition;
  /** Absent for idempotent tasks, which claim nothing. */
  readonly owner: string | undefined;
  readonly deliveries: number;
  /** How many of them ended without a word: a worker died, or ran out of time. Absent where nothing was claimed. */
  readonly lost?: number;
  readonly worker: Worker;
  /** Ids of what the run sent. */
  readonly children?: readonly string[];
  /** Of its run, which handlers see too. */
  readonly context?: TaskContext;
  /** Of its run, where the app has handlers of signals. */
  readonly announced?: Announced | undefined;
  /** Of its run, where the app has telemetry. */
  readonly span?: RunSpan | undefined;
}
