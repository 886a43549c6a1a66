export { Celeriac, currentApp, type Wiring, type RarePort } from './app/app.ts';
export { enqueue, enqueueMany } from './app/public-enqueue.ts';
export {
  type CheckpointOptions,
  currentTask,
  type RetryOptions,
  type TaskContext,
  type TaskLogger,
  type TaskRequest,
} from './task/context.ts';
export type {
  EndSignal,
  PublishSignal,
  RejectSignal,
  RunSignal,
  SignalHandler,
  SignalName,
  TaskSignals,
} from './task/signals.ts';
export type { TaskHooks } from './task/registry.ts';
export type { ApplyOptions } from './options/apply-options.ts';
export type { Duration } from './base/duration.ts';
export type { ErrorMatcher, TaskOptions } from './options/task-options.ts';
export type { OneInstance, OneInstanceOptions } from './options/one-instance.ts';
export type { Rate, RateLimit, RateLimitOptions } from './options/rate-limit.ts';
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './base/standard-schema.ts';
export type { QueueOptions } from './options/queue-options.ts';
export type { AppOptions, HistoryOption, RetryPolicy, Settings } from './options/settings.ts';
export type { Telemetry } from './ports/telemetry.ts';
export type { LargePayloadsOptions, PayloadCompression } from './options/large-payloads.ts';
export type { MetricsBy, MetricsOption, MetricsOptions } from './options/metrics.ts';
export type { Environment } from './options/manifest.ts';
export type { HttpTaskOptions } from './app/http-definition.ts';
export type { HttpTargetOptions, HttpTaskTarget, Late } from './options/http-options.ts';
export type { WebhookEvent, WebhookOptions, WebhookOutcome, WebhookState } from './options/webhook-options.ts';
export type { RemoteTask, RemoteTaskOptions } from './app/remote-task.ts';
export { type CelerySettingsOptions, settingsFromCelery } from './options/celery/celery-settings.ts';
export type { Route, RouteEntry, Router, Routes } from './options/routes.ts';
export type { Serializable } from './base/serializable.ts';
export type { Task, TaskArguments, TaskName, TaskResult, TaskTypes } from './app/task.ts';
export { TaskBase, type TaskClass } from './task/task-class.ts';
export type { Control, ControlReply } from './app/control.ts';
export type { RevokeOptions } from './results/revoke.ts';
export {
  AsyncResult,
  type GetOptions,
  type ResultPair,
  type ResultParent,
  type StatusUrlExpiry,
} from './results/result.ts';
export { ResultSet } from './results/result-set.ts';
export type { IterdepsOptions } from './results/result-tree.ts';
export type { Signature, SignatureOptions, SignatureParts } from './wire/signature.ts';
export type { Payload } from './wire/packing.ts';
export { chain, chord, type ChordOptions, group, type GroupOptions, signature } from './app/public-canvas.ts';
export type { ChordPolicy } from './canvas/build.ts';
export type { OutboxItem } from './producer/outbox.ts';
export type { TimerWrite } from './ports/timers.ts';
export type { CanvasSignature } from './producer/canvas-types.ts';
export type { SkewOptions } from './canvas/skew.ts';
export type { AnySignature, ChainSignature, ChordSignature, GroupSignature } from './producer/canvas-types.ts';
export { GroupResult } from './app/public-results.ts';
export type { GroupProgress } from './results/group-result.ts';
export type { SettledResult } from './results/settled.ts';
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
export type { BeatEntry, TickOptions } from './beat/entry.ts';
export { describeSchedule, nextDueMs } from './app/public-schedules.ts';
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
export type { HistoryBook } from './history/history-book.ts';
export type { HistoryList, HistoryQuery } from './history/list.ts';
export type { TaskEnd } from './history/end-view.ts';
export type { TaskStory } from './history/story.ts';
export type { Percentiles, Stats, StatsCounts, StatsQuery } from './history/stats.ts';
export type { Since } from './history/time-range.ts';
export type {
  DeadLetterBook,
  DeadLetterList,
  DropOptions,
  ListLettersOptions,
  OpenedLetter,
  RedriveOptions,
} from './operate/dead-letter-book.ts';
export type { ExplainOptions } from './operate/explain/explain-task.ts';
export type { Explanation, QueueCount, Reason, SlotHolder } from './operate/explain/reasons.ts';
export type { DeadLetter } from './operate/letter.ts';
export type { DeadLetterQuery } from './operate/letter-query.ts';
export type { LetterGroup } from './operate/group-letters.ts';
export type { RedriveProgress, RedriveReport } from './operate/letter-report.ts';
export type { LetterEdit } from './operate/redriven-message.ts';
export type { PeekedMessage, PeekQuestion, Peeks } from './ports/peeks.ts';
export type { DepthQuestion, QueueDepth, QueueDepths } from './ports/queue-depths.ts';
export type { DeadLetters, QueueCounts, ReceivedLetter, ReceiveLetters } from './ports/dead-letters.ts';
export type { HeldLock, LockBook, LockOptions } from './flow/lock-book.ts';
export type { Lock } from './flow/lock.ts';
export type { SlotsQuery, SlotsView, SlotTask } from './app/slot-book.ts';
export type { ConcurrencyOptions } from './options/concurrency.ts';
export type { DebounceOptions } from './options/debounce.ts';
export type { GroupKey } from './options/group-id.ts';
export type { MarkKey, ThrottleOptions, UniqueOptions } from './options/unique.ts';
export type {
  Holder,
  Parked,
  Place,
  Lines,
  LinesQuery,
  Slots,
  CountOptions,
  LastPlace,
  SlotsCondition,
  SlotsOutcome,
  SlotStore,
  SlotsWrite,
} from './ports/slots.ts';
export { tickId } from './wire/rule-message.ts';
export {
  type DeployedService,
  type DeployedWorker,
  queueArn,
  readDeployedService,
  tableArn,
} from './options/deployed-service.ts';
export type {
  AppManifest,
  BeatManifest,
  Lane,
  LaneOptions,
  NotifyTold,
  QueueManifest,
  TaskManifest,
} from './options/manifest.ts';
export type { BatchResponse, Delivery, Invocation, Lease, LeaseKeeper } from './ports/delivery.ts';
export type { Clock, Ids, Random } from './base/time.ts';
export type { Ports } from './ports/ports.ts';
export type { GroupCount, GroupMark, GroupMarked, GroupRecord, Groups } from './ports/groups.ts';
export type { Episode, JoinRequest, KeyMark, Marks, OwnMark, SealOutcome, TakeMarkRequest } from './ports/marks.ts';
export type {
  History,
  HistoryItem,
  HistoryPage,
  HistoryQuery as HistoryPageQuery,
  LateMinute,
  RollState,
  StatsBucket,
  StatsEvery,
} from './ports/history.ts';
export type { LockHolding, LockRenewal, LockRequest, Locks } from './ports/locks.ts';
export type { Audit, AuditEntry, AuditPosition } from './ports/audit.ts';
export type {
  CloseRequest,
  Failure,
  KnownFailure,
  Mail,
  MarkOutcome,
  MarkRequest,
  NoticeMinute,
  Notices,
  NoticeWindow,
  Notifier,
  Notifying,
} from './ports/notices.ts';
export type { Blob as StoredBlob, Blobs } from './ports/blobs.ts';
export type { Pause, Pauses } from './ports/pauses.ts';
export type { KeepSlotRequest, KeptSlot, RateLine, RateRequest, Rates } from './ports/rates.ts';
export type { DueEntry, Rules, ScheduleItem, Schedules } from './ports/schedules.ts';
export type { Logger, LogLevel } from './ports/log.ts';
export type { DueTimers, Timer, Timers } from './ports/timers.ts';
export type {
  Backend,
  ClaimOutcome,
  ClaimRequest,
  CommitRequest,
  ConcludeOutcome,
  ConcludeRequest,
  ReopenRequest,
  TaskRecord,
  UpdateOutcome,
  UpdateRequest,
} from './ports/backend.ts';
export type { Broker, OutgoingMessage, SendOutcome } from './ports/broker.ts';
export type { CeleryCount, CeleryGroup, CeleryGroups } from './ports/celery-groups.ts';
export { typed, type TypedValue } from './wire/typed.ts';
export { consoleLogger, silentLogger } from './options/console-logger.ts';
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
} from './base/states.ts';
export {
  AlreadyRegistered,
  CeleriacError,
  ChordError,
  EnqueueFailed,
  type EnqueueOutcome,
  HopLimitExceeded,
  HttpRequestFailed,
  HttpTargetRefused,
  TooManyParts,
  InvalidKey,
  RateLimitTooLong,
  Ignore,
  ImproperlyConfigured,
  IncompleteStream,
  InvalidArguments,
  DecryptionFailed,
  InvalidMessage,
  PayloadNotFound,
  StoreRefused,
  InvalidOption,
  InvalidSchedule,
  InvalidSignature,
  InvalidResult,
  LockLost,
  LockNotAcquired,
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
} from './base/errors.ts';
