/** `celeriac call`: sends a task by name. */
import { InvalidArgumentError } from 'commander';

import { errorText } from '../../base/error-text.ts';
import type { ApplyOptions } from '../../options/apply-options.ts';
import { didYouMean } from '../../base/nearest.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed, UsageError } from '../failures.ts';
import type { Output } from '../output.ts';
import type { Service } from '../service.ts';
import { hasFailed, taskText } from '../task-text.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { seconds, waitFor } from './result.ts';
import { TASK_SCHEMA } from './task-schema.ts';

interface CallOptions extends CommonOptions {
  readonly args?: unknown;
  readonly kwargs?: unknown;
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
      .option('-a, --args <json>', 'all arguments as one JSON array', (text) => parsed(text, 'an array', Array.isArray))
      .option('-k, --kwargs <json>', 'keyword arguments as a JSON object', (text) =>
        parsed(text, 'an object', isObject),
      )
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
  checkName(name, service);
  if (options.args !== undefined && given.length > 0)
    throw new UsageError('Arguments are given twice: behind the name, and by --args. Give one of them.');
  const args = (options.args as readonly unknown[] | undefined) ?? given.map(argument);
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
    ...(kwargs === undefined ? {} : { kwargs: kwargs as Readonly<Record<string, unknown>> }),
  };
}

/** @throws UsageError for a name that no worker knows, and for a task that only its own code can send rightly */
function checkName(name: string, { app, taskNames, environment }: Service): void {
  // With its code at hand the app itself checks.
  if (app.registry.findAnywhere(name) !== undefined) return;
  if (environment.markedTasks?.includes(name) === true)
    throw new UsageError(
      `Task '${name}' is unique, throttled or debounced, and its code says by which key: give it, --app <path of the module>.`,
    );
  const known = taskNames ?? [];
  // A queue of somebody else's workers has names of theirs.
  if (known.length === 0 || known.includes(name) || environment.externalQueues.length > 0) return;
  throw new UsageError(
    `No worker of '${app.name}' knows a task named '${name}'.${didYouMean(name, known)} See them all: celeriac inspect registered`,
  );
}

/** `1200` and `{"a":1}` are JSON; `ada` is text, and `'"1200"'` too. */
function argument(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function parsed(text: string, what: string, fits: (value: unknown) => boolean): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${errorText(error).message}`);
  }
  if (!fits(value)) throw new InvalidArgumentError(`Give JSON: ${what}.`);
  return value;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
