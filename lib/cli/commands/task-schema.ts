/** A task in `--json`: of `call --wait` and `result`. */
import type { JsonSchema } from '../command.ts';

export const TIME: JsonSchema = { type: 'string', format: 'date-time' };
const TEXT = { type: 'string' };

export const TASK_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    id: TEXT,
    state: TEXT,
    name: TEXT,
    queue: TEXT,
    retries: { type: 'integer', minimum: 0 },
    started: TIME,
    finished: TIME,
    result: {},
    error: {
      type: 'object',
      properties: { type: TEXT, message: TEXT },
      required: ['type', 'message'],
      additionalProperties: false,
    },
    traceback: TEXT,
    revoked: TIME,
    ignored: { const: true },
  },
  required: ['id', 'state'],
  additionalProperties: false,
};
