/**
 * What may make a message wait before its attempt is claimed, in this order: the rate comes first, since a task that waits
 * for its rate slot must hold nothing.
 */
import type { DeclaredFlow } from '../options/flow-options.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import type { Disposition } from './attempt.ts';
import { atRateGate } from './rate-gate.ts';
import type { Worker } from './worker.ts';

/** @returns what becomes of the message, or undefined where the attempt may start. */
export async function atGates(
  message: Message,
  delivery: Delivery,
  definition: TaskDefinition,
  declared: DeclaredFlow,
  worker: Worker,
): Promise<Disposition | undefined> {
  const { rateLimit } = await declared.resolved();
  return rateLimit === undefined ? undefined : atRateGate(message, delivery, definition, rateLimit, worker);
}
