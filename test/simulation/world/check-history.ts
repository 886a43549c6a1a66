/** What the history must say when everything has come to rest: each end once, as it was stored, and as many as are counted. */
import type { World } from 'celeriac/testing';

import { isFinal, RETRY } from '../../../lib/base/states.ts';
import { HISTORY_SHARDS } from '../../../lib/base/limits.ts';
import { HOUR_MS, startOf } from '../../../lib/ports/history-place.ts';
import type { History } from '../../../lib/ports/history.ts';
import { type HistoryEntry, historyKey, unpackHistory } from '../../../lib/wire/history-entry.ts';
import type { End } from './facts.ts';
import type { Ledger } from './ledger.ts';

// Of `isKept`: what was revoked is told when its message comes, and not where that is long ago.
const LISTED_MS = 6 * 86_400_000;

/** @param startMs when the simulation began */
export async function checkHistory(
  world: World,
  ledger: Ledger,
  ends: ReadonlyMap<string, End>,
  startMs: number,
): Promise<void> {
  // Rolled up, whatever the sweeps under faults have left.
  await world.advance('10m');
  const entries = await everyEntry(world, startMs);
  const copies = new Map<string, HistoryEntry[]>();
  const newest = new Map<string, string>();
  for (const entry of entries.toSorted((left, right) => left.endedMs - right.endedMs)) {
    const attempt = historyKey(entry);
    const known = newest.get(attempt);
    const firstMs = copies.get(known ?? '')?.[0]?.endedMs ?? -Infinity;
    // Once its record has expired, a task that is concluded again ends again.
    const key =
      known !== undefined && entry.endedMs - firstMs < ledger.keptMs(entry.id) ? known : `${attempt}@${entry.endedMs}`;
    newest.set(attempt, key);
    copies.set(key, [...(copies.get(key) ?? []), entry]);
  }
  for (const same of copies.values()) checkCopies(same, ledger);
  const once = [...copies.values()].flatMap(([first]) => first ?? []);
  checkAttempts(once, ledger, ends);
  await checkListed(world, once, ledger);
  await checkCounts(world, once, ledger);
}

/** As it was written, copies too: read hour by hour, whatever the store is. */
async function everyEntry(world: World, startMs: number): Promise<HistoryEntry[]> {
  const history = world.ports.history as History;
  const nowMs = world.clock.nowMs();
  const entries: HistoryEntry[] = [];
  // Clocks differ: one was behind, perhaps.
  for (let fromMs = startOf(startMs, HOUR_MS) - HOUR_MS; fromMs <= nowMs; fromMs += HOUR_MS)
    for (let shard = 0; shard < HISTORY_SHARDS; shard += 1) {
      let after: unknown;
      do {
        const range = { shard, fromMs, untilMs: fromMs + HOUR_MS };
        const { items, next } = await history.page(after === undefined ? range : { ...range, after });
        for (const { data } of items) entries.push(...unpackHistory(data));
        after = next;
      } while (after !== undefined);
    }
  return entries;
}

/** Copies lie in one minute and say the same: else they would be two ends to whoever reads one minute. */
function checkCopies(same: readonly HistoryEntry[], ledger: Ledger): void {
  const told = new Set(same.map(({ endedMs, state }) => `${state} at ${endedMs}`));
  const [first] = same;
  if (told.size > 1 && first !== undefined)
    ledger.violate('one end in the history', `${first.id}/${first.attempt}: ${[...told].join(', ')}`, first.id);
  // Over a wire two who conclude at the same moment, with the same text, are both told that it is theirs: nothing tells
  // them apart, their ends neither. A run is committed by one.
  const own = same.filter(({ again, startedMs }) => again !== true && startedMs !== undefined);
  if (own.length > 1 && first !== undefined)
    ledger.violate('one end in the history', `${first.id}/${first.attempt} was ended ${own.length} times`, first.id);
}

