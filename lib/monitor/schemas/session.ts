/** Schemas of what is answered beside the routes: who asks, and Celery's status address. */
import * as v from 'valibot';

import type { SessionAnswer } from '../answers.ts';
import type { StatusAnswer } from '../../operate/task-status.ts';
import { TEXT } from './common.ts';

const LOGIN_WAYS = ['token', 'password', 'oidc', 'iam'] as const;
const ROLES = ['viewer', 'operator'] as const;

export const SESSION: v.GenericSchema<SessionAnswer> = v.strictObject({
  app: TEXT,
  place: v.exactOptional(TEXT),
  user: v.nullable(v.strictObject({ name: TEXT, role: v.picklist(ROLES) })),
  csrf: v.exactOptional(TEXT),
  login: v.array(v.picklist(LOGIN_WAYS)),
  readOnly: v.boolean(),
  showValues: v.boolean(),
  hasCode: v.boolean(),
  live: v.picklist(['stream', 'poll']),
});

/** Celery's words. Without a result it is null; of a failure it is the text of its error. */
export const STATUS: v.GenericSchema<StatusAnswer> = v.strictObject({
  task: v.strictObject({ id: TEXT, status: TEXT, result: v.unknown(), traceback: v.exactOptional(TEXT) }),
});

const MAX_NAME_CHARACTERS = 200;
const MAX_PASSWORD_CHARACTERS = 1000;

/** POST /api/login takes it. */
export const LOGIN: v.GenericSchema<{ readonly name: string; readonly password: string }> = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_CHARACTERS)),
  password: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PASSWORD_CHARACTERS)),
});
