/**
 * What Celeriac needs from the outside, as interfaces only. Each port takes many items at once, so
 * that a batch of ten can cost one request where the service allows it. `lib/memory` is the
 * executable meaning of each; `celeriac/testing` exports the suite that every adapter must pass.
 */
import type { CeleryGroups } from './celery-groups.ts';
import type { Groups } from './groups.ts';
import type { Rules, Schedules } from './schedules.ts';
import type { Clock, Ids, Random } from '../base/time.ts';
import type { Broker } from './broker.ts';
import type { Backend } from './backend.ts';
import type { Timers } from './timers.ts';
import type { Logger } from './log.ts';

/** All ports one app works with. */
export interface Ports {
  readonly broker: Broker;
  readonly backend: Backend;
  readonly timers: Timers;
  readonly schedules: Schedules;
  readonly groups: Groups;
  readonly celeryGroups: CeleryGroups;
  /** Absent where no entry is fired by a rule: then all are swept. */
  readonly rules?: Rules | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
}
