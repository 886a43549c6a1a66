/** What a route of the API is: data, from which the server, the description and the tests are made. */
import type * as v from 'valibot';

import type { MonitoredService } from './service.ts';

/** What somebody may do: look, or act as well. */
export type Role = 'viewer' | 'operator';

/** Who asks. */
export interface Visitor {
  /** As the login knows them: a name, an e-mail address, an ARN. */
  readonly name: string;
  readonly role: Role;
  /** What changes must show beside the cookie; absent where nothing is sent unasked, by a token in a header say. */
  readonly csrf?: string;
}

/** What an action tells the audit list. */
export interface Acted {
  /** Names and ids of what it was about. */
  readonly on: readonly string[];
  readonly count?: number;
  /** For people. Never arguments or results. */
  readonly note?: string;
}

/** What a route is called with. */
export interface Call<Params, Query, Body> {
  readonly service: MonitoredService;
  readonly visitor: Visitor;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Aborts when whoever asked is gone, and when the time for an answer is over. */
  readonly signal: AbortSignal;
}

/** The names in braces of a path. */
export type ParamsOf<Path extends string> = {
  readonly [Name in NamesIn<Path>]: string;
};
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

type Schema<T> = v.GenericSchema<unknown, T>;

/** What anybody who is logged in may ask. */
export interface ReadRoute<Params, Query, Answer> {
  readonly method: 'GET';
  readonly path: string;
  /** In few words, for the description of the API. */
  readonly summary: string;
  /** Its fields are text. */
  readonly query?: Schema<Query>;
  readonly answer: v.GenericSchema<Answer>;
  readonly run: (call: Call<Params, Query, undefined>) => Promise<unknown>;
}

/** What an operator may do. It stands in the audit list. */
export interface ActionRoute<Params, Body, Answer> {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  /** As the audit list names it: `queue.pause`. */
  readonly action: string;
  readonly body: Schema<Body>;
  readonly answer: v.GenericSchema<Answer>;
  /** What it is about, before it is done. */
  readonly about: (call: { readonly params: Params; readonly body: Body }) => Acted;
  /** @returns the answer, and what the audit list is told beside `about`. */
  readonly run: (
    call: Call<Params, undefined, Body>,
  ) => Promise<{ readonly answer: unknown; readonly acted?: Partial<Acted> }>;
  /** It changes nothing, a dry run say: viewers may, and the audit list is not told. */
  readonly isOnlyLooking?: (body: Body) => boolean;
}

/** `/api/queues/{queue}` as Hono has it: `/api/queues/:queue`. */
export function honoPath({ path }: Pick<Route, 'path'>): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** A route whose types are known to itself alone. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly query?: v.GenericSchema;
  readonly body?: v.GenericSchema;
  readonly answer: v.GenericSchema;
  /** Of one that changes something. */
  readonly action?: string;
  readonly about?: (call: { readonly params: never; readonly body: never }) => Acted;
  readonly isOnlyLooking?: (body: never) => boolean;
  readonly run: (call: Call<never, never, never>) => Promise<unknown>;
}

/** Declares a route that reads. */
export function read<Path extends string, Query, Answer>(
  path: Path,
  route: Omit<ReadRoute<ParamsOf<Path>, Query, Answer>, 'method' | 'path'>,
): Route {
  return { method: 'GET', path, ...route };
}

/** Declares a route that changes something. */
export function action<Path extends string, Body, Answer>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: Path,
  route: Omit<ActionRoute<ParamsOf<Path>, Body, Answer>, 'method' | 'path'>,
): Route {
  return { method, path, ...route };
}
