/**
 * What stands between a message and its run. First what may make it wait before its attempt is claimed, in this order: the rate comes first, since a task that waits
 * for its rate slot must hold nothing, and then whether it may run at all: what is left out waits for no slot.
 */
import type { DeclaredFlow } from '../options/flow-options.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import type { Disposition } from './attempt.ts';
import { currentLimit } from './current-limit.ts';
import { atInstanceGate } from './instance-gate.ts';
import { atRateGate } from './rate-gate.ts';
import { runPart } from './parts.ts';
import { atSlotGate, type Pass } from './slot-gate.ts';
import { passOn } from './pass-on.ts';
import type { Worker } from './worker.ts';

/** @param pass goes on with the attempt, where nothing makes it wait */
export async function atGates(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  declared: DeclaredFlow,
  worker: Worker,
  pass: Pass,
): Promise<Disposition> {
  const { rateLimit, concurrency, oneInstance, maxParts } = await declared.resolved();
  const inParts: Pass =
    maxParts === undefined
      ? pass
      : (passed, instead) =>
          instead === undefined
            ? runPart({ message, delivery, definition, worker: passed }, maxParts, pass)
            : pass(passed, instead);
  // Eagerly a task runs within its caller's call, as Celery's does: nothing makes it wait.
  if (worker.app.eager !== undefined) return inParts(worker);
  const limit = rateLimit && (await currentLimit(definition.name, rateLimit, worker));
  if (limit !== undefined) {
    const waits = await atRateGate(message, delivery, definition, limit, worker);
    if (waits !== undefined) {
      // What waits for its rate slot keeps no other from running.
      await passOn(message, worker);
      return waits;
    }
  }
  const inside: Pass =
    concurrency === undefined
      ? inParts
      : (passed, instead) =>
          instead === undefined
            ? atSlotGate({ message, delivery, definition, worker: passed }, concurrency, inParts)
            : pass(passed, instead);
  if (oneInstance === undefined) return inside(worker);
  return atInstanceGate({ message, delivery, definition, worker }, oneInstance, inside);
}
