/** The monitor: one app, the same on a process and behind a function URL. */
import { type Context, Hono } from 'hono';
import { compress } from 'hono/compress';
import { etag } from 'hono/etag';

import { errorLine, errorStack } from '../base/error-text.ts';
import type { Access } from './access.ts';
import { callRoute, pathParams } from './call-route.ts';
import { type GuardOptions, mountGuards } from './guards.ts';
import { jsonText } from './json-text.ts';
import { liveStream } from './live.ts';
import { metricsText } from './metrics.ts';
import { mountPage, type PageFiles } from './page-files.ts';
import { NOT_FOUND, type Problem, problemOf, Refused, UNAUTHENTICATED, UNFORESEEN } from './problem.ts';
import { honoPath, type Visitor } from './route.ts';
import { ROUTES } from './routes.ts';
import { statusAnswer } from './routes/status.ts';
import { type Live, sessionAnswer } from './session.ts';
import type { MonitoredService } from './service.ts';

/** How a monitor runs. */
export interface MonitorOptions extends GuardOptions {
  readonly service: MonitoredService;
  readonly access: Access;
  /** The page, as it was built; undefined: the API alone. */
  readonly page?: PageFiles | undefined;
  /** Nobody may act. Default false. */
  readonly readOnly?: boolean;
  /** Tells of news by an open stream, or is asked again and again. */
  readonly live: Live;
}

type Environment = { Variables: { visitor: Visitor } };

/** What answers requests: `app.fetch`. */
export function monitorApp(options: MonitorOptions): Hono {
  const { access, page } = options;
  const app = new Hono();
  app.onError((error, context) => answerProblem(context, toldOf(error, options)));
  app.notFound((context) => answerProblem(context, NOT_FOUND));
  mountGuards(app, options);
  app.use('*', compress());
  access.mount(app);
  mountApi(app, options);
  if (page !== undefined) mountPage(app, page);
  return app;
}

function mountApi(app: Hono, options: MonitorOptions): void {
  const { service, access, readOnly = false, live } = options;
  const api = new Hono<Environment>();
  const identified = async (context: Context<Environment>, next: () => Promise<void>): Promise<void> => {
    const visitor = await access.identify(context);
    if (visitor === undefined) throw new Refused(UNAUTHENTICATED);
    context.set('visitor', visitor);
    await next();
  };
  // What it tells is of now, and of whoever asks.
  const private_ = async (context: Context, next: () => Promise<void>): Promise<void> => {
    await next();
    context.header('cache-control', 'private, no-cache');
  };
  if (live === 'stream') {
    // Before the ETag, which is made of the whole of an answer.
    api.use('/api/live', identified);
    api.get('/api/live', (context) => liveStream(context, service));
  }
  api.use('*', private_, etag());
  api.get('/api/session', async (context) =>
    send(context, sessionAnswer(await access.identify(context), { service, access, readOnly, live })),
  );
  for (const path of ['/api/*', '/metrics', '/tasks/:id/status']) api.use(path, identified);
  for (const route of ROUTES)
    api.on(route.method, honoPath(route), async (context) => {
      const parts = { service, visitor: context.get('visitor'), readOnly };
      return send(context, await callRoute(route, context, parts));
    });
  api.get('/api/openapi.json', async (context) => send(context, await openApiDocument()));
  api.get('/metrics', async (context) => {
    const body = await metricsText(service);
    return context.body(body, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  api.get('/tasks/:id/status', async (context) => {
    const { id } = pathParams(context);
    return send(context, await statusAnswer(id ?? '', service));
  });
  app.route('/', api);
}

/** Made of the routes when they change, and not while the monitor runs: what converts schemas is larger than all of it. */
async function openApiDocument(): Promise<unknown> {
  return (await import('./openapi.json', { with: { type: 'json' } })).default;
}

function send(context: Context, value: unknown): Response {
  return context.body(jsonText(value), 200, { 'content-type': 'application/json; charset=utf-8' });
}

/** What nobody foresaw is the log's to tell. */
function toldOf(error: unknown, { service }: MonitorOptions): Problem {
  const problem = problemOf(error);
  if (problem !== undefined) return problem;
  service.app.logger.log('error', `The monitor failed: ${errorLine(error)}`, { stack: errorStack(error) });
  return UNFORESEEN;
}

function answerProblem(context: Context, problem: Problem): Response {
  const body = jsonText({ type: 'about:blank', ...problem });
  return context.body(body, problem.status, { 'content-type': 'application/problem+json; charset=utf-8' });
}
