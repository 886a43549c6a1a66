/** SQS in memory: delays, visibility, receive counts, redrive, FIFO groups. The executable meaning of `Broker`. */
import { SQS_MAX_DELAY_SECONDS, SQS_MAX_MESSAGE_BYTES, SQS_MAX_VISIBILITY_SECONDS } from '../limits.ts';
import type { Broker, Clock, Ids, OutgoingMessage, SendOutcome } from '../ports.ts';

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly queues: Readonly<Record<string, { readonly fifo: boolean }>>;
  /** Default 330 s. */
  readonly visibilitySeconds?: number;
  /** Receives before a message moves to the lost queue. Default 50. */
  readonly maxReceiveCount?: number;
}

export interface Received {
  readonly messageId: string;
  readonly receipt: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly receiveCount: number;
  readonly sentMs: number;
  readonly groupId?: string;
  readonly lostFrom?: string;
}

interface Stored {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly groupId: string | undefined;
  readonly sentMs: number;
  readonly order: number;
  readonly lostFrom: string | undefined;
  visibleMs: number;
  receiveCount: number;
  /** The newest receipt; older ones are no longer valid. */
  receipt: string | undefined;
}

interface Queue {
  readonly fifo: boolean;
  readonly messages: Map<string, Stored>;
  readonly deduplication: Map<string, { readonly messageId: string; readonly untilMs: number }>;
  readonly dead: OutgoingMessage[];
}

const LOST_QUEUE = '__lost__';
const DEDUPLICATION_MS = 300_000;

