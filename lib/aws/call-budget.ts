/**
 * How long the requests of one public call may go without a success. The SDK's own retries multiply (of a request, of the
 * requests of a batch, of publishing), and a network that swallows packets answers never: a caller waits once, not for each.
 */
import type { Clock } from '../base/time.ts';

/** No request succeeded for as long as the budget allows. */
export class CallBudgetOver extends Error {
  readonly retryable: boolean = true;
  readonly seconds: number;
  constructor(seconds: number) {
    super(`no request succeeded within ${seconds} s`);
    this.name = 'CallBudgetOver';
    this.seconds = seconds;
  }
}

/** When any request of this process has last succeeded: calls side by side wait in one line for a connection. */
export class LastSuccess {
  lastMs: number = -Infinity;
}

// A call that waits behind others which succeed is patient, up to this many times its budget: its own connection may be dead.
const LONGEST_LINE = 10;
// A timer that comes later than this was held up by the process itself; answers may lie there unread.
const HELD_UP_MS = 250;

interface Pending {
  readonly giveUp: () => void;
}

export class CallBudget {
  readonly #clock: Clock;
  readonly #seconds: number;
  readonly #lastSuccess: LastSuccess;
  readonly #pending = new Set<Pending>();
  /** Time under way without a success, before `#resumedMs`. */
  #spentMs = 0;
  #resumedMs = 0;
  #endedMs = -Infinity;
  #over = false;
  #cancel: (() => void) | undefined;

  constructor(seconds: number, clock: Clock, lastSuccess: LastSuccess = new LastSuccess()) {
    this.#lastSuccess = lastSuccess;
    this.#seconds = seconds;
    this.#clock = clock;
  }

  /**
   * Runs one request, whose signal aborts when the budget is over. Requests side by side share the budget: of
   * twenty thousand messages none waits for the timeout of another.
   *
   * @throws CallBudgetOver, whether the request ends by then or not; else what the request throws.
   */
  run<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = {
        giveUp: () => {
          controller.abort();
          reject(new CallBudgetOver(this.#seconds));
        },
      };
      if (!this.#begin(pending)) {
        pending.giveUp();
        return;
      }
      request(controller.signal).then(
        (answer) => {
          this.#end(pending, true);
          resolve(answer);
        },
        (error: unknown) => {
          this.#end(pending, isAnswer(error));
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #begin(pending: Pending): boolean {
    const nowMs = this.#clock.nowMs();
    if (this.#pending.size === 0) {
      // Whoever kept these ports and comes back later may try anew.
      if (nowMs - this.#endedMs > this.#seconds * 1000) this.#reset(nowMs);
      if (this.#over) return false;
      this.#resumedMs = nowMs;
      this.#arm(this.#seconds * 1000 - this.#spentMs);
    }
    this.#pending.add(pending);
    return true;
  }

  #end(pending: Pending, success: boolean): void {
    // Given up already: what the request came to later changes nothing.
    if (!this.#pending.delete(pending)) return;
    const nowMs = this.#clock.nowMs();
    if (success) {
      this.#lastSuccess.lastMs = nowMs;
      this.#reset(nowMs);
    }
    if (this.#pending.size > 0) return;
    this.#cancel?.();
    this.#spentMs += nowMs - this.#resumedMs;
    this.#endedMs = nowMs;
  }

  #reset(nowMs: number): void {
    this.#spentMs = 0;
    this.#resumedMs = nowMs;
    this.#over = false;
  }

  #arm(ms: number): void {
    const dueMs = this.#clock.nowMs() + ms;
    this.#cancel = this.#clock.schedule(ms, () => {
      const nowMs = this.#clock.nowMs();
      const budgetMs = this.#seconds * 1000;
      const ownMs = this.#spentMs + nowMs - this.#resumedMs;
      // Something succeeded meanwhile, here or in another call.
      const sinceSuccessMs =
        ownMs < budgetMs * LONGEST_LINE ? Math.min(ownMs, nowMs - this.#lastSuccess.lastMs) : ownMs;
      if (sinceSuccessMs < budgetMs) this.#arm(budgetMs - sinceSuccessMs);
      else if (nowMs - dueMs > HELD_UP_MS) this.#arm(HELD_UP_MS);
      else this.#giveUp(nowMs);
    });
  }

  #giveUp(nowMs: number): void {
    this.#over = true;
    this.#endedMs = nowMs;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const { giveUp } of pending) giveUp();
  }
}

/** A refusal, a condition that does not hold: the service is there. A throttle or an error of its own is no progress. */
function isAnswer(error: unknown): boolean {
  const { $fault, $retryable } = (error ?? {}) as { readonly $fault?: unknown; readonly $retryable?: unknown };
  return $fault === 'client' && $retryable === undefined;
}
