/** Lines of `celeriac dlq <what> --json`. */
import type { JsonSchema } from '../command.ts';

const TEXT = { type: 'string' };
const COUNT = { type: 'integer', minimum: 0 };
const TIME = { type: 'string', format: 'date-time' };
const object = (properties: object, optional: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

const LETTER = {
  messageId: TEXT,
  queue: TEXT,
  originQueue: TEXT,
  id: TEXT,
  task: TEXT,
  retries: COUNT,
  reason: TEXT,
  error: TEXT,
  errorType: TEXT,
  fingerprint: TEXT,
  failedAt: TIME,
  deliveries: COUNT,
  argsrepr: TEXT,
  kwargsrepr: TEXT,
};
const MAY_MISS = ['id', 'task', 'retries', 'args', 'kwargs'];

const REPORT = object({
  looked: COUNT,
  matched: COUNT,
  sent: COUNT,
  settled: COUNT,
  superseded: COUNT,
  dropped: COUNT,
  expired: COUNT,
  running: COUNT,
  failed: COUNT,
  tasks: { type: 'object', additionalProperties: COUNT },
  failures: { type: 'array', items: object({ id: TEXT, messageId: TEXT, error: TEXT }, ['id']) },
  complete: { type: 'boolean' },
});

/** By what is asked; `letters` are those of `dlq list --letters`. */
export const DLQ_SCHEMAS: Readonly<Record<'list' | 'letters' | 'show' | 'redrive' | 'drop', JsonSchema>> = {
  list: object(
    {
      queue: TEXT,
      fingerprint: TEXT,
      task: TEXT,
      error: TEXT,
      errorType: TEXT,
      reason: TEXT,
      count: COUNT,
      firstAt: TIME,
      lastAt: TIME,
      ids: { type: 'array', items: TEXT },
    },
    MAY_MISS,
  ),
  letters: object(LETTER, MAY_MISS),
  show: object({ ...LETTER, args: { type: 'array' }, kwargs: { type: 'object' }, body: TEXT }, MAY_MISS),
  redrive: REPORT,
  drop: REPORT,
};
