/** What the compiler knows of canvas: each step's result must fit the next step's open argument. */
import type { ApplyOptions } from '../options/apply-options.ts';
import type { OutboxItem } from './outbox.ts';
import type { GroupResult } from '../results/group-result.ts';
import type { AsyncResult } from '../results/result.ts';
import type { SkewOptions } from '../canvas/skew.ts';
import type { SettledResult } from '../results/settled.ts';
import type { Signature } from '../wire/signature.ts';

/** Any signature, with methods or without. */
export type AnySignature = Pick<
  CanvasSignature,
  'task' | 'args' | 'kwargs' | 'options' | 'subtask_type' | 'immutable'
> & {
  /** Types only: its result. */
  readonly __result?: { readonly value: unknown };
  /** Types only: the arguments it can still be given. */
  readonly __open?: readonly unknown[];
  /** Types only: what sending it gives. */
  readonly __sent?: unknown;
};

/** The result of a signature. */
export type ResultOf<S> = S extends { readonly __result?: { readonly value: infer R } } ? R : unknown;
/** What a signature can be given: each list of arguments it can be called with. One that leaves out what it is given takes any. */
export type OpenOf<S> = S extends { readonly __open?: infer A extends readonly unknown[] } ? A : readonly unknown[];
/** What sending a signature gives. */
export type SentOf<S> = S extends { readonly __sent?: infer T extends AsyncResult | GroupResult }
  ? T
  : AsyncResult<ResultOf<S>>;

/** `N` where it can be called with a result of type `R`, otherwise a type that says why not. */
export type AcceptsResult<R, N> = N extends unknown
  ? [R] extends OpenOf<N>
    ? N
    : {
        readonly 'the step before gives': R;
        readonly 'this step takes': Wanted<R, Exclude<OpenOf<N>, readonly []>>;
      }
  : never;

type Wanted<R, A extends readonly unknown[]> = [A] extends [never]
  ? 'nothing: all its arguments are given (use si() to leave the result out)'
  : // Members of a group that want different things want nothing at all together: then all are shown.
    [A[0]] extends [never]
    ? A
    : [R] extends [A[0]]
      ? { readonly 'more than one argument': A }
      : A[0];

/** Each step, or why it does not fit. Arrays whose length is not known are not checked. */
export type CheckedChain<S extends readonly unknown[]> = {
  [K in keyof S]: number extends S['length']
    ? S[K]
    : K extends '0'
      ? S[K]
      : // One place further on stands the step before.
        AcceptsResult<ResultOf<[unknown, ...S][K & keyof [unknown, ...S]]>, S[K]>;
};

type First<S extends readonly unknown[]> = S extends readonly [infer F, ...unknown[]] ? F : S[number];
type Last<S extends readonly unknown[]> = S extends readonly [...unknown[], infer L] ? L : S[number];

/** A group: sending it gives a `GroupResult`. Within another group it is its members. */
export interface GroupSignature<
  R extends readonly unknown[],
  In extends readonly unknown[] = readonly unknown[],
> extends CanvasSignature<R, In, GroupResult<R>> {
  /** `'group'`: Celery's word for the kind of a composite. */
  readonly subtask_type: 'group';
  /**
   * The same with its members' countdowns spread: 1 s, 2 s, 3 s, ... unless `options` say otherwise.
   *
   * @throws InvalidOption
   */
  skew(options?: SkewOptions): this;
  set(options: UntypedOptions): GroupSignature<R>;
  set(options: ApplyOptions & { readonly immutable?: boolean }): this;
}

/** What `chain()` gives: called like its first step, with the result of its last. */
export type ChainSignature<S extends readonly unknown[]> = S extends readonly [GroupSignature<infer R, infer In>]
  ? GroupSignature<R, In>
  : CanvasSignature<ResultOf<Last<S>>, OpenOf<First<S>>, SentOf<Last<S>>>;

/** Two steps as one. */
export type Pipe<A, B> = CanvasSignature<ResultOf<B>, OpenOf<A>, SentOf<B>>;

/** Results of a group's members in order; a group within is its members. */
export type ResultsOf<S extends readonly unknown[]> = number extends S['length']
  ? MemberResult<S[number]>[]
  : S extends readonly [infer F, ...infer Rest]
    ? F extends GroupSignature<infer Inner>
      ? [...Inner, ...ResultsOf<Rest>]
      : [ResultOf<F>, ...ResultsOf<Rest>]
    : [];

