/** An app as plain data, for `TaskService`. */
import { flowManifest } from '../options/declare-flow.ts';
import type { BeatPlan } from '../beat/plan.ts';
import { idlePatterns } from '../options/check-routes.ts';
import { laneFor } from '../options/declared-queue.ts';
import type { AppManifest, TaskManifest } from '../options/manifest.ts';
import { checkNamedQueues } from '../options/named-queues.ts';
import { largePayloadsOf } from '../options/large-payloads.ts';
import { hasRouter, resolveRoute } from '../options/routes.ts';
import type { Settings } from '../options/settings.ts';
import type { Registry, TaskDefinition } from '../task/registry.ts';
import { ownQueueName } from '../wire/queue-name.ts';

/** What an app has been told by its declarations. */
interface Declared {
  readonly settings: Settings;
  readonly registry: Registry;
}

/**
 * @param plans of its schedule entries.
 * @throws InvalidOption, QueueNotFound for a task whose first `delay()` would find no queue.
 */
export function manifestOf({ settings, registry }: Declared, plans: () => readonly BeatPlan[]): AppManifest {
  const names = [...registry.all(), ...registry.remotes()].map(({ name }) => name);
  const idleRoutes = idlePatterns(settings.routes, settings.queues, names);
  const stored = largePayloadsOf(settings);
  const manifest = {
    name: settings.name,
    defaultQueue: settings.defaultQueue,
    queues: settings.queues,
    tasks: Object.fromEntries([
      ...registry.all().map((definition) => [definition.name, taskManifest(definition, settings)] as const),
      ...registry
        .remotes()
        .map((definition) => [definition.name, { ...taskManifest(definition, settings), remote: true }] as const),
    ]),
    resultExpiresSeconds: settings.resultExpiresSeconds,
    timerShards: settings.timerShards,
    beat: plans().map(({ entry: _entry, ...plan }) => plan),
    ...(settings.history === 'all' ? {} : { history: settings.history }),
    ...(stored === undefined || stored.storeAboveBytes === null ? {} : { payloadKeepSeconds: stored.keepSeconds }),
    ...(settings.codec === undefined ? {} : { codec: true as const }),
    ...(idleRoutes.length === 0 ? {} : { idleRoutes }),
  };
  checkNamedQueues(manifest);
  return manifest;
}

function taskManifest({ options, name }: TaskDefinition, settings: Settings): TaskManifest {
  // A router function may look at the arguments, which nobody has at deploy time: the default queue stands in.
  const routed = options.queue === undefined && hasRouter(settings.routes);
  const route = routed ? {} : resolveRoute(settings.routes, name, [], {});
  const queue = ownQueueName(options.queue ?? route.queue ?? settings.defaultQueue, settings.queues);
  const priority = options.priority ?? route.priority ?? settings.queues[queue]?.defaultPriority ?? 0;
  return {
    // Its lane: who sends without its code knows no more.
    queue: laneFor(queue, priority, settings),
    ...(routed ? { routed } : {}),
    ...(options.timeLimitSeconds === null ? {} : { timeLimitSeconds: options.timeLimitSeconds }),
    ...(options.softTimeLimitSeconds === null ? {} : { softTimeLimitSeconds: options.softTimeLimitSeconds }),
    ...flowManifest(options.flow),
  };
}
