/** What is stored of one task, wherever it is, read within bounds: nothing is scanned. */
import { InvalidMessage } from '../../base/errors.ts';
import { stableHash } from '../../base/ids.ts';
import { LATEST_DUE_MS, MAX_PARKED_COUNTED, MAX_TIMERS_SEARCHED } from '../../base/limits.ts';
import { isFinal } from '../../base/states.ts';
import { DEBOUNCE_TASK } from '../../canvas/own-tasks.ts';
import { itemKey } from '../../flow/key.ts';
import type { TaskRecord } from '../../ports/backend.ts';
import type { GroupCount } from '../../ports/groups.ts';
import type { Episode } from '../../ports/marks.ts';
import type { Pause } from '../../ports/pauses.ts';
import type { Ports } from '../../ports/ports.ts';
import type { KeptSlot } from '../../ports/rates.ts';
import { attemptOf } from '../../ports/slot-keys.ts';
import type { LastPlace, Slots } from '../../ports/slots.ts';
import type { Timer } from '../../ports/timers.ts';
import type { App } from '../../producer/app.ts';
import { decodeHeaders, decodeMessage } from '../../wire/decode-message.ts';
import type { Message } from '../../wire/message.ts';
import { readSettlement } from '../../worker/committed.ts';
import { readDocument, type ResultDocument } from '../../wire/result-document.ts';
import type { QueueCount } from './reasons.ts';
import { toldRecords } from '../../results/told-records.ts';

/** What the caller knows of the task beside its id. */
export interface Hints {
  readonly task?: string;
  readonly key?: string;
  readonly queue?: string;
}

/** Where it stands in a line, and behind whom. */
export interface Stand {
  readonly last: LastPlace;
  readonly slots: Slots;
  /** How many stand in front of it. */
  readonly before: number;
  /** How many stand in the line, as far as they were counted. */
  readonly waiting: number;
}

/** All that is known. */
export interface Facts {
  readonly id: string;
  readonly nowMs: number;
  readonly record?: TaskRecord;
  readonly document?: ResultDocument;
  readonly stand?: Stand;
  readonly timer?: Timer;
  /** Of what waits in a table: its headers. */
  readonly message?: Message;
  readonly rateSlot?: KeptSlot;
  readonly group?: GroupCount & { readonly id: string; readonly size?: number };
  readonly episode?: Episode;
  readonly pauses: readonly Pause[];
  readonly counts: readonly QueueCount[];
  /** Queues whose lanes share a pause: the queue of each lane. */
  readonly laneOf: (queue: string) => string;
}

/** Reads what is stored. What has ended, and what runs, needs no more than a read or two. */
export async function factsOf(id: string, hints: Hints, app: App, ports: Ports): Promise<Facts> {
  const nowMs = app.clock.nowMs();
  const [[record], last] = await Promise.all([toldRecords([id], ports, nowMs), ports.slots?.lastPlace(id)]);
  const document = record?.meta === undefined ? undefined : readDocument(record.meta);
  const laneOf = (queue: string): string => app.settings.queues[queue]?.laneOf ?? queue;
  const known = {
    id,
    nowMs,
    ...(record === undefined ? {} : { record }),
    ...(document === undefined ? {} : { document }),
    laneOf,
  };
  const settled = record !== undefined && (finishedMsOf(record, document) !== undefined || isRunning(record, nowMs));
  const waits = settled ? {} : await waitingFacts({ id, nowMs, record, last }, hints, app, ports);
  const groupId = document?.groupId ?? waits.message?.groupId;
  const group = await groupFacts(groupId ?? id, groupId === undefined && (settled || hasPlace(waits)), waits, ports);
  const queue = settled ? undefined : (hints.queue ?? queueOf(waits) ?? record?.queue);
  return {
    ...known,
    ...waits,
    ...(group === undefined ? {} : { group }),
    ...(settled ? { pauses: [], counts: [] } : await queueFacts(queue, app, ports)),
  };
}

type Waits = Pick<Facts, 'stand' | 'timer' | 'message' | 'rateSlot' | 'episode'>;

function hasPlace({ stand, timer, episode }: Waits): boolean {
  return stand !== undefined || timer !== undefined || episode !== undefined;
}

/** Where its message lies, as far as a table tells. */
function queueOf({ stand, timer, message, episode }: Waits): string | undefined {
  const wake = stand?.last.parked?.wake;
  const parked = wake?.kind === 'send' ? wake.message.queue : wake?.queue;
  return (
    parked ?? timer?.message.queue ?? episode?.message.queue ?? (message?.queue === '' ? undefined : message?.queue)
  );
}

interface Asked {
  readonly id: string;
  readonly nowMs: number;
  readonly record: TaskRecord | undefined;
  readonly last: LastPlace | undefined;
}

async function waitingFacts({ id, record, last }: Asked, hints: Hints, app: App, ports: Ports): Promise<Waits> {
  const stand = last === undefined || !mayStand(last, record) ? undefined : await standOf(last, ports);
  if (stand !== undefined && (stand.last.parked !== undefined || stand.slots.holders.has(last?.place.holder ?? ''))) {
    const wake = stand.last.parked?.wake;
    return { stand, ...messageIn(wake?.kind === 'send' ? wake.message.body : undefined) };
  }
  const [timer, rateSlot] = await Promise.all([
    timerOf(id, app, ports),
    ports.rates?.kept(id, record === undefined ? 0 : nextAttempt(record)),
  ]);
  const told = messageIn(timer?.message.body);
  const isToken = told.message?.task === DEBOUNCE_TASK;
  const task = hints.task ?? record?.name;
  const key = isToken ? keyOfToken(timer) : task === undefined ? undefined : itemKey(task, hints.key ?? '');
  const episode = key === undefined ? undefined : await ports.marks?.episode(key);
  return {
    ...(stand === undefined ? {} : { stand }),
    ...(rateSlot === undefined ? {} : { rateSlot }),
    // What comes then is the task itself.
    ...(timer === undefined || isToken ? {} : { timer, ...told }),
    ...(episode?.id === id ? { episode, ...messageIn(episode.message.body) } : {}),
  };
}

