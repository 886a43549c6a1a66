/** A queue of a service, as people name it to do something with it. */
import { InvalidOption } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import type { Environment } from '../options/manifest.ts';
import { laneName } from '../options/queue-options.ts';

type Queues = Pick<Environment, 'queues' | 'lanes'>;

/** A queue and its lanes: what is done to one is done to all. The lane of a queue's default priority is the queue itself. */
export function withLanes(queue: string, { queues, lanes = {} }: Queues): string[] {
  const own = (lanes[queue]?.priorities ?? []).map((priority) => laneName(queue, priority));
  return [queue, ...own.filter((lane) => lane !== queue && Object.hasOwn(queues, lane))];
}

/** The queue whose lane it is; of any other queue itself. */
export function queueOfLane(name: string, environment: Queues): string {
  return Object.keys(environment.lanes ?? {}).find((queue) => withLanes(queue, environment).includes(name)) ?? name;
}

/**
 * @param verb what is to be done with it, for the error text
 * @param allowed `external`: also queues whose workers are elsewhere
 * @throws InvalidOption for a queue that is not there, and for a lane
 */
export function checkQueue(
  queue: string,
  environment: Queues & Pick<Environment, 'externalQueues'>,
  verb: string,
  { external = false }: { readonly external?: boolean } = {},
): void {
  const { queues, externalQueues, lanes = {} } = environment;
  if (!Object.hasOwn(queues, queue))
    throw new InvalidOption(
      `There is no queue '${queue}'.${didYouMean(queue, Object.keys(queues))} There are ${Object.keys(queues).join(', ')}.`,
    );
  if (!external && externalQueues.includes(queue))
    throw new InvalidOption(`Queue '${queue}' has its workers elsewhere: they are to be stopped there.`);
  const owner = Object.keys(lanes).find((name) => name !== queue && withLanes(name, environment).includes(queue));
  if (owner !== undefined)
    throw new InvalidOption(`Queue '${queue}' is a lane of '${owner}', and goes with it: ${verb} '${owner}'.`);
}
