/** Finds the app that a user's module exports. */
import { ImproperlyConfigured } from '../base/errors.ts';
import type { Celeriac } from './app.ts';

/** @throws ImproperlyConfigured when the module exports no app, or more than one. */
export function appOf(module: Readonly<Record<string, unknown>>): Celeriac {
  const apps = appsIn(module);
  const [app] = apps;
  if (app !== undefined && apps.length === 1) return app;
  throw new ImproperlyConfigured(
    `The entry module exports ${apps.length === 0 ? 'no app' : `${apps.length} apps`}; export one, as in \`export const app = new Celeriac('blog')\`. It exports: ${Object.keys(module).join(', ') || 'nothing'}.`,
  );
}

/**
 * The app that one of several modules exports; the others declare their tasks by it.
 *
 * @param modules by their path
 * @throws ImproperlyConfigured where none of them exports an app, or two export two.
 */
export function appOfModules(modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Celeriac {
  const found = Object.entries(modules).flatMap(([path, module]) => appsIn(module).map((app) => ({ path, app })));
  const apps = new Set(found.map(({ app }) => app));
  const [app] = apps;
  if (app !== undefined && apps.size === 1) return app;
  const paths = Object.keys(modules);
  throw new ImproperlyConfigured(
    apps.size === 0
      ? `None of ${paths.length} modules exports an app: ${listed(paths)}. Export it from one of them, as in \`export const app = new Celeriac('blog')\`, or let the entry name its module too, as in 'src/{app.ts,tasks/*.ts}'.`
      : `${found.length} apps are exported, where one is allowed: ${listed(found.map(({ path, app: { name } }) => `'${name}' by ${path}`))}. Let the entry name the modules of one app.`,
  );
}

const MOST_LISTED = 10;

function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_LISTED;
  return `${texts.slice(0, MOST_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function appsIn(module: Readonly<Record<string, unknown>>): Celeriac[] {
  return [...new Set(Object.values(module).filter(isApp))];
}

// Not instanceof: the user's bundle may hold its own copy of the library.
function isApp(value: unknown): value is Celeriac {
  return typeof value === 'object' && value !== null && 'consume' in value && 'sweep' in value && 'registry' in value;
}
