/** Lines of `celeriac inspect <what> --json`. */
import type { JsonSchema } from '../command.ts';
import { TIME } from './task-schema.ts';

const COUNT = { type: 'integer', minimum: 0 };
const TEXT = { type: 'string' };

function object(properties: JsonSchema, required: readonly string[]): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false };
}

const ATTEMPT = { id: TEXT, retries: COUNT };
// The latter two where all keys are listed.
const SLOT = { ...ATTEMPT, task: TEXT, key: TEXT };

export const INSPECT_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  queues: object(
    {
      queue: TEXT,
      ready: COUNT,
      inFlight: COUNT,
      delayed: COUNT,
      parked: COUNT,
      dead: COUNT,
      oldestSeconds: COUNT,
      eventSource: { enum: ['on', 'off', 'changing'] },
      mismatch: { enum: ['paused but fed', 'not fed and not paused'] },
      advice: TEXT,
      state: { enum: ['running', 'paused', 'external'] },
      paused: object({ by: TEXT, since: TIME, why: TEXT }, ['by', 'since']),
    },
    ['queue', 'ready', 'inFlight', 'delayed', 'state'],
  ),
  registered: object(
    {
      name: TEXT,
      queue: TEXT,
      rateLimit: TEXT,
      concurrency: COUNT,
      oneInstance: { const: true },
      timeLimit: { type: 'number' },
    },
    ['name', 'queue'],
  ),
  scheduled: object({ ...ATTEMPT, due: TIME, queue: TEXT, name: TEXT, args: TEXT }, ['id', 'retries', 'due', 'queue']),
  active: object({ ...SLOT, until: TIME }, ['id', 'retries', 'until']),
  reserved: object({ ...SLOT, until: TIME }, ['id', 'retries', 'until']),
  parked: object({ ...SLOT, queue: TEXT, since: TIME, expires: TIME, place: COUNT }, [
    'id',
    'retries',
    'since',
    'place',
  ]),
  stats: object(
    {
      app: TEXT,
      foundBy: TEXT,
      queues: COUNT,
      tasks: COUNT,
      ready: COUNT,
      inFlight: COUNT,
      delayed: COUNT,
      dead: COUNT,
      resultsTable: TEXT,
      stateTable: TEXT,
      region: TEXT,
      account: TEXT,
      sweeper: TEXT,
      rules: COUNT,
      resultExpiresSeconds: { type: 'number' },
      workers: { type: 'object', additionalProperties: TEXT },
    },
    ['app', 'foundBy', 'queues', 'ready', 'inFlight', 'delayed', 'dead', 'resultsTable', 'stateTable'],
  ),
};
