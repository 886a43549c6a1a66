/** Celery's handlers of a task: methods of a class, or among the options of a function. */
import type { TaskHooks } from './registry.ts';

export const HOOKS = ['beforeStart', 'onSuccess', 'onRetry', 'onFailure', 'afterReturn'] as const;

/** Those of a class's instance or among a function's options, bound to it. */
export function hooksOf(instance: TaskHooks): TaskHooks {
  const hooks: Record<string, unknown> = {};
  for (const name of HOOKS) {
    const hook = instance[name];
    if (typeof hook === 'function') hooks[name] = hook.bind(instance);
  }
  return hooks as TaskHooks;
}

/** Options of a function without its handlers. */
export function withoutHooks<O extends TaskHooks>(given: O): Omit<O, keyof TaskHooks> {
  const names: readonly string[] = HOOKS;
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name))) as Omit<
    O,
    keyof TaskHooks
  >;
}
