/** What a queue's counts do not tell: how old its oldest message is, who waits for a slot, whether workers get what lies there. */
import { errorLine } from '../base/error-text.ts';
import type { Environment } from '../options/manifest.ts';
import type { EventSources, EventSourceState } from '../ports/event-sources.ts';
import type { SlotStore } from '../ports/slots.ts';
import { queueOfLane } from './known-queue.ts';
import type { QueueStatus } from './queue-list.ts';
import { parkedByQueue, waitingLines } from './waiting-lines.ts';

/** A queue as it stands, as far as whoever asks may know it. */
export interface QueueDetail extends QueueStatus {
  /** Age of the oldest message in seconds, some minutes late; what was received three times is left out. */
  readonly oldestSeconds?: number;
  /** Tasks of it that wait for a slot: their messages are stored, and lie in no queue. */
  readonly parked?: number;
  /** What feeds its workers. */
  readonly eventSource?: EventSourceState;
  /** The pause record and what feeds its workers do not agree. */
  readonly mismatch?: 'paused but fed' | 'not fed and not paused';
  /** What to do about that. */
  readonly advice?: string;
}

/** Whom to ask; what is absent is not asked. */
export interface DetailSources {
  readonly environment: Pick<Environment, 'queues' | 'lanes'>;
  /** Of a queue by its URL. */
  readonly oldestSeconds?: (url: string) => Promise<number | undefined>;
  readonly slots?: SlotStore;
  readonly eventSources?: Pick<EventSources, 'ids' | 'state'>;
  readonly nowMs: number;
}

export interface QueueDetails {
  readonly queues: readonly QueueDetail[];
  /** What nobody told, and why: whoever may not ask for one thing is shown the others. */
  readonly unknown: readonly { readonly what: 'oldest' | 'parked' | 'event sources'; readonly error: string }[];
  /** More keys have tasks that wait than were counted. */
  readonly parkedMore: boolean;
}

export async function queueDetails(list: readonly QueueStatus[], sources: DetailSources): Promise<QueueDetails> {
  const { environment, slots, nowMs } = sources;
  const unknown: { readonly what: QueueDetails['unknown'][number]['what']; readonly error: string }[] = [];
  const asked = async <T>(what: (typeof unknown)[number]['what'], ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      unknown.push({ what, error: errorLine(error) });
      return undefined;
    }
  };
  const [ages, lines, states] = await Promise.all([
    asked('oldest', () => agesOf(list, sources)),
    asked('parked', async () => (slots === undefined ? undefined : waitingLines(slots, { nowMs }))),
    asked('event sources', () => statesOf(sources)),
  ]);
  const parked = lines === undefined ? undefined : parkedByQueue(lines.lines);
  const queues = list.map((status): QueueDetail => {
    const { queue } = status;
    const [oldestSeconds, eventSource] = [ages?.get(queue), states?.get(queue)];
    return {
      ...status,
      ...(oldestSeconds === undefined ? {} : { oldestSeconds: Math.round(oldestSeconds) }),
      ...(parked === undefined ? {} : { parked: parked.get(queue) ?? 0 }),
      ...(eventSource === undefined ? {} : { eventSource }),
      ...mismatchOf(status, eventSource, queueOfLane(queue, environment)),
    };
  });
  const sorted = unknown.toSorted((left, right) => (left.what < right.what ? -1 : 1));
  return { queues, unknown: sorted, parkedMore: lines?.more === true };
}

/** What is being switched agrees with nothing yet. @param owner the queue whose lane it is */
export function mismatchOf(
  { state }: Pick<QueueStatus, 'state'>,
  eventSource: EventSourceState | undefined,
  owner: string,
): Pick<QueueDetail, 'mismatch' | 'advice'> {
  if (state === 'paused' && eventSource === 'on')
    return {
      mismatch: 'paused but fed',
      advice: `The sweeper switches the event source off within a minute, or at once: celeriac pause ${owner}`,
    };
  if (state === 'running' && eventSource === 'off')
    return {
      mismatch: 'not fed and not paused',
      advice: `Somebody has switched its event source off, elsewhere. Switch it on: celeriac resume ${owner}`,
    };
  return {};
}

async function agesOf(
  list: readonly QueueStatus[],
  { environment, oldestSeconds }: DetailSources,
): Promise<Map<string, number | undefined> | undefined> {
  if (oldestSeconds === undefined) return undefined;
  const ages = await Promise.all(
    list.map(async ({ queue }) => [queue, await oldestSeconds(environment.queues[queue] ?? '')] as const),
  );
  return new Map(ages);
}

async function statesOf({
  eventSources,
}: DetailSources): Promise<Map<string, EventSourceState | undefined> | undefined> {
  if (eventSources === undefined) return undefined;
  const ids = Object.entries(await eventSources.ids());
  return new Map(await Promise.all(ids.map(async ([queue, id]) => [queue, await eventSources.state(id)] as const)));
}
