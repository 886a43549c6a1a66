export { Celeriac, currentApp, type Wiring } from './app.ts';
export { enqueue, enqueueMany } from './public-enqueue.ts';
export { currentTask, type RetryOptions, type TaskContext, type TaskLogger, type TaskRequest } from './context.ts';
export type { ApplyOptions } from './apply-options.ts';
export type { Duration } from './duration.ts';
export type { ErrorMatcher, TaskOptions } from './task-options.ts';
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './standard-schema.ts';
export type { QueueOptions } from './queue-options.ts';
export type { AppOptions, RetryPolicy, Settings } from './settings.ts';
export type { Environment } from './manifest.ts';
export type { RemoteTask, RemoteTaskOptions } from './remote-task.ts';
export { type CelerySettingsOptions, settingsFromCelery } from './celery-settings.ts';
export type { Route, RouteEntry, Router, Routes } from './routes.ts';
export type { Serializable } from './serializable.ts';
export type { Task, TaskArguments, TaskName, TaskResult, TaskTypes } from './task.ts';
export { TaskBase, type TaskClass } from './task-class.ts';
export { AsyncResult, type GetOptions, type ResultParent } from './result.ts';
export { ResultSet } from './result-set.ts';
export type { IterdepsOptions, ResultPair } from './result-tree.ts';
export type { Signature, SignatureOptions, SignatureParts } from './signature.ts';
export { chain, chord, type ChordOptions, group, signature } from './public-canvas.ts';
export type { ChordPolicy } from './canvas/build.ts';
export type { CanvasSignature } from './canvas/types.ts';
export type { SkewOptions } from './canvas/skew.ts';
export type { AnySignature, ChainSignature, ChordSignature, GroupSignature } from './canvas/types.ts';
export { GroupResult, type GroupProgress } from './group-result.ts';
export type { SettledResult } from './settled.ts';
export type { CrontabField, CrontabValue } from './schedules/crontab-fields.ts';
export { crontab, type CrontabFields, type CrontabOptions } from './schedules/crontab.ts';
export { every, type EveryOptions } from './schedules/interval.ts';
export { solar } from './schedules/solar.ts';
export { clocked } from './schedules/clocked.ts';
export type {
  CrontabSchedule,
  ClockedSchedule,
  DstPolicy,
  IntervalSchedule,
  Schedule,
  SolarEvent,
  SolarSchedule,
} from './schedules/schedule.ts';
export type { BeatEntry, TickOptions } from './schedules/entry.ts';
export { nextDueMs } from './schedules/next-due.ts';
export type {
  ListOptions,
  ScheduleChangeOptions,
  SchedulePutOptions,
  ScheduleBook,
  ScheduleChange,
} from './beat/schedules.ts';
export type { StoredSchedule } from './beat/schedule-view.ts';
export type { Loaded } from './beat/load.ts';
export type { Fixture } from './beat/fixture.ts';
export { tickId } from './rule-message.ts';
export type { AppManifest, BeatManifest, QueueManifest, TaskManifest } from './manifest.ts';
export type { BatchResponse, Delivery, Invocation } from './worker/delivery.ts';
export type { Clock, Ids, Random } from './time.ts';
export type { Ports } from './ports.ts';
export type { GroupCount, GroupMark, GroupMarked, GroupRecord, Groups } from './group-ports.ts';
export type { DueMark, Rules, ScheduleItem, Schedules } from './schedule-ports.ts';
export type { Logger, LogLevel } from './ports/log.ts';
export type { Timer, Timers } from './ports/timers.ts';
export type {
  Backend,
  ClaimOutcome,
  ClaimRequest,
  CommitRequest,
  ConcludeOutcome,
  ConcludeRequest,
  TaskRecord,
} from './ports/backend.ts';
export type { Broker, OutgoingMessage, SendOutcome } from './ports/broker.ts';
export type { CeleryCount, CeleryGroup, CeleryGroups } from './celery-group-ports.ts';
export { typed, type TypedValue } from './typed.ts';
export { consoleLogger, silentLogger } from './log.ts';
export {
  FAILURE,
  IGNORED,
  isFinal,
  PENDING,
  RECEIVED,
  REJECTED,
  RETRY,
  REVOKED,
  STARTED,
  SUCCESS,
  type FinalState,
  type TaskState,
} from './states.ts';
export {
  AlreadyRegistered,
  CeleriacError,
  ChordError,
  EnqueueFailed,
  type EnqueueOutcome,
  HopLimitExceeded,
  Ignore,
  ImproperlyConfigured,
  IncompleteStream,
  InvalidArguments,
  InvalidMessage,
  StoreRefused,
  InvalidOption,
  InvalidSchedule,
  InvalidSignature,
  InvalidResult,
  MaxRetriesExceededError,
  MessageTooLarge,
  MissingEnvironment,
  NotRegistered,
  NotSerializable,
  OperationalError,
  QueueNotFound,
  Reject,
  ResultTooLarge,
  Retry,
  ScheduleConflict,
  ScheduleNotFound,
  SoftTimeLimitExceeded,
  TaskError,
  TaskRejectedError,
  TaskRevokedError,
  TimeLimitExceeded,
  TimeoutError,
  WaitInsideTask,
  WorkerLostError,
} from './errors.ts';