function checkAttempts(once: readonly HistoryEntry[], ledger: Ledger, ends: ReadonlyMap<string, End>): void {
  const byTask = new Map<string, HistoryEntry[]>();
  for (const entry of once) byTask.set(entry.id, [...(byTask.get(entry.id) ?? []), entry]);
  for (const [id, end] of ends) {
    const own = (byTask.get(id) ?? []).toSorted((left, right) => left.attempt - right.attempt);
    const finals = own.filter(({ state }) => isFinal(state));
    // Revoked, its message may come long after, or never: nobody began it.
    const isRevoked = end.state === 'REVOKED' && (ledger.facts.revoke(id) !== undefined || end.attempt === undefined);
    if (finals.length === 0 && isRevoked) continue;
    const last = own.at(-1);
    const isTwice = finals.length > 1 && new Set(finals.map(({ attempt }) => attempt)).size < finals.length;
    if ((finals.length !== 1 && !isTwice) || last === undefined || last.state !== end.state)
      ledger.violate(
        'every end is in the history',
        `${id} ended as ${end.state}; the history has ${own.map(({ attempt, state }) => `${attempt}: ${state}`).join(', ')}`,
        id,
      );
    const wrong = isTwice ? undefined : own.slice(0, -1).find(({ state }) => state !== RETRY);
    if (wrong !== undefined)
      ledger.violate('every end is in the history', `${id}/${wrong.attempt} is ${wrong.state}`, id);
  }
  for (const id of byTask.keys())
    if (!ends.has(id)) ledger.violate('every end is in the history', `${id} has a history and no end`, id);
}

/** Page by page: each once, in order. */
async function checkListed(world: World, once: readonly HistoryEntry[], ledger: Ledger): Promise<void> {
  const nowMs = world.clock.nowMs();
  const from = new Date(nowMs - LISTED_MS);
  const listed: string[] = [];
  let lastMs = Infinity;
  let cursor: string | null = null;
  do {
    const page = await world.app.history.list({ from, limit: 150, ...(cursor === null ? {} : { cursor }) });
    for (const { id, attempt, endedAt } of page.entries) {
      if (endedAt.getTime() > lastMs) ledger.violate('the history is listed once, in order', `${id}/${attempt}`, id);
      lastMs = endedAt.getTime();
      listed.push(historyKey({ id, attempt }));
    }
    ({ cursor } = page);
  } while (cursor !== null);
  const expected = once.filter(({ endedMs }) => endedMs >= from.getTime()).map(historyKey);
  if (listed.toSorted().join() !== expected.toSorted().join())
    ledger.violate('the history is listed once, in order', `${listed.length} were listed, ${expected.length} ended`);
}

/** By minute, hour and day, from what was rolled up: each as many as ended. */
async function checkCounts(world: World, once: readonly HistoryEntry[], ledger: Ledger): Promise<void> {
  const { app, clock } = world;
  const history = world.ports.history;
  const state = await history?.rollState(10);
  if (state === undefined || state.late.length > 0)
    ledger.violate('each end is counted once', `${state?.late.length} minutes are left to be counted again`);
  for (const every of ['hour', 'day'] as const) {
    const from = new Date(clock.nowMs() - LISTED_MS);
    const { buckets } = await app.stats({ from, every });
    for (const { start, count, states } of buckets) {
      const untilMs = start.getTime() + (every === 'hour' ? 3_600_000 : 86_400_000);
      const ended = once.filter(({ endedMs }) => endedMs >= start.getTime() && endedMs < untilMs);
      const retried = ended.filter((entry) => entry.state === RETRY).length;
      if (ended.length !== count || (states[RETRY] ?? 0) !== retried)
        ledger.violate(
          'each end is counted once',
          `${every} ${start.toISOString()}: ${count} counted, ${ended.length} ended; ${states[RETRY]} and ${retried} retries`,
        );
    }
  }
}
