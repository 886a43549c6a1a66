/** One request to a route: who may, with what, and what the audit list is told. */
import type { Context } from 'hono';
import * as v from 'valibot';

import { cut, errorLine } from '../base/error-text.ts';
import { AUDIT_RETENTION_SECONDS, MAX_AUDIT_CHARACTERS, MAX_AUDIT_NAMES, MONITOR_ACTION_MS } from '../base/limits.ts';
import type { AuditEntry } from '../ports/audit.ts';
import { checkCsrf } from './guards.ts';
import { Refused } from './problem.ts';
import type { Acted, Call, Route, Visitor } from './route.ts';
import { NAME } from './schemas/common.ts';
import type { MonitoredService } from './service.ts';

/** What a request is answered from. */
export interface RouteParts {
  readonly service: MonitoredService;
  readonly visitor: Visitor;
  readonly readOnly: boolean;
}

// Of each name in a path, and of no answer that asks a store for it.
const PARAMS = v.record(v.string(), NAME);

type Known = Call<never, never, never>;

/** @returns what is sent as JSON. @throws Refused, and what the route throws */
export async function callRoute(route: Route, context: Context, parts: RouteParts): Promise<unknown> {
  const { service, visitor } = parts;
  const params = pathParams(context) as never;
  const query = route.query === undefined ? undefined : checked(route.query, queryOf(context), 'query');
  const given = route.body === undefined ? undefined : checked(route.body, await bodyOf(context), 'body');
  const body = given as never;
  const isActing = route.action !== undefined && route.isOnlyLooking?.(body) !== true;
  if (isActing) refuseViewer(parts);
  if (route.action !== undefined) checkCsrf(context, visitor);
  const over = new AbortController();
  const cancel = service.app.clock.schedule(MONITOR_ACTION_MS, () => over.abort());
  const signal = AbortSignal.any([over.signal, context.req.raw.signal]);
  const call: Known = { service, visitor, params, query: query as never, body, signal };
  try {
    if (route.action === undefined) return await route.run(call);
    if (isActing) return await audited(route, route.action, call);
    return answerOf(await route.run(call));
  } finally {
    cancel();
  }
}

/** @throws Refused for a name that is longer than any may be */
export function pathParams({ req }: Context): Readonly<Record<string, string>> {
  return checked(PARAMS, req.param(), 'path') as Readonly<Record<string, string>>;
}

/** Written before it is done: who is cut off in the middle has tried. What cannot be written down is not done. */
async function audited(route: Route, action: string, call: Known): Promise<unknown> {
  const { service, visitor } = call;
  const { app, audit } = service;
  const atMs = app.clock.nowMs();
  const about = route.about?.(call) ?? { on: [] };
  const begun: AuditEntry = {
    id: app.ids.next(),
    atMs,
    by: cut(visitor.name, MAX_AUDIT_CHARACTERS),
    action,
    ...actedFields(about),
    outcome: 'begun',
    expiresAtSeconds: Math.ceil(atMs / 1000) + AUDIT_RETENTION_SECONDS,
  };
  await audit.put(begun);
  try {
    const ended = (await route.run(call)) as { readonly acted?: Partial<Acted> };
    await audit.put({ ...begun, ...actedFields({ ...about, ...ended.acted }), outcome: 'done' });
    return answerOf(ended);
  } catch (error) {
    const failed: AuditEntry = { ...begun, outcome: 'failed', error: cut(errorLine(error), MAX_AUDIT_CHARACTERS) };
    // What refused the action is what is worth telling.
    await audit.put(failed).catch(() => undefined);
    throw error;
  }
}

function actedFields({ on, count, note }: Acted): Pick<AuditEntry, 'on' | 'count' | 'note'> {
  return {
    on: on.slice(0, MAX_AUDIT_NAMES).map((name) => cut(name, MAX_AUDIT_CHARACTERS)),
    ...(count === undefined ? {} : { count }),
    ...(note === undefined || note === '' ? {} : { note: cut(note, MAX_AUDIT_CHARACTERS) }),
  };
}

function answerOf(ended: unknown): unknown {
  return (ended as { readonly answer: unknown }).answer;
}

/** @throws Refused */
function refuseViewer({ visitor, readOnly }: RouteParts): void {
  if (visitor.role === 'operator' && !readOnly) return;
  throw new Refused({
    status: 403,
    code: readOnly ? 'READ_ONLY' : 'FORBIDDEN',
    title: 'This is for operators.',
    detail: readOnly ? 'This monitor shows a service, and changes nothing.' : `${visitor.name} may look, and not act.`,
  });
}

function queryOf(context: Context): Record<string, string | string[]> {
  const all = context.req.queries();
  return Object.fromEntries(
    Object.entries(all).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/** @throws Refused */
async function bodyOf({ req }: Context): Promise<unknown> {
  const text = await req.text();
  if (text === '') return {};
  const type = req.header('content-type') ?? '';
  if (!/^application\/json(?:;|$)/i.test(type))
    throw new Refused({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      title: 'The request is no JSON.',
      detail: 'Its content type must be application/json.',
    });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refused({
      status: 400,
      code: 'INVALID_REQUEST',
      title: 'The request is no JSON.',
      detail: 'Its body cannot be read.',
    });
  }
}

/** What is refused is named by its place: its value may be secret, and lands in no answer. @throws Refused */
function checked(schema: v.GenericSchema, value: unknown, where: string): unknown {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = [where, ...(issue.path ?? []).map(({ key }) => String(key))].join('.');
  const expected = issue.expected ?? 'another value';
  const what = issue.kind === 'schema' && issue.expected === 'never' ? 'is no field here' : `${expected} is allowed`;
  throw new Refused({
    status: 400,
    code: 'INVALID_REQUEST',
    title: 'The request does not fit.',
    detail: cut(`${place}: ${what}.`, MAX_AUDIT_CHARACTERS),
    hint: 'GET /api/openapi.json says what fits.',
  });
}