type MemberResult<S> = S extends GroupSignature<infer Inner> ? Inner[number] : ResultOf<S>;

/** What can be given to every one of them. */
type OpenOfAll<N> = (N extends unknown ? (member: { readonly open: OpenOf<N> }) => void : never) extends (
  member: infer I extends { readonly open: readonly unknown[] },
) => void
  ? I['open']
  : readonly unknown[];

export type GroupOf<S extends readonly unknown[]> = GroupSignature<ResultsOf<S>, OpenOfAll<S[number]>>;

type Members<H> = H extends readonly unknown[] ? H : [H];
/** What a chord's body is called with. */
export type HeaderResults<H, P> = P extends 'settled'
  ? SettledResult<ResultsOf<Members<H>>[number]>[]
  : ResultsOf<Members<H>>;

/** What `chord()` gives: called like the members of its header, with the result of its body. */
export type ChordSignature<H, B> = CanvasSignature<ResultOf<B>, OpenOfAll<Members<H>[number]>, SentOf<B>>;

/**
 * A signature with methods; each makes a new one, none changes it. `R`: its result. `In`: the arguments it can still be
 * given. `Sent`: what sending it gives.
 */
export interface CanvasSignature<
  R = unknown,
  In extends readonly unknown[] = readonly unknown[],
  Sent = AsyncResult<R>,
> extends Signature<R> {
  /** Types only: the arguments it can still be given. */
  readonly __open?: In;
  /** Types only: what sending it gives. */
  readonly __sent?: Sent;
  /** Sends it; arguments given here come before its own. @throws what `Task.delay` throws */
  delay(...args: In): Promise<Sent>;
  /**
   * Sends it with options of the call; arguments given here come before its own. A group's options go to each member.
   *
   * @throws what `Task.applyAsync` throws; for a name that no worker here knows NotRegistered.
   */
  applyAsync(args?: Partial<In>, options?: ApplyOptions): Promise<Sent>;
  /** Runs it here and now, with everything that follows; nothing is sent. */
  apply(args?: Partial<In>, options?: ApplyOptions): Promise<Sent>;
  /**
   * Its message as an item of a transaction of yours on DynamoDB, by DynamoDB's client: it is sent if and only if that is
   * committed. `flush()` sends it at once behind the commit; without it the next sweep does, within a minute. On AWS a caller
   * needs `service.grantOutbox(fn)`, and `grantEnqueue(fn)` for `flush()`.
   *
   * @throws InvalidOption for what is many messages, MessageTooLarge, and what `applyAsync` throws before it sends
   */
  toTransactItem(args?: Partial<In>, options?: ApplyOptions): Promise<OutboxItem<Sent & { readonly id: string }>>;
  /** The same with more options; after `immutable: true` or `kwargs` the compiler cannot know what is open. */
  set(options: UntypedOptions): CanvasSignature<R, readonly unknown[], Sent>;
  /** The same with more options; one given before stays, unless it is given again (`link()` adds). */
  set(options: ApplyOptions & { readonly immutable?: boolean }): this;
  /** A copy with more arguments before its own, and more options (Celery's `clone`, or `partial`). Nothing is sent. */
  clone(args?: Partial<In>, options?: ApplyOptions): CanvasSignature<R, readonly unknown[], Sent>;
  /** Sent with its result when it succeeds. */
  link(sig: Signature): this;
  /**
   * Called when it fails: with `(request, error, traceback)` in the failing worker where its task is of this app and
   * takes several arguments, else sent with the failed task's id.
   */
  linkError(sig: Signature): this;
  /** The same as `linkError`. */
  onError(sig: Signature): this;
  /** Values that travel with it and with everything that follows from it: `request.stamps` has them. */
  stamp(stamps: Readonly<Record<string, unknown>>): this;
  /** Then that one, with its result: `a.s(1).pipe(b.s())` is `chain(a.s(1), b.s())`. */
  pipe<N extends AnySignature>(next: AcceptsResult<R, N>): Pipe<this, N>;
}

/** Options after which the compiler cannot know what is still open. */
export type UntypedOptions = ApplyOptions &
  ({ readonly immutable: true } | { readonly immutable?: boolean; readonly kwargs: Readonly<Record<string, unknown>> });
