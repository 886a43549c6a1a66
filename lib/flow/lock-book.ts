/** `app.locks`: locks for users' own code. */
import { AsyncLocalStorage } from 'node:async_hooks';

import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { ImproperlyConfigured, InvalidOption, LockLost, LockNotAcquired } from '../base/errors.ts';
import { errorLine } from '../base/error-text.ts';
import { byBytes } from '../base/ids.ts';
import { DEFAULT_LOCK_SECONDS, DEFAULT_RENEWED_LOCK_SECONDS, MAX_LISTED_LOCKS } from '../base/limits.ts';
import type { Clock, Ids } from '../base/time.ts';
import type { LockHolding, Locks } from '../ports/locks.ts';
import type { Logger } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import { maybeCurrentTask } from '../task/context.ts';
import { Lock } from './lock.ts';
import { type LockStore, pauseMs, persistently } from './lock-calls.ts';
import { lockKey, type LockOptions, lockOptions, type ResolvedLock } from './lock-options.ts';

export type { LockOptions } from './lock-options.ts';

/** A lock that somebody has. */
export interface HeldLock {
  /** What it was acquired by. */
  readonly key: string;
  /** Of one acquiring: no two have the same. */
  readonly owner: string;
  /** When it lapses unless its owner renews it. */
  readonly until: Date;
  /** Greater than that of everybody who had it before. */
  readonly token: number;
  /** What its owner says of it. */
  readonly info?: string;
}

/** What it asks of an app. */
interface LockApp {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  ports(): Promise<Pick<Ports, 'locks' | 'clock' | 'random'>>;
}

// A renewal may fail twice before the lock lapses.
const RENEWALS = 3;

/**
 * `app.locks`: locks for code of your own, over all processes of the service. On AWS a caller needs `service.grantLocks(fn)`,
 * a worker too.
 */
export class LockBook {
  readonly #app: LockApp;

  /** Made by the app: use `app.locks`. */
  constructor(app: LockApp) {
    this.#app = app;
  }

  /**
   * Takes a lock; renew it or give it back yourself. `with()` does both.
   *
   * @example
   * ```ts
   * const lock = await app.locks.acquire('import', { ttl: '30s', wait: '5s' });
   * if (lock !== null) console.log(lock.token, await lock.release());
   * ```
   * @returns null where somebody else has it, and still had after `wait`.
   * @throws InvalidOption; OperationalError where the store cannot be asked.
   */
  async acquire(key: string, options: LockOptions = {}): Promise<Lock | null> {
    const taken = await this.#take(lockKey(key), lockOptions(options, DEFAULT_LOCK_SECONDS));
    return taken instanceof Lock ? taken : null;
  }

