/**
 * Who runs beside whom in a worker process. A task that ends its process, by memory or a crash, takes along whatever runs beside it:
 * each such end counts as a delivery of all of them. So what a process was ended with too often begins once nothing else
 * runs here, and nothing begins beside it.
 */
import { attemptNumber } from '../wire/attempt-number.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Ports } from '../ports/ports.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { OFTEN_RECEIVED, placeOf, wasBegun } from '../worker/apart.ts';
import { deliveriesOf } from '../worker/attempt.ts';
import { unlessRefused } from '../worker/windows.ts';
import type { Message } from '../wire/message.ts';

/**
 * Of ends of processes with it that are nobody's fault, a deployment that could not wait or a machine taken away, one is common, and tasks of hours
 * would then run one after another. After the second it runs alone: then no other can be ended by it, whatever it does.
 */
const LOSSES_IN_COMPANY = 1;

interface Waiting {
  readonly member: object;
  readonly delivery: Delivery;
  /** Another one at each receive: what ends its process must not always come first. */
  readonly place: number;
  readonly answer: (runs: boolean) => void;
}

export class Company {
  readonly #changed: () => void;
  readonly #members = new Set<object>();
  readonly #waiting: Waiting[] = [];
  #alone: object | undefined;
  #ended = false;

  /** @param changed called when others may begin again */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Whether nothing may begin now: something runs alone, or is to. */
  get isClosed(): boolean {
    return this.#alone !== undefined || this.#waiting.length > 0;
  }

  enter(member: object): void {
    this.#members.add(member);
  }

  leave(member: object): void {
    const wasClosed = this.isClosed;
    this.#members.delete(member);
    if (this.#alone === member) this.#alone = undefined;
    this.#goOn();
    if (wasClosed && !this.isClosed) this.#changed();
  }

  /** Waits until a member runs alone. It does until it leaves. @returns false where it is to go back instead */
  async untilAlone(member: object, delivery: Delivery): Promise<boolean> {
    if (this.#alone === member) return true;
    if (this.#ended) return false;
    return new Promise<boolean>((answer) => {
      this.#waiting.push({ member, delivery, place: placeOf([delivery]), answer });
      this.#waiting.sort((one, other) => one.place - other.place);
      this.#goOn();
    });
  }

  /** What waits of some queues goes back. */
  turnAway(isMeant: (queue: string) => boolean): void {
    const away = this.#waiting.filter(({ delivery }) => isMeant(delivery.queue));
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(({ delivery }) => !isMeant(delivery.queue)));
    for (const { answer } of away) answer(false);
    this.#goOn();
    if (away.length > 0 && !this.isClosed) this.#changed();
  }

  /** Whoever waits, or would from now on, goes back. */
  end(): void {
    this.#ended = true;
    this.turnAway(() => true);
  }

  #goOn(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#alone !== undefined || this.#members.size > this.#waiting.length) return;
    this.#alone = first.member;
    this.#waiting.shift();
    first.answer(true);
  }
}

/** Whether a message that came again is to run alone. First deliveries ask for nothing. */
export async function isToRunAlone(
  message: Message,
  delivery: Delivery,
  { options }: TaskDefinition,
  { backend, clock }: Pick<Ports, 'backend' | 'clock'>,
): Promise<boolean> {
  const deliveries = deliveriesOf(message, delivery);
  const allowed = Math.min(LOSSES_IN_COMPANY, options.maxDeliveries - 2);
  // Nothing tells of an idempotent task whether it was begun.
  if (options.idempotent) return deliveries - 1 > allowed;
  if (deliveries <= 1 || !options.acksLate) return false;
  const nowMs = clock.nowMs();
  const number = attemptNumber(message);
  const record = (await unlessRefused(() => backend.get([message.id], nowMs, 'state')))?.[0];
  if (!wasBegun(record, number)) return false;
  // Only what follows from its outcome is left, which has hardly ended its process; others need not wait for that.
  if (record?.attempt !== number || record.committed === number) return deliveries > OFTEN_RECEIVED;
  // Another has it in hand.
  if ((record.leaseMs ?? 0) > nowMs) return false;
  const losses = (record.deliveries ?? 0) - (record.requeues ?? 0);
  // Its claim finds one that was lost too often, and does not run it.
  return losses > allowed && losses < options.maxDeliveries;
}
