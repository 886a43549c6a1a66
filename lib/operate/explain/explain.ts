/** What is stored of a task, told as reasons: what counts most comes first. Pure. */
import { shownText } from '../../base/error-text.ts';
import { MAX_PARKED_COUNTED } from '../../base/limits.ts';
import { IGNORED, PENDING, RETRY, REVOKED } from '../../base/states.ts';
import { type Progress, progressOf } from '../../flow/checkpoint.ts';
import { isGrant } from '../../flow/slots.ts';
import type { TaskRecord } from '../../ports/backend.ts';
import { attemptOf, partsOfKey, taskIdOf } from '../../ports/slot-keys.ts';
import { readSettlement } from '../../worker/committed.ts';
import { type ExceptionDocument, isExceptionDocument, type ResultDocument } from '../../wire/result-document.ts';
import { type Facts, finishedMsOf, isRunning, nextAttempt, type Stand } from './facts.ts';
import { goesOn, stateOf } from '../goes-on.ts';
import type { Explanation, Reason } from './reasons.ts';

export function explain(facts: Facts): Explanation {
  const { id, record, document, message, stand, timer, episode } = facts;
  const waits = reasonsToWait(facts);
  const finishedMs = record === undefined ? undefined : finishedMsOf(record, document);
  const ended = record === undefined || finishedMs === undefined ? [] : reasonsOfEnd(record, finishedMs, document);
  const running = record === undefined || !isRunning(record, facts.nowMs) ? [] : [runningReason(record)];
  const task = record?.name ?? message?.task ?? document?.extended?.name;
  const wake = stand?.last.parked?.wake;
  const queue =
    (wake?.kind === 'send' ? wake.message.queue : wake?.queue) ??
    timer?.message.queue ??
    episode?.message.queue ??
    record?.queue ??
    document?.extended?.queue;
  const retries =
    stand?.last.parked === undefined
      ? (message?.retries ?? wholeOf(record?.attempt))
      : attemptOf(stand.last.place.holder);
  const parentId = message?.parentId ?? document?.parentId;
  return {
    id,
    state: record === undefined ? (document?.status ?? PENDING) : stateOf(record),
    ...(task === undefined || task === '' ? {} : { task }),
    ...(queue === undefined || queue === '' ? {} : { queue }),
    ...(retries === undefined ? {} : { retries }),
    ...(message === undefined || message.argsrepr === '' ? {} : { args: message.argsrepr }),
    ...(typeof parentId === 'string' ? { parentId } : {}),
    ...(message === undefined || message.origin === null ? {} : { origin: message.origin }),
    reasons: [...ended, ...running, ...(ended.length + running.length > 0 ? [] : waits), ...beside(facts)],
  };
}

/** Its parts are one attempt. */
function wholeOf(attempt: number | undefined): number | undefined {
  return attempt === undefined ? undefined : Math.floor(attempt);
}

// ---------------------------------------------------------------------- it has ended

function reasonsOfEnd(record: TaskRecord, finishedMs: number, document: ResultDocument | undefined): Reason[] {
  const at = new Date(finishedMs);
  const { startedMs, revokedMs, terminate = false, ignored } = record;
  // A worker of Celery stores no state beside the document.
  const status = (record.status as string | undefined) ?? document?.status ?? '';
  const error = ignored === true ? undefined : errorIn(document);
  const started = startedMs === undefined || record.owner === undefined ? {} : { started: new Date(startedMs) };
  const end: Reason = { kind: 'ended', state: status, at, ...started, ...(error === undefined ? {} : { error }) };
  const { deadLetter } = readSettlement(record.settlement);
  const letter: Reason[] =
    deadLetter === undefined ? [] : [{ kind: 'dead-lettered', queue: record.queue ?? '', ...deadLetter }];
  if (status === REVOKED) {
    if (revokedMs !== undefined)
      return [{ kind: 'revoked', at: new Date(revokedMs), ended: true, terminate }, ...letter];
    return error?.endsWith(': expired') === true ? [{ kind: 'expired', at }] : [end, ...letter];
  }
  const skipped = status === IGNORED ? skippedBy(document) : undefined;
  return skipped === undefined ? [end, ...letter] : [skipped];
}

