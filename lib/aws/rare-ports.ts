/** The stores that most deliveries do not ask. In deployed functions they are loaded when they are asked. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

import { DEFAULT_NOTICE_WINDOW_SECONDS } from '../base/limits.ts';
import type { Environment } from '../options/manifest.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { CeleryGroups } from '../ports/celery-groups.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import type { Groups } from '../ports/groups.ts';
import type { Marks } from '../ports/marks.ts';
import type { Locks } from '../ports/locks.ts';
import type { Notifying } from '../ports/notices.ts';
import type { Pauses } from '../ports/pauses.ts';
import type { Rates } from '../ports/rates.ts';
import type { Rules, Schedules } from '../ports/schedules.ts';
import type { SlotStore } from '../ports/slots.ts';
import type { Timers } from '../ports/timers.ts';
import { DynamodbCeleryGroups } from './dynamodb-celery-groups.ts';
import { DynamodbGroups } from './dynamodb-groups.ts';
import { DynamodbMarks } from './dynamodb-marks.ts';
import { DynamodbLocks } from './dynamodb-locks.ts';
import { DynamodbNotices } from './dynamodb-notices.ts';
import { DynamodbPauses } from './dynamodb-pauses.ts';
import { DynamodbRates } from './dynamodb-rates.ts';
import { DynamodbSchedules } from './dynamodb-schedules.ts';
import { DynamodbSlots } from './dynamodb-slots.ts';
import { EventBridgeRules } from './eventbridge-rules.ts';
import { S3Blobs, type S3BlobsOptions } from './s3-blobs.ts';
import { SnsNotifier } from './sns-notifier.ts';
import { SqsDeadLetters, type SqsDeadLettersOptions } from './sqs-dead-letters.ts';
import type { Ask } from './lean/credentials.ts';
import { DynamodbTimers, type DynamodbTimersOptions } from './dynamodb-timers.ts';

/** A function's environment, and a client for its tables. */
export interface NotifyOptions {
  readonly environment: Pick<Environment, 'app' | 'stateTable' | 'notify'>;
  readonly client: DynamoDBClient;
}

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

/** Of a bucket in the place of the tables. */
export function blobsOver({ client, ...options }: S3BlobsOptions & { readonly client: DynamoDBClient }): Blobs {
  const region = (): Promise<string> => client.config.region();
  return new S3Blobs({ region, credentials: credentialsOf(client), ...options });
}

export function deadLettersOver(options: SqsDeadLettersOptions): DeadLetters {
  return new SqsDeadLetters(options);
}

/** @param prefix what the names of the service's rules begin with */
export function rulesOver(prefix: string): Rules {
  return new EventBridgeRules(prefix);
}

/** Who is told of failures: by the topic that the environment names, or by whoever is given one. */
export function notifyOver({ environment, client }: NotifyOptions): () => Promise<Notifying> {
  const { app, stateTable: table, notify } = environment;
  const { topic, window = DEFAULT_NOTICE_WINDOW_SECONDS, monitor: monitorUrl } = notify ?? {};
  const notifying: Notifying = {
    app,
    notices: new DynamodbNotices({ client, table }),
    notifier:
      topic === undefined ? undefined : new SnsNotifier({ topicArn: topic, credentials: credentialsOf(client) }),
    windowSeconds: window,
    monitorUrl,
  };
  return () => Promise.resolve(notifying);
}

/** The SDK's clients tell theirs; the lean ones have those of the environment. */
function credentialsOf({ config }: DynamoDBClient): Ask | undefined {
  const { credentials } = config as { readonly credentials?: Ask };
  return typeof credentials === 'function' ? () => credentials() : undefined;
}
