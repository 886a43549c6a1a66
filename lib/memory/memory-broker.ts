/** SQS in memory: delays, visibility, receive counts, redrive, FIFO groups. The executable meaning of `Broker`. */
import { QueueNotFound } from '../base/errors.ts';
import { SQS_MAX_VISIBILITY_SECONDS } from '../base/limits.ts';
import type { Broker, OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import type { Clock, Ids } from '../base/time.ts';
import { refusalOf } from '../ports/sqs-refusals.ts';
import { WAKE_QUEUE } from '../ports/wake-up.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import type { Peeks } from '../ports/peeks.ts';
import type { QueueDepths } from '../ports/queue-depths.ts';
import { depthOf, MemoryDeadLetters } from './memory-dead-letters.ts';
import { MemoryDepths } from './memory-depths.ts';
import { MemoryPeeks } from './memory-peeks.ts';
import { FifoQueue, type MessageQueue, StandardQueue, type Stored } from './memory-queue.ts';

/** What the queues in memory are made of. */
export interface MemoryBrokerOptions {
  /** Tells when delays and visibility are over. */
  readonly clock: Clock;
  /** Makes message ids. */
  readonly ids: Ids;
  /** Queues by Celery's name, each before its lanes. */
  readonly queues: Readonly<Record<string, { readonly fifo: boolean; readonly laneOf?: string }>>;
  /** Default 330 s. */
  readonly visibilitySeconds?: number;
  /** Receives before a message moves to the lost queue. Default 50. */
  readonly maxReceiveCount?: number;
}

/** One receipt of a message. */
export interface Received {
  /** SQS's id of the message, the same at every receipt. */
  readonly messageId: string;
  /** Names this receipt, for `acknowledge` and `changeVisibility`. */
  readonly receipt: string;
  /** The SQS message body. */
  readonly body: string;
  /** String message attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Receipts of the message so far, this one included. */
  readonly receiveCount: number;
  /** When it was sent, milliseconds since the epoch. */
  readonly sentMs: number;
  /** FIFO group, or fair-queue tenant. */
  readonly groupId?: string;
  /** Of a message in the lost queue: the queue it came from. */
  readonly lostFrom?: string;
}

/** What a queue holds, as a test looks at it. */
export interface QueuedMessage {
  /** The SQS message body. */
  readonly body: string;
  /** String message attributes; a dead letter's tell why it lies there. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** In the order of their end, which is the order of their beginning. */
type Deduplication = Map<string, { readonly messageId: string; readonly untilMs: number }>;

interface Queue {
  readonly messages: MessageQueue;
  readonly deduplication: Deduplication;
  readonly dead: MessageQueue;
  readonly deadDeduplication: Deduplication;
}

type Parts = Omit<Stored, 'order' | 'receiveCount' | 'receipt' | 'heapIndex'>;

const LOST_QUEUE = '__lost__';
// Of the service itself: no redrive policy leads out of them.
const OWN_QUEUES: ReadonlySet<string> = new Set([LOST_QUEUE, WAKE_QUEUE]);
const DEDUPLICATION_MS = 300_000;

/** SQS in memory: delays, visibility, receive counts, redrive, FIFO groups. It refuses what SQS refuses. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #visibilityMs: number;
  readonly #maxReceiveCount: number;
  readonly #queues = new Map<string, Queue>();
  #order = 0;

  /** Makes the queues, all of them empty, and the service's own beside them. */
  constructor(options: MemoryBrokerOptions) {
    this.#clock = options.clock;
    this.#ids = options.ids;
    this.#visibilityMs = (options.visibilitySeconds ?? 330) * 1000;
    this.#maxReceiveCount = options.maxReceiveCount ?? 50;
    const own = [...OWN_QUEUES].map((name) => [name, { fifo: false }] as const);
    const queues: MemoryBrokerOptions['queues'] = { ...options.queues, ...Object.fromEntries(own) };
    for (const [name, { fifo, laneOf }] of Object.entries(queues)) {
      this.#queues.set(name, {
        messages: newQueue(fifo),
        deduplication: new Map(),
        // Lanes share one.
        dead: this.#queues.get(laneOf ?? '')?.dead ?? newQueue(fifo),
        deadDeduplication: new Map(),
      });
    }
  }

  // ----------------------------------------------------------------- port

  send(items: readonly OutgoingMessage[]): Promise<SendOutcome[]> {
    return Promise.resolve(items.map((item) => this.#send(item)));
  }

  changeVisibility(queue: string, receipt: string, delaySeconds: number): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const message = this.#byReceipt(queue, receipt);
    // Only what is in flight: a message that is visible again is anybody's.
    if (message !== undefined && message.visibleMs > nowMs) {
      const seconds = Math.min(SQS_MAX_VISIBILITY_SECONDS, Math.max(0, Math.ceil(delaySeconds)));
      this.#queues.get(queue)?.messages.show(message, nowMs + seconds * 1000);
    }
    return Promise.resolve();
  }

  // ----------------------------------------------------- the queue's other end

  /**
   * Takes up to `max` messages that are visible now. They are hidden for `visibilitySeconds`; one that was received
   * `maxReceiveCount` times goes to the lost queue instead.
   */
  receive(queueName: string, max: number, visibilitySeconds?: number): Received[] {
    const visibilityMs = visibilitySeconds === undefined ? this.#visibilityMs : visibilitySeconds * 1000;
    const messages = this.#queues.get(queueName)?.messages;
    if (messages === undefined) return [];
    return this.#take(messages, max, visibilityMs, (message) => {
      if (OWN_QUEUES.has(queueName) || message.receiveCount < this.#maxReceiveCount) return true;
      this.#lose(queueName, message);
      return false;
    });
  }

  /** Deletes a received message. A receipt that is no longer valid is not an error. */
  acknowledge(queueName: string, receipt: string): void {
    const message = this.#byReceipt(queueName, receipt);
    if (message) this.#queues.get(queueName)?.messages.remove(message);
  }

  /** Everything in a queue, delayed and in flight too, in the order sent. */
  peekAll(queue: string): QueuedMessage[] {
    return inOrder(this.#named(queue).messages);
  }

  /** What lies in a queue's dead-letter queue, in the order sent. @throws QueueNotFound */
  deadLetters(queue: string): QueuedMessage[] {
    return inOrder(this.#named(queue).dead);
  }

  /** The dead-letter queues, as people look at them and take them up again. */
  get letters(): DeadLetters {
    return new MemoryDeadLetters((queue) => this.#named(queue).dead, this.#clock);
  }

  /** How much lies in the queues, as people count it. */
  get depths(): QueueDepths {
    return new MemoryDepths((queue, deadLetter) => {
      const found = this.#queues.get(queue);
      return deadLetter ? found?.dead : found?.messages;
    }, this.#clock);
  }

  /** Looks into the queues: receives that hide nothing. */
  get peeks(): Peeks {
    return new MemoryPeeks(({ queue, deadLetter = false, limit }) => {
      const found = this.#queues.get(queue);
      if (found === undefined || !deadLetter) return found && this.receive(queue, limit, 0);
      return this.#take(found.dead, limit, 0);
    });
  }

  /** When anything becomes receivable, in one queue or in all; undefined when nothing is left. */
  nextVisibleMs(queueName?: string): number | undefined {
    if (queueName !== undefined) return this.#queues.get(queueName)?.messages.nextVisibleMs();
    let next: number | undefined;
    for (const { messages } of this.#queues.values()) {
      const visibleMs = messages.nextVisibleMs();
      if (visibleMs !== undefined && (next === undefined || visibleMs < next)) next = visibleMs;
    }
    return next;
  }

  /**
   * How many messages of a queue can be received now, are delayed, and were received and not deleted yet. @throws
   * QueueNotFound
   */
  depth(queue: string): { visible: number; delayed: number; inFlight: number } {
    return depthOf(this.#named(queue).messages, this.#clock.nowMs());
  }

  // --------------------------------------------------------------- inside

  /** @param keeps whether it stays in its queue: whatever does not, is received no more */
  #take(
    messages: MessageQueue,
    max: number,
    hiddenMs: number,
    keeps = (_message: Stored): boolean => true,
  ): Received[] {
    const nowMs = this.#clock.nowMs();
    const taken = messages.collect(nowMs, max, (message) => {
      if (!keeps(message)) return false;
      message.receiveCount += 1;
      message.visibleMs = nowMs + hiddenMs;
      message.receipt = `${message.messageId}#${message.receiveCount}`;
      return true;
    });
    return taken.map(receivedOf);
  }

  /** A test that looks into a queue that is not there would find nothing in it, and pass. */
  #named(name: string): Queue {
    const queue = this.#queues.get(name);
    if (queue !== undefined) return queue;
    const declared = [...this.#queues.keys()].filter((each) => !OWN_QUEUES.has(each));
    throw new QueueNotFound(`There is no queue '${name}'. Declared are: ${declared.join(', ')}.`);
  }

  #send(item: OutgoingMessage): SendOutcome {
    const queue = this.#queues.get(item.queue);
    if (queue === undefined) return refuse('QueueDoesNotExist', `there is no queue '${item.queue}'`);
    const { fifo } = queue.messages;
    const refusal = refusalOf(item, fifo);
    if (refusal !== undefined) return refusal;
    if (fifo && item.groupId === undefined) return refuse('MissingParameter', 'a FIFO queue needs a MessageGroupId');
    if (fifo && item.deduplicationId === undefined)
      return refuse('InvalidParameterValue', 'a FIFO queue needs a MessageDeduplicationId');
    const messageId = this.#ids.next();
    const nowMs = this.#clock.nowMs();
    if (fifo) {
      const seen = item.deadLetter ? queue.deadDeduplication : queue.deduplication;
      const first = firstOf(seen, item.deduplicationId ?? '', messageId, nowMs);
      if (first !== messageId) return { ok: true, messageId: first };
    }
    this.#store(item.deadLetter ? queue.dead : queue.messages, {
      messageId,
      body: item.body,
      attributes: Object.freeze({ ...item.attributes }),
      groupId: item.groupId,
      sentMs: nowMs,
      visibleMs: nowMs + (item.delaySeconds ?? 0) * 1000,
      lostFrom: undefined,
    });
    return { ok: true, messageId };
  }

  #store(messages: MessageQueue, parts: Parts): void {
    this.#order += 1;
    messages.add({ ...parts, order: this.#order, receiveCount: 0, receipt: undefined, heapIndex: -1 });
  }

  #lose(name: string, message: Stored): void {
    const lost = this.#queues.get(LOST_QUEUE);
    if (lost) this.#store(lost.messages, { ...message, visibleMs: this.#clock.nowMs(), lostFrom: name });
  }

  #byReceipt(queue: string, receipt: string): Stored | undefined {
    const message = this.#queues.get(queue)?.messages.get(receipt.slice(0, receipt.lastIndexOf('#')));
    return message?.receipt === receipt ? message : undefined;
  }
}

