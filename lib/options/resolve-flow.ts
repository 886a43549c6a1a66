/** Checks what a task says of its flow control. */
import type { Flow, FlowOptions } from './flow-options.ts';
import { resolveRateLimit } from './rate-limit.ts';

/** @throws InvalidOption naming the option and its task. */
export function resolveFlow(name: string, given: FlowOptions): Flow {
  return { rateLimit: resolveRateLimit(given.rateLimit, `rateLimit of task '${name}'`) };
}
