/** Port of the logins: who asks, and how people log in. */
import type { Context, Hono } from 'hono';

import type { Visitor } from './route.ts';

/** A way to log in, as the page knows it. */
export type LoginWay = 'token' | 'password' | 'oidc' | 'iam';

/** Who may come in. */
export interface Access {
  /** The ways there are, the one to offer first first. */
  readonly ways: readonly LoginWay[];
  /** Who asks; undefined for somebody who is not logged in. */
  identify(context: Context): Promise<Visitor | undefined>;
  /** Adds what people log in and out by: they are asked before anybody is identified. */
  mount(app: Hono): void;
}