function newQueue(fifo: boolean): MessageQueue {
  return fifo ? new FifoQueue() : new StandardQueue();
}

function inOrder(messages: MessageQueue): QueuedMessage[] {
  return [...messages.values()]
    .toSorted((left, right) => left.order - right.order)
    .map(({ body, attributes }) => ({ body, attributes: { ...attributes } }));
}

/** The id of the first message that bore this deduplication id within five minutes: `messageId` when there is none. */
function firstOf(seen: Deduplication, deduplicationId: string, messageId: string, nowMs: number): string {
  for (const [id, { untilMs }] of seen) {
    if (untilMs > nowMs) break;
    seen.delete(id);
  }
  const known = seen.get(deduplicationId);
  if (known !== undefined) return known.messageId;
  seen.set(deduplicationId, { messageId, untilMs: nowMs + DEDUPLICATION_MS });
  return messageId;
}

function refuse(code: string, message: string): SendOutcome {
  return { ok: false, code, message, retryable: false };
}

function receivedOf(message: Stored): Received {
  return {
    messageId: message.messageId,
    receipt: message.receipt ?? '',
    body: message.body,
    attributes: message.attributes,
    receiveCount: message.receiveCount,
    sentMs: message.sentMs,
    ...(message.groupId === undefined ? {} : { groupId: message.groupId }),
    ...(message.lostFrom === undefined ? {} : { lostFrom: message.lostFrom }),
  };
}
