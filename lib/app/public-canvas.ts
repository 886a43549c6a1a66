/** `chain`, `group`, `chord`: signatures put together. */
import { currentApp } from './app.ts';
import { chainOf, chordOf, type ChordPolicy, groupOf } from '../canvas/build.ts';
import type {
  AcceptsResult,
  AnySignature,
  CanvasSignature,
  ChainSignature,
  CheckedChain,
  ChordSignature,
  GroupOf,
  GroupSignature,
  HeaderResults,
} from '../producer/canvas-types.ts';
import { booleanOption, refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption, InvalidSignature } from '../base/errors.ts';
import { checkedSignature, fluent, appAmong } from '../producer/fluent.ts';
import { signature as plainSignature, readSignature, type Signature, type SignatureParts } from '../wire/signature.ts';

/**
 * A signature by name, for tasks that run elsewhere.
 *
 * @example
 * ```ts
 * await signature('proj.tasks.mail', { args: ['Ada'], options: { queue: 'celery' } }).delay();
 * ```
 */
export function signature<R = unknown>(task: string, parts?: SignatureParts): CanvasSignature<R>;
/**
 * A signature read from data, such as JSON that `JSON.stringify(add.s(1, 2))` or Python wrote.
 *
 * @throws InvalidSignature for data that is none.
 */
export function signature<R = unknown>(data: Signature<R> | Readonly<Record<string, unknown>>): CanvasSignature<R>;
export function signature(task: unknown, parts: SignatureParts = {}): CanvasSignature {
  if (typeof task === 'string') return fluent(plainSignature(task, parts), currentApp);
  const read = readSignature(task);
  if (read === undefined)
    throw new InvalidSignature(
      'signature(): the data is no signature; an object with a task, such as task.s(...) gives, is one.',
    );
  return fluent(read, currentApp);
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
export function chain<const S extends readonly AnySignature[]>(...steps: CheckedChain<S>): ChainSignature<S> {
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
export function group<const S extends readonly AnySignature[]>(...tasks: S): GroupOf<S>;
/**
 * Side by side: an array of signatures, or any iterable of them.
 *
 * @example
 * ```ts
 * const result = await group(ids.map((id) => crawl.s(id)), { count: true }).delay();
 * await result.progress();
 * ```
 * @throws InvalidOption
 */
export function group<N extends AnySignature>(tasks: Iterable<N>, options?: GroupOptions): GroupOf<N[]>;
export function group(...tasks: readonly unknown[]): unknown {
  const [list, options] = tasks;
  if (tasks.length !== 2 || !isList(list) || readSignature(options) !== undefined)
    return composedGroup(membersOf(tasks), {});
  return composedGroup(membersOf([list]), options);
}

function composedGroup(members: readonly Signature[], options: unknown): unknown {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOption(
      `group(): ${shown(options)} given as options; an object such as { count: true } is allowed.`,
    );
  const given: GroupOptions = options;
  refuseUnknownKeys(given, GROUP_OPTIONS, 'group(): options');
  const counted = booleanOption(given.count ?? false, 'group(): count');
  return composed(groupOf(members, counted ? { counted } : {}), members);
}

/** What a group may be asked for. */
export interface GroupOptions {
  /**
   * Whether finished members are counted, so that `progress()` and `join()` read one item for each 64 of them and not their
   * results. It costs a write for each member, shared by those of a batch. Chords always count. Default false.
   */
  readonly count?: boolean;
}

const GROUP_OPTIONS: ReadonlySet<string> = new Set<keyof GroupOptions>(['count']);

/** How a chord treats members of its header that fail. */
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
export function chord<
  const H extends readonly AnySignature[] | GroupSignature<readonly unknown[]>,
  B extends AnySignature,
  P extends ChordPolicy = 'celery',
>(
  header: H,
  body: AcceptsResult<HeaderResults<H, P>, B>,
  options?: ChordOptions & { readonly policy?: P },
): ChordSignature<H, B>;
export function chord(header: unknown, body: unknown, { policy }: ChordOptions = {}): unknown {
  const members = Array.isArray(header) ? membersOf([header]) : undefined;
  const last = checkedSignature(body, 'chord: the body');
  if (policy !== undefined && !['celery', 'failFast', 'settled'].includes(policy))
    throw new InvalidSignature(`chord(): policy '${policy}' given; 'celery', 'failFast' or 'settled' is allowed.`);
  const whole = members ?? [checkedSignature(header, 'chord: the header')];
  const options = policy === undefined || policy === 'celery' ? {} : { policy };
  return composed(chordOf(members ?? (whole[0] as Signature), last, options), [...whole, last]);
}

function membersOf(tasks: readonly unknown[]): readonly Signature[] {
  const [only] = tasks;
  return signatures(tasks.length === 1 && isList(only) ? [...only] : tasks, 'group');
}

function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function signatures(values: readonly unknown[], what: string): readonly Signature[] {
  return values.map((value, index) => checkedSignature(value, `${what}: item ${index}`));
}

function composed<S>(sig: Signature, parts: readonly unknown[]): S {
  return fluent(sig, appAmong(parts as readonly Signature[]) ?? currentApp) as unknown as S;
}
