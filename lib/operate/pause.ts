/** Pausing a queue: its workers get nothing until it is resumed. What counts is the record; event sources follow it. */
import type { Clock } from '../base/time.ts';
import type { Environment } from '../options/manifest.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { Pause, Pauses } from '../ports/pauses.ts';
import { checkQueue, withLanes } from './known-queue.ts';

/** What a pause is made with. */
export interface PauseParts {
  readonly environment: Pick<Environment, 'queues' | 'externalQueues' | 'lanes'>;
  readonly pauses: Pauses;
  readonly clock: Clock;
  /** What feeds the workers of each queue and lane, and what switches it. Absent where workers ask for the record themselves. */
  readonly sources?: EventSources;
}

/** A queue that is paused, and whether its workers have come to rest. */
export interface Paused extends Pause {
  /** `off`: nothing is handed to workers any more; `changing`: that takes up to a minute. */
  readonly eventSource: 'off' | 'changing' | 'none';
}

// AWS says nowhere how long it takes; more than this is told instead of waited for.
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 2000;

/**
 * The record first: a crash behind it leaves a queue that says that it is paused, and the same call again ends what was
 * begun.
 *
 * @throws QueueNotFound and the like as `checkQueue` does
 */
export async function pauseQueue(
  queue: string,
  { by, why }: { readonly by: string; readonly why?: string },
  parts: PauseParts,
): Promise<Paused> {
  checkQueue(queue, parts.environment, 'pause');
  const eventSources = await sourcesOf(queue, parts);
  const pause = await parts.pauses.put({
    queue,
    sinceMs: parts.clock.nowMs(),
    by,
    ...(why === undefined ? {} : { why }),
    ...(eventSources.length === 0 ? {} : { eventSources }),
  });
  if (eventSources.length === 0) return { ...pause, eventSource: 'none' };
  const isOff = await switchAll(eventSources, false, parts);
  return { ...pause, eventSource: isOff ? 'off' : 'changing' };
}

/** What a queue was paused by; undefined where it was not. Its event sources are on again in either case. */
export async function resumeQueue(queue: string, parts: PauseParts): Promise<Pause | undefined> {
  checkQueue(queue, parts.environment, 'resume');
  // The record last goes first: while it stands a sweep may switch off again what is switched on here.
  const pause = await parts.pauses.remove(queue);
  const ids = new Set([...(await sourcesOf(queue, parts)), ...(pause?.eventSources ?? [])]);
  await switchAll([...ids], true, parts);
  return pause;
}

/** Ids of what feeds a queue: its own, and those of its lanes. */
async function sourcesOf(queue: string, { environment, sources }: PauseParts): Promise<string[]> {
  const ids = (await sources?.ids()) ?? {};
  return withLanes(queue, environment).flatMap((name) => ids[name] ?? []);
}

/** @returns whether all of them stand as they are to stand. */
async function switchAll(ids: readonly string[], enabled: boolean, parts: PauseParts): Promise<boolean> {
  if (parts.sources === undefined) return true;
  const endMs = parts.clock.nowMs() + PATIENCE_MS;
  const stand = await Promise.all(ids.map((id) => switchOne(id, enabled, endMs, parts.sources, parts.clock)));
  return stand.every(Boolean);
}

async function switchOne(
  id: string,
  enabled: boolean,
  endMs: number,
  sources: EventSources | undefined,
  clock: Clock,
): Promise<boolean> {
  // Lambda refuses to switch what is still being switched.
  while ((await sources?.state(id)) === 'changing' && clock.nowMs() < endMs) await clock.sleep(LOOK_EVERY_MS);
  if ((await sources?.set(id, enabled)) !== true) return true;
  if (enabled) return true;
  for (;;) {
    const state = await sources?.state(id);
    if (state === 'off' || state === undefined) return true;
    if (clock.nowMs() >= endMs) return false;
    await clock.sleep(LOOK_EVERY_MS);
  }
}
