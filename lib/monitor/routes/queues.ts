/** Queues: what lies in them, and whether their workers get it. */
import * as v from 'valibot';

import { ImproperlyConfigured } from '../../base/errors.ts';
import { type PauseParts, pauseQueue, resumeQueue } from '../../operate/pause.ts';
import { countToPurge, purgeQueues } from '../../operate/purge.ts';
import { registeredTasks } from '../../operate/registered.ts';
import { Refused } from '../problem.ts';
import { detailedQueues } from '../queue-views.ts';
import { action, read, type Route } from '../route.ts';
import { NAME, NOTHING } from '../schemas/common.ts';
import { PAUSED, PURGED, QUEUES, RESUMED } from '../schemas/queues.ts';
import type { MonitoredService } from '../service.ts';

const WHY = v.pipe(v.string(), v.maxLength(300));

export const QUEUE_ROUTES: readonly Route[] = [
  read('/api/queues', {
    summary: 'Queues, lanes too: what lies in each, how old it is, who waits for a slot, and whether workers get it',
    answer: QUEUES,
    run: async ({ service }) => {
      const tasks = tasksByQueue(service);
      const { queues, unknown, parkedMore } = await detailedQueues(service);
      return { queues: queues.map((queue) => ({ ...queue, tasks: tasks.get(queue.queue) ?? 0 })), unknown, parkedMore };
    },
  }),
  action('POST', '/api/queues/{queue}/pause', {
    summary: 'Lets the workers of a queue get nothing until it is resumed',
    action: 'queue.pause',
    body: v.strictObject({ why: v.optional(WHY, '') }),
    answer: PAUSED,
    about: ({ params, body }) => ({ on: [params.queue], note: body.why }),
    run: async ({ service, params, body, visitor }) => {
      const why = body.why === '' ? {} : { why: body.why };
      const paused = await pauseQueue(params.queue, { by: visitor.name, ...why }, await partsOf(service));
      const keptSeconds = await service.depths.retentionSeconds(params.queue);
      const { queue, sinceMs, by, eventSource } = paused;
      const since = new Date(sinceMs);
      return {
        answer: { queue, since, by, why: paused.why ?? null, eventSource, keptSeconds: keptSeconds ?? null },
      };
    },
  }),
  action('POST', '/api/queues/{queue}/resume', {
    summary: 'Lets the workers of a paused queue go on',
    action: 'queue.resume',
    body: NOTHING,
    answer: RESUMED,
    about: ({ params }) => ({ on: [params.queue] }),
    run: async ({ service, params }) => {
      const was = await resumeQueue(params.queue, await partsOf(service));
      return { answer: { queue: params.queue, wasPaused: was !== undefined } };
    },
  }),
  action('POST', '/api/queues/{queue}/purge', {
    summary:
      'Deletes all that lies in a queue and its lanes, for good: `name` is the queue’s, once more. `dryRun` only counts',
    action: 'queue.purge',
    body: v.strictObject({ name: NAME, dryRun: v.optional(v.boolean(), false) }),
    answer: PURGED,
    about: ({ params }) => ({ on: [params.queue] }),
    isOnlyLooking: ({ dryRun }) => dryRun,
    run: async ({ service, params, body }) => {
      if (body.name !== params.queue) throw new Refused(otherName(params.queue));
      const { environment, depths, purges } = service;
      const found = await countToPurge(params.queue, { environment, depths });
      const busy = body.dryRun
        ? found.map(({ queue }) => queue)
        : await purgeQueues(found, { environment, depths, purges });
      const queues = found.map((each) => ({ ...each, purged: !busy.includes(each.queue) }));
      const count = queues.reduce(
        (sum, { purged, ready, inFlight, delayed }) => (purged ? sum + ready + inFlight + delayed : sum),
        0,
      );
      return { answer: { queues }, acted: { count } };
    },
  }),
];

/** Nothing brings back what is purged: whoever does it writes its name. */
function otherName(queue: string): Refused['problem'] {
  return {
    status: 400,
    code: 'NAME_DIFFERS',
    title: 'The name is not the queue’s.',
    detail: `body.name: '${queue}' is asked for, since all that lies there is deleted for good.`,
  };
}

/** How many tasks go to each queue. */
function tasksByQueue({ app, hasCode, environment, taskNames }: MonitoredService): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { queue } of registeredTasks(environment, hasCode ? app.manifest() : undefined, taskNames))
    counts.set(queue, (counts.get(queue) ?? 0) + 1);
  return counts;
}

async function partsOf(service: MonitoredService): Promise<PauseParts> {
  const { app, environment } = service;
  const { pauses } = await app.ports();
  if (pauses === undefined) throw new ImproperlyConfigured('This service has no store of pauses.');
  const sources = await service.eventSources();
  return { environment, pauses, clock: app.clock, ...(sources === undefined ? {} : { sources }) };
}
