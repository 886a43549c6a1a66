/** `celeriac call`: sends a task by name. */
import type { ApplyOptions } from '../../options/apply-options.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed, UsageError } from '../failures.ts';
import type { Output } from '../output.ts';
import { checkKnown, checkUnmarked } from '../known-task.ts';
import type { Service } from '../service.ts';
import { hasFailed, taskText } from '../task-text.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { jsonArray, jsonObject } from './json-argument.ts';
import { seconds, waitFor } from './result.ts';
import { TASK_SCHEMA } from './task-schema.ts';

interface CallOptions extends CommonOptions {
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly countdown?: number;
  readonly eta?: string;
  readonly expires?: string;
  readonly queue?: string;
  readonly priority?: number;
  readonly taskId?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** A line of `celeriac call --json`: what was sent, or with `--wait` what became of it. */
export const CALL_SCHEMA: JsonSchema = {
  anyOf: [
    {
      type: 'object',
      properties: {
        id: { type: 'string' },
        state: { const: 'PENDING' },
        name: { type: 'string' },
        duplicate: { const: true },
      },
      required: ['id', 'state', 'name'],
      additionalProperties: false,
    },
    TASK_SCHEMA,
  ],
};

export const call: CommandModule = {
  define(command, tools) {
    onService(
      command
        .argument('<name>', 'name of the task')
        .argument('[args...]', 'its arguments: JSON, or else text as it stands'),
    )
      .option('-a, --args <json>', 'all arguments as one JSON array', jsonArray)
      .option('-k, --kwargs <json>', 'keyword arguments as a JSON object', jsonObject)
      .option('--countdown <duration>', 'run this long from now, not earlier', seconds)
      .option('--eta <time>', 'run then, not earlier: ISO 8601')
      .option('--expires <duration|time>', 'revoke instead of run after it')
      .option('-Q, --queue <name>', 'send to this queue')
      .option('--priority <0-9>', '0 is the most urgent', Number)
      .option('--task-id <id>', 'sending one id twice runs one task')
      .option('-w, --wait', 'waits for the result')
      .option('--timeout <duration>', 'how long to wait (default: for ever)', seconds)
      .addHelpText(
        'after',
        notes(
          [
            'call orders.charge ada 1200 --wait',
            `call orders.charge --args '["ada", 1200]' --countdown 5m`,
            `call proj.tasks.add --kwargs '{"x": 2, "y": 2}' --queue celery`,
          ],
          'sqs:SendMessage on the queue (service.grantEnqueue); with --wait also those of result',
        ),
      )
      .action((name: string, given: readonly string[], options: CallOptions) =>
        tools.with(options, ({ service, output }) => send({ name, given, options }, service, output, tools)),
      );
  },
};

interface Asked {
  readonly name: string;
  readonly given: readonly string[];
  readonly options: CallOptions;
}

async function send({ name, given, options }: Asked, service: Service, output: Output, tools: Tools): Promise<void> {
  checkUnmarked(name, service);
  checkKnown(name, service);
  if (options.args !== undefined && given.length > 0)
    throw new UsageError('Arguments are given twice: behind the name, and by --args. Give one of them.');
  const args = options.args ?? given.map(argument);
  const startedMs = tools.terminal.clock.nowMs();
  const { id, duplicate } = await service.app.send(name, args, applyOptions(options));
  if (options.wait !== true) {
    output.show({ id, state: 'PENDING', name, ...(duplicate ? { duplicate } : {}) }, () => id);
    if (duplicate) output.say('Nothing was sent: this task stands for the call.');
    output.say(`Look at it: celeriac result ${id}`);
    return;
  }
  output.say(`${id} sent, waiting`);
  const task = await waitFor(id, service, tools, options.timeout);
  output.show({ ...task }, () => taskText(task, options, tools.terminal));
  output.say(`after ${((tools.terminal.clock.nowMs() - startedMs) / 1000).toFixed(2)} s`);
  if (hasFailed(task)) throw new CommandFailed('');
}

function applyOptions(options: CallOptions): ApplyOptions {
  const { countdown, eta, expires, queue, priority, taskId, kwargs } = options;
  return {
    ...(countdown === undefined ? {} : { countdown }),
    ...(eta === undefined ? {} : { eta }),
    ...(expires === undefined ? {} : { expires: /^\d+(?:\.\d+)?$/.test(expires) ? Number(expires) : expires }),
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(taskId === undefined ? {} : { taskId }),
    ...(kwargs === undefined ? {} : { kwargs }),
  };
}

/** `1200` and `{"a":1}` are JSON; `ada` is text, and `'"1200"'` too. */
function argument(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