export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #visibilityMs: number;
  readonly #maxReceiveCount: number;
  readonly #queues = new Map<string, Queue>();
  #order = 0;

  constructor(options: MemoryBrokerOptions) {
    this.#clock = options.clock;
    this.#ids = options.ids;
    this.#visibilityMs = (options.visibilitySeconds ?? 330) * 1000;
    this.#maxReceiveCount = options.maxReceiveCount ?? 50;
    for (const [name, { fifo }] of [...Object.entries(options.queues), [LOST_QUEUE, { fifo: false }] as const]) {
      this.#queues.set(name, { fifo, messages: new Map(), deduplication: new Map(), dead: [] });
    }
  }

  // ----------------------------------------------------------------- port

  send(items: readonly OutgoingMessage[]): Promise<SendOutcome[]> {
    return Promise.resolve(items.map((item) => this.#send(item)));
  }

  changeVisibility(queue: string, receipt: string, delaySeconds: number): Promise<void> {
    const message = this.#byReceipt(queue, receipt);
    if (message) message.visibleMs = this.#clock.nowMs() + Math.min(delaySeconds, SQS_MAX_VISIBILITY_SECONDS) * 1000;
    return Promise.resolve();
  }

  isFifo(queue: string): boolean {
    return this.#queues.get(queue)?.fifo ?? false;
  }

  // ----------------------------------------------------- the queue's other end

  receive(queueName: string, max: number): Received[] {
    const queue = this.#queues.get(queueName);
    if (queue === undefined) return [];
    const nowMs = this.#clock.nowMs();
    const received: Received[] = [];
    // A FIFO group waits while any of its earlier messages is in flight.
    const blocked = new Set<string | undefined>();
    for (const message of queue.messages.values()) {
      if (received.length >= max) break;
      const ready = message.visibleMs <= nowMs;
      if (queue.fifo && (!ready || blocked.has(message.groupId))) {
        blocked.add(message.groupId);
        continue;
      }
      if (!ready) continue;
      if (queueName !== LOST_QUEUE && message.receiveCount >= this.#maxReceiveCount) {
        this.#lose(queueName, queue, message);
        continue;
      }
      message.receiveCount += 1;
      message.visibleMs = nowMs + this.#visibilityMs;
      message.receipt = `${message.messageId}#${message.receiveCount}`;
      received.push(receivedOf(message, message.receipt));
    }
    return received;
  }

  acknowledge(queueName: string, receipt: string): void {
    const message = this.#byReceipt(queueName, receipt);
    if (message) this.#queues.get(queueName)?.messages.delete(message.messageId);
  }

  deadLetters(queue: string): { body: string; attributes: Readonly<Record<string, string>> }[] {
    return (this.#queues.get(queue)?.dead ?? []).map(({ body, attributes }) => ({
      body,
      attributes: { ...attributes },
    }));
  }

  /** When anything becomes receivable, in one queue or in all; undefined when nothing is left. */
  nextVisibleMs(queueName?: string): number | undefined {
    let next: number | undefined;
    for (const [name, queue] of this.#queues) {
      if (queueName !== undefined && name !== queueName) continue;
      const heads = new Set<string | undefined>();
      for (const message of queue.messages.values()) {
        // Behind a FIFO group's head nothing is receivable, whatever its own time says.
        if (queue.fifo && heads.has(message.groupId)) continue;
        heads.add(message.groupId);
        if (next === undefined || message.visibleMs < next) next = message.visibleMs;
      }
    }
    return next;
  }

  depth(queue: string): { visible: number; delayed: number; inFlight: number } {
    const nowMs = this.#clock.nowMs();
    const depth = { visible: 0, delayed: 0, inFlight: 0 };
    for (const message of this.#queues.get(queue)?.messages.values() ?? []) {
      if (message.visibleMs <= nowMs) depth.visible += 1;
      else if (message.receiveCount === 0) depth.delayed += 1;
      else depth.inFlight += 1;
    }
    return depth;
  }

  // --------------------------------------------------------------- inside

  #send(item: OutgoingMessage): SendOutcome {
    const queue = this.#queues.get(item.queue);
    const refusal =
      queue === undefined
        ? refuse('QueueDoesNotExist', `there is no queue '${item.queue}'`)
        : refusalOf(item, queue.fifo);
    if (queue === undefined || refusal !== undefined) return refusal ?? refuse('QueueDoesNotExist', item.queue);
    if (item.deadLetter) {
      queue.dead.push(item);
      return { ok: true, messageId: this.#ids.next() };
    }
    const nowMs = this.#clock.nowMs();
    const known = item.deduplicationId === undefined ? undefined : queue.deduplication.get(item.deduplicationId);
    if (queue.fifo && known !== undefined && known.untilMs > nowMs) return { ok: true, messageId: known.messageId };
    const messageId = this.#ids.next();
    if (queue.fifo && item.deduplicationId !== undefined)
      queue.deduplication.set(item.deduplicationId, { messageId, untilMs: nowMs + DEDUPLICATION_MS });
    this.#store(queue, {
      messageId,
      body: item.body,
      attributes: { ...item.attributes },
      groupId: item.groupId,
      sentMs: nowMs,
      visibleMs: nowMs + (item.delaySeconds ?? 0) * 1000,
      lostFrom: undefined,
    });
    return { ok: true, messageId };
  }

  #store(queue: Queue, parts: Omit<Stored, 'order' | 'receiveCount' | 'receipt'>): void {
    this.#order += 1;
    queue.messages.set(parts.messageId, { ...parts, order: this.#order, receiveCount: 0, receipt: undefined });
  }

  #lose(name: string, queue: Queue, message: Stored): void {
    queue.messages.delete(message.messageId);
    const lost = this.#queues.get(LOST_QUEUE);
    if (lost) this.#store(lost, { ...message, visibleMs: this.#clock.nowMs(), lostFrom: name });
  }

  #byReceipt(queue: string, receipt: string): Stored | undefined {
    const message = this.#queues.get(queue)?.messages.get(receipt.slice(0, receipt.lastIndexOf('#')));
    return message?.receipt === receipt ? message : undefined;
  }
}

function refusalOf(item: OutgoingMessage, fifo: boolean): SendOutcome | undefined {
  const bytes =
    Buffer.byteLength(item.body) +
    Object.entries(item.attributes ?? {}).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 6,
      0,
    );
  if (bytes > SQS_MAX_MESSAGE_BYTES)
    return refuse('InvalidParameterValue', `the message has ${bytes} bytes; ${SQS_MAX_MESSAGE_BYTES} are allowed`);
  const delay = item.delaySeconds ?? 0;
  if (delay < 0 || delay > SQS_MAX_DELAY_SECONDS || (fifo && delay > 0)) {
    return refuse(
      'InvalidParameterValue',
      `DelaySeconds ${delay}: 0 to ${SQS_MAX_DELAY_SECONDS} is allowed, and none on a FIFO queue`,
    );
  }
  if (fifo && item.groupId === undefined) return refuse('MissingParameter', 'a FIFO queue needs a MessageGroupId');
  return undefined;
}

function refuse(code: string, message: string): SendOutcome {
  return { ok: false, code, message, retryable: false };
}

function receivedOf(message: Stored, receipt: string): Received {
  return {
    messageId: message.messageId,
    receipt,
    body: message.body,
    attributes: message.attributes,
    receiveCount: message.receiveCount,
    sentMs: message.sentMs,
    ...(message.groupId === undefined ? {} : { groupId: message.groupId }),
    ...(message.lostFrom === undefined ? {} : { lostFrom: message.lostFrom }),
  };
}
