/** What the function of a status address is told, and what those are told who sign addresses. Plain data: the stack writes it. */

/** Of the function. */
export interface StatusTold {
  /** Name of the app. */
  readonly app: string;
  /** ARN of the secret with the keys that sign; absent where IAM lets callers in. */
  readonly secret?: string;
  /** States and progress alone. */
  readonly hideResults?: true;
  /** Texts and stacks of errors, too. */
  readonly showErrors?: true;
}

/** Name of the function's variable. */
export const STATUS_VARIABLE = 'CELERIAC_STATUS';

/** Of who signs. */
export interface StatusSigning {
  /** Address of the function. */
  readonly url: string;
  /** ARN of the secret with the keys. */
  readonly secret?: string;
  /** The keys themselves, in development and tests. */
  readonly keys?: string;
}

/** Name of the variable of who signs, of an app's service. */
export function statusVariable(app: string): string {
  return `CELERIAC_STATUS_URL_${app.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}
