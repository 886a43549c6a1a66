/**
 * What the faults did to each task, seen from the true stores below every fault: claims won and given back, messages
 * taken, ends written. From this and a program's description `expect.ts` says what must come of each task.
 */
import type { World } from 'celeriac/testing';
import type { OutgoingMessage } from '../../../lib/ports/broker.ts';
import type { Refusal } from './refusals.ts';

/** How a task ended, as it is stored. */
export interface End {
  readonly state: string;
  readonly attempt: number | undefined;
  readonly meta: string | undefined;
  readonly atMs: number | undefined;
}

export interface Sends {
  readonly firstMs: number;
  /** Place among everything sent, and when, of the first that its queue took; -1 while it is a timer. */
  order: number;
  takenMs: number;
  /** When it was due, where it had a delay. */
  readonly dueMs: number | undefined;
  /** Of its first attempt: settled twice, it is sent twice, and each time expires later. */
  readonly expiresMs: number[];
  readonly queue: string;
  readonly groupId: string | undefined;
}

export interface Revoke {
  readonly atMs: number;
  /** Runs before it. */
  readonly runs: number;
  /** A worker had it, or may have had. */
  readonly open: boolean;
  readonly ended: boolean;
  readonly terminate: boolean;
}

interface Claim {
  readonly owner: string;
  readonly leaseMs: number;
  readonly atMs: number;
}

interface Attempt {
  readonly claims: Claim[];
  releases: number;
  open: boolean;
}

export class Facts {
  /** False where nobody can look below the faults: then anything may have been lost. */
  watched = false;
  /** Tasks that something else than a fault may hold up. */
  heldUp: ReadonlySet<string> = new Set();
  /** What becomes of a task that does not run beside itself, where another runs: by its name. */
  leftOut: ReadonlyMap<string, 'ignored' | 'retry'> = new Map();
  /** What a service refuses for good, by task id. */
  readonly refusals: Map<string, Refusal> = new Map();
  /** Tasks whose workers were told that they are revoked while they ran. */
  readonly told: Set<string> = new Set();
  readonly #attempts = new Map<string, Map<number, Attempt>>();
  readonly #ends = new Map<string, End>();
  readonly #sends = new Map<string, Sends>();
  readonly #due = new Map<string, number>();
  readonly #ids = new Map<string, string>();
  readonly #revokes = new Map<string, Revoke>();
  #order = 0;

  /** Claims won by different deliveries. */
  claims(id: string, attempt: number): number {
    return this.#attempts.get(id)?.get(attempt)?.claims.length ?? 0;
  }

  /** When its first attempt was claimed first. */
  claimedMs(id: string): number | undefined {
    return this.#attempts.get(id)?.get(0)?.claims[0]?.atMs;
  }

  /** How many of them gave the message back on purpose. */
  releases(id: string, attempt: number): number {
    return this.#attempts.get(id)?.get(attempt)?.releases ?? 0;
  }

  end(id: string): End | undefined {
    return this.#ends.get(id);
  }

  get ended(): ReadonlyMap<string, End> {
    return this.#ends;
  }

  sends(id: string): Sends | undefined {
    return this.#sends.get(id);
  }

  /** When an attempt may run at the earliest. */
  dueMs(id: string, attempt: number): number | undefined {
    return this.#due.get(`${id}/${attempt}`);
  }

  get sent(): ReadonlyMap<string, Sends> {
    return this.#sends;
  }

  /** Of the task that has this key among its arguments. */
  idOf(key: string): string | undefined {
    return this.#ids.get(key);
  }

  revoke(id: string): Revoke | undefined {
    return this.#revokes.get(id);
  }

