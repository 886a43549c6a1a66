/** Dead-letter queues of a service that another stack or repository deploys, and what their letters are redriven to. */
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

import type { LaneOptions } from '../lib/options/manifest.ts';
import { laneName } from '../lib/options/queue-options.ts';
import type { TaskServiceAttributes } from './imported-attributes.ts';
import type { LetterQueues } from './service-access.ts';

/** Those of queues with workers there: a lane's letters lie in its queue's. */
export function importedLetters(
  { deadLetterQueues = {}, externalQueues = [], lanes = {} }: TaskServiceAttributes,
  queues: Readonly<Record<string, IQueue>>,
  make: (name: string, arn: string) => IQueue,
): Readonly<Record<string, LetterQueues>> {
  const owned = Object.entries(deadLetterQueues).filter(
    ([name]) =>
      !externalQueues.includes(name) &&
      !Object.keys(lanes).some((of) => of !== name && laneNames(of, lanes).includes(name)),
  );
  return Object.fromEntries(
    owned.map(([name, arn]) => {
      const own = [name, ...laneNames(name, lanes).filter((lane) => lane !== name)];
      return [name, { own: own.flatMap((each) => queues[each] ?? []), deadLetterQueue: make(name, arn) }];
    }),
  );
}

function laneNames(queue: string, lanes: Readonly<Record<string, LaneOptions>>): string[] {
  return (lanes[queue]?.priorities ?? []).map((priority) => laneName(queue, priority));
}
