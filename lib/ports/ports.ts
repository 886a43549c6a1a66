/**
 * What Celeriac needs from the outside, as interfaces only. Each port takes many items at once, so
 * that a batch of ten can cost one request where the service allows it. `lib/memory` is the
 * executable meaning of each; `celeriac/testing` exports the suite that every adapter must pass.
 */
import type { Blobs } from './blobs.ts';
import type { CeleryGroups } from './celery-groups.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Delivery } from './delivery.ts';
import type { Groups } from './groups.ts';
import type { History } from './history.ts';
import type { Marks } from './marks.ts';
import type { Locks } from './locks.ts';
import type { Pauses } from './pauses.ts';
import type { Notifying } from './notices.ts';
import type { QueueDepths } from './queue-depths.ts';
import type { Rates } from './rates.ts';
import type { Rules, Schedules } from './schedules.ts';
import type { Clock, Ids, Random } from '../base/time.ts';
import type { Broker } from './broker.ts';
import type { Backend } from './backend.ts';
import type { SlotStore } from './slots.ts';
import type { Timers } from './timers.ts';
import type { Logger } from './log.ts';

/** All ports one app works with. */
export interface Ports {
  /** Where messages go. */
  readonly broker: Broker;
  /** Where results and the state of tasks live. */
  readonly backend: Backend;
  /** Where messages wait that are due later than the queue can delay. */
  readonly timers: Timers;
  /** Where schedule entries live. */
  readonly schedules: Schedules;
  /** Who of a group has finished. */
  readonly groups: Groups;
  /** Groups as Celery's own workers store them. Absent where no worker of Celery shares the store of results. */
  readonly celeryGroups?: CeleryGroups | undefined;
  /** Who may start when. Absent where there is no store for it: then no task has a rate limit. */
  readonly rates?: Rates | undefined;
  /** Who runs under a key, and who waits. Absent where there is no store for it: then no task has a concurrency. */
  readonly slots?: SlotStore | undefined;
  /** Which task stands for a key. Absent where there is no store for it: then no call is unique, throttled or debounced. */
  readonly marks?: Marks | undefined;
  /** Who alone may do something. Absent where there is no store for it: then `app.locks` has none. */
  readonly locks?: Locks | undefined;
  /** Which queues are paused. Absent where there is no store for it: then none is. */
  readonly pauses?: Pauses | undefined;
  /** What ended. Absent where there is no store for it: then none is kept. */
  readonly history?: History | undefined;
  /** What was put aside. Absent where nobody looks at it: then `app.deadLetters` has none. */
  readonly deadLetters?: DeadLetters | undefined;
  /** Where payloads lie that are too large for a message or a record. Absent where there is no store for them: `largePayloads` needs it. */
  readonly blobs?: Blobs | undefined;
  /** How much lies in queues. Absent where nobody counts: then `app.explain()` tells no counts. */
  readonly depths?: QueueDepths | undefined;
  /** Who is told of failures, made when the first one is to be told. Absent where nobody is. */
  readonly notify?: (() => Promise<Notifying>) | undefined;
  /** Absent where no entry is fired by a rule: then all are swept. */
  readonly rules?: Rules | undefined;
  /**
   * Deliveries with their bodies decrypted; one for which that fails stays as it came. Absent where the app has no codec.
   */
  readonly open?: ((deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>) | undefined;
  /** Tells the time, and waits. */
  readonly clock: Clock;
  /** Makes ids. */
  readonly ids: Ids;
  /** Random numbers for jitter. */
  readonly random: Random;
  /** Where log lines go. */
  readonly logger: Logger;
}
