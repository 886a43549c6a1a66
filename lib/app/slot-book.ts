/** Who runs under a concurrency, or alone, and who waits: for people. */
import { ImproperlyConfigured, InvalidOption } from '../base/errors.ts';
import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { MAX_SLOTS_LISTED } from '../base/limits.ts';
import { slotsKey, taskLockKey } from '../ports/slot-keys.ts';
import type { App } from '../producer/app.ts';
import { itemKey } from '../flow/key.ts';
import { isGrant, partsOf } from '../flow/slots.ts';

/** Which slots of a task are asked for. */
export interface SlotsQuery {
  /** The key, as the function of the task's `concurrency` or `oneInstance` gives it. Default: that of a task without one. */
  readonly key?: string;
  /** How many of those that wait are listed, 1 to 1,000. Default 100. */
  readonly limit?: number;
}

/** One attempt that holds a slot, or waits for one. */
export interface SlotTask {
  /** Task id. */
  readonly id: string;
  /** Number of the attempt, from 0. */
  readonly retries: number;
}

/** The slots of a task's concurrency, or the one of its `oneInstance`, under one key. */
export interface SlotsView {
  /** Runs at the same time, as workers knew last; undefined where nobody ever ran. */
  readonly limit: number | undefined;
  /** Those that run, and until when their slots are theirs. */
  readonly active: readonly (SlotTask & { readonly until: Date })[];
  /** Those that were given a slot and are on their way to a worker. */
  readonly scheduled: readonly (SlotTask & { readonly until: Date })[];
  /** Those that wait, the first of the line first. */
  readonly reserved: readonly (SlotTask & { readonly since: Date; readonly expires?: Date })[];
  /** How many wait. */
  readonly waiting: number;
}

const KEYS: ReadonlySet<string> = new Set<keyof SlotsQuery>(['key', 'limit']);
const DEFAULT_LISTED = 100;

/** @throws InvalidOption, ImproperlyConfigured */
export async function slotsOf(app: App, task: string, query: SlotsQuery = {}): Promise<SlotsView> {
  if (typeof task !== 'string' || task === '')
    throw new InvalidOption(`slots(): ${shown(task)} given; the name of a task is allowed.`);
  refuseUnknownKeys(query, KEYS, 'slots()');
  const { key: text = '' } = query;
  if (typeof text !== 'string') throw new InvalidOption(`key of slots(): ${shown(text)} given; text is allowed.`);
  const most = integerIn(query.limit ?? DEFAULT_LISTED, 1, MAX_SLOTS_LISTED, 'limit of slots()');
  const { slots: store } = await app.ports();
  if (store === undefined) throw new ImproperlyConfigured('slots(): app.use() was given no `slots`.');
  const flow = await app.registry.find(task)?.options.flow?.resolved();
  // Who does not run beside itself waits for a lock of one, in a line like any other.
  const isLock = flow?.oneInstance !== undefined && flow.concurrency === undefined;
  const key = isLock
    ? taskLockKey(itemKey(task, text))
    : slotsKey(itemKey(flow?.concurrency?.scope === 'app' ? '*' : task, text));
  const [slots, waiting] = [await store.read(key), await store.line(key, most)];
  const nowMs = app.clock.nowMs();
  const held = [...slots.holders].filter(([, { leaseMs }]) => leaseMs >= nowMs);
  const shownAs = (granted: boolean): SlotsView['active'] =>
    held
      .filter(([, entry]) => isGrant(entry) === granted)
      .map(([holder, { leaseMs }]) => ({ ...attemptOf(holder), until: new Date(leaseMs) }));
  return {
    limit: slots.limit,
    active: shownAs(false),
    scheduled: shownAs(true),
    reserved: waiting.map(({ holder, sinceMs, expiresMs }) => ({
      ...attemptOf(holder),
      since: new Date(sinceMs),
      ...(expiresMs === undefined ? {} : { expires: new Date(expiresMs) }),
    })),
    waiting: waiting.length < most ? waiting.length : await store.count(key),
  };
}

function attemptOf(holder: string): SlotTask {
  const [id, attempt] = partsOf(holder);
  return { id, retries: Math.floor(attempt) };
}
