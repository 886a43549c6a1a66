/** Pausing a queue: its workers get nothing until it is resumed. What counts is the record; event sources follow it. */
import { InvalidOption } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import type { Clock } from '../base/time.ts';
import type { Environment } from '../options/manifest.ts';
import { laneName } from '../options/queue-options.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { Pause, Pauses } from '../ports/pauses.ts';

/** What a pause is made with. */
export interface PauseParts {
  readonly environment: Pick<Environment, 'queues' | 'externalQueues' | 'lanes'>;
  readonly pauses: Pauses;
  readonly clock: Clock;
  /** What feeds the workers of each queue and lane, and what switches it. Absent where workers ask for the record themselves. */
  readonly sources?: {
    readonly ids: Readonly<Record<string, string>>;
    readonly port: EventSources;
  };
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
  checkQueue(queue, parts.environment);
  const eventSources = sourcesOf(queue, parts);
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
  checkQueue(queue, parts.environment);
  // The record last goes first: while it stands a sweep may switch off again what is switched on here.
  const pause = await parts.pauses.remove(queue);
  const ids = new Set([...sourcesOf(queue, parts), ...(pause?.eventSources ?? [])]);
  await switchAll([...ids], true, parts);
  return pause;
}

/** Ids of what feeds a queue: its own, and those of its lanes. */
function sourcesOf(queue: string, { environment, sources }: PauseParts): string[] {
  const { priorities = [] } = environment.lanes?.[queue] ?? {};
  const names = new Set([queue, ...priorities.map((priority) => laneName(queue, priority))]);
  return [...names].flatMap((name) => sources?.ids[name] ?? []);
}

/** @returns whether all of them stand as they are to stand. */
async function switchAll(ids: readonly string[], enabled: boolean, { sources, clock }: PauseParts): Promise<boolean> {
  if (sources === undefined) return true;
  const there = await Promise.all(ids.map(async (id) => ({ id, is: await sources.port.set(id, enabled) })));
  const wanted = enabled ? 'on' : 'off';
  const endMs = clock.nowMs() + PATIENCE_MS;
  let open = there.filter(({ is }) => is).map(({ id }) => id);
  for (;;) {
    const states = await Promise.all(open.map((id) => sources.port.state(id)));
    open = open.filter((_, index) => states[index] !== wanted && states[index] !== undefined);
    if (open.length === 0 || enabled || clock.nowMs() >= endMs) return open.length === 0;
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** @throws InvalidOption for a queue that is not there, for a lane, and for one whose workers are elsewhere */
function checkQueue(queue: string, { queues, externalQueues, lanes = {} }: PauseParts['environment']): void {
  if (!Object.hasOwn(queues, queue))
    throw new InvalidOption(
      `There is no queue '${queue}'.${didYouMean(queue, Object.keys(queues))} There are ${Object.keys(queues).join(', ')}.`,
    );
  if (externalQueues.includes(queue))
    throw new InvalidOption(`Queue '${queue}' has its workers elsewhere: they are to be stopped there.`);
  const owner = Object.entries(lanes).find(([name, { priorities }]) =>
    priorities.some((priority) => name !== queue && laneName(name, priority) === queue),
  );
  if (owner !== undefined)
    throw new InvalidOption(`Queue '${queue}' is a lane of '${owner[0]}', and stops with it: pause '${owner[0]}'.`);
}
