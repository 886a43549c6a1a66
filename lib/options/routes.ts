/** Which queue a task goes to (celery/app/routes.py). Pure. */
import { InvalidOption } from '../base/errors.ts';
import { shown } from '../base/checks.ts';

/** A queue name, or options for the message. */
export type Route = string | { readonly queue?: string; readonly priority?: number };

/** Decides by name and call. Returns undefined to leave the decision to the next router. */
export type Router = (
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
) => Route | undefined;

/**
 * `{ 'math.add': 'cpu', 'mail.*': 'mail' }` (a key is a glob only if it contains `*`), pairs whose
 * pattern may be a RegExp, a function, or a list of those. The first that answers wins; within a map an
 * exact name wins over patterns.
 */
export type Routes = Readonly<Record<string, Route>> | Router | readonly RouteEntry[];
/** One item of a list of routes: a pattern and its route, a function, or a map. */
export type RouteEntry = readonly [string | RegExp, Route] | Router | Readonly<Record<string, Route>>;

export interface ResolvedRoute {
  readonly queue?: string;
  readonly priority?: number;
}

/** Linear in the name's length: `*` matches any characters, everything else itself. */
export function globMatches(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  if (parts.length === 1) return pattern === name;
  if (!name.startsWith(first)) return false;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  const last = parts.at(-1) ?? '';
  return name.length - last.length >= position && name.endsWith(last);
}

export function resolveRoute(
  routes: Routes | undefined,
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): ResolvedRoute {
  if (routes === undefined) return {};
  for (const entry of isList(routes) ? routes : [routes]) {
    const route = match(entry, name, args, kwargs);
    if (route !== undefined) return typeof route === 'string' ? { queue: route } : checkedRoute(route, name);
  }
  return {};
}

/** Whether a router function takes part: then a queue cannot be told without the arguments. */
export function hasRouter(routes: Routes | undefined): boolean {
  if (routes === undefined) return false;
  return typeof routes === 'function' || (isList(routes) && routes.some((entry) => typeof entry === 'function'));
}

export function isList(routes: Routes): routes is readonly RouteEntry[] {
  return Array.isArray(routes);
}

function match(
  entry: RouteEntry | Routes,
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Route | undefined {
  if (typeof entry === 'function') return entry(name, args, kwargs);
  if (Array.isArray(entry)) {
    const [pattern, route] = entry as unknown as readonly [string | RegExp, Route];
    return patternMatches(pattern, name) ? route : undefined;
  }
  const map = entry as Readonly<Record<string, Route>>;
  if (Object.hasOwn(map, name)) return map[name];
  const key = Object.keys(map).find((pattern) => pattern.includes('*') && globMatches(pattern, name));
  return key === undefined ? undefined : map[key];
}

export function patternMatches(pattern: string | RegExp, name: string): boolean {
  if (typeof pattern === 'string') return pattern.includes('*') ? globMatches(pattern, name) : pattern === name;
  // Celery uses re.match, which anchors at the start; a sticky copy does the same and keeps no state.
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}y`).test(name);
}

/** A route that is no text. @throws InvalidOption */
export function checkedRoute(route: Exclude<Route, string>, name: string): ResolvedRoute {
  if (typeof route !== 'object' || route === null) {
    throw new InvalidOption(
      `routes: the route of '${name}' is ${shown(route)}. Give a queue name or { queue, priority }.`,
    );
  }
  if (route.queue !== undefined && typeof route.queue !== 'string') {
    throw new InvalidOption(
      `routes: the queue of '${name}' is ${shown(route.queue)}. Give the name of a declared queue.`,
    );
  }
  const unknownKey = Object.keys(route).find((key) => key !== 'queue' && key !== 'priority');
  if (unknownKey !== undefined) {
    throw new InvalidOption(
      `routes: the route of '${name}' has the key '${unknownKey}'. Allowed are queue and priority.`,
    );
  }
  return route;
}
