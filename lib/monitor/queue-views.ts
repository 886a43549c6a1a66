/** Queues as the page shows them: their counts, and what counts do not tell. */
import type { Clock } from '../base/time.ts';
import { type QueueDetails, queueDetails } from '../operate/queue-details.ts';
import { queueList } from '../operate/queue-list.ts';
import type { QueueStatus } from '../operate/queue-list.ts';
import type { MonitoredService } from './service.ts';

/** Counts alone: what a stream and Prometheus ask for again and again. */
export async function queuesOf({ app, environment, depths }: MonitoredService): Promise<QueueStatus[]> {
  const { pauses } = await app.ports();
  return queueList(environment, depths, await pauses?.list());
}

/** With the age of the oldest message, tasks that wait for a slot, and what feeds the workers. */
export async function detailedQueues(service: MonitoredService): Promise<QueueDetails> {
  const { app, environment, oldestSeconds } = service;
  const [list, { slots }, eventSources] = await Promise.all([queuesOf(service), app.ports(), service.eventSources()]);
  return queueDetails(list, {
    environment,
    nowMs: app.clock.nowMs(),
    ...(oldestSeconds === undefined ? {} : { oldestSeconds }),
    ...(slots === undefined ? {} : { slots }),
    ...(eventSources === undefined ? {} : { eventSources }),
  });
}

// CloudWatch has one figure a minute, and bills each question for it.
const AGE_HELD_MS = 60_000;

/** Asks once in a minute for each queue, however many look. What failed is not kept. */
export function heldAges(
  ask: (queueName: string) => Promise<number | undefined>,
  clock: Pick<Clock, 'nowMs'>,
): (url: string) => Promise<number | undefined> {
  const held = new Map<string, { readonly seconds: Promise<number | undefined>; readonly untilMs: number }>();
  return (url) => {
    const nowMs = clock.nowMs();
    const known = held.get(url);
    if (known !== undefined && known.untilMs > nowMs) return known.seconds;
    const seconds = ask(url.slice(url.lastIndexOf('/') + 1));
    held.set(url, { seconds, untilMs: nowMs + AGE_HELD_MS });
    seconds.catch(() => held.delete(url));
    return seconds;
  };
}
