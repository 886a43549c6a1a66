/** `chain`, `group`, `chord`: signatures put together. */
import { currentApp } from './app.ts';
import { chainOf, chordOf, groupOf, type ChordPolicy } from './canvas/build.ts';
import type {
  AcceptsResult,
  AnySignature,
  ChainSignature,
  CheckedChain,
  ChordSignature,
  GroupSignature,
  ResultsOf,
} from './canvas/types.ts';
import { InvalidSignature } from './errors.ts';
import { type CanvasSignature, fluent, producerAmong } from './fluent.ts';
import type { Signature } from './signature.ts';
import { signature as plainSignature, type SignatureParts } from './signature.ts';
import type { SettledResult } from './worker/gather.ts';

/** A signature by name, for tasks that run elsewhere. */
export function signature<R = unknown>(task: string, parts: SignatureParts = {}): CanvasSignature<R> {
  return fluent(plainSignature<R>(task, parts), currentApp);
}

/**
 * One after another, each with the result of the one before as its first argument. A step whose first open
 * argument takes something else does not compile.
 *
 * @example
 * ```ts
 * await chain(fetchPage.s(url), parse.s(), store.si(id)).delay();
 * ```
 * @throws InvalidSignature for no steps.
 */
export function chain<const S extends readonly AnySignature[]>(...steps: S & CheckedChain<S>): ChainSignature<S> {
  return composed(chainOf(signatures(steps, 'chain')), steps);
}

/**
 * Side by side. Takes signatures one by one, or an array (any iterable) of them.
 *
 * @example
 * ```ts
 * const result = await group(ids.map((id) => crawl.s(id))).delay();
 * await result.join({ timeout: 30 });
 * ```
 */
export function group<const S extends readonly AnySignature[]>(...tasks: S): GroupSignature<ResultsOf<S>>;
export function group<N extends AnySignature>(tasks: Iterable<N>): GroupSignature<ResultsOf<N[]>>;
export function group(...tasks: readonly unknown[]): unknown {
  const members = membersOf(tasks);
  return composed(groupOf(members), members);
}

export interface ChordOptions {
  /**
   * What happens when members of the header fail. `'celery'`: after all have ended the body becomes FAILURE
   * `ChordError` and its error links run. `'failFast'`: the same at the first failure. `'settled'`: the body runs,
   * with an outcome for each member. Default `'celery'`.
   */
  readonly policy?: ChordPolicy;
}

/**
 * A group, then a task with the list of its results.
 *
 * @example
 * ```ts
 * await chord(ids.map((id) => count.s(id)), sum.s()).delay();
 * ```
 */
export function chord<const H extends readonly AnySignature[], B extends AnySignature>(
  header: H,
  body: AcceptsResult<SettledResult<ResultsOf<H>[number]>[], B>,
  options: ChordOptions & { readonly policy: 'settled' },
): ChordSignature<B>;
export function chord<const H extends readonly AnySignature[], B extends AnySignature>(
  header: H,
  body: AcceptsResult<ResultsOf<H>, B>,
  options?: ChordOptions,
): ChordSignature<B>;
export function chord<R extends readonly unknown[], B extends AnySignature>(
  header: GroupSignature<R>,
  body: AcceptsResult<R, B>,
  options?: ChordOptions,
): ChordSignature<B>;
export function chord(header: unknown, body: unknown, { policy }: ChordOptions = {}): unknown {
  const members = Array.isArray(header) ? membersOf([header]) : undefined;
  const [last] = signatures([body], 'chord: body');
  if (last === undefined) throw new InvalidSignature('chord(): give a body.');
  if (policy !== undefined && !['celery', 'failFast', 'settled'].includes(policy))
    throw new InvalidSignature(`chord(): policy '${policy}' given; 'celery', 'failFast' or 'settled' is allowed.`);
  const whole = members ?? signatures([header], 'chord: header');
  const options = policy === undefined || policy === 'celery' ? {} : { policy };
  return composed(chordOf(members ?? (whole[0] as Signature), last, options), [...whole, last]);
}

function membersOf(tasks: readonly unknown[]): readonly Signature[] {
  const [only] = tasks;
  const list =
    tasks.length === 1 && typeof only === 'object' && only !== null && Symbol.iterator in only
      ? [...(only as Iterable<unknown>)]
      : tasks;
  return signatures(list, 'group');
}

function signatures(values: readonly unknown[], what: string): readonly Signature[] {
  const stray = values.findIndex(
    (value) => typeof value !== 'object' || value === null || !('task' in value) || !('subtask_type' in value),
  );
  if (stray < 0) return values as readonly Signature[];
  throw new InvalidSignature(`${what}: item ${stray} is no signature. Give signatures, such as task.s(...).`);
}

function composed<S>(sig: Signature, parts: readonly unknown[]): S {
  return fluent(sig, producerAmong(parts as readonly Signature[]) ?? currentApp) as unknown as S;
}
