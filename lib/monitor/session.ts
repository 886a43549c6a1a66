/** GET /api/session: what the page is told first, logged in or not. */
import type { Access } from './access.ts';
import type { SessionAnswer } from './answers.ts';
import type { Visitor } from './route.ts';
import type { MonitoredService } from './service.ts';

/** How news reach the page. */
export type Live = SessionAnswer['live'];

export interface SessionParts {
  readonly service: MonitoredService;
  readonly access: Access;
  readonly readOnly: boolean;
  readonly live: Live;
}

/** Who is not logged in sees the app's name, and how to log in. */
export function sessionAnswer(
  visitor: Visitor | undefined,
  { service, access, readOnly, live }: SessionParts,
): SessionAnswer {
  const { app, place, showValues, hasCode } = service;
  const own =
    visitor === undefined
      ? { user: null }
      : {
          place,
          user: { name: visitor.name, role: visitor.role },
          ...(visitor.csrf === undefined ? {} : { csrf: visitor.csrf }),
        };
  return { app: app.name, ...own, login: access.ways, readOnly, showValues, hasCode, live };
}
