/** A name that no worker of the service knows is refused where it is sent: as a message it would fail after 21 minutes. */
import { isOneMessage } from '../canvas/build.ts';
import { destinationOf, partsOf } from './destination.ts';
import { NotRegistered } from '../base/errors.ts';
import { MAX_LISTED_NAMES } from '../base/limits.ts';
import { didYouMean } from '../base/nearest.ts';
import type { App } from './app.ts';
import { ownQueueName } from '../wire/queue-name.ts';
import { quoted } from '../base/quote.ts';
import { readSignature, type Signature } from '../wire/signature.ts';

interface Named {
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly queue: unknown;
}

/** @throws NotRegistered; not for what Python's workers get, nor where the names are not known. */
export function requireKnown(app: App, { task, args, kwargs, queue }: Named): void {
  if (app.eager !== undefined) {
    if (app.registry.find(task) !== undefined) return;
    throw new NotRegistered(`Eager mode runs tasks of this process only, and none is named ${quoted(task)}.`);
  }
  if (app.registry.findAnywhere(task) !== undefined) return;
  const names = app.taskNames();
  if (names === undefined || names.has(task)) return;
  const { queues } = app.settings;
  const target = typeof queue === 'string' ? queue : destinationOf(app, task, args, kwargs).queue;
  const declared = queues[ownQueueName(target, queues)];
  // Of an undeclared queue that is told instead.
  if (declared === undefined || declared.external === true) return;
  const known = [...names].toSorted();
  const more = known.length > MAX_LISTED_NAMES ? ` and ${known.length - MAX_LISTED_NAMES} more` : '';
  throw new NotRegistered(
    `No worker of '${app.settings.name}' knows a task named ${quoted(task)}.${didYouMean(task, known)} They know ${known.slice(0, MAX_LISTED_NAMES).join(', ')}${more}. Correct the name, or import the module that declares it; a task that runs elsewhere goes to an external queue.`,
  );
}

/** The same of every task in a tree of signatures, its links too. What is no signature is told elsewhere. */
export function requireKnownTree(app: App, sig: Signature): void {
  const read = app.taskNames() === undefined ? undefined : readSignature(sig);
  if (read !== undefined) visit(app, read);
}

function visit(app: App, sig: Signature): void {
  const { task, args, kwargs, options } = sig;
  if (sig.subtask_type === null) {
    requireKnown(app, { task, args, kwargs, queue: options['queue'] });
  } else {
    // What a map runs stands inside it, and goes where the map goes.
    const queue = isOneMessage(sig) ? options['queue'] : undefined;
    for (const part of partsOf(sig)) visit(app, queue === undefined ? part : { ...part, options: { queue } });
  }
  const links = [options['link'], options['link_error']].flat();
  for (const link of links.flatMap((each) => readSignature(each) ?? [])) visit(app, link);
}
