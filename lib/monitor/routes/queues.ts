/** Queues: what lies in them, and whether their workers get it. */
import * as v from 'valibot';

import { ImproperlyConfigured } from '../../base/errors.ts';
import { type PauseParts, pauseQueue, resumeQueue } from '../../operate/pause.ts';
import { registeredTasks } from '../../operate/registered.ts';
import { action, read, type Route } from '../route.ts';
import { NOTHING } from '../schemas/common.ts';
import { PAUSED, QUEUES, RESUMED } from '../schemas/queues.ts';
import type { MonitoredService } from '../service.ts';
import { queuesOf } from './overview.ts';

const WHY = v.pipe(v.string(), v.maxLength(300));

export const QUEUE_ROUTES: readonly Route[] = [
  read('/api/queues', {
    summary: 'Queues, lanes too: what lies in each, and whether it is paused',
    answer: QUEUES,
    run: async ({ service }) => {
      const tasks = tasksByQueue(service);
      const queues = await queuesOf(service);
      return { queues: queues.map((queue) => ({ ...queue, tasks: tasks.get(queue.queue) ?? 0 })) };
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
];

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
