/** The stores that most deliveries do not ask. In deployed functions they are loaded when they are asked. */
import type { CeleryGroups } from '../ports/celery-groups.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import type { Groups } from '../ports/groups.ts';
import type { Marks } from '../ports/marks.ts';
import type { Locks } from '../ports/locks.ts';
import type { Pauses } from '../ports/pauses.ts';
import type { Rates } from '../ports/rates.ts';
import type { Rules, Schedules } from '../ports/schedules.ts';
import type { SlotStore } from '../ports/slots.ts';
import type { Timers } from '../ports/timers.ts';
import { DynamodbCeleryGroups } from './dynamodb-celery-groups.ts';
import { DynamodbGroups } from './dynamodb-groups.ts';
import { DynamodbMarks } from './dynamodb-marks.ts';
import { DynamodbLocks } from './dynamodb-locks.ts';
import { DynamodbPauses } from './dynamodb-pauses.ts';
import { DynamodbRates } from './dynamodb-rates.ts';
import { DynamodbSchedules } from './dynamodb-schedules.ts';
import { DynamodbSlots } from './dynamodb-slots.ts';
import { EventBridgeRules } from './eventbridge-rules.ts';
import { SqsDeadLetters, type SqsDeadLettersOptions } from './sqs-dead-letters.ts';
import { DynamodbTimers, type DynamodbTimersOptions } from './dynamodb-timers.ts';

/** Without the timers' shards: a table and what asks it. */
export type StoreOptions = Omit<DynamodbTimersOptions, 'shards'>;

export function timersOver(options: DynamodbTimersOptions): Timers {
  return new DynamodbTimers(options);
}

export function schedulesOver(options: StoreOptions): Schedules {
  return new DynamodbSchedules(options);
}

export function groupsOver(options: StoreOptions): Groups {
  return new DynamodbGroups(options);
}

export function celeryGroupsOver(options: StoreOptions): CeleryGroups {
  return new DynamodbCeleryGroups(options);
}

export function marksOver(options: StoreOptions): Marks {
  return new DynamodbMarks(options);
}

export function ratesOver(options: StoreOptions): Rates {
  return new DynamodbRates(options);
}

export function slotsOver(options: StoreOptions): SlotStore {
  return new DynamodbSlots(options);
}

export function pausesOver(options: StoreOptions): Pauses {
  return new DynamodbPauses(options);
}

export function locksOver(options: StoreOptions): Locks {
  return new DynamodbLocks(options);
}

export function deadLettersOver(options: SqsDeadLettersOptions): DeadLetters {
  return new SqsDeadLetters(options);
}

/** @param prefix what the names of the service's rules begin with */
export function rulesOver(prefix: string): Rules {
  return new EventBridgeRules(prefix);
}
