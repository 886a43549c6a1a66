/** Finds the app that a user's module exports. */
import { ImproperlyConfigured } from '../base/errors.ts';
import type { Celeriac } from './app.ts';

/** @throws ImproperlyConfigured when the module exports no app, or more than one. */
export function appOf(module: Readonly<Record<string, unknown>>): Celeriac {
  const apps = [...new Set(Object.values(module).filter(isApp))];
  const [app] = apps;
  if (app !== undefined && apps.length === 1) return app;
  throw new ImproperlyConfigured(
    `The entry module exports ${apps.length === 0 ? 'no app' : `${apps.length} apps`}; export one, as in \`export const app = new Celeriac('blog')\`. It exports: ${Object.keys(module).join(', ') || 'nothing'}.`,
  );
}

// Not instanceof: the user's bundle may hold its own copy of the library.
function isApp(value: unknown): value is Celeriac {
  return typeof value === 'object' && value !== null && 'consume' in value && 'sweep' in value && 'registry' in value;
}
