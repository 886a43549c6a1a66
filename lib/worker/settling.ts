/** One settling under way. */
import type { Prepared } from '../producer/publish.ts';
import type { App } from '../producer/app.ts';
import type { ConcludeOutcome, ConcludeRequest } from '../ports/backend.ts';
import type { Ports } from '../ports/ports.ts';
import type { Message } from '../wire/message.ts';
import type { Signature } from '../wire/signature.ts';
import type { Committed } from './committed.ts';
import type { Follower, Waiting } from './followers.ts';
import type { Outbox, Windowed } from './windows.ts';

/** A message that follows; `step` is absent for a retry, which is the task itself. */
export interface Child extends Prepared {
  readonly step?: { readonly signature: Signature; readonly rest: readonly Signature[] };
}

export interface Settling extends Windowed {
  readonly parent: Message;
  /** How it ended. */
  readonly committed: Committed;
  readonly app: App;
  readonly ports: Ports;
  /** When the invocation ends, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** A later delivery settles it: what does not end in time now will not end next time either. */
  readonly again: boolean;
  /** Refused as often as may pass: what is refused now is refused for good. */
  readonly lastTry: boolean;
  /** Groups that its batch has followed up. */
  readonly followedUp: Set<string>;
  /** For the history: ends of tasks that nobody runs. */
  readonly storeConcluded: (
    requests: readonly ConcludeRequest[],
    outcomes: readonly ConcludeOutcome[],
  ) => Promise<void>;
  readonly outbox: Outbox<Child>;
  /** What is left for `drain` and `finish`. */
  readonly pending: Pending;
  /** Prepares what is sent and keeps the rest, window by window. */
  readonly follow: (followers: readonly Follower[]) => Promise<void>;
}

/** What waits until a window is full, by its kind, in the order in which it came. */
export class Pending {
  readonly #byKind = new Map<Waiting['kind'], Waiting[]>();

  add(follower: Waiting): void {
    const list = this.#byKind.get(follower.kind);
    if (list === undefined) this.#byKind.set(follower.kind, [follower]);
    else list.push(follower);
  }

  count(kind: Waiting['kind']): number {
    return this.#byKind.get(kind)?.length ?? 0;
  }

  take<K extends Waiting['kind']>(kind: K): readonly Extract<Waiting, { readonly kind: K }>[] {
    const taken = this.#byKind.get(kind) ?? [];
    this.#byKind.delete(kind);
    return taken as Extract<Waiting, { readonly kind: K }>[];
  }
}
