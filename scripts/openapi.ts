/** The OpenAPI document of the monitor's API, made of its routes: lib/monitor/openapi.json, which the monitor answers with. */
import { toJsonSchema, type ConversionConfig } from '@valibot/to-json-schema';
import * as v from 'valibot';

import { CSRF_HEADER } from '../lib/monitor/guards.ts';
import type { Route } from '../lib/monitor/route.ts';
import { ROUTES } from '../lib/monitor/routes.ts';
import { DONE } from '../lib/monitor/schemas/common.ts';
import * as history from '../lib/monitor/schemas/history.ts';
import * as queues from '../lib/monitor/schemas/queues.ts';
import * as schedules from '../lib/monitor/schemas/schedules.ts';
import * as session from '../lib/monitor/schemas/session.ts';

type Data = Readonly<Record<string, unknown>>;
type Description = Pick<Route, 'method' | 'path' | 'summary' | 'action'> & {
  readonly query?: v.GenericSchema | undefined;
  readonly body?: v.GenericSchema | undefined;
  /** Of an answer that is no JSON: its content type. */
  readonly contentType?: string;
  readonly answer?: v.GenericSchema | undefined;
  /** Asked by those who are not logged in. */
  readonly isOpen?: boolean;
};

/** What the server answers beside the routes, in files of its own. */
const OTHERS: readonly Description[] = [
  {
    method: 'GET',
    path: '/api/session',
    summary: 'Who asks, and how to log in; the only one that answers everybody',
    answer: session.SESSION,
    isOpen: true,
  },
  {
    method: 'POST',
    path: '/api/login',
    summary: 'Logs in by name and password, where the monitor has these; sets the cookie of the session',
    body: session.LOGIN,
    answer: DONE,
    isOpen: true,
  },
  { method: 'POST', path: '/api/logout', summary: 'Ends the session of this cookie', answer: DONE, isOpen: true },
  {
    method: 'GET',
    path: '/api/live',
    summary: 'On a process: news as server-sent events, `tasks`, `queues` and `failed`',
    contentType: 'text/event-stream',
  },
  { method: 'GET', path: '/api/openapi.json', summary: 'This document', answer: v.record(v.string(), v.unknown()) },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'Queues and the last five minutes, as Prometheus reads them',
    contentType: 'text/plain',
  },
  {
    method: 'GET',
    path: '/tasks/{id}/status',
    summary: "One task as Celery's status address answers",
    answer: session.STATUS,
  },
];

const PROBLEM: Data = {
  type: 'object',
  description: 'RFC 9457. docs/monitor.md and docs/errors.md list the codes.',
  properties: {
    type: { const: 'about:blank' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable' },
    title: { type: 'string' },
    detail: { type: 'string' },
    hint: { type: 'string' },
  },
  required: ['type', 'status', 'code', 'title', 'detail'],
};

/** Each exported schema of an object has a name of its own: `DEAD_LETTERS` is `DeadLetters`. */
const NAMED: Readonly<Record<string, v.GenericSchema>> = Object.fromEntries(
  [history, queues, schedules, session].flatMap((file) =>
    Object.entries(file).map(([name, schema]) => [camelCase(name.split('_'), true), schema as v.GenericSchema]),
  ),
);

export function openApiDocument(): Data {
  const paths: Record<string, Record<string, Data>> = {};
  for (const route of [...ROUTES, ...OTHERS])
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Celeriac monitor',
      version: '1',
      description:
        'What the monitor of a service shows and changes. Instants are ISO 8601 in UTC. What changes something is for operators.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Of a monitor on a process, as its command prints it' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-celeriac-monitor',
          description: `Set by a login. Changes need the header ${CSRF_HEADER} too, which GET /api/session tells`,
        },
      },
      schemas: { Problem: PROBLEM, ...namedSchemas() },
    },
  };
}

function namedSchemas(): Data {
  return Object.fromEntries(
    Object.entries(NAMED).map(([name, schema]) => {
      // Asked for by itself it would refer to itself.
      const { [name]: _own, ...others } = NAMED;
      return [name, converted(schema, others)];
    }),
  );
}

function converted(schema: v.GenericSchema, definitions: ConversionConfig['definitions'] = NAMED): Data {
  const {
    $schema: _dialect,
    $defs: _components,
    ...found
  } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    ...(definitions === undefined ? {} : { definitions }),
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  }) as Data;
  return found;
}

function operationOf(route: Description): Data {
  const { summary, action, body, answer, contentType = 'application/json', isOpen = false } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route), ...(action === undefined ? [] : [CSRF])];
  return {
    operationId: operationIdOf(route),
    summary,
    tags: [tagOf(route)],
    ...(isOpen ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: converted(body) } } } }),
    responses: {
      200: {
        description: 'Done',
        content: { [contentType]: { schema: answer === undefined ? { type: 'string' } : converted(answer) } },
      },
      default: {
        description: 'Refused',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const CSRF: Data = {
  name: CSRF_HEADER,
  in: 'header',
  description: 'Where a cookie says who asks',
  schema: { type: 'string' },
};

function pathParameters({ path }: Description): Data[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters({ query }: Description): Data[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = converted(query) as {
    readonly properties?: Readonly<Record<string, Data>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    schema,
  }));
}

/** `queue.pause` is `queuePause`, GET /api/tasks/{id}/tree is `getTasksByIdTree`. */
function operationIdOf({ method, path, action }: Description): string {
  if (action !== undefined) return camelCase(action.split(/[.-]/));
  const words = path
    .replaceAll(/\{(\w+)\}/g, 'by/$1')
    .split(/[/.-]/)
    .filter((word) => word !== '' && word !== 'api');
  return camelCase([method, ...words]);
}

function tagOf({ path }: Description): string {
  const [first = '', second] = path.split('/').filter((word) => word !== '');
  return first === 'api' ? (second ?? first) : first;
}

function camelCase(words: readonly string[], fromFirst = false): string {
  return words
    .map((word, index) => {
      const small = /[a-z]/.test(word) ? word : word.toLowerCase();
      return index === 0 && !fromFirst ? small : `${small.charAt(0).toUpperCase()}${small.slice(1)}`;
    })
    .join('');
}
