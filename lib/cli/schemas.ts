/** What `--json` prints, command by command: JSON Schemas of a line. docs/cli-schemas.json is made of them. */
import type { JsonSchema } from './command.ts';
import { CALL_SCHEMA } from './commands/call.ts';
import { DLQ_SCHEMAS } from './commands/dlq-schemas.ts';
import { EVENTS_SCHEMA } from './commands/events.ts';
import { EXPLAIN_SCHEMA } from './commands/explain.ts';
import { INIT_SCHEMA } from './commands/init.ts';
import { INSPECT_SCHEMAS } from './commands/inspect-schemas.ts';
import { LOCK_SCHEMA } from './commands/locks.ts';
import { PAUSE_SCHEMA, RESUME_SCHEMA } from './commands/pause.ts';
import { PEEK_SCHEMA } from './commands/peek.ts';
import { PING_SCHEMA } from './commands/ping.ts';
import { PURGE_SCHEMA } from './commands/purge.ts';
import { RESULT_SCHEMA } from './commands/result.ts';
import { REVOKE_SCHEMA } from './commands/revoke.ts';
import { SCHEDULES_SCHEMAS } from './commands/schedules.ts';
import { STATS_SCHEMA } from './commands/stats.ts';

function under(command: string, schemas: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [`${command} ${name}`, schema]));
}

const { letters, list, ...others } = DLQ_SCHEMAS;
const dlq = { list: { anyOf: [list, letters] }, ...others };

export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  call: CALL_SCHEMA,
  result: RESULT_SCHEMA,
  revoke: REVOKE_SCHEMA,
  explain: EXPLAIN_SCHEMA,
  ...under('inspect', INSPECT_SCHEMAS),
  peek: PEEK_SCHEMA,
  pause: PAUSE_SCHEMA,
  resume: RESUME_SCHEMA,
  purge: PURGE_SCHEMA,
  stats: STATS_SCHEMA,
  events: EVENTS_SCHEMA,
  ...under('dlq', dlq),
  ...under('schedules', SCHEDULES_SCHEMAS),
  'locks list': LOCK_SCHEMA,
  'locks free': LOCK_SCHEMA,
  ping: PING_SCHEMA,
  init: INIT_SCHEMA,
};
