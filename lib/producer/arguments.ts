/** What a task's schema makes of arguments: at the call and again before the run. */
import { InvalidArguments } from '../base/errors.ts';
import type { StandardResult } from '../base/standard-schema.ts';
import type { TaskDefinition } from '../task/registry.ts';

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
