/** Looks, at synth, at what the functions would find at their start. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ImproperlyConfigured } from '../lib/base/errors.ts';

/** What the bundle's process writes on its last line. */
type Found =
  | { readonly name: string; readonly tasks: readonly string[] }
  | { readonly refused: string }
  | { readonly failed: string };

// In a process of its own: that module may do anything when it is loaded, and is built for another place.
const LOOK = `
const found = await import(process.argv[1]).then(
  ({ app }) => ({ name: app.name, tasks: app.registry.names() }),
  (error) => ({ [error?.code === 'IMPROPERLY_CONFIGURED' ? 'refused' : 'failed']: String(error?.message ?? error) }),
);
process.stdout.write('\\n' + JSON.stringify(found), () => process.exit(0));`;

// A module that never ends to load.
const PATIENCE_MS = 30_000;

interface CheckedEntry {
  readonly entry: string;
  readonly appName: string;
  /** The tasks that the service knows of; undefined where nobody says. */
  readonly taskNames?: readonly string[] | undefined;
}

/**
 * The bundled entry exports one app, and that of the manifest. An entry that cannot be loaded here may be loaded in
 * Lambda, where variables and packages are others: that is a warning.
 *
 * @throws ImproperlyConfigured
 */
export function checkEntry(folder: string, props: CheckedEntry): void {
  const found = lookAt(pathToFileURL(join(folder, 'index.mjs')).href);
  if ('refused' in found) throw new ImproperlyConfigured(`entry: ${props.entry}: ${found.refused}`);
  if ('failed' in found) {
    process.stderr.write(
      `celeriac: entry ${props.entry} could not be loaded here to see which app it exports: ${found.failed}\n`,
    );
  } else if (found.name !== props.appName) {
    throw new ImproperlyConfigured(
      `entry: ${props.entry} exports app '${found.name}', and the service is made of app '${props.appName}'. Give the path of the module that exports '${props.appName}', or that app.`,
    );
  } else checkTasks(found.tasks, props);
}

/** What the stack does not know of has no route, no right and no limit that it would need. */
function checkTasks(tasks: readonly string[], { entry, taskNames }: CheckedEntry): void {
  const unknown = tasks.filter((name) => taskNames?.includes(name) === false);
  if (unknown.length === 0) return;
  throw new ImproperlyConfigured(
    `entry: ${entry} declares tasks that the stack has not loaded: ${unknown.slice(0, MOST_LISTED).join(', ')}${unknown.length > MOST_LISTED ? ` and ${unknown.length - MOST_LISTED} more` : ''}. Give the service the whole app, as in app: await loadApp('${entry}') of 'celeriac/infra'.`,
  );
}

const MOST_LISTED = 10;

function lookAt(bundle: string): Found {
  const { stdout, stderr, error } = spawnSync(process.execPath, ['--input-type=module', '-e', LOOK, bundle], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
  });
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Found;
  } catch {
    return { failed: error?.message ?? (stderr.trim() || 'its process ended without a word') };
  }
}
