/** Locks in memory: the executable meaning of `Locks`. */
import { lapsedBeforeMs, lockAt } from '../ports/lock-place.ts';
import { type LockHolding, type LockRenewal, type LockRequest, type Locks, NOBODY } from '../ports/locks.ts';

interface Item {
  readonly token: number;
  /** undefined: nobody has it. */
  readonly holding: LockHolding | undefined;
  /** Who gave it back last. */
  readonly released: string | undefined;
}

/** Locks in memory: the meaning of the port. */
export class MemoryLocks implements Locks {
  readonly #items = new Map<string, Item>();

  acquire({ key, owner, nowMs, untilMs, info }: LockRequest): Promise<LockHolding | undefined> {
    const item = this.#item(key);
    const held = item?.holding;
    if (held !== undefined && held.owner !== owner && held.untilMs >= lapsedBeforeMs(nowMs))
      return Promise.resolve({ ...held });
    const token = (item?.token ?? nowMs) + 1;
    const holding = { key, owner, untilMs, token, ...(info === undefined ? {} : { info }) };
    this.#items.set(key, { token, holding, released: item?.released });
    return Promise.resolve({ ...holding });
  }

  renew({ key, owner, nowMs, untilMs }: LockRenewal): Promise<boolean> {
    const item = this.#item(key);
    const held = item?.holding;
    if (item === undefined || held === undefined || held.owner !== owner || held.untilMs < nowMs)
      return Promise.resolve(false);
    this.#items.set(key, { ...item, holding: { ...held, untilMs } });
    return Promise.resolve(true);
  }

  release({ key, owner }: Pick<LockHolding, 'key' | 'owner'>): Promise<boolean> {
    const item = this.#item(key);
    if (item?.holding?.owner !== owner) return Promise.resolve(item?.released === owner);
    this.#items.set(key, { token: item.token, holding: undefined, released: owner });
    return Promise.resolve(true);
  }

  free(key: string, token: number | undefined): Promise<LockHolding | undefined> {
    const item = this.#item(key);
    if (item?.holding === undefined || (token !== undefined && token !== item.token)) return Promise.resolve(undefined);
    this.#items.set(key, { token: item.token, holding: undefined, released: NOBODY });
    return Promise.resolve({ ...item.holding });
  }

  held(nowMs: number, limit: number): Promise<LockHolding[]> {
    const held = [...this.#items.values()]
      .flatMap(({ holding }) => holding ?? [])
      .filter(({ untilMs }) => untilMs >= lapsedBeforeMs(nowMs));
    return Promise.resolve(held.slice(0, limit).map((holding) => ({ ...holding })));
  }

  #item(key: string): Item | undefined {
    // What a key of the table must be.
    lockAt(key);
    return this.#items.get(key);
  }
}
