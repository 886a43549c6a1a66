/** `celeriac explain`: why a task does not run. */
import type { Explanation } from '../../operate/explain/reasons.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { explanationText } from '../../operate/explain/explanation-text.ts';
import { wholeId } from '../whole-id.ts';
import { printable } from '../output.ts';
import { type CommonOptions, notes, onService } from '../tools.ts';
import { taskId } from './result.ts';
import { TIME } from './task-schema.ts';

interface ExplainOptions extends CommonOptions {
  readonly task?: string;
  readonly key?: string;
  readonly queue?: string;
}

const TEXT = { type: 'string' };
const COUNT = { type: 'integer', minimum: 0 };
const FLAG = { type: 'boolean' };

function object(properties: JsonSchema, required: readonly string[]): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false };
}

function reason(kind: string, properties: JsonSchema = {}, optional: JsonSchema = {}): JsonSchema {
  return object({ kind: { const: kind }, ...properties, ...optional }, ['kind', ...Object.keys(properties)]);
}

const QUEUE_COUNT = object({ queue: TEXT, ready: COUNT, inFlight: COUNT, delayed: COUNT }, [
  'queue',
  'ready',
  'inFlight',
  'delayed',
]);
const SLOTS = { of: { enum: ['concurrency', 'oneInstance'] }, task: TEXT, key: TEXT };
const HELD = { type: 'array', items: object({ id: TEXT, until: TIME }, ['id', 'until']) };

const REASONS: Readonly<Record<Explanation['reasons'][number]['kind'], readonly [JsonSchema?, JsonSchema?]>> = {
  ended: [
    { state: TEXT, at: TIME },
    { started: TIME, error: TEXT },
  ],
  expired: [{ at: TIME }],
  revoked: [{ at: TIME, ended: FLAG, terminate: FLAG }],
  skipped: [{ by: TEXT, until: TIME }],
  'dead-lettered': [{ queue: TEXT, reason: TEXT, error: TEXT, deliveries: COUNT }],
  running: [
    { since: TIME, until: TIME, by: TEXT, deliveries: COUNT },
    { part: COUNT, begun: TIME, checkpoint: TIME },
  ],
  part: [{ part: COUNT, begun: TIME }, { checkpoint: TIME }],
  'worker-lost': [{ since: TIME, until: TIME, deliveries: COUNT }],
  retry: [{ at: TIME, attempt: COUNT }, { error: TEXT }],
  slot: [
    { ...SLOTS, held: HELD, place: COUNT, waiting: COUNT, more: FLAG, since: TIME },
    { limit: COUNT, expires: TIME },
  ],
  granted: [{ ...SLOTS, until: TIME }],
  rate: [{ at: TIME, late: COUNT }],
  delayed: [{ until: TIME }],
  debounced: [{ until: TIME, since: TIME }],
  unique: [{ key: TEXT, until: TEXT }],
  redriven: [{ attempt: COUNT }],
  queued: [{ queue: TEXT }, { since: TIME, count: QUEUE_COUNT }],
  paused: [{ queue: TEXT, by: TEXT, since: TIME }, { why: TEXT }],
  group: [{ id: TEXT, done: COUNT, failed: COUNT }, { size: COUNT }],
  unknown: [{ queues: { type: 'array', items: QUEUE_COUNT } }],
};

/** The line of `celeriac explain --json`. */
export const EXPLAIN_SCHEMA: JsonSchema = object(
  {
    id: TEXT,
    state: TEXT,
    task: TEXT,
    queue: TEXT,
    retries: COUNT,
    args: TEXT,
    parentId: TEXT,
    origin: TEXT,
    reasons: {
      type: 'array',
      minItems: 1,
      items: { anyOf: Object.entries(REASONS).map(([kind, [needed, optional]]) => reason(kind, needed, optional)) },
    },
  },
  ['id', 'state', 'reasons'],
);

const RIGHTS = `service.grantExplain: dynamodb:GetItem on the record of the task and on items slots#*, lock#*, parked#*,
  parked-task#*, rate-slot#*, debounce#* of the state table, Query on parked#*, timer#*, group#*, paused;
  sqs:GetQueueAttributes on the queues`;

export const explain: CommandModule = {
  define(command, tools) {
    onService(command.argument('<id>', 'id of the task or its beginning, or id of a group', taskId))
      .description(
        'Tells why a task waits, where it runs, or how it ended. Nothing is received, and nothing is changed.',
      )
      .option('--task <name>', 'name of the task: finds calls that are gathered (debounce)')
      .option('--key <text>', 'the key of its debounce, as its function gives it')
      .option('--queue <name>', 'the queue that it was sent to: only that one is counted')
      .addHelpText(
        'after',
        `${notes(['explain 0d3c8f5e-…', 'explain 0d3c8f5e-… --json'], RIGHTS)}\n\nOf a message that no worker has begun, and that waits for less than 15 minutes, SQS alone knows.`,
      )
      .action((id: string, { task, key, queue, ...options }: ExplainOptions) =>
        tools.with(options, async ({ service, output }) => {
          const told = await service.app.explain(await wholeId(id, service, output), {
            ...(task === undefined ? {} : { task }),
            ...(key === undefined ? {} : { key }),
            ...(queue === undefined ? {} : { queue }),
          });
          const { utc = false } = options;
          const { head, lines, hints } = explanationText(told, { nowMs: tools.terminal.clock.nowMs(), utc });
          output.show({ ...told }, () => [head, ...lines.map((line) => `  ${line}`)].map(printable).join('\n'));
          for (const hint of hints) output.say(printable(hint));
        }),
      );
  },
};