  /**
   * Runs `run` while nobody else has the lock, which is renewed meanwhile, and given back at its end.
   *
   * @example
   * ```ts
   * const page = await app.locks.with('import', { wait: '5s' }, (lock) => fetch('https://example.org', { signal: lock.signal }));
   * ```
   * @throws LockNotAcquired where somebody else has it, and still had after `wait`: `run` is not called. LockLost where it was
   * lost before `run` had ended; what `run` itself throws comes first. InvalidOption, OperationalError.
   */
  async with<R>(key: string, options: LockOptions, run: (lock: Lock) => R | Promise<R>): Promise<R>;
  /** The same with default options: no waiting. */
  async with<R>(key: string, run: (lock: Lock) => R | Promise<R>): Promise<R>;
  async with<R>(key: string, ...rest: readonly unknown[]): Promise<R> {
    const run = rest.at(-1) as (lock: Lock) => R | Promise<R>;
    if (typeof run !== 'function')
      throw new InvalidOption(`with(): ${shown(run)} given; give a function that does the work, behind the options.`);
    const options = lockOptions(rest.length === 1 ? {} : (rest[0] as LockOptions), DEFAULT_RENEWED_LOCK_SECONDS);
    const taken = await this.#take(lockKey(key), options);
    if (!(taken instanceof Lock)) throw notAcquired(key, taken);
    const stop = this.#keepRenewed(taken, options.ttlSeconds);
    let result: R;
    try {
      result = await run(taken);
    } catch (error) {
      await stop();
      await this.#giveBack(taken);
      throw error;
    }
    await stop();
    if (await this.#giveBack(taken)) return result;
    throw new LockLost(
      `Lock '${key}' was lost before its work had ended: somebody else may have worked at the same time.`,
    );
  }

  /** The locks that somebody has, in the order of their keys; at most `limit`, 1,000 by default. @throws InvalidOption */
  async list(options: { readonly limit?: number } = {}): Promise<HeldLock[]> {
    refuseUnknownKeys(options, new Set(['limit']), 'options of list()');
    const limit = integerIn(options.limit ?? DEFAULT_LISTED, 1, MAX_LISTED_LOCKS, 'limit');
    const held = await (await this.#locks()).held(this.#app.clock.nowMs(), limit);
    return held.toSorted((left, right) => byBytes(left.key, right.key)).map(heldOf);
  }

  /**
   * Takes a lock away from whoever has it, for people who know that nobody works under it any more: its owner notices at its next
   * renewal at the earliest.
   *
   * @param options `token`: only from whoever has this one, as `list()` showed it
   * @returns who had it; null where nobody did.
   * @throws InvalidOption
   */
  async free(key: string, options: { readonly token?: number } = {}): Promise<HeldLock | null> {
    refuseUnknownKeys(options, new Set(['token']), 'options of free()');
    const { token } = options;
    if (token !== undefined) integerIn(token, 0, Number.MAX_SAFE_INTEGER, 'token');
    const checked = lockKey(key);
    const freed = await (await this.#locks()).free(checked, token);
    return freed === undefined ? null : heldOf(freed);
  }

  // ------------------------------------------------------------------ parts

  /** @returns who has it instead, where nobody gave it to us. */
  async #take(key: string, { ttlSeconds, waitSeconds, info }: ResolvedLock): Promise<Lock | LockHolding | undefined> {
    const task = maybeCurrentTask();
    const note = info ?? (task === undefined ? undefined : `${task.request.task} ${task.request.id}`);
    const owner = this.#app.ids.next();
    const store = await this.#store();
    const { clock, random } = store;
    const giveUpMs = clock.nowMs() + waitSeconds * 1000;
    for (let attempt = 0; ; attempt += 1) {
      const holding = await this.#ask(store, { key, owner, ttlSeconds, info: note });
      if (holding?.owner === owner) return new Lock(store, holding, ttlSeconds);
      const leftMs = giveUpMs - clock.nowMs();
      if (leftMs <= 0) return holding;
      await clock.sleep(Math.min(leftMs, pauseMs(attempt, random)), task?.signal);
      // Its time is over: what it would begin now is cut off.
      task?.signal.throwIfAborted();
    }
  }

  async #ask(store: LockStore, { key, owner, ttlSeconds, info }: Asked): Promise<LockHolding | undefined> {
    const locks = await store.locks();
    try {
      return await persistently(store, () => {
        const nowMs = store.clock.nowMs();
        const untilMs = nowMs + ttlSeconds * 1000;
        return locks.acquire({ key, owner, nowMs, untilMs, ...(info === undefined ? {} : { info }) });
      });
    } catch (error) {
      // It may have been written, and nobody else would give it back.
      await locks.release({ key, owner }).catch(() => undefined);
      throw error;
    }
  }

  /** @returns what ends it: no renewal is under way then. */
  #keepRenewed(lock: Lock, ttlSeconds: number): () => Promise<void> {
    const { clock } = this.#app;
    let stopped = false;
    let cancel = (): void => {};
    let renewal = Promise.resolve();
    const later = (): void => {
      if (!stopped && !lock.signal.aborted) cancel = clock.schedule((ttlSeconds * 1000) / RENEWALS, beat);
    };
    // In the task that took the lock. Where the store cannot be asked the next one may be in time; the lock's signal tells where none was.
    const beat = AsyncLocalStorage.bind(() => {
      renewal = lock
        .renew()
        .catch(() => undefined)
        .then(later);
    });
    later();
    return () => {
      stopped = true;
      cancel();
      return renewal;
    };
  }

  /** What its work has done stands: a store that cannot be asked must not undo it. */
  async #giveBack(lock: Lock): Promise<boolean> {
    try {
      return await lock.release();
    } catch (error) {
      const until = lock.until.toISOString();
      this.#app.logger.log('warn', `Lock '${lock.key}' was not given back and lapses at ${until}: ${errorLine(error)}`);
      return true;
    }
  }

  async #store(): Promise<LockStore> {
    const { clock, random } = await this.#app.ports();
    return { clock, random, locks: () => this.#locks() };
  }

  async #locks(): Promise<Locks> {
    const { locks } = await this.#app.ports();
    if (locks !== undefined) return locks;
    throw new ImproperlyConfigured('app.locks: app.use() was given no `locks`. Give it a store of them.');
  }
}

interface Asked {
  readonly key: string;
  readonly owner: string;
  readonly ttlSeconds: number;
  readonly info: string | undefined;
}

const DEFAULT_LISTED = 1000;

function heldOf({ untilMs, ...holding }: LockHolding): HeldLock {
  return { ...holding, until: new Date(untilMs) };
}

function notAcquired(key: string, held: LockHolding | undefined): LockNotAcquired {
  if (held === undefined)
    return new LockNotAcquired(`Lock '${key}' goes from hand to hand: nobody knows who has it.`, { key });
  const { owner, untilMs, info } = held;
  const until = new Date(untilMs);
  const who = info === undefined ? owner : `${owner} (${info})`;
  return new LockNotAcquired(`Lock '${key}' is held by ${who} until ${until.toISOString()}.`, { key, owner, until });
}
