/** Checks what a task says of its flow control. */
import { InvalidOption } from '../base/errors.ts';
import { type Debounce, resolveDebounce } from './debounce.ts';
import { resolveConcurrency } from './concurrency.ts';
import type { Flow, FlowOptions } from './flow-options.ts';
import { resolveRateLimit } from './rate-limit.ts';
import { resolveThrottle, resolveUnique, type Unique } from './unique.ts';

/** @throws InvalidOption naming the option and its task. */
export function resolveFlow(name: string, given: FlowOptions): Flow {
  return {
    rateLimit: resolveRateLimit(given.rateLimit, `rateLimit of task '${name}'`),
    concurrency: resolveConcurrency(given.concurrency, `concurrency of task '${name}'`),
    ...resolveMarks(given, `task '${name}'`),
  };
}

/** @throws InvalidOption */
export function resolveMarks(
  { unique, throttle, debounce }: Pick<FlowOptions, 'unique' | 'throttle' | 'debounce'>,
  owner: string,
): { readonly unique: Unique | undefined; readonly debounce: Debounce | undefined } {
  const given = Object.entries({ unique, throttle, debounce }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(' and ');
    throw new InvalidOption(
      `${names} of ${owner}: a call sends nothing while another task stands (unique), or has been sent for so long (throttle), or it replaces the call that waits (debounce). Give one of them.`,
    );
  }
  return {
    unique:
      unique === undefined
        ? throttle && resolveThrottle(throttle, `throttle of ${owner}`)
        : resolveUnique(unique, `unique of ${owner}`),
    debounce: debounce === undefined ? undefined : resolveDebounce(debounce, `debounce of ${owner}`),
  };
}
