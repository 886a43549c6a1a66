/** Answers that say what was refused, why, and what to do: RFC 9457, with a stable code. */
import { CeleriacError } from '../base/celeriac-error.ts';
import { errorText } from '../base/error-text.ts';

/** Statuses that the API answers a refusal with. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 421 | 429 | 500 | 503;

/** A refusal, as it is sent. */
export interface Problem {
  readonly status: ProblemStatus;
  /** Stable: an error's of the library, or one of the API's own. */
  readonly code: string;
  /** What was refused, in one line. */
  readonly title: string;
  /** What was given, and what is allowed. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Thrown where a request is refused. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

type Told = Pick<Problem, 'status' | 'title' | 'hint'>;

const KNOWN: ReadonlyMap<string, Told> = new Map<string, Told>([
  ...[
    'INVALID_OPTION',
    'INVALID_ARGUMENTS',
    'INVALID_SCHEDULE',
    'INVALID_SIGNATURE',
    'INVALID_KEY',
    'NOT_SERIALIZABLE',
    'MESSAGE_TOO_LARGE',
  ].map((code): [string, Told] => [code, { status: 400, title: 'What was given does not fit.' }]),
  ['QUEUE_NOT_FOUND', { status: 404, title: 'There is no such queue.' }],
  ['NOT_REGISTERED', { status: 404, title: 'There is no such task.' }],
  ['SCHEDULE_NOT_FOUND', { status: 404, title: 'There is no such schedule.' }],
  [
    'SCHEDULE_CONFLICT',
    { status: 409, title: 'Somebody else has changed it.', hint: 'Read it again, and choose what is to stand.' },
  ],
  [
    'OPERATIONAL_ERROR',
    {
      status: 503,
      title: 'A service of AWS refused, or did not answer.',
      hint: 'Tasks go on; only this page is blind.',
    },
  ],
  ['MISSING_ENVIRONMENT', { status: 503, title: 'This function is not told of the service.' }],
  ['IMPROPERLY_CONFIGURED', { status: 503, title: 'The service has no such store.' }],
]);

/** undefined for an error that nobody foresaw: its text is the log's. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Refused) return error.problem;
  if (!CeleriacError.is(error)) return undefined;
  const known = KNOWN.get(error.code);
  return known === undefined ? undefined : { ...known, code: error.code, detail: errorText(error).message };
}

/** What is said of an error that nobody foresaw. */
export const UNFORESEEN: Problem = {
  status: 500,
  code: 'INTERNAL_ERROR',
  title: 'The monitor failed.',
  detail: 'Its log says why.',
};

export const UNAUTHENTICATED: Problem = {
  status: 401,
  code: 'UNAUTHENTICATED',
  title: 'Nobody is logged in.',
  detail: 'This answer is for those who are logged in.',
  hint: 'Log in again.',
};

export const NOT_FOUND: Problem = {
  status: 404,
  code: 'NOT_FOUND',
  title: 'There is nothing here.',
  detail: 'The API has no such address.',
  hint: 'GET /api/openapi.json lists what there is.',
};
