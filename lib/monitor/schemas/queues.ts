/** Schemas of queues, dead letters, locks, limits and the audit list. */
import * as v from 'valibot';

import type { HeldLock } from '../../flow/lock-book.ts';
import type { LetterGroup } from '../../operate/group-letters.ts';
import type { QueueDetail } from '../../operate/queue-details.ts';
import type {
  AuditAnswer,
  CatalogueAnswer,
  DeadLettersAnswer,
  FreedAnswer,
  LettersReport,
  LocksAnswer,
  OpenedLettersAnswer,
  PausedAnswer,
  PurgedAnswer,
  QueuesAnswer,
  RateAnswer,
  ResumedAnswer,
  SlotsAnswer,
} from '../answers.ts';
import type { Json } from '../json.ts';
import { ARGS, COUNT, KWARGS, TEXT, TIME } from './common.ts';

const QUEUE_FIELDS = {
  queue: TEXT,
  ready: COUNT,
  inFlight: COUNT,
  delayed: COUNT,
  dead: v.exactOptional(COUNT),
  state: v.picklist(['running', 'paused', 'external']),
  paused: v.exactOptional(v.strictObject({ by: TEXT, since: TIME, why: v.exactOptional(TEXT) })),
  oldestSeconds: v.exactOptional(COUNT),
  parked: v.exactOptional(COUNT),
  eventSource: v.exactOptional(v.picklist(['on', 'off', 'changing'])),
  mismatch: v.exactOptional(v.picklist(['paused but fed', 'not fed and not paused'])),
  advice: v.exactOptional(TEXT),
};
export const QUEUE: v.GenericSchema<Json<QueueDetail>> = v.strictObject(QUEUE_FIELDS);
export const QUEUES: v.GenericSchema<QueuesAnswer> = v.strictObject({
  queues: v.array(v.strictObject({ ...QUEUE_FIELDS, tasks: COUNT })),
  unknown: v.array(v.strictObject({ what: v.picklist(['oldest', 'parked', 'event sources']), error: TEXT })),
  parkedMore: v.boolean(),
});

export const PAUSED: v.GenericSchema<PausedAnswer> = v.strictObject({
  queue: TEXT,
  since: TIME,
  by: TEXT,
  why: v.nullable(TEXT),
  eventSource: v.picklist(['off', 'changing', 'none']),
  keptSeconds: v.nullable(COUNT),
});
export const PURGED: v.GenericSchema<PurgedAnswer> = v.strictObject({
  queues: v.array(v.strictObject({ queue: TEXT, purged: v.boolean(), ready: COUNT, inFlight: COUNT, delayed: COUNT })),
});
export const RESUMED: v.GenericSchema<ResumedAnswer> = v.strictObject({ queue: TEXT, wasPaused: v.boolean() });

const GROUP: v.GenericSchema<Json<LetterGroup>> = v.strictObject({
  queue: TEXT,
  fingerprint: TEXT,
  task: v.exactOptional(TEXT),
  error: TEXT,
  errorType: TEXT,
  reason: TEXT,
  count: COUNT,
  firstAt: TIME,
  lastAt: TIME,
  ids: v.array(TEXT),
});
const LETTER_FIELDS = {
  messageId: TEXT,
  queue: TEXT,
  originQueue: TEXT,
  id: v.exactOptional(TEXT),
  task: v.exactOptional(TEXT),
  retries: v.exactOptional(COUNT),
  reason: TEXT,
  error: TEXT,
  errorType: TEXT,
  fingerprint: TEXT,
  failedAt: TIME,
  deliveries: COUNT,
  argsrepr: TEXT,
  kwargsrepr: TEXT,
};
export const DEAD_LETTERS: v.GenericSchema<DeadLettersAnswer> = v.strictObject({
  groups: v.array(GROUP),
  letters: v.array(v.strictObject(LETTER_FIELDS)),
  complete: v.boolean(),
  counts: v.record(v.string(), v.strictObject({ visible: COUNT, hidden: COUNT, delayed: COUNT })),
});
export const OPENED_LETTERS: v.GenericSchema<OpenedLettersAnswer> = v.strictObject({
  letters: v.array(v.strictObject({ ...LETTER_FIELDS, args: v.exactOptional(ARGS), kwargs: v.exactOptional(KWARGS) })),
});
export const LETTERS_REPORT: v.GenericSchema<LettersReport> = v.strictObject({
  looked: COUNT,
  matched: COUNT,
  sent: COUNT,
  settled: COUNT,
  superseded: COUNT,
  dropped: COUNT,
  expired: COUNT,
  running: COUNT,
  failed: COUNT,
  tasks: v.record(v.string(), COUNT),
  failures: v.array(v.strictObject({ id: v.exactOptional(TEXT), messageId: TEXT, error: TEXT })),
  complete: v.boolean(),
});

const LOCK: v.GenericSchema<Json<HeldLock>> = v.strictObject({
  key: TEXT,
  owner: TEXT,
  until: TIME,
  token: COUNT,
  info: v.exactOptional(TEXT),
});
export const LOCKS: v.GenericSchema<LocksAnswer> = v.strictObject({ locks: v.array(LOCK), more: v.boolean() });
export const FREED: v.GenericSchema<FreedAnswer> = v.strictObject({ lock: v.nullable(LOCK) });

const SLOT_FIELDS = { id: TEXT, retries: COUNT };
export const SLOTS: v.GenericSchema<SlotsAnswer> = v.strictObject({
  limit: v.nullable(COUNT),
  active: v.array(v.strictObject({ ...SLOT_FIELDS, until: TIME })),
  scheduled: v.array(v.strictObject({ ...SLOT_FIELDS, until: TIME })),
  reserved: v.array(v.strictObject({ ...SLOT_FIELDS, since: TIME, expires: v.exactOptional(TIME) })),
  waiting: COUNT,
});

export const CATALOGUE: v.GenericSchema<CatalogueAnswer> = v.strictObject({
  hasCode: v.boolean(),
  tasks: v.array(
    v.strictObject({
      name: TEXT,
      queue: TEXT,
      rateLimit: v.exactOptional(TEXT),
      concurrency: v.exactOptional(COUNT),
      oneInstance: v.exactOptional(v.literal(true)),
      timeLimit: v.exactOptional(v.number()),
      rateLimitNow: v.exactOptional(TEXT),
      marked: v.boolean(),
      schema: v.exactOptional(v.unknown()),
    }),
  ),
});
export const RATE: v.GenericSchema<RateAnswer> = v.strictObject({ text: TEXT });

export const AUDIT: v.GenericSchema<AuditAnswer> = v.strictObject({
  entries: v.array(
    v.strictObject({
      id: TEXT,
      at: TIME,
      by: TEXT,
      action: TEXT,
      on: v.array(TEXT),
      count: v.nullable(COUNT),
      note: v.nullable(TEXT),
      outcome: v.picklist(['begun', 'done', 'failed']),
      error: v.nullable(TEXT),
    }),
  ),
  cursor: v.nullable(TEXT),
});
