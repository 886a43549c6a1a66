/**
 * Where the messages of a worker process come from. It asks for no more than may run; the less urgent lane of a queue is asked while the
 * more urgent one has nothing; queues take turns.
 */
import { errorLine } from '../base/error-text.ts';
import { PROCESS_WAIT_SECONDS, SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Intake } from '../ports/intake.ts';
import type { Logger } from '../ports/log.ts';
import type { Line } from './lines.ts';
import type { Metrics } from './metrics.ts';

export interface FeedParts {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly visibilitySeconds: number;
  /** Whether nothing is to be taken from a queue or lane. What is asked already is answered. */
  readonly isPaused: (queue: string) => boolean;
  /** How many messages may be taken now. */
  readonly room: () => number;
  readonly accept: (line: Line, deliveries: readonly Delivery[]) => void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export class Feed {
  readonly #queues: readonly (readonly Line[])[];
  readonly #parts: FeedParts;
  readonly #hasOneLine: boolean;
  /** Lines that are asked and have not answered: they have nothing, or fail. */
  readonly #asked = new Map<Line, Promise<void>>();
  readonly #failures = new Map<Line, { readonly count: number; readonly sinceMs: number }>();
  readonly #stopped = new AbortController();
  readonly #cutOff = new AbortController();
  #changed = Promise.withResolvers<void>();
  #turn = 0;

  constructor(queues: readonly (readonly Line[])[], parts: FeedParts) {
    this.#queues = queues;
    this.#parts = parts;
    this.#hasOneLine = queues.flat().length === 1;
  }

  /** Since when each request for messages of some line has failed, milliseconds since the epoch; undefined for none. */
  get failingSinceMs(): number | undefined {
    return this.#failures.size === 0
      ? undefined
      : Math.min(...[...this.#failures.values()].map(({ sinceMs }) => sinceMs));
  }

  /** There is room again, or another queue may be asked. */
  tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }

  /** Receives until it is stopped, and no request is under way. */
  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      // Before the look: what changes meanwhile must not be missed.
      const changed = this.#changed.promise;
      if (!(await this.#look())) await changed;
    }
    // Cut off, a request may still take messages, which nobody sees until their visibility ends.
    await Promise.allSettled(this.#asked.values());
  }

  /** Asks nobody any more. What is asked answers within some seconds. */
  stop(): void {
    this.#stopped.abort();
    this.tell();
  }

  /** Waits for no answer either. */
  cutOff(): void {
    this.stop();
    this.#cutOff.abort();
  }

  /** @returns whether anything came. */
  async #look(): Promise<boolean> {
    let came = false;
    this.#turn += 1;
    for (const index of this.#queues.keys()) {
      for (const line of this.#queues[(index + this.#turn) % this.#queues.length] ?? []) {
        const room = Math.min(this.#parts.room(), SQS_MAX_BATCH_ENTRIES);
        if (room <= 0 || this.#stopped.signal.aborted) return came;
        if (this.#asked.has(line) || this.#parts.isPaused(line.queue)) continue;
        if (!this.#hasOneLine) {
          const count = await this.#receive(line, room, 0);
          if (count > 0) {
            came = true;
            // The most urgent lane first, again.
            break;
          }
        }
        // Several may answer at once: one message each, so that little is taken that cannot run yet.
        this.#ask(line, this.#hasOneLine ? room : 1);
      }
    }
    return came;
  }

  #ask(line: Line, max: number): void {
    const asked = this.#waitFor(line, max).finally(() => {
      this.#asked.delete(line);
      this.tell();
    });
    this.#asked.set(line, asked);
  }

  async #waitFor(line: Line, max: number): Promise<void> {
    const failures = this.#failures.get(line)?.count ?? 0;
    if (failures > 0)
      await this.#parts.clock.sleep(
        Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)),
        this.#stopped.signal,
      );
    if (this.#stopped.signal.aborted || this.#parts.isPaused(line.queue)) return;
    await this.#receive(line, max, PROCESS_WAIT_SECONDS);
  }

  async #receive(line: Line, max: number, waitSeconds: number): Promise<number> {
    const { intake, clock, logger, metrics, visibilitySeconds, accept } = this.#parts;
    const { queue } = line;
    try {
      const request = { queue, max, waitSeconds, visibilitySeconds };
      const deliveries = await intake.receive(request, this.#cutOff.signal);
      this.#failures.delete(line);
      metrics.add('celeriac_worker_messages_received_total', { queue }, deliveries.length);
      if (deliveries.length > 0) accept(line, deliveries);
      return deliveries.length;
    } catch (error) {
      if (this.#cutOff.signal.aborted) return 0;
      const { count, sinceMs } = this.#failures.get(line) ?? { count: 0, sinceMs: clock.nowMs() };
      this.#failures.set(line, { count: count + 1, sinceMs });
      metrics.add('celeriac_worker_receive_errors_total', { queue });
      logger.log('error', `Queue ${queue}: no messages can be received: ${errorLine(error)}`, { queue });
      return 0;
    }
  }
}
