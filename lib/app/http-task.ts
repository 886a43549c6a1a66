/** HTTP tasks at their declaration, checked whole. In deployed functions its twin leaves that to who runs one. */
import { checkHooks } from '#deployed/app/add-handler';
import { refuseUnknownKeys } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { HTTP_KEYS, resolveHttpTask } from '../options/http-options.ts';
import { TASK_KEYS } from '../options/known-keys.ts';
import { checkedTaskName } from '../options/task-options.ts';
import type { App } from '../producer/app.ts';
import type { TaskDefinition } from '../task/registry.ts';
import { HOOKS } from '../task/task-hooks.ts';
import { httpDefinition, type HttpTaskOptions } from './http-definition.ts';
import { runHttpTask } from './http-run.ts';

const KEYS: ReadonlySet<string> = new Set(
  [...TASK_KEYS, ...HOOKS, ...HTTP_KEYS].filter((key) => key !== 'bind' && key !== 'params'),
);

/** @throws InvalidOption */
export function httpTask(app: App, name: string, options: HttpTaskOptions<never>, declaredAt: string): TaskDefinition {
  checkedTaskName(name);
  refuseUnknownKeys(options, KEYS, `options of HTTP task '${name}'`);
  checkHooks(name, options);
  const { timeoutSeconds } = resolveHttpTask(name, options);
  const definition = httpDefinition(app, name, options, declaredAt, runHttpTask);
  const { timeLimitSeconds } = definition.options;
  if (timeLimitSeconds !== null && timeLimitSeconds <= timeoutSeconds)
    throw new InvalidOption(
      `timeLimit of task '${name}': ${timeLimitSeconds} s given, and its request may take ${timeoutSeconds} s (timeout). Give a longer limit, or leave it out.`,
    );
  return definition;
}