function errorIn(document: ResultDocument | undefined): string | undefined {
  if (document === undefined || !isExceptionDocument(document) || document.result === null) return undefined;
  const { exc_type: type, exc_message: parts } = document.result as ExceptionDocument;
  return `${type}: ${shownText([parts].flat().map(String).join(' '))}`;
}

/** What the gate of `oneInstance` has written. */
function skippedBy(document: ResultDocument | undefined): Reason | undefined {
  const { skipped, by, until } = Object(document?.result) as Readonly<Record<string, unknown>>;
  if (skipped !== 'locked' || typeof by !== 'string' || typeof until !== 'string') return undefined;
  return { kind: 'skipped', by, until: new Date(until) };
}

// -------------------------------------------------------------------------- it runs

function runningReason(record: TaskRecord): Reason {
  const { startedMs = 0, leaseMs = 0, owner = '', deliveries = 1, checkpoint } = record;
  const progress = progressOf(checkpoint, startedMs);
  return {
    kind: 'running',
    since: new Date(startedMs),
    until: new Date(leaseMs),
    by: owner,
    deliveries,
    ...(progress === undefined ? {} : { part: progress.part, ...timesOf(progress) }),
  };
}

function timesOf({ sinceMs, atMs }: Progress): { readonly begun: Date; readonly checkpoint?: Date } {
  return { begun: new Date(sinceMs), ...(atMs === undefined ? {} : { checkpoint: new Date(atMs) }) };
}

/** Nothing has ended: the next part comes. */
function partReason({ checkpoint }: TaskRecord): (Reason & { readonly kind: 'part' }) | undefined {
  const progress = progressOf(checkpoint, undefined);
  return progress && { kind: 'part', part: progress.part, ...timesOf(progress) };
}

// ------------------------------------------------------------------------- it waits

function reasonsToWait(facts: Facts): Reason[] {
  const { record, stand, timer, message, rateSlot, episode, nowMs } = facts;
  const standing = stand === undefined ? undefined : slotReason(stand, nowMs);
  const reasons: Reason[] = [
    ...(standing === undefined ? [] : [standing]),
    ...(rateSlot !== undefined && rateSlot.slotMicros / 1000 > nowMs
      ? [rateReason(rateSlot.slotMicros, rateSlot.lates)]
      : []),
    ...(timer === undefined || standing !== undefined ? [] : [timerReason(timer.dueMs, facts)]),
    ...(episode === undefined
      ? []
      : [{ kind: 'debounced', until: new Date(episode.dueMs), since: new Date(episode.firstMs) } satisfies Reason]),
  ];
  const unique = message?.celeriac.unique;
  const also: Reason[] = [
    ...(unique === undefined ? [] : [{ kind: 'unique', key: unique[0], until: unique[1] } satisfies Reason]),
    ...pausedReasons(facts),
  ];
  const past = record === undefined ? [] : reasonsOfRecord(record, facts);
  if (reasons.length > 0) return [...reasons, ...past.filter(({ kind }) => kind !== 'queued'), ...also];
  if (past.length > 0) return [...past, ...also];
  // It was sent for, and no worker has it yet.
  if (stand !== undefined) return [queuedReason(facts, undefined), ...also];
  return [
    ...(facts.group?.id === facts.id ? [] : [{ kind: 'unknown', queues: facts.counts } satisfies Reason]),
    ...also,
  ];
}

function slotReason({ last, slots, before, waiting }: Stand, nowMs: number): Reason | undefined {
  const { holder } = last.place;
  const parts = partsOfKey(last.key);
  const entry = slots.holders.get(holder);
  if (entry !== undefined && isGrant(entry)) return { kind: 'granted', ...parts, until: new Date(entry.leaseMs) };
  if (last.parked === undefined) return undefined;
  const { expiresMs } = last.parked;
  const held = [...slots.holders]
    .filter(([, { leaseMs }]) => leaseMs >= nowMs)
    .map(([each, { leaseMs }]) => ({ id: taskIdOf(each), until: new Date(leaseMs) }));
  return {
    kind: 'slot',
    ...parts,
    ...(slots.limit === undefined ? {} : { limit: slots.limit }),
    held,
    place: before + 1,
    waiting: Math.max(waiting, before + 1),
    more: waiting >= MAX_PARKED_COUNTED,
    since: new Date(last.place.sinceMs),
    ...(expiresMs === undefined ? {} : { expires: new Date(expiresMs) }),
  };
}

