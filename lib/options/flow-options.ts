/** What a task says of its flow control: when it may start beside others. */
import type { Rate, RateLimit, RateLimitOptions } from './rate-limit.ts';

/** Options of a task's flow control. Each costs nothing to a task that leaves it out. */
export interface FlowOptions {
  /**
   * How often it may start, over all workers: `'100/m'`, or with `burst` and `key`. Retries count as starts, redeliveries
   * do not. 0 and null for no limit. Default: the app's.
   */
  readonly rateLimit?: Rate | RateLimitOptions | null;
}

/** What an app may say for all its tasks. */
export type FlowDefaults = Pick<FlowOptions, 'rateLimit'> & { readonly rateLimit?: Rate | null };

/** Flow control, checked. */
export interface Flow {
  readonly rateLimit: RateLimit | undefined;
}

/**
 * Flow control as a task declares it. It is checked at the declaration, or, in deployed functions, by the first that asks:
 * the same declarations were checked when the stack was made.
 */
export interface DeclaredFlow {
  /** As it was given, the app's defaults among it. */
  readonly given: FlowOptions;
  /** Whether something may make a message wait before it runs. */
  readonly gated: boolean;
  readonly resolved: () => Flow | Promise<Flow>;
}

/** The task's own options, else the app's. Undefined where neither says anything. */
export function givenFlow(
  { rateLimit: own }: FlowOptions,
  { rateLimit: common }: FlowDefaults,
): Omit<DeclaredFlow, 'resolved'> | undefined {
  const rateLimit = own === undefined ? common : own;
  if (rateLimit === undefined || rateLimit === null || rateLimit === 0) return undefined;
  return { given: { rateLimit }, gated: true };
}
