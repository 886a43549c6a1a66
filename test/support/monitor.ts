/** A monitor asked without a network: every answer is held by the schema of its route. */
import { expect } from 'vitest';
import * as v from 'valibot';
import type { Hono } from 'hono';

import { monitorApp, type MonitorOptions } from '../../lib/monitor/monitor-app.ts';
import type { Route } from '../../lib/monitor/route.ts';
import { ROUTES } from '../../lib/monitor/routes.ts';
import { TokenAccess } from '../../lib/monitor/token-access.ts';
import type { MonitoredService } from '../../lib/monitor/service.ts';

export const HOST = 'monitor.test:4570';
export const TOKEN = 'the-token';

export interface MonitorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What it says, where that is JSON. */
  readonly json: Record<string, unknown>;
}

/** How one asks. */
export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function nameOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

/** Of the address `/api/queues/mail/pause`: the route. */
function routeOf(method: string, path: string): Route | undefined {
  const fits = (route: Route): boolean =>
    route.method === method &&
    new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(new URL(path, 'http://x').pathname);
  // A fixed address before one with a name in it, as the server has them in order.
  return ROUTES.find(fits);
}

export class Monitor {
  readonly app: Hono;
  /** Routes that have answered as their schemas say. */
  readonly answered: Set<string> = new Set();

  constructor(service: MonitoredService, options: Partial<MonitorOptions> = {}) {
    this.app = monitorApp({
      service,
      access: new TokenAccess(TOKEN, 'ada'),
      live: 'stream',
      isSecure: false,
      isOwnHost: (host) => host === HOST,
      ...options,
    });
  }

  /** As a tool with the token in a header asks, unless `headers` says otherwise. */
  async ask(path: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<MonitorAnswer> {
    const response = await this.app.request(`http://${HOST}${path}`, {
      method,
      headers: {
        host: HOST,
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const json = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
    const route = routeOf(method, path);
    if (response.status === 200 && route !== undefined) {
      const result = v.safeParse(route.answer, json);
      expect(
        result.success,
        `${nameOf(route)}: ${JSON.stringify(v.flatten(result.issues ?? ([] as never)))} ${text.slice(0, 500)}`,
      ).toBe(true);
      this.answered.add(nameOf(route));
    }
    return { status: response.status, headers: response.headers, text, json };
  }

  /** @returns what it says; fails where it was refused. */
  async get<Answer = Record<string, unknown>>(path: string): Promise<Answer> {
    const { status, json, text } = await this.ask(path);
    expect(status, `${path}: ${text.slice(0, 300)}`).toBe(200);
    return json as Answer;
  }

  async act<Answer = Record<string, unknown>>(path: string, body: unknown = {}, method = 'POST'): Promise<Answer> {
    const { status, json, text } = await this.ask(path, { method, body });
    expect(status, `${path}: ${text.slice(0, 300)}`).toBe(200);
    return json as Answer;
  }
}
