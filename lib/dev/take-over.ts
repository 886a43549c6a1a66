/** Claims where one process works at a time: whatever another one holds, its process is gone. */
import type { Backend, ClaimOutcome, ClaimRequest } from '../ports/backend.ts';

interface Held {
  readonly id: string;
  readonly attempt: number;
  readonly owner: string;
}

/** A backend that knows which claims are of this process. */
export class SoleWorker {
  readonly #backend: Backend;
  readonly #held = new Map<string, Held>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Attempts that run now. */
  get running(): number {
    return this.#held.size;
  }

  /** What runs is given up: the next process may run it at once, and it does not count as lost. */
  async handBack(): Promise<number> {
    const held = [...this.#held.values()];
    const released = await Promise.all(held.map((each) => this.#backend.release(each).catch(() => false)));
    return released.filter(Boolean).length;
  }

  /** The backend with it. */
  backend(): Backend {
    const backend = this.#backend;
    const forget = (requests: readonly { readonly owner: string }[]): void => {
      for (const { owner } of requests) this.#held.delete(owner);
    };
    const own = {
      claim: (requests: readonly ClaimRequest[]) => this.#claim(requests),
      commit: async (requests: Parameters<Backend['commit']>[0]) => {
        const answer = await backend.commit(requests);
        forget(requests);
        return answer;
      },
      release: async (request: Parameters<Backend['release']>[0]) => {
        const answer = await backend.release(request);
        forget([request]);
        return answer;
      },
    };
    return new Proxy(backend, {
      get(target, name) {
        if (Object.hasOwn(own, name)) return Reflect.get(own, name);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  async #claim(requests: readonly ClaimRequest[]): Promise<ClaimOutcome[]> {
    for (const { id, attempt, owner } of requests) this.#held.set(owner, { id, attempt, owner });
    const outcomes = await this.#backend.claim(requests);
    const again = requests.flatMap((request, index) => {
      const outcome = outcomes[index];
      const owner = outcome?.kind === 'busy' ? outcome.record.owner : undefined;
      if (outcome?.kind !== 'busy' || (owner !== undefined && this.#held.has(owner))) return [];
      // As if its lease had passed: it counts as lost, so that a task that ends its process each time is given up.
      return [{ index, request: { ...request, nowMs: outcome.leaseMs + 1, leaseMs: outcome.leaseMs + LEASE_MS } }];
    });
    const taken = again.length === 0 ? [] : await this.#backend.claim(again.map(({ request }) => request));
    for (const [position, { index }] of again.entries())
      outcomes[index] = taken[position] ?? (outcomes[index] as never);
    for (const [index, { owner }] of requests.entries())
      if (outcomes[index]?.kind !== 'claimed') this.#held.delete(owner);
    return outcomes;
  }
}

// Leases end when the invocation does; these begin later by what is left of the other's.
const LEASE_MS = 1_000_000;
