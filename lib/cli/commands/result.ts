/** `celeriac result`: what became of a task. */
import { InvalidArgumentError } from 'commander';

import { durationSeconds } from '../../base/duration.ts';
import { isFinal, PENDING } from '../../base/states.ts';
import { type TaskSummary, taskSummaries } from '../../operate/task-summary.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed } from '../failures.ts';
import type { Service } from '../service.ts';
import { hasFailed, taskText } from '../task-text.ts';
import { wholeId } from '../whole-id.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { TASK_SCHEMA } from './task-schema.ts';

interface ResultOptions extends CommonOptions {
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** A line of `celeriac result --json`. */
export const RESULT_SCHEMA: JsonSchema = TASK_SCHEMA;

export const result: CommandModule = {
  define(command, tools) {
    onService(command.argument('<id>', 'id of the task, or its beginning', taskId))
      .option('-w, --wait', 'waits until the task has ended')
      .option('--timeout <duration>', 'how long to wait, as in 30s or 5m (default: for ever)', seconds)
      .addHelpText(
        'after',
        notes(
          ['result 0d3c8f5e-… --wait --timeout 1m', 'result 0d3c8f5e-… --json'],
          'dynamodb:BatchGetItem on the results table (service.grantResults)',
        ),
      )
      .action((id: string, options: ResultOptions) =>
        tools.with(options, async ({ service, output }) => {
          const task = await seen(await wholeId(id, service, output), options, service, tools);
          output.show({ ...task }, () => taskText(task, options, tools.terminal));
          if (task.state === PENDING && task.name === undefined)
            output.say('Nothing is stored of it: it has not begun, its id is another one, or its result has expired.');
          if (hasFailed(task)) throw new CommandFailed('');
        }),
      );
  },
};

async function seen(
  id: string,
  { wait = false, timeout }: ResultOptions,
  service: Service,
  tools: Tools,
): Promise<TaskSummary> {
  return wait ? waitFor(id, service, tools, timeout) : summary(id, service);
}

async function summary(id: string, { app }: Service): Promise<TaskSummary> {
  const [task = { id, state: PENDING }] = await taskSummaries([id], await app.ports());
  return task;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** Looks again and again, less and less often. @throws CommandFailed where it has not ended in time */
export async function waitFor(
  id: string,
  service: Service,
  { terminal }: Tools,
  seconds: number = Infinity,
): Promise<TaskSummary> {
  const { clock } = terminal;
  const endMs = clock.nowMs() + seconds * 1000;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const task = await summary(id, service);
    if (isFinal(task.state)) return task;
    const leftMs = endMs - clock.nowMs();
    if (leftMs <= 0)
      throw new CommandFailed(
        `Task ${id} has not ended within ${seconds} s; its state is ${task.state}. Look later: celeriac result ${id}`,
      );
    await clock.sleep(Math.min(pauseMs, leftMs));
  }
}

/** An id as an argument. */
export function taskId(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('Give the id of a task, or so much of its beginning as no other one has.');
}

/** A duration as an argument. */
export function seconds(text: string): number {
  try {
    return durationSeconds(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text, 'duration');
  } catch {
    throw new InvalidArgumentError("Give seconds, or text such as '10s', '5m', '2h', '1d'.");
  }
}
