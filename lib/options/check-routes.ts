/** Routes as they are declared, and as the stack is told of them. In deployed functions they were checked at synth. */
import { integerIn, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { ownQueueName } from '../wire/queue-name.ts';
import { declaredQueue } from './declared-queue.ts';
import type { QueueManifest } from './manifest.ts';
import { checkedRoute, isList, patternMatches, type Route, type Routes } from './routes.ts';

/**
 * What the routes say that is no function, checked before anything is sent.
 *
 * @throws InvalidOption, QueueNotFound
 */
export function checkRoutes(routes: Routes | undefined, queues: Readonly<Record<string, QueueManifest>>): void {
  for (const { pattern, route } of patternsOf(routes)) {
    const name = String(pattern);
    const { queue, priority } =
      typeof route === 'string' ? { queue: route, priority: undefined } : checkedRoute(route, name);
    if (priority !== undefined) integerIn(priority, 0, 9, `routes: priority of '${name}'`);
    if (queue !== undefined) declaredQueue(queue, queues, `routes: the route of '${name}'`);
  }
}

interface Pattern {
  readonly pattern: string | RegExp;
  readonly route: Route;
}

/** Everything in the routes that is no function. @throws InvalidOption */
function patternsOf(routes: Routes | undefined): Pattern[] {
  if (routes === undefined) return [];
  return (isList(routes) ? routes : [routes]).flatMap((entry: unknown): Pattern[] => {
    if (typeof entry === 'function') return [];
    if (Array.isArray(entry)) {
      const [pattern, route] = entry as readonly unknown[];
      if (entry.length === 2 && (typeof pattern === 'string' || pattern instanceof RegExp))
        return [{ pattern, route: route as Route }];
    } else if (typeof entry === 'object' && entry !== null) {
      return Object.entries(entry as Readonly<Record<string, Route>>).map(([pattern, route]) => ({ pattern, route }));
    }
    throw new InvalidOption(
      `routes: ${shown(entry)} given; an object such as { 'mail.*': 'mail' }, a function, or a list of those and of pairs such as ['mail.*', 'mail'] is allowed.`,
    );
  });
}

/** Patterns to a queue that has its worker here which none of the tasks matches: a slip, most likely. */
export function idlePatterns(
  routes: Routes | undefined,
  queues: Readonly<Record<string, QueueManifest>>,
  names: readonly string[],
): string[] {
  const idle = patternsOf(routes).filter(({ pattern, route }) => {
    const queue = typeof route === 'string' ? route : route.queue;
    // Who sends to a queue that is consumed elsewhere may know names that are not declared here.
    if (queue === undefined || queues[ownQueueName(queue, queues)]?.external === true) return false;
    return !names.some((name) => patternMatches(pattern, name));
  });
  return idle.map(({ pattern }) => String(pattern));
}
