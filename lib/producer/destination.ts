/** Which queue a signature goes to, and whether its task runs here at all. */
import { givenId, isOneMessage, kindOf, withOptions } from '../canvas/build.ts';
import { NO_EXTERNAL_TASKS, type HasExternalTask, withIds } from '../canvas/compile.ts';
import type { Embed } from '../wire/message.ts';
import { celeryQueueName, ownQueueName } from '../wire/queue-name.ts';
import type { Registry } from '../task/registry.ts';
import { isFifo, laneFor, queueOfLane } from '../options/declared-queue.ts';
import { resolveRoute } from '../options/routes.ts';
import type { Settings } from '../options/settings.ts';
import { readSignature, type Signature, withParts } from '../wire/signature.ts';

export interface Destinations {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly eager?: unknown;
}

/** The queue of a call: its task's own, what the routes say, or the default one; and the priority that one of them names. */
export function destinationOf(
  { settings, registry }: Destinations,
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): { readonly queue: string; readonly priority: number | undefined } {
  const route = resolveRoute(settings.routes, name, args, kwargs);
  const options = registry.findAnywhere(name)?.options;
  return {
    queue: options?.queue ?? route.queue ?? settings.defaultQueue,
    priority: options?.priority ?? route.priority,
  };
}

/** What a call names itself. */
interface Named {
  readonly queue: string | undefined;
  readonly priority: number | undefined;
}

/** Where a call goes: its queue, or the lane of it that its priority takes. `asked` is the priority that somebody named. */
export interface Place {
  readonly queue: string;
  readonly priority: number;
  readonly asked: number | undefined;
}

/** @param named of the call, which comes before what its task says, and that before the routes. */
export function placeOf(
  destinations: Destinations,
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  named: Named,
): Place {
  const { settings } = destinations;
  const destination = destinationOf(destinations, name, args, kwargs);
  const found = ownQueueName(named.queue ?? destination.queue, settings.queues);
  // A lane that the routes name is of the task's own priority; what the call says comes before that.
  const overruled = named.queue === undefined && named.priority !== undefined;
  const own = overruled ? queueOfLane(found, settings) : found;
  const asked = named.priority ?? destination.priority;
  const priority = asked ?? settings.queues[own]?.defaultPriority ?? 0;
  return { queue: laneFor(own, priority, settings), priority, asked };
}

/** The queue of a signature that is one message. */
function queueOf(destinations: Destinations, sig: Signature): string {
  const { queue, priority } = sig.options;
  // celery.map goes where its task goes.
  const name = kindOf(sig) === 'task' ? sig.task : (readSignature(sig.kwargs['task'])?.task ?? sig.task);
  return placeOf(destinations, name, sig.args, sig.kwargs, {
    queue: typeof queue === 'string' ? queue : undefined,
    priority: typeof priority === 'number' ? priority : undefined,
  }).queue;
}

/** Tells whether any task of a signature's tree is run elsewhere, its links left out. */
export function hasExternalTaskIn(destinations: Destinations): HasExternalTask {
  if (destinations.eager !== undefined) return NO_EXTERNAL_TASKS;
  const { queues } = destinations.settings;
  // Nearly all apps have no such queue, and a large group many members to ask about.
  if (!Object.values(queues).some(({ external }) => external)) return NO_EXTERNAL_TASKS;
  const hasExternalTask: HasExternalTask = (sig) =>
    isOneMessage(sig) ? queues[queueOf(destinations, sig)]?.external === true : partsOf(sig).some(hasExternalTask);
  return hasExternalTask;
}

/** Signatures that a composite is made of. */
export function partsOf({ kwargs: { tasks, header, body, task } }: Signature): readonly Signature[] {
  return [tasks, header, body, task].flat().flatMap((part) => readSignature(part) ?? []);
}

const LINKS = ['link', 'link_error', 'chord'] as const;

/**
 * What follows from a message that Python runs, each signature with its queue and ids: Python sends it, and need
 * not know our routes.
 */
export function withQueues(destinations: Destinations, embed: Embed): Embed {
  const complete = (sig: Signature): Signature => {
    // The ids that our result expects: Celery would make new ones for the parts of a composite.
    const id = isOneMessage(sig) ? undefined : givenId(sig);
    return withQueue(destinations, id === undefined ? sig : withIds(sig, id));
  };
  return {
    callbacks: embed.callbacks?.map(complete) ?? null,
    errbacks: embed.errbacks?.map(complete) ?? null,
    chain: embed.chain?.map(complete) ?? null,
    chord: embed.chord === null ? null : complete(embed.chord),
  };
}

function withQueue(destinations: Destinations, sig: Signature): Signature {
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside);
    const read = readSignature(value);
    return read === undefined ? value : withQueue(destinations, read);
  };
  const links = LINKS.filter((name) => sig.options[name] != null).map((name) => [name, inside(sig.options[name])]);
  const linked = withOptions(sig, Object.fromEntries(links) as Readonly<Record<string, unknown>>);
  if (!isOneMessage(sig)) {
    const kwargs = Object.entries(sig.kwargs).map(([name, value]) => [name, inside(value)]);
    return withParts(linked, { kwargs: Object.fromEntries(kwargs) });
  }
  const queue = queueOf(destinations, sig);
  const fifo = isFifo(queue, destinations.settings);
  return withOptions(linked, { queue: celeryQueueName(queue, fifo) });
}
