/** What the compiler knows of canvas: each step's result must fit the next step's first open argument. */
import type { CanvasSignature } from '../fluent.ts';
import type { GroupResult } from '../group-result.ts';
import type { AsyncResult } from '../result.ts';

/** Any signature with methods. */
// eslint-disable-next-line typescript/no-explicit-any -- variance: a signature of anything
export type AnySignature = Pick<
  CanvasSignature<unknown, never, unknown>,
  'task' | 'args' | 'kwargs' | 'options' | 'subtask_type' | 'immutable'
> & { readonly __result?: unknown; readonly __open?: readonly unknown[]; readonly __sent?: unknown };

/** Open arguments of a signature that takes nothing from its parent. */
export type Immutable = readonly [] & { readonly '~immutable'?: true };

/** The result of a signature. */
export type ResultOf<S> = S extends { readonly __result?: infer R } ? R : unknown;
/** The arguments a signature leaves open. */
export type OpenOf<S> = S extends { readonly __open?: infer A } ? A : never;
/** What sending a signature gives. */
export type SentOf<S> = S extends { readonly __sent?: infer T } ? T : unknown;

/** What the compiler shows in the place of a step that does not fit. */
export interface StepMismatch<Given, Wanted> {
  readonly '~': 'the result of the step before does not fit the first open argument of this one';
  readonly given: Given;
  readonly wanted: Wanted;
}
export interface StepTakesNothing {
  readonly '~': 'this step has no open argument for the result of the step before; use si() to leave the result out';
}

/** `N` where it takes a result of type `R`, otherwise a type that says why not. */
export type AcceptsResult<R, N> =
  OpenOf<N> extends { readonly '~immutable'?: true }
    ? N
    : number extends OpenArray<N>['length']
      ? N
      : OpenArray<N> extends readonly []
        ? StepTakesNothing
        : OpenArray<N> extends readonly [(infer First)?, ...infer _Rest]
          ? [R] extends [First]
            ? N
            : StepMismatch<R, First>
          : N;

type OpenArray<N> = Extract<OpenOf<N>, readonly unknown[]>;

export type CheckedChain<S extends readonly unknown[]> = S extends readonly [infer First, ...infer Rest]
  ? readonly [First, ...CheckedRest<ResultOf<First>, Rest>]
  : S;

type CheckedRest<R, S extends readonly unknown[]> = S extends readonly [infer Next, ...infer Rest]
  ? readonly [AcceptsResult<R, Next>, ...CheckedRest<ResultOf<Next>, Rest>]
  : S;

type First<S extends readonly unknown[]> = S extends readonly [infer F, ...unknown[]] ? F : S[number];
type Last<S extends readonly unknown[]> = S extends readonly [...unknown[], infer L] ? L : S[number];

export type ChainSignature<S extends readonly unknown[]> = CanvasSignature<
  ResultOf<Last<S>>,
  OpenArray<First<S>>,
  SentOf<Last<S>>
>;

/** Two steps as one. */
export type Pipe<A, B> = CanvasSignature<ResultOf<B>, OpenArray<A>, SentOf<B>>;

/** Results of a group's members in order; a group within is its members. */
export type ResultsOf<S extends readonly unknown[]> = number extends S['length']
  ? ResultOf<S[number]>[]
  : S extends readonly [infer F, ...infer Rest]
    ? SentOf<F> extends GroupResult<infer Inner>
      ? [...Inner, ...ResultsOf<Rest>]
      : [ResultOf<F>, ...ResultsOf<Rest>]
    : [];

export type GroupSignature<R extends readonly unknown[]> = CanvasSignature<R, readonly unknown[], GroupResult<R>>;
export type ChordSignature<B> = CanvasSignature<ResultOf<B>, readonly unknown[], AsyncResult<ResultOf<B>>>;
