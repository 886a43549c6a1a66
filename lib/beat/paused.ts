/** What a sweep does about queues that are paused: timers of theirs stay in the table, and what feeds their workers stays off. */
import { errorMessage } from '../base/error-text.ts';
import type { Settings } from '../options/settings.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { Pause } from '../ports/pauses.ts';
import type { Ports } from '../ports/ports.ts';

/** Which queues are paused now. Where that cannot be read, none: a message that is sent into a paused queue waits there. */
export async function pausesNow({ pauses, logger }: Pick<Ports, 'pauses' | 'logger'>): Promise<readonly Pause[]> {
  try {
    return (await pauses?.list()) ?? [];
  } catch (error) {
    logger.log('error', `Which queues are paused could not be read: ${errorMessage(error)}`);
    return [];
  }
}

/** Names of the queues whose workers get nothing: the paused ones, and their lanes. */
export function pausedQueues(pauses: readonly Pause[], { queues }: Settings): ReadonlySet<string> {
  return new Set(pauses.flatMap(({ queue }) => withLanes(queue, queues)));
}

/**
 * Switches off what feeds a paused queue and is on: a deployment has switched it on, or made it anew. Costs nothing while
 * no queue is paused, and a request for each source while one is.
 */
export async function keepPaused(
  pauses: readonly Pause[],
  sources: EventSources,
  settings: Settings,
  ports: Pick<Ports, 'pauses' | 'logger'>,
): Promise<void> {
  if (pauses.length === 0) return;
  const ids = await sources.ids();
  for (const { queue, eventSources = [] } of pauses) {
    const known = withLanes(queue, settings.queues).flatMap((name) => ids[name] ?? []);
    // Those that were noted may be gone, since a deployment made others.
    for (const id of known.length > 0 ? known : eventSources) await keepOff(queue, id, sources, ports);
  }
}

/** Never throws: the others are looked at all the same, and the next sweep tries again. */
async function keepOff(
  queue: string,
  id: string,
  sources: EventSources,
  ports: Pick<Ports, 'pauses' | 'logger'>,
): Promise<void> {
  try {
    if ((await sources.state(id)) !== 'on') return;
    await sources.set(id, false);
    ports.logger.log('warn', `Queue ${queue} is paused, and its event source ${id} was on: it is switched off`, {
      queue,
    });
    await undoIfResumed(queue, id, sources, ports);
  } catch (error) {
    ports.logger.log('error', `Event source ${id} of paused queue ${queue} was not looked at: ${errorMessage(error)}`, {
      queue,
    });
  }
}

/** Whoever resumed the queue meanwhile took the note away first, and switched on before what is switched off here. */
async function undoIfResumed(
  queue: string,
  id: string,
  sources: EventSources,
  { pauses, logger }: Pick<Ports, 'pauses' | 'logger'>,
): Promise<void> {
  if (((await pauses?.list()) ?? []).some((pause) => pause.queue === queue)) return;
  try {
    await sources.set(id, true);
  } catch (error) {
    // Lambda refuses while it still switches off.
    logger.log(
      'error',
      `Queue ${queue} was resumed, and its event source ${id} may be off: run celeriac resume ${queue} again: ${errorMessage(error)}`,
      { queue },
    );
  }
}

function withLanes(queue: string, queues: Settings['queues']): string[] {
  const lanes = queues[queue]?.lanes ?? [];
  return [...new Set([queue, ...lanes.map(([, lane]) => lane)])];
}
