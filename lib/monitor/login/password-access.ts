/** Logins by name and password, whose hashes lie in a secret. */
import type { Context, Hono } from 'hono';
import * as v from 'valibot';

import type { App } from '../../producer/app.ts';
import type { Access, LoginWay } from '../access.ts';
import { jsonText } from '../json-text.ts';
import { Refused } from '../problem.ts';
import type { Role, Visitor } from '../route.ts';
import { LOGIN } from '../schemas/session.ts';
import { takeAttempt } from './attempts.ts';
import { hashPassword, isPassword } from './password-hash.ts';
import type { Sessions } from './sessions.ts';

/** By name. */
export type Users = Readonly<Record<string, { readonly hash: string; readonly role: Role }>>;

export interface PasswordOptions {
  readonly app: Pick<App, 'ports'>;
  readonly sessions: Sessions;
  /** Asked at each try: a password that was changed holds at once, as far as whoever reads it keeps it. */
  readonly users: () => Promise<Users>;
  /** Address of the caller. */
  readonly callerOf: (context: Context) => string;
}

export class PasswordAccess implements Access {
  readonly ways: readonly LoginWay[] = ['password'];
  readonly #options: PasswordOptions;
  /** Nobody's: a name that is unknown takes as long as one that is known. */
  #decoy: Promise<string> | undefined;

  constructor(options: PasswordOptions) {
    this.#options = options;
  }

  identify(context: Context): Promise<Visitor | undefined> {
    return this.#options.sessions.visitor(context);
  }

  mount(app: Hono): void {
    const { sessions } = this.#options;
    app.post('/api/login', async (context) => {
      const visitor = await this.#check(context);
      await sessions.begin(context, visitor);
      return context.body(jsonText({ done: true }), 200, { 'content-type': 'application/json; charset=utf-8' });
    });
    mountLogout(app, sessions);
  }

  async #check(context: Context): Promise<Pick<Visitor, 'name' | 'role'>> {
    const { app, users, callerOf } = this.#options;
    const { name, password } = await bodyOf(context);
    const left = await takeAttempt(callerOf(context), await app.ports());
    const known = await users();
    const user = Object.hasOwn(known, name) ? known[name] : undefined;
    this.#decoy ??= hashPassword('nobody');
    const isRight = await isPassword(password, user?.hash ?? (await this.#decoy));
    if (user !== undefined && isRight) return { name, role: user.role };
    throw new Refused({
      status: 401,
      code: 'WRONG_LOGIN',
      title: 'Name and password do not fit.',
      detail: `${left} ${left === 1 ? 'try is' : 'tries are'} left.`,
    });
  }
}

/** `POST /api/logout` ends a session on this machine. */
export function mountLogout(app: Hono, sessions: Sessions): void {
  app.post('/api/logout', (context) => {
    sessions.end(context);
    return context.body(jsonText({ done: true }), 200, { 'content-type': 'application/json; charset=utf-8' });
  });
}

/** A page elsewhere cannot send JSON without being asked first, and what it sends is refused. @throws Refused */
async function bodyOf({ req }: Context): Promise<v.InferOutput<typeof LOGIN>> {
  const isJson = /^application\/json(?:;|$)/i.test(req.header('content-type') ?? '');
  const body: unknown = isJson ? await req.json().catch(() => undefined) : undefined;
  const result = v.safeParse(LOGIN, body);
  if (result.success) return result.output;
  throw new Refused({
    status: 400,
    code: 'INVALID_REQUEST',
    title: 'The request does not fit.',
    detail: 'JSON with `name` and `password` is allowed.',
  });
}
