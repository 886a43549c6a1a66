/** The state of a task by its address: what answers behind the function URL of `addStatusUrl`. */
import { errorLine } from '../base/error-text.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { isSignedStatus, statusKeys } from '../base/status-signature.ts';
import type { Clock } from '../base/time.ts';
import { isFinal } from '../base/states.ts';
import { STATUS_VARIABLE, type StatusTold } from '../options/status-variable.ts';
import { statusAnswerOf } from '../operate/task-status.ts';
import { taskSummaries } from '../operate/task-summary.ts';
import type { Logger } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';

export interface StatusRequest {
  readonly method: string;
  /** As it was asked for, not decoded. */
  readonly path: string;
  readonly query: string;
}

export interface StatusResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface StatusParts {
  readonly told: StatusTold;
  /** The secret's text. */
  readonly secret: () => Promise<string>;
  readonly ports: () => Promise<Pick<Ports, 'backend' | 'clock'>>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
}

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;
const PATH = /^\/tasks\/([^/]{1,1024})\/status$/;

/** One answer for all that is not allowed: it tells neither what is wrong nor which tasks there are. */
const FORBIDDEN: StatusResponse = { status: 403, headers: HEADERS, body: '{"error":"forbidden"}' };

export async function answerStatus(request: StatusRequest, parts: StatusParts): Promise<StatusResponse> {
  const { told, logger } = parts;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: { ...HEADERS, allow: 'GET, HEAD' }, body: '{"error":"method not allowed"}' };
  try {
    const id = await allowedId(request, parts);
    if (id === undefined) return FORBIDDEN;
    const [summary] = await taskSummaries([id], await parts.ports());
    const answer = statusAnswerOf(id, summary, {
      errors: told.showErrors === true,
      // Progress is meant for who looks.
      result: (value, status) => (told.hideResults === true && isFinal(status) ? null : value),
    });
    return { status: 200, headers: HEADERS, body: textOf(answer) };
  } catch (error) {
    logger.log('error', `A status was not told: ${errorLine(error)}`);
    return { status: 500, headers: HEADERS, body: '{"error":"it cannot be told now"}' };
  }
}

async function allowedId({ path, query }: StatusRequest, parts: StatusParts): Promise<string | undefined> {
  const { told, clock } = parts;
  const id = idIn(path);
  if (id === undefined) return undefined;
  // IAM has let the caller in before the function ran.
  if (told.secret === undefined) return id;
  const search = new URLSearchParams(query);
  const [expires = '', ...moreExpires] = search.getAll('expires');
  const [signature = '', ...moreSignatures] = search.getAll('signature');
  if (moreExpires.length > 0 || moreSignatures.length > 0 || !/^[1-9]\d{0,11}$/.test(expires)) return undefined;
  const keys = statusKeys(await parts.secret());
  const claim = { app: told.app, id, expires: Number(expires) };
  return isSignedStatus(claim, signature, keys, clock.nowMs()) ? id : undefined;
}

function idIn(path: string): string | undefined {
  try {
    const id = decodeURIComponent(PATH.exec(path)?.[1] ?? '');
    return id === '' ? undefined : id;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

/** @throws ImproperlyConfigured */
export function statusToldIn(variables: Readonly<Record<string, string | undefined>>): StatusTold {
  try {
    return JSON.parse(variables[STATUS_VARIABLE] ?? '') as StatusTold;
  } catch {
    throw new ImproperlyConfigured(`${STATUS_VARIABLE} is no JSON: service.addStatusUrl() writes it.`);
  }
}
