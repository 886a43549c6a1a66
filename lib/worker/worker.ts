/** What one worker process works with. */
import type { Broker, OutgoingMessage } from '../ports/broker.ts';
import type { Backend, ClaimOutcome, ClaimRequest, CommitRequest } from '../ports/backend.ts';
import type { Clock } from '../base/time.ts';
import type { GroupMark, Groups } from '../ports/groups.ts';
import type { Ports } from '../ports/ports.ts';
import type { Logger } from '../ports/log.ts';
import type { RateRequest, Rates } from '../ports/rates.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import type { App } from '../producer/app.ts';
import { packingResults } from '#deployed/results/packed-backend';
import { notesOf } from '#deployed/worker/history-notes';
import { sharingPlaces } from '#deployed/worker/rate-places';
import type { EndNotes } from './end-notes.ts';
import { DYNAMODB_MAX_BATCH_STATEMENTS, GROUP_PART_MEMBERS, SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import { batched } from './batcher.ts';
import type { Delivery, Invocation } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { oneAtATime } from './large.ts';
import type { Reserved } from './rate-places.ts';

export interface Worker {
  readonly app: App;
  readonly ports: Ports;
  readonly invocation: Invocation;
  readonly invocationStartMs: number;
  claim(request: ClaimRequest): Promise<ClaimOutcome>;
  commit(request: CommitRequest): Promise<boolean>;
  /** Of who holds a slot: it is not given back, since the next part of the attempt is to find it. */
  readonly leaveSlot?: () => void;
  /** Gives a claim back. */
  release: Backend['release'];
  /** Undefined where the line is too crowded now. @throws ImproperlyConfigured without a store of rate limits. */
  reserve(request: RateRequest): Promise<Reserved | undefined>;
  /** @throws ImproperlyConfigured */
  rates(): Rates;
  /**
   * Groups of which the batch has followed up that they are complete: once, however many of its members are told so.
   */
  readonly followedUp: Set<string>;
  /**
   * Where messages of the batch came again: waits until this one may run, which is alone should it have ended a worker
   * before. False: it is to come again.
   */
  readonly mayRun?: (message: Message, delivery: Delivery, definition: TaskDefinition) => Promise<boolean>;
  /** What ended here, for the history; undefined where it is switched off. */
  readonly history?: EndNotes | undefined;
  /** For messages that take much memory: never two of them at a time. */
  readonly exclusively: <T>(run: () => Promise<T>) => Promise<T>;
}

/** One per batch: no state outlives an invocation. */
export function createWorker(app: App, given: Ports, invocation: Invocation): Worker {
  const ports = app.settings.largePayloads ? packingResults(given, app.settings) : given;
  const { clock, backend } = ports;
  const rates = (): Rates => {
    if (ports.rates !== undefined) return ports.rates;
    throw new ImproperlyConfigured(
      'A task has a rateLimit, and app.use() was given no `rates`: give it a store of them.',
    );
  };
  return {
    app,
    ports: {
      ...ports,
      logger: neverThrowing(ports.logger),
      broker: gatheringSends(ports.broker, clock),
      groups: gatheringMarks(ports.groups, clock),
    },
    invocation,
    invocationStartMs: clock.nowMs(),
    followedUp: new Set(),
    // Eager tasks are their caller's own.
    history:
      ports.history === undefined || app.settings.history === 'off' || app.eager !== undefined
        ? undefined
        : notesOf(app.settings.history, { ...ports, history: ports.history }, invocation.requestId, app),
    exclusively: oneAtATime(),
    claim: batched(
      clock,
      DYNAMODB_MAX_BATCH_STATEMENTS,
      (request: ClaimRequest) => request.id,
      (items) => backend.claim(items),
    ),
    commit: batched(
      clock,
      DYNAMODB_MAX_BATCH_STATEMENTS,
      (request: CommitRequest) => request.id,
      (items) => backend.commit(items),
    ),
    release: (request) => backend.release(request),
    reserve: sharingPlaces(rates, clock),
    rates,
  };
}

/** A logger of the user's own is no reason why a task fails, and even less why none ends. */
function neverThrowing(logger: Logger): Logger {
  return {
    log: (level, message, fields) => {
      try {
        logger.log(level, message, fields);
      } catch {
        // There is nowhere to say it.
      }
    },
  };
}

/** What the tasks of a batch send in the same moment (retries, links, dead letters) shares requests. */
function gatheringSends(broker: Broker, clock: Clock): Broker {
  let count = 0;
  const send = batched(
    clock,
    SQS_MAX_BATCH_ENTRIES,
    // No two messages stand in each other's way.
    () => String((count += 1)),
    (items: readonly OutgoingMessage[]) => broker.send(items),
  );
  return {
    send: (items) => Promise.all(items.map(send)),
    changeVisibility: (queue, receipt, delaySeconds) => broker.changeVisibility(queue, receipt, delaySeconds),
  };
}

/** Members of one group that end in the same moment share a write. */
function gatheringMarks(groups: Groups, clock: Clock): Groups {
  const mark = batched(
    clock,
    GROUP_PART_MEMBERS,
    ({ groupId, index, failed }: GroupMark) => `${groupId}/${index}/${failed}`,
    (items: readonly GroupMark[]) => groups.mark(items),
  );
  return {
    mark: (marks) => Promise.all(marks.map(mark)),
    count: (groupId) => groups.count(groupId),
    define: (record) => groups.define(record),
    definition: (groupId, nowMs) => groups.definition(groupId, nowMs),
    forget: (groupId) => groups.forget(groupId),
  };
}
