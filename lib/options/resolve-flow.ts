/** Checks what a task says of its flow control. */
import { integerIn } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_PARTS } from '../base/limits.ts';
import { type Debounce, resolveDebounce } from './debounce.ts';
import { resolveConcurrency } from './concurrency.ts';
import type { Flow, FlowOptions } from './flow-options.ts';
import { resolveOneInstance } from './one-instance.ts';
import { resolveRateLimit } from './rate-limit.ts';
import { resolveThrottle, resolveUnique, type Unique } from './unique.ts';

/** @throws InvalidOption naming the option and its task. */
export function resolveFlow(name: string, given: FlowOptions): Flow {
  return {
    rateLimit: resolveRateLimit(given.rateLimit, `rateLimit of task '${name}'`),
    ...resolveWaits(given, `task '${name}'`),
    ...resolveMarks(given, `task '${name}'`),
    maxParts:
      given.maxParts === undefined ? undefined : integerIn(given.maxParts, 2, MAX_PARTS, `maxParts of task '${name}'`),
  };
}

/** @throws InvalidOption */
function resolveWaits(
  given: Pick<FlowOptions, 'concurrency' | 'oneInstance'>,
  owner: string,
): Pick<Flow, 'concurrency' | 'oneInstance'> {
  const concurrency = resolveConcurrency(given.concurrency, `concurrency of ${owner}`);
  const oneInstance = resolveOneInstance(given.oneInstance, `oneInstance of ${owner}`);
  // Two of its calls could each have what the other waits for.
  if (concurrency !== undefined && oneInstance?.whenLocked === 'wait')
    throw new InvalidOption(
      `oneInstance of ${owner}: whenLocked: 'wait' given beside a concurrency, and a task waits for one thing. Give concurrency: { limit: 1, key } alone, or whenLocked: 'skip'.`,
    );
  return { concurrency, oneInstance };
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
