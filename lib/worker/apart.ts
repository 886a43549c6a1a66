/**
 * A batch in which messages came again. One of them may be what ended their worker, by memory, a crash or an endless loop,
 * and would end it each time: so whatever had been begun when its worker ended runs alone, after all others of its batch.
 * Otherwise it takes with it whatever shares its batch, which comes back together since its visibility ends together.
 */
import { attemptNumber } from '../wire/attempt-number.ts';
import { derivedId } from '../base/ids.ts';
import { batchConcurrencyOf } from '../options/declared-queue.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Message } from '../wire/message.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { deliveriesOf } from './attempt.ts';
import { neededMsOf } from './decide.ts';
import { timeLeftMs } from './deadline.ts';
import { unlessRefused } from './windows.ts';
import type { Worker } from './worker.ts';

/**
 * A message that came so often without being begun may be ended by what comes before its claim. Fewer receives are
 * nothing of its own: its function was throttled, its batch was ended by another, or too little time was left.
 */
export const OFTEN_RECEIVED = 10;

// Of a quarter of the invocation, which is what such a task asks for: it begins in the first half.
const SHARE_WITHOUT_LIMIT = 2;

type Lane = readonly Delivery[];

/** Runs all lanes, at most `batchConcurrency` of them at once, each with a worker that knows when it must run alone. */
export async function runApart(
  lanes: readonly Lane[],
  worker: Worker,
  run: (lane: Lane, worker: Worker) => Promise<void>,
): Promise<void> {
  const turns = new Turns(worker, batchConcurrencyOf(lanes[0] ?? [], worker.app.settings));
  await Promise.all(inOrder(lanes).map((lane, place) => turns.run(place, (of) => run(lane, { ...worker, ...of }))));
}

/** First what comes for the first time, as it came; then what came again. */
export function inOrder(lanes: readonly Lane[]): Lane[] {
  const places = new Map(lanes.map((lane) => [lane, placeOf(lane)]));
  return lanes.toSorted((left, right) => (places.get(left) ?? 0) - (places.get(right) ?? 0));
}

/**
 * What ends its worker keeps those behind it from running, and it is not known: so of each two receives the second is the
 * first in reverse, and every pair in another order. With one such message in a batch all others have run after two.
 */
export function placeOf([head]: Lane): number {
  if (head === undefined || head.receiveCount <= 1) return 0;
  const { messageId, receiveCount } = head;
  const place = Number.parseInt(derivedId(`${receiveCount >> 1}/${messageId}`).slice(0, 8), 16);
  return 1 + (receiveCount % 2 === 0 ? place : 2 ** 32 - place);
}

/** Whether a worker had begun this attempt, or a later one, and neither finished nor gave it back. */
export function wasBegun(record: TaskRecord | undefined, attempt: number): boolean {
  if (record?.attempt === undefined || record.attempt < attempt) return false;
  // Committed, but not acknowledged: what follows from it may have ended its worker.
  if (record.attempt > attempt || record.committed === attempt) return true;
  return (record.deliveries ?? 0) > (record.requeues ?? 0);
}

interface Waiting {
  readonly place: number;
  readonly start: () => void;
}

/** Which lanes of a batch run now. */
class Turns {
  readonly #worker: Worker;
  readonly #width: number;
  /** Lanes that were not begun, in order. */
  readonly #open: (() => void)[] = [];
  /** Those that are to run alone. */
  readonly #waiting: Waiting[] = [];
  #running = 0;
  /** The lane that runs alone. */
  #alone: number | undefined;

  constructor(worker: Worker, width: number) {
    this.#worker = worker;
    this.#width = width;
  }

  async run(place: number, work: (of: Pick<Worker, 'mayRun' | 'exclusively'>) => Promise<void>): Promise<void> {
    await new Promise<void>((begin) => {
      this.#open.push(begin);
      this.#goOn();
    });
    try {
      await work({
        mayRun: async (message, delivery, definition) =>
          !(await this.#isSuspect(message, delivery, definition)) || this.#untilAlone(place, definition),
        exclusively: (task) => this.#exclusively(task),
      });
    } finally {
      if (this.#alone === place) this.#alone = undefined;
      this.#running -= 1;
      this.#goOn();
    }
  }

  async #isSuspect(message: Message, delivery: Delivery, { options }: TaskDefinition): Promise<boolean> {
    const deliveries = deliveriesOf(message, delivery);
    if (deliveries <= 1) return false;
    // Nothing tells of an idempotent task whether it was begun.
    if (options.idempotent || deliveries > OFTEN_RECEIVED) return true;
    const { backend, clock } = this.#worker.ports;
    const found = await unlessRefused(() => backend.get([message.id], clock.nowMs(), 'state'));
    return wasBegun(found?.[0], attemptNumber(message));
  }

  /**
   * As long as its own time limit leaves room for. Then it runs beside those that came for the first time, or a busy queue
   * would never let it run; beside one that is to run alone too, or as many as may run at once, it does not, and comes again.
   */
  async #untilAlone(place: number, { options }: TaskDefinition): Promise<boolean> {
    if (this.#alone === place) return true;
    const { invocation, invocationStartMs, ports } = this.#worker;
    const askedMs = neededMsOf(invocation.deadlineMs, invocationStartMs, options);
    const isLimited = options.timeLimitSeconds !== null || options.softTimeLimitSeconds !== null;
    // How long the others take says nothing: whoever has no limit would be cut off at the end of an invocation that it began late.
    const neededMs = isLimited ? askedMs : SHARE_WITHOUT_LIMIT * askedMs;
    this.#running -= 1;
    return new Promise<boolean>((resolve) => {
      const start = (runs: boolean): void => {
        cancel();
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        if (runs) this.#alone = place;
        this.#running += 1;
        resolve(runs);
      };
      const waiting: Waiting = { place, start: () => start(true) };
      const cancel = ports.clock.schedule(Math.max(0, timeLeftMs(ports.clock, invocation.deadlineMs) - neededMs), () =>
        start(this.#alone === undefined && this.#running < this.#width),
      );
      this.#waiting.push(waiting);
      this.#goOn();
    });
  }

  /** Who waits for another large message does not run. */
  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    this.#running -= 1;
    this.#goOn();
    return this.#worker.exclusively(async () => {
      // Others have begun meanwhile: it is the next when one of them ends.
      await new Promise<void>((begin) => {
        this.#open.unshift(begin);
        this.#goOn();
      });
      return task();
    });
  }

  #goOn(): void {
    if (this.#alone !== undefined) return;
    while (this.#running < this.#width && this.#open.length > 0) {
      this.#running += 1;
      this.#open.shift()?.();
    }
    if (this.#running > 0) return;
    const [first] = this.#waiting.toSorted((left, right) => left.place - right.place);
    first?.start();
  }
}
