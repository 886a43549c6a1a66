/** Requests to the API: the only way in that the page has. */
import { storeOf } from './store.ts';

/** What the API refused, in its words. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly hint: string | undefined;

  constructor(
    status: number,
    { code, title, detail, hint }: Partial<Record<'code' | 'title' | 'detail' | 'hint', string>>,
  ) {
    super(detail ?? '');
    this.status = status;
    this.code = code ?? 'UNKNOWN';
    this.title = title ?? `The monitor answered ${status}.`;
    this.hint = hint;
  }
}

/** The monitor itself did not answer. */
export class Unreachable extends ApiProblem {
  constructor() {
    super(0, {
      code: 'UNREACHABLE',
      title: 'The monitor does not answer.',
      detail: 'Tasks go on; only this page is blind.',
      hint: 'It asks again by itself. A monitor on this machine ends with its command.',
    });
  }
}

/** Shown with every change, beside the cookie. */
export const csrf = storeOf<string | undefined>(undefined);
/** Nobody is logged in any more. */
export const loggedOut = storeOf(0);

export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return request<Answer>(path, signal === undefined ? {} : { signal });
}

export async function act<Answer>(path: string, body: unknown = {}, method = 'POST'): Promise<Answer> {
  const token = csrf.get();
  return request<Answer>(path, {
    method,
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { 'x-celeriac-csrf': token }) },
    body: JSON.stringify(body),
  });
}

async function request<Answer>(path: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error' });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new Unreachable();
  }
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const value: unknown = isJson ? await response.json() : {};
  if (response.ok && isJson) return value as Answer;
  // A wrong password is no end of a session.
  if (response.status === 401 && path !== '/api/login') loggedOut.set(loggedOut.get() + 1);
  throw new ApiProblem(response.status, value as Partial<Record<'code', string>>);
}

/** Of what was thrown. */
export function problemFrom(error: unknown): ApiProblem {
  return error instanceof ApiProblem
    ? error
    : new ApiProblem(0, { code: 'PAGE', title: 'The page failed.', detail: String(error) });
}