  /** Before it is revoked. @param runs how often it has run */
  revoking(id: string, atMs: number, runs: number, terminate: boolean): void {
    const attempts = [...(this.#attempts.get(id)?.values() ?? [])];
    const open = attempts.some((each) => each.open && each.claims.some(({ leaseMs }) => leaseMs >= atMs));
    this.#revokes.set(id, { atMs, runs, open, ended: this.#ends.has(id), terminate });
  }

  watch(world: World): void {
    this.watched = true;
    const now = (): number => world.clock.nowMs();
    this.#watchBackend(world, now);
    const { broker, timers } = world;
    const send = broker.send.bind(broker);
    broker.send = async (items) => {
      const outcomes = await send(items);
      for (const [index, item] of items.entries())
        if (outcomes[index]?.ok === true && item.deadLetter !== true) this.#sent(item, now(), undefined);
      return outcomes;
    };
    const put = timers.put.bind(timers);
    timers.put = async (items) => {
      const parts = await put(items);
      for (const { message, dueMs } of items) this.#sent(message, now(), dueMs);
      return parts;
    };
  }

  #watchBackend({ backend }: World, now: () => number): void {
    const { claim, commit, release, conclude } = bound(backend);
    backend.claim = async (requests) => {
      const outcomes = await claim(requests);
      for (const [index, { id, attempt, owner, leaseMs }] of requests.entries()) {
        if (outcomes[index]?.kind !== 'claimed') continue;
        const known = this.#attempt(id, attempt);
        known.open = true;
        // The same one again: its answer was lost on the way.
        if (known.claims.at(-1)?.owner !== owner) known.claims.push({ owner, leaseMs, atMs: now() });
      }
      return outcomes;
    };
    backend.commit = async (requests) => {
      const outcomes = await commit(requests);
      for (const [index, { id, attempt, status, final, meta }] of requests.entries()) {
        if (outcomes[index] !== true) continue;
        this.#attempt(id, attempt).open = false;
        if (final && !this.#ends.has(id)) this.#ends.set(id, { state: status, attempt, meta, atMs: now() });
      }
      return outcomes;
    };
    backend.release = async (request) => {
      const done = await release(request);
      const known = this.#attempt(request.id, request.attempt);
      if (done) Object.assign(known, { releases: known.releases + 1, open: false });
      return done;
    };
    backend.conclude = async (requests) => {
      const outcomes = await conclude(requests);
      for (const [index, { id, attempt, status, meta }] of requests.entries())
        if (outcomes[index]?.kind === 'concluded') this.#ends.set(id, { state: status, attempt, meta, atMs: now() });
      return outcomes;
    };
    const revoke = backend.revoke.bind(backend);
    backend.revoke = async (request) => {
      const state = await revoke(request);
      if (state === 'REVOKED' && !this.#ends.has(request.id))
        this.#ends.set(request.id, { state, attempt: undefined, meta: request.meta, atMs: now() });
      return state;
    };
  }

  #attempt(id: string, attempt: number): Attempt {
    const attempts = this.#attempts.get(id) ?? new Map<number, Attempt>();
    this.#attempts.set(id, attempts);
    const known = attempts.get(attempt) ?? { claims: [], releases: 0, open: false };
    attempts.set(attempt, known);
    return known;
  }

  #sent(item: OutgoingMessage, atMs: number, dueMs: number | undefined): void {
    const { id, retries, expires, args } = readMessage(item.body);
    if (id === undefined) return;
    for (const arg of args) if (typeof arg === 'string' && !this.#ids.has(arg)) this.#ids.set(arg, id);
    const attempt = `${id}/${retries}`;
    // Sent again by whoever settles again, and to workers that know no `late` yet: the first says when it is due.
    if (!this.#due.has(attempt)) this.#due.set(attempt, dueMs ?? atMs + (item.delaySeconds ?? 0) * 1000);
    if (retries > 0) return;
    this.#order += 1;
    const known: Sends = this.#sends.get(id) ?? {
      firstMs: atMs,
      order: -1,
      takenMs: Infinity,
      dueMs: dueMs ?? (item.delaySeconds === undefined ? undefined : atMs + item.delaySeconds * 1000),
      expiresMs: [],
      queue: item.queue,
      groupId: item.groupId,
    };
    if (dueMs === undefined && known.order < 0) Object.assign(known, { order: this.#order, takenMs: atMs });
    if (expires !== undefined) known.expiresMs.push(expires);
    this.#sends.set(id, known);
  }
}

function bound(backend: World['backend']): Pick<World['backend'], 'claim' | 'commit' | 'release' | 'conclude'> {
  return {
    claim: backend.claim.bind(backend),
    commit: backend.commit.bind(backend),
    release: backend.release.bind(backend),
    conclude: backend.conclude.bind(backend),
  };
}

interface Read {
  readonly id: string | undefined;
  readonly retries: number;
  readonly expires: number | undefined;
  readonly args: readonly unknown[];
}

const OWN: ReadonlySet<string> = new Set(['celeriac.repair', 'celeriac.pump', 'celeriac.debounce']);
const UNREAD: Read = { id: undefined, retries: 0, expires: undefined, args: [] };

/** A reader of its own: what the library's would get wrong must show. */
function readMessage(body: string): Read {
  try {
    const outer = JSON.parse(body.startsWith('{') ? body : Buffer.from(body, 'base64').toString()) as {
      readonly body: string;
      readonly headers: {
        readonly id?: string;
        readonly task?: string;
        readonly retries?: number;
        readonly expires?: string | null;
        readonly celeriac?: { readonly beat?: { readonly time?: string } };
      };
    };
    const { id, task, retries = 0, expires, celeriac } = outer.headers;
    // A rule's message has the id of its firing; the library's own are dismissed where there is nothing to do.
    if (celeriac?.beat?.time !== undefined || OWN.has(task ?? '')) return UNREAD;
    const [args] = JSON.parse(Buffer.from(outer.body, 'base64').toString()) as [readonly unknown[]];
    return { id, retries, expires: typeof expires === 'string' ? Date.parse(expires) : undefined, args };
  } catch {
    // A wake-up.
    return UNREAD;
  }
}
