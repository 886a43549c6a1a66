/** The app of an entry, for the stack that deploys it. */
import type { appOfEntry } from '../lib/dev/user-module.ts';

/**
 * Loads what an entry names, a module, a folder of them or a pattern, and gives the app: `TaskService` is to know every task that its
 * functions will load.
 *
 * @example
 * ```ts
 * const whole = await loadApp('src/tasks');
 * console.log(Object.keys(whole.manifest().tasks));
 * ```
 * @throws ImproperlyConfigured where nothing fits, nothing exports an app, or two export two; what a module throws
 */
export function loadApp(entry: string): ReturnType<typeof appOfEntry> {
  return import('../lib/dev/user-module.ts').then((module) => module.appOfEntry(entry));
}
