/** A lock that somebody has. */
import { AsyncLocalStorage } from 'node:async_hooks';

import type { Duration } from '../base/duration.ts';
import { LockLost } from '../base/errors.ts';
import { LOCK_WARNING_MS } from '../base/limits.ts';
import type { LockHolding } from '../ports/locks.ts';
import { type LockStore, persistently } from './lock-calls.ts';
import { lockSeconds } from './lock-options.ts';

/**
 * A lock that you have, until `until` or as long as you renew it. Whoever has it is alone, as far as clocks agree and no process
 * stands still; what must never be written by two is given the `token`, and refuses smaller ones.
 */
export class Lock {
  /** What it was acquired by. */
  readonly key: string;
  /** Of this acquiring; `list()` shows it. */
  readonly owner: string;
  /**
   * Greater than the token of everybody who had this lock before (fencing). A process may stand still, lose the lock and go on writing:
   * whatever it writes to can tell, where it remembers the greatest token that it has seen and refuses smaller ones.
   */
  readonly token: number;
  readonly #store: LockStore;
  readonly #ttlSeconds: number;
  #untilMs: number;
  #givenBack = false;
  readonly #lost = new AbortController();
  #watched = false;
  #cancelWarning: () => void = () => {};

  /** Made by `app.locks`. */
  constructor(store: LockStore, { key, owner, token, untilMs }: LockHolding, ttlSeconds: number) {
    this.#store = store;
    this.key = key;
    this.owner = owner;
    this.token = token;
    this.#untilMs = untilMs;
    this.#ttlSeconds = ttlSeconds;
  }

  /** When it lapses unless it is renewed; somebody else may have it then. */
  get until(): Date {
    return new Date(this.#untilMs);
  }

  /** Aborts with `LockLost` a second before the lock lapses, and at once when a renewal finds that it is lost. */
  get signal(): AbortSignal {
    // A timer keeps a process alive: there is none before somebody asks.
    if (!this.#watched) {
      this.#watched = true;
      this.#watch();
    }
    return this.#lost.signal;
  }

  /**
   * Keeps the lock for `ttl` from now on: for as long as it was acquired for, unless that is given.
   *
   * @throws LockLost where it has lapsed, or was freed: `signal` is aborted then, too. OperationalError where the store cannot be asked.
   */
  async renew(ttl?: Duration): Promise<void> {
    const seconds = ttl === undefined ? this.#ttlSeconds : lockSeconds(ttl, 'ttl of renew()');
    if (this.#givenBack) throw this.#error('it was given back');
    const locks = await this.#store.locks();
    const { key, owner } = this;
    const { clock } = this.#store;
    let untilMs = 0;
    const ours = await persistently(this.#store, () => {
      const nowMs = clock.nowMs();
      untilMs = nowMs + seconds * 1000;
      return locks.renew({ key, owner, nowMs, untilMs });
    });
    // Given back meanwhile it is not lost.
    if (!ours) throw this.#givenBack ? this.#error('it was given back') : this.#lose('it had lapsed, or was freed');
    this.#untilMs = untilMs;
    if (this.#watched) this.#watch();
  }

  /**
   * Gives it back; once more does no harm.
   *
   * @returns whether nobody else can have had it in between: false where it was lost before.
   * @throws OperationalError where the store cannot be asked: the lock lapses by itself then.
   */
  async release(): Promise<boolean> {
    this.#givenBack = true;
    this.#cancelWarning();
    const locks = await this.#store.locks();
    const { key, owner } = this;
    return persistently(this.#store, () => locks.release({ key, owner }));
  }

  /** `release()`, for `await using lock = await app.locks.acquire('import')`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  #watch(): void {
    this.#cancelWarning();
    if (this.#givenBack || this.#lost.signal.aborted) return;
    const { clock } = this.#store;
    const leftMs = this.#untilMs - LOCK_WARNING_MS - clock.nowMs();
    // Listeners run where the signal was asked for: in their task.
    const warn = AsyncLocalStorage.bind(() => void this.#lose(`it lapses at ${this.until.toISOString()}`));
    if (leftMs <= 0) warn();
    else this.#cancelWarning = clock.schedule(leftMs, warn);
  }

  #lose(why: string): LockLost {
    this.#cancelWarning();
    const error = this.#error(why);
    this.#lost.abort(error);
    return error;
  }

  #error(why: string): LockLost {
    return new LockLost(`Lock '${this.key}' is not yours any more: ${why}.`);
  }
}
