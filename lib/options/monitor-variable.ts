/** What a deployed monitor is told by its stack: one variable of JSON. Plain data: the stack writes it, the function reads it. */

/** Patterns of who may act, and who may look: e-mail addresses, `*@example.org`, `group:operations`, ARNs. */
export interface MonitorRoles {
  /** May act. */
  readonly operators: readonly string[];
  /** May look. Default: nobody else. */
  readonly viewers?: readonly string[];
}

/** How people log in; secrets by their ARNs. */
export type MonitorLogin =
  | ({ readonly way: 'iam' } & MonitorRoles)
  | { readonly way: 'password'; readonly users: string; readonly session: string }
  | ({
      readonly way: 'oidc';
      readonly issuer: string;
      readonly clientId: string;
      readonly clientSecret?: string;
      readonly groupsClaim?: string;
      readonly scopes?: readonly string[];
      readonly session: string;
    } & MonitorRoles);

/** All that a deployed monitor is told, beside its service. */
export interface MonitorTold {
  /** Name of the app. */
  readonly app: string;
  readonly login: MonitorLogin;
  readonly readOnly?: true;
  readonly showValues?: true;
  /** Name of the SSM parameter in which the service says what feeds its workers; absent where it has none. */
  readonly parameter?: string;
}

/** Name of the variable. */
export const MONITOR_VARIABLE = 'CELERIAC_MONITOR';