/** The mark of a token of what is debounced. */
function keyOfToken(timer: Timer | undefined): string | undefined {
  try {
    const [key] = decodeMessage(timer?.message.body ?? '').args;
    return typeof key === 'string' ? key : undefined;
  } catch (error) {
    if (InvalidMessage.is(error)) return undefined;
    throw error;
  }
}

/** Messages are untrusted: of one that cannot be read nothing is told. */
function messageIn(body: string | undefined): Pick<Facts, 'message'> {
  if (body === undefined) return {};
  try {
    return { message: decodeHeaders(body) };
  } catch (error) {
    if (InvalidMessage.is(error)) return {};
    throw error;
  }
}

async function standOf(last: LastPlace, { slots }: Ports): Promise<Stand | undefined> {
  if (slots === undefined) return undefined;
  const { key, place, parked } = last;
  const most = MAX_PARKED_COUNTED;
  const [seen, before, waiting] = await Promise.all([
    slots.read(key),
    parked === undefined ? 0 : slots.count(key, { before: place, most }),
    parked === undefined ? 0 : slots.count(key, { most }),
  ]);
  return { last, slots: seen, before, waiting };
}

/**
 * Timers are sorted by when they are due, and not by task: those of its part that come next are looked through. Of a FIFO queue
 * the part follows its group, which nobody knows here.
 */
async function timerOf(id: string, { settings }: App, { timers }: Ports): Promise<Timer | undefined> {
  const own = stableHash(id) % settings.timerShards;
  const isOrdered = Object.values(settings.queues).some(({ fifo }) => fifo);
  const parts = isOrdered ? Array.from({ length: settings.timerShards }, (_, part) => part) : [own];
  const found = await Promise.all(parts.map((part) => timerIn(part, id, timers)));
  return found.find((each) => each !== undefined);
}

const PAGE = 200;

async function timerIn(part: number, id: string, timers: Ports['timers']): Promise<Timer | undefined> {
  let found: Timer | undefined;
  let looked = 0;
  try {
    await timers.eachDue({ untilMs: LATEST_DUE_MS, limit: PAGE, parts: [part] }, (page) => {
      looked += page.length;
      found = page.find((timer) => timer.id === id);
      // Nothing else ends a visit. A store may make another error of this one.
      if (found !== undefined || looked >= MAX_TIMERS_SEARCHED) return Promise.reject(new Error('enough'));
      return Promise.resolve();
    });
  } catch (error) {
    if (found === undefined && looked < MAX_TIMERS_SEARCHED) throw error;
  }
  return found;
}

/** @param skips where it is no group's id, since it is known as a task */
async function groupFacts(
  groupId: string,
  skips: boolean,
  { message }: Waits,
  { groups }: Ports,
): Promise<Facts['group']> {
  if (skips) return undefined;
  const count = await groups.count(groupId);
  const size = message?.celeriac.group?.size;
  if (count.done === 0 && size === undefined) return undefined;
  return { id: groupId, ...count, ...(size === undefined ? {} : { size }) };
}

/** Of the queue where it is; where nobody knows that, of all of them. */
async function queueFacts(
  queue: string | undefined,
  { settings }: App,
  { pauses, depths }: Ports,
): Promise<Pick<Facts, 'pauses' | 'counts'>> {
  const names = queue === undefined ? Object.keys(settings.queues) : [queue];
  const [all = [], found = []] = await Promise.all([
    pauses?.list(),
    depths?.count(names.map((name) => ({ queue: name }))),
  ]);
  const counts = names.flatMap((name, index) => {
    const depth = found[index];
    return depth === undefined ? [] : [{ queue: name, ...depth }];
  });
  return { pauses: all, counts };
}

/** When it ended. A worker of Celery stores that in its document alone. */
export function finishedMsOf(record: TaskRecord, document: ResultDocument | undefined): number | undefined {
  if (record.attempt !== undefined || record.finishedMs !== undefined) return record.finishedMs;
  const ms = document?.dateDone === undefined || document.dateDone === null ? NaN : Date.parse(document.dateDone);
  return document !== undefined && isFinal(document.status) && !Number.isNaN(ms) ? ms : undefined;
}

/** A worker holds its claim. */
export function isRunning({ owner, attempt, committed, finishedMs, leaseMs = 0 }: TaskRecord, nowMs: number): boolean {
  return owner !== undefined && finishedMs === undefined && committed !== attempt && leaseMs >= nowMs;
}

/** Whether the attempt that stood there may still come: a place outlives its attempt where a worker died. */
function mayStand({ place }: LastPlace, record: TaskRecord | undefined): boolean {
  return record === undefined || attemptOf(place.holder) >= nextAttempt(record);
}

/** The attempt that runs or comes next. */
export function nextAttempt({ attempt, committed, settlement }: TaskRecord): number {
  if (attempt === undefined) return 0;
  const isOver = committed === attempt && readSettlement(settlement).retry?.overrides.part === undefined;
  return Math.floor(attempt) + (isOver ? 1 : 0);
}
