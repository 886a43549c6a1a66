/** What a settling has gathered. */
import type { Signature } from '../wire/signature.ts';
import type { Prepared } from '../producer/publish.ts';
import type { Outbox, Windowed } from './windows.ts';
import type { Message } from '../wire/message.ts';
import type { Producer } from '../producer/producer.ts';
import type { ConcludeRequest } from '../ports/backend.ts';
import type { Ports } from '../ports/ports.ts';
import type { CountedByCelery } from '../canvas/compile.ts';

/** A step that will never run, and why. */
export interface FailedStep {
  readonly signature: Signature;
  readonly id: string;
  readonly cause: unknown;
}

/** A message that follows; `step` is absent for a retry, which is the task itself. */
export interface Child extends Prepared {
  readonly step?: { readonly signature: Signature; readonly chain: readonly Signature[] };
}

/** One settling under way: what it will send, what it found cannot be sent, who is finished. */
export interface Settling extends Windowed {
  readonly parent: Message;
  readonly producer: Producer;
  readonly ports: Ports;
  /** When the invocation ends, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** A later delivery settles it: what does not end in time now will not end next time either. */
  readonly again: boolean;
  /** Refused as often as may pass: what is refused now is refused for good. */
  readonly lastTry: boolean;
  readonly outbox: Outbox<Child>;
  /** Error links that are called here, when all else is done. */
  readonly inline: (() => Promise<void>)[];
  readonly failed: FailedStep[];
  /** Failed steps by id, and the members among them of chords that Celery counts, to be stored together. */
  readonly conclusions: Map<string, ConcludeRequest>;
  readonly members: CeleryMember[];
  readonly marks: Mark[];
  /** Chords among what will be sent that Celery's workers count too. */
  readonly chords: CountedByCelery[];
  /** What is done when all is sent. */
  readonly afterwards: (() => Promise<void>)[];
}

/** A finished member of a counted group. */
export interface Mark {
  readonly groupId: string;
  readonly index: number;
  readonly size: number;
  readonly failed: boolean;
  readonly memberId: string;
  readonly policy: string;
  /** Called when all are finished; a plain group has none. */
  readonly body: Signature | undefined;
}

/** A finished member of such a chord. */
export interface CeleryMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly body: Signature;
  /** Known of chords made here; of Python's, Celery's stored group tells. */
  readonly place: Place | undefined;
}

export interface Place {
  readonly index: number;
  readonly size: number;
}
