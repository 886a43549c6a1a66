/** Callers whom IAM has let in: Lambda checks their signature and tells who they are. For machines, and for tools that sign. */
import type { Context } from 'hono';

import type { Access, LoginWay } from '../access.ts';
import type { Visitor } from '../route.ts';
import { roleOf, type RoleRules } from './roles.ts';

interface LambdaBindings {
  readonly event?: {
    readonly requestContext?: { readonly authorizer?: { readonly iam?: { readonly userArn?: unknown } } };
  };
}

export class IamAccess implements Access {
  readonly ways: readonly LoginWay[] = ['iam'];
  readonly #rules: RoleRules;

  constructor(rules: RoleRules) {
    this.#rules = rules;
  }

  /** By what Lambda says of the request alone: nothing in the request itself can. */
  identify(context: Context): Promise<Visitor | undefined> {
    const { event } = context.env as LambdaBindings;
    const name = event?.requestContext?.authorizer?.iam?.userArn;
    if (typeof name !== 'string' || name === '') return Promise.resolve(undefined);
    const role = roleOf({ name }, this.#rules);
    return Promise.resolve(role === undefined ? undefined : { name, role });
  }

  mount(): void {
    // Nobody logs in here: each request is signed.
  }
}
