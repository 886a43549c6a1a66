/** What a task's schema makes of arguments: at the call and again before the run. */
import { InvalidArguments } from '../base/errors.ts';
import type { StandardResult } from '../base/standard-schema.ts';
import { nameOrShape } from '../base/shape.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';

/** @throws InvalidArguments listing every issue with its path. */
export async function validateArguments(
  definition: TaskDefinition | undefined,
  args: readonly unknown[],
): Promise<readonly unknown[]> {
  const schema = definition?.options.schema;
  if (definition === undefined || schema === undefined) return args;
  return argumentsOf(definition, await schema['~standard'].validate([...args]));
}

/** @throws InvalidArguments listing every issue with its path. */
export function argumentsOf(
  definition: TaskDefinition,
  result: StandardResult<readonly unknown[]>,
): readonly unknown[] {
  if (result.issues === undefined) {
    if (Array.isArray(result.value)) return result.value;
    throw new InvalidArguments(`The schema of task '${definition.name}' must give an array of arguments.`);
  }
  const issues = result.issues.map((issue) => {
    const path = (issue.path ?? [])
      .map((part) => (typeof part === 'object' ? String(part.key) : String(part)))
      .join('.');
    return path === '' ? issue.message : `args.${path}: ${issue.message}`;
  });
  throw new InvalidArguments(`Arguments of task '${definition.name}' do not fit its schema: ${issues.join('; ')}`);
}

/** Keyword arguments of Python callers: put in place by `params`, or as one trailing object. */
export function callArguments(
  message: Pick<Message, 'task' | 'args' | 'kwargs'>,
  definition: TaskDefinition,
): readonly unknown[] {
  const names = Object.keys(message.kwargs);
  if (names.length === 0) return message.args;
  const { params } = definition.options;
  if (params === undefined) return [...message.args, message.kwargs];
  const args: unknown[] = [...message.args];
  for (const name of names) {
    const index = params.indexOf(name);
    if (index < 0)
      throw new TypeError(
        `${message.task}() got an unexpected keyword argument ${nameOrShape(name)}; its params are ${params.join(', ')}`,
      );
    if (index < message.args.length)
      throw new TypeError(`${message.task}() got multiple values for argument ${nameOrShape(name)}`);
    while (args.length < index) args.push(undefined);
    args[index] = message.kwargs[name];
  }
  return args;
}
