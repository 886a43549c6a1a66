/** What a task says of its flow control: when it may start beside others. */
import type { Debounce, DebounceOptions } from './debounce.ts';
import type { Concurrency, ConcurrencyOptions } from './concurrency.ts';
import type { OneInstance, OneInstanceOptions } from './one-instance.ts';
import type { Rate, RateLimit, RateLimitOptions } from './rate-limit.ts';
import type { ThrottleOptions, Unique, UniqueOptions } from './unique.ts';

/** Options of a task's flow control. Each costs nothing to a task that leaves it out. */
export interface FlowOptions {
  /**
   * How often it may start, over all workers: `'100/m'`, or with `burst` and `key`. Retries count as starts, redeliveries
   * do not. 0 and null for no limit. Default: the app's.
   */
  readonly rateLimit?: Rate | RateLimitOptions | null;
  /** One task of a key stands at a time: a call while it stands sends nothing, and is told its id. Default: none. */
  readonly unique?: UniqueOptions;
  /** One call of a key in a time: each other one sends nothing, and is told the first one's id. Default: none. */
  readonly throttle?: ThrottleOptions;
  /** Calls of a key that come together run once, with the arguments of the last. Default: none. */
  readonly debounce?: DebounceOptions;
  /**
   * How many of it may run at the same time, over all workers, 1 to 100; or with `key` and `scope`. The others wait in the
   * order in which they came. null for no limit. Default: none.
   */
  readonly concurrency?: number | ConcurrencyOptions | null;
  /**
   * It does not run beside itself: a call that comes while another runs is left out and ends as IGNORED, or waits. true, or with `key`,
   * `timeout`, `whenLocked` and `onSkip`. Default: none.
   */
  readonly oneInstance?: boolean | OneInstanceOptions | null;
  /**
   * It may take longer than an invocation: near its end the task goes on in another one, from its last checkpoint, in at most so
   * many parts, 2 to 1000. It takes `self.checkpoint()` and `self.goOn()` to do so. Default: it has one part.
   */
  readonly maxParts?: number;
}

/** What an app may say for all its tasks. */
export type FlowDefaults = Pick<FlowOptions, 'rateLimit'> & { readonly rateLimit?: Rate | null };

/** Flow control, checked. */
export interface Flow {
  readonly rateLimit: RateLimit | undefined;
  /** Of `unique` or `throttle`. */
  readonly unique: Unique | undefined;
  readonly debounce: Debounce | undefined;
  readonly concurrency: Concurrency | undefined;
  readonly oneInstance: OneInstance | undefined;
  /** Undefined for a task that ends where it began. */
  readonly maxParts: number | undefined;
}

/**
 * Flow control as a task declares it. It is checked at the declaration, or, in deployed functions, by the first that asks:
 * the same declarations were checked when the stack was made.
 */
export interface DeclaredFlow {
  /** As it was given, the app's defaults among it. */
  readonly given: FlowOptions;
  /** Whether something stands between a message and its run: what makes it wait, or goes on with an earlier part. */
  readonly gated: boolean;
  /** Whether a call may find that another task stands for it. */
  readonly marked: boolean;
  readonly resolved: () => Flow | Promise<Flow>;
}

/** The task's own options, else the app's. Undefined where neither says anything. */
export function givenFlow(
  { rateLimit: own, concurrency, oneInstance, unique, throttle, debounce, maxParts }: FlowOptions,
  { rateLimit: common }: FlowDefaults,
): Omit<DeclaredFlow, 'resolved'> | undefined {
  const rateLimit = (own === undefined ? common : own) || undefined;
  const gated = (rateLimit ?? concurrency ?? maxParts ?? oneInstance ?? false) !== false;
  const marked = (unique ?? throttle ?? debounce) !== undefined;
  const given = { rateLimit, concurrency, oneInstance, unique, throttle, debounce, maxParts } as FlowOptions;
  return gated || marked ? { given, gated, marked } : undefined;
}