function rateReason(slotMicros: number, late: number): Reason {
  return { kind: 'rate', at: new Date(slotMicros / 1000), late };
}

/** What made it wait in the table. */
function timerReason(dueMs: number, { message, record }: Facts): Reason {
  const { slot, lates = 0 } = message?.celeriac ?? {};
  if (slot !== undefined) return rateReason(slot, lates);
  const next = record === undefined ? undefined : retryReason(record);
  return next ?? { kind: 'delayed', until: new Date(dueMs) };
}

function retryReason(record: TaskRecord): (Reason & { readonly kind: 'retry' }) | undefined {
  const { retry } = readSettlement(record.settlement);
  if (record.status !== RETRY || retry === undefined) return undefined;
  return { kind: 'retry', at: new Date(retry.dueMs), attempt: nextAttempt(record) };
}

/** What an attempt before has left. */
function reasonsOfRecord(record: TaskRecord, facts: Facts): Reason[] {
  const { nowMs, document } = facts;
  const { owner, attempt, committed, startedMs, leaseMs, deliveries = 1, past } = record;
  const part = goesOn(record) ? partReason(record) : undefined;
  if (part !== undefined) return [part, queuedReason(facts, undefined)];
  const retry = retryReason(record);
  if (retry !== undefined) {
    const error = errorIn(document);
    const told = { ...retry, ...(error === undefined ? {} : { error }) };
    return retry.at.getTime() > nowMs ? [told] : [queuedReason(facts, retry.at), told];
  }
  if (owner !== undefined && committed !== attempt && leaseMs !== undefined && startedMs !== undefined && leaseMs > 0)
    return [
      { kind: 'worker-lost', since: new Date(startedMs), until: new Date(leaseMs), deliveries },
      queuedReason(facts, undefined),
    ];
  const queued = queuedReason(facts, undefined);
  if (past !== undefined || committed !== undefined)
    return [queued, { kind: 'redriven', attempt: nextAttempt(record) }];
  return [queued];
}

function queuedReason({ record, message, counts }: Facts, since: Date | undefined): Reason {
  const queue = (message?.queue === '' ? undefined : message?.queue) ?? record?.queue ?? counts[0]?.queue ?? '';
  const count = counts.find((each) => each.queue === queue);
  return {
    kind: 'queued',
    queue,
    ...(since === undefined ? {} : { since }),
    ...(count === undefined ? {} : { count }),
  };
}

/** Of those queues that it may be in. */
function pausedReasons({ pauses, counts, laneOf }: Facts): Reason[] {
  const names = new Set(counts.map(({ queue }) => laneOf(queue)));
  return pauses
    .filter(({ queue }) => names.has(queue) || counts.length === 0)
    .map(({ queue, by, sinceMs, why }) => ({
      kind: 'paused',
      queue,
      by,
      since: new Date(sinceMs),
      ...(why === undefined ? {} : { why }),
    }));
}

// ------------------------------------------------------------------- whatever it does

function beside({ record, group }: Facts): Reason[] {
  const { revokedMs, terminate = false, finishedMs } = record ?? {};
  return [
    ...(revokedMs !== undefined && finishedMs === undefined
      ? [{ kind: 'revoked', at: new Date(revokedMs), ended: false, terminate } satisfies Reason]
      : []),
    ...(group === undefined
      ? []
      : [
          {
            kind: 'group',
            id: group.id,
            done: group.done,
            failed: group.failed.length,
            ...(group.size === undefined ? {} : { size: group.size }),
          } satisfies Reason,
        ]),
  ];
}
