/** Schemas of what ended, listed and counted. */
import * as v from 'valibot';

import type { TaskEnd } from '../../history/end-view.ts';
import type { Percentiles, StatsCounts } from '../../history/stats.ts';
import type { TaskStory } from '../../history/story.ts';
import type { ScheduledTask } from '../../operate/scheduled.ts';
import type {
  ExplainView,
  OverviewAnswer,
  ProblemView,
  RelativeView,
  RevokedAnswer,
  RunningAnswer,
  RunsAnswer,
  SentAnswer,
  TaskAnswer,
  TaskCountsAnswer,
  TasksAnswer,
  TreeAnswer,
  WaitingAnswer,
} from '../answers.ts';
import type { Json } from '../json.ts';
import { COUNT, TEXT, TIME } from './common.ts';
import { QUEUE } from './queues.ts';

const PERCENTILES: v.GenericSchema<Percentiles> = v.strictObject({ p50: v.number(), p95: v.number(), p99: v.number() });

const COUNTS_FIELDS = {
  count: COUNT,
  states: v.record(v.string(), COUNT),
  lostRuns: COUNT,
  waitSeconds: v.nullable(PERCENTILES),
  runSeconds: v.nullable(PERCENTILES),
};
const COUNTS: v.GenericSchema<StatsCounts> = v.strictObject(COUNTS_FIELDS);

const PROBLEM: v.GenericSchema<ProblemView> = v.strictObject({
  kind: v.picklist(['failing', 'lost', 'dead-letters', 'missed', 'behind', 'stuck', 'not-fed', 'paused']),
  subject: TEXT,
  text: TEXT,
  now: v.number(),
  usual: v.nullable(v.number()),
  unit: v.picklist(['share', 'messages', 'seconds', 'ticks', 'runs']),
  since: v.nullable(TIME),
});

export const OVERVIEW: v.GenericSchema<OverviewAnswer> = v.strictObject({
  range: v.picklist(['1h', '6h', '1d', '7d']),
  every: v.picklist(['minute', 'hour']),
  problems: v.array(PROBLEM),
  total: COUNTS,
  before: v.nullable(COUNTS),
  until: TIME,
  deploys: v.array(v.strictObject({ at: TIME, version: TEXT })),
  buckets: v.array(v.strictObject({ ...COUNTS_FIELDS, start: TIME })),
  tasks: v.array(v.strictObject({ ...COUNTS_FIELDS, task: TEXT })),
  queues: v.array(QUEUE),
});

export const TASK_COUNTS: v.GenericSchema<TaskCountsAnswer> = v.strictObject({
  range: v.picklist(['1h', '6h', '1d', '7d']),
  total: COUNTS,
});

const END: v.GenericSchema<Json<TaskEnd>> = v.strictObject({
  id: TEXT,
  attempt: COUNT,
  task: TEXT,
  queue: TEXT,
  state: TEXT,
  endedAt: TIME,
  startedAt: v.nullable(TIME),
  waitSeconds: v.nullable(v.number()),
  runSeconds: v.nullable(v.number()),
  deliveries: COUNT,
  lostRuns: COUNT,
  repr: v.nullable(TEXT),
  error: v.nullable(TEXT),
  parentId: v.nullable(TEXT),
  deadLetter: v.nullable(TEXT),
  scheduleEntry: v.nullable(TEXT),
});

export const TASKS: v.GenericSchema<TasksAnswer> = v.strictObject({
  entries: v.array(END),
  cursor: v.nullable(TEXT),
  readBackTo: TIME,
});

export const RUNS: v.GenericSchema<RunsAnswer> = v.strictObject({
  entries: v.array(END),
  cursor: v.nullable(TEXT),
  readBackTo: TIME,
  begun: v.array(v.strictObject({ id: TEXT, state: TEXT, sentAt: TIME, by: v.nullable(TEXT) })),
});

export const RUNNING: v.GenericSchema<RunningAnswer> = v.strictObject({
  tasks: v.array(v.strictObject({ id: TEXT, retries: COUNT, task: TEXT, key: TEXT, until: TIME, waiting: COUNT })),
  more: v.boolean(),
});

const WAITING_TASK: v.GenericSchema<Json<ScheduledTask>> = v.strictObject({
  id: TEXT,
  due: TIME,
  queue: TEXT,
  retries: COUNT,
  name: v.exactOptional(TEXT),
  args: v.exactOptional(TEXT),
});
export const WAITING: v.GenericSchema<WaitingAnswer> = v.strictObject({
  tasks: v.array(WAITING_TASK),
  more: v.boolean(),
});

const STORY: v.GenericSchema<Json<TaskStory>> = v.strictObject({
  id: TEXT,
  task: v.nullable(TEXT),
  queue: v.nullable(TEXT),
  state: v.nullable(TEXT),
  attempts: v.array(END),
  revokedAt: v.nullable(TIME),
  startedAt: v.nullable(TIME),
  deliveries: COUNT,
  parentId: v.nullable(TEXT),
  children: v.array(TEXT),
  deadLetter: v.nullable(TEXT),
  scheduleEntry: v.nullable(TEXT),
  isComplete: v.boolean(),
});

export const EXPLAIN: v.GenericSchema<ExplainView> = v.strictObject({
  text: TEXT,
  tone: v.picklist(['quiet', 'work', 'ok', 'warn', 'bad']),
  lines: v.array(TEXT),
  hints: v.array(TEXT),
  // One kind of reason more must not make tools of today fail.
  reasons: v.array(v.looseObject({ kind: TEXT })),
});

export const TASK: v.GenericSchema<TaskAnswer> = v.strictObject({
  id: TEXT,
  state: TEXT,
  isKnown: v.boolean(),
  name: v.nullable(TEXT),
  queue: v.nullable(TEXT),
  retries: v.nullable(COUNT),
  started: v.nullable(TIME),
  finished: v.nullable(TIME),
  revoked: v.nullable(TIME),
  resultText: v.nullable(TEXT),
  isResultWhole: v.boolean(),
  error: v.nullable(v.strictObject({ type: TEXT, message: TEXT })),
  traceback: v.nullable(TEXT),
  ignored: v.boolean(),
  story: v.nullable(STORY),
  explain: v.nullable(EXPLAIN),
});

const RELATIVE: v.GenericSchema<RelativeView> = v.strictObject({
  id: TEXT,
  name: v.nullable(TEXT),
  state: TEXT,
  finished: v.nullable(TIME),
});
export const TREE: v.GenericSchema<TreeAnswer> = v.strictObject({
  parent: v.nullable(RELATIVE),
  self: RELATIVE,
  children: v.array(RELATIVE),
  more: v.boolean(),
});

export const SENT: v.GenericSchema<SentAnswer> = v.strictObject({ id: TEXT, duplicate: v.boolean() });
export const REVOKED_STATES: v.GenericSchema<RevokedAnswer> = v.strictObject({ states: v.array(TEXT) });
