/** What the library's own tasks do. In deployed functions it is loaded by the first of them that runs. */
import { runCheck } from '../worker/slot-check.ts';
import { slotPorts } from '../worker/slot-ports.ts';
import { applySignature, compileFor, lineageOf, sendPlanFrom } from '../producer/apply-canvas.ts';
import type { TaskContext } from '../task/context.ts';
import { InvalidSignature, TimeLimitExceeded } from '../base/errors.ts';
import { decodeJson } from '../wire/json.ts';
import type { App } from '../producer/app.ts';
import { validateArguments } from '../producer/arguments.ts';
import { runToken } from '../producer/debounce.ts';
import { readSignature, signature } from '../wire/signature.ts';
import { derivedId } from '../base/ids.ts';

export { fail, unlockChord } from './chord-unlock.ts';
export { postWebhook } from './webhook-run.ts';

function starred(item: unknown): readonly unknown[] {
  if (Array.isArray(item)) return item;
  throw new InvalidSignature('starmap: each item must be an array of arguments.');
}

const ITEMS_BETWEEN_TURNS = 64;

/** Celery's map. */
export function mapEach(app: App, context: TaskContext, ownNames: ReadonlySet<string>): Promise<unknown[]> {
  return runEach(app, context, (item) => [item], ownNames);
}

/** Celery's starmap. */
export function starmapEach(app: App, context: TaskContext, ownNames: ReadonlySet<string>): Promise<unknown[]> {
  return runEach(app, context, starred, ownNames);
}

/** One after another in one message, as Celery does. */
async function runEach(
  app: App,
  context: TaskContext,
  argumentsOf: (item: unknown) => readonly unknown[],
  ownNames: ReadonlySet<string>,
): Promise<unknown[]> {
  const { task, it } = context.request.kwargs;
  const sig = readSignature(task);
  if (sig === undefined || !Array.isArray(it)) throw new InvalidSignature(`${context.request.task} needs task and it.`);
  // These read their message, which is this one: a map of a map would map itself for ever.
  if (ownNames.has(sig.task))
    throw new InvalidSignature(`${context.request.task} of ${sig.task}: only tasks of the app can be mapped.`);
  const definition = app.registry.get(sig.task);
  const results: unknown[] = [];
  for (const [index, item] of (it as readonly unknown[]).entries()) {
    // Timers fire only where the event loop turns: without it no time limit would ever end this.
    if (index % ITEMS_BETWEEN_TURNS === 0) {
      await app.clock.nextTurn();
      if (context.remainingTime() <= 0) throw new TimeLimitExceeded(`The time is over after ${index} items.`);
    }
    const args = await validateArguments(definition, [...argumentsOf(item), ...sig.args]);
    // Awaited one by one: the order is what makes it a map and not a group.
    results.push((await definition.run(context, args)) ?? null);
  }
  return results;
}

/** A composite that came as a message of its own: applied under an id that its redelivery gives it again. */
export async function applyAgain(
  app: App,
  name: string,
  context: TaskContext,
  args: readonly unknown[],
): Promise<readonly string[]> {
  const { request } = context;
  // Keyword arguments, which a composite is made of, have also come as one last argument.
  const partial = Object.keys(request.kwargs).length === 0 ? args : args.slice(0, -1);
  const sig = signature(name, {
    args: partial,
    kwargs: request.kwargs,
    options: { task_id: derivedId(`${request.id}:applied`) },
    subtaskType: name.replace('celery.', ''),
  });
  const result = await applySignature(app, sig);
  return [result.id];
}

/** The token of an episode of calls that are debounced. */
export async function debounced(app: App, [key, id]: readonly unknown[]): Promise<void> {
  if (typeof key !== 'string' || typeof id !== 'string')
    throw new InvalidSignature('celeriac.debounce needs a key and an id.');
  await runToken(app, { key, id });
}

/** Sends, window by window, what a sender that died may have left unsent. */
export async function repair(app: App, context: TaskContext, args: readonly unknown[]): Promise<void> {
  const [name, id, from, fresh] = args;
  let start = typeof from === 'number' ? from : 0;
  if (typeof name !== 'string' || typeof id !== 'string') throw new InvalidSignature('celeriac.repair needs two ids.');
  const ports = await app.ports();
  const record = await ports.groups.definition(name, app.clock.nowMs());
  const sig = record && readSignature(decodeJson(record.definition));
  if (record === undefined || sig === undefined) {
    context.logger.warn('nothing to repair: the definition is gone', { groupId: name });
    return;
  }
  const plan = compileFor(app, sig, id);
  const { parentId, rootId, hops } = context.request;
  const ownLineage = parentId === null ? { parentId } : { parentId, rootId, hops };
  const lineage = { ...lineageOf(fresh === true), ...ownLineage };
  while (start < plan.messages.length) {
    // What is left goes on in a message of its own, before this one's time is over.
    if (context.remainingTime() < 10)
      return context.retry({ countdown: 0, args: [name, id, start, fresh], maxRetries: null });
    start = await sendPlanFrom(app, ports, plan, start, lineage);
  }
}

/** Looks at the slots of a key: gives those of the dead to who waits. */
export async function pumpSlots(app: App, context: TaskContext, args: readonly unknown[]): Promise<void> {
  await runCheck(context, args, slotPorts(app, await app.ports()));
}
