/** `task_queues` and `task_routes`: which queues there are, and what goes to which. */
import { integerIn, shown } from '../../base/checks.ts';
import { InvalidOption } from '../../base/errors.ts';
import type { Route } from '../routes.ts';
import {
  asksForMore,
  type Draft,
  type Given,
  isRecord,
  type Mapping,
  queueName,
  queueOptions,
  refused,
  IgnoredKeys,
} from './reading.ts';

type RouteMap = Readonly<Record<string, Route>>;
type Pairs = readonly (readonly [pattern: string, route: unknown])[];

const QUEUES = "a list of names, or of objects such as { name: 'mail' }, or an object by name";
const ROUTES = "an object such as { 'mail.*': { queue: 'mail' } }, or a list of those or of [pattern, route]";
const ROUTE = "a queue's name, or an object such as { queue: 'mail', priority: 3 }";
const MAX_PRIORITY = 9;

export const readQueues: Mapping = (given, draft) => {
  const ignored = new IgnoredKeys();
  for (const [key, options] of queueEntries(given)) {
    const name = queueName(given, key);
    draft.declared.set(name, queueOptions(name));
    for (const [option, value] of Object.entries(options))
      if (asksForMore(option, value, name)) ignored.add(option, name);
  }
  ignored.warn(given, 'a message goes to a queue by its name; what SQS offers is set in queues and with TaskService');
};

function queueEntries(given: Given): (readonly [name: unknown, options: object])[] {
  const { value } = given;
  if (value === null) return [];
  if (Array.isArray(value)) {
    return value.map((each: unknown) => {
      if (typeof each === 'string') return [each, {}];
      if (!isRecord(each) || typeof each['name'] !== 'string') throw refused(given, QUEUES);
      const { name, ...options } = each;
      return [name, options];
    });
  }
  if (!isRecord(value)) throw refused(given, QUEUES);
  return Object.entries(value).map(([name, options]) => {
    if (isRecord(options) || options === null) return [name, options ?? {}];
    throw refused(given, QUEUES);
  });
}

export const readRoutes: Mapping = (given, draft) => {
  const ignored = new IgnoredKeys();
  const maps = routeMaps(given).map((pairs) => routeMap(pairs, given, draft, ignored));
  ignored.warn(given, 'a task goes to a queue by its name; name it as queue');
  if (maps.length > 0) draft.options.routes = maps.length === 1 && maps[0] !== undefined ? maps[0] : maps;
};

/** Within a map an exact name wins over patterns, whether Celery has it as a dict or as a list of pairs. */
function routeMaps(given: Given): Pairs[] {
  const { value } = given;
  if (value === null) return [];
  const routers: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (routers.length > 0 && routers.every(isPair)) return [routers];
  return routers.flatMap((router) => {
    if (typeof router === 'string') {
      given.warn(
        `${given.name}: the router ${router} has no meaning here: it is a function in Python; write one in TypeScript and add it to routes.`,
      );
      return [];
    }
    if (isRecord(router)) return [Object.entries(router)];
    if (isPair(router)) return [[router]];
    if (Array.isArray(router) && router.every(isPair)) return [router];
    throw refused(given, ROUTES);
  });
}

function isPair(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}

function routeMap(pairs: Pairs, given: Given, draft: Draft, ignored: IgnoredKeys): RouteMap {
  return Object.fromEntries(
    pairs.map(([pattern, route]) => {
      // Celery's fnmatch knows more, in patterns that have a star.
      if (pattern.includes('*') && /[?[]/.test(pattern))
        given.warn(
          `${given.name}: in the pattern ${shown(pattern)} only * stands for other characters here; write one pattern for each name that is meant.`,
        );
      return [pattern, routeOf(pattern, route, given, draft, ignored)];
    }),
  );
}

function routeOf(pattern: string, route: unknown, given: Given, draft: Draft, ignored: IgnoredKeys): Route {
  if (typeof route === 'string') return wantQueue(route, given, draft);
  if (!isRecord(route))
    throw refused({ ...given, name: `${given.name}: the route of ${shown(pattern)}` }, ROUTE, route);
  const { queue: target, priority: rank, ...rest } = route;
  const queue = isRecord(target) ? target['name'] : target;
  for (const [key, value] of Object.entries(rest))
    if (asksForMore(key, value, String(queue))) ignored.add(key, shown(pattern));
  return {
    ...(queue === undefined || queue === null ? {} : { queue: wantQueue(queue, given, draft) }),
    ...(rank === undefined || rank === null
      ? {}
      : { priority: integerIn(rank, 0, MAX_PRIORITY, `${given.name}: priority of ${shown(pattern)}`) }),
  };
}

function wantQueue(value: unknown, given: Given, draft: Draft): string {
  const queue = queueName(given, value);
  draft.wanted.set(queue, given.name);
  return queue;
}

/** Celery's name of the default queue, where `task_queues` has it. */
const CELERY_QUEUE = 'celery';
const OUR_QUEUE = 'default';

/**
 * Declares what is used, as Celery's `task_create_missing_queues` does, and a queue for tasks without a route.
 *
 * @throws InvalidOption for a queue that is not declared where that setting is false.
 */
export function finishQueues({ options, declared, wanted, refusesMissing }: Draft): void {
  if (declared.size === 0 && wanted.size === 0) return;
  const queues = new Map(declared);
  for (const [queue, setting] of wanted) {
    if (queues.has(queue)) continue;
    // Without task_queues the default queue is the one that Celery declares.
    const alone = declared.size === 0 && queue === (options.defaultQueue ?? CELERY_QUEUE);
    if (refusesMissing !== undefined && !alone)
      throw new InvalidOption(
        `${setting}: the queue ${shown(queue)} is not in task_queues, and ${refusesMissing} is false. Add it to task_queues, or leave ${refusesMissing} out.`,
      );
    queues.set(queue, queueOptions(queue));
  }
  if (options.defaultQueue === undefined) {
    if (queues.has(CELERY_QUEUE)) options.defaultQueue = CELERY_QUEUE;
    else queues.set(OUR_QUEUE, queues.get(OUR_QUEUE) ?? {});
  }
  options.queues = Object.fromEntries(queues);
}
