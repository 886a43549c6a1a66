/** Packages that are installed beside the bundle instead of being in it: those with files for one kind of machine. */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Architecture } from 'aws-cdk-lib/aws-lambda';

import { ImproperlyConfigured } from '../lib/base/errors.ts';
import { runLine } from './commands.ts';
import { foldersFrom, type Project } from './project.ts';

export interface Installation {
  readonly names: readonly string[];
  /** The user's module: what it would import is what is installed. */
  readonly entry: string;
  readonly project: Project;
  /** Where to. */
  readonly folder: string;
  readonly architecture: Architecture;
  readonly environment: Readonly<Record<string, string>>;
}

type Machine = { readonly os: 'linux'; readonly cpu: 'arm64' | 'x64'; readonly libc: 'glibc' };

/**
 * The versions that the entry finds in its project, and of what those depend on the versions of its lock file, with
 * their files for Lambda's Linux and the function's architecture.
 *
 * @throws ImproperlyConfigured
 */
export function installModules(installation: Installation): void {
  const { names, entry, project, folder, environment } = installation;
  const dependencies = Object.fromEntries(names.map((name) => [name, versionOf(name, entry)]));
  const machine = machineOf(installation.architecture);
  const manager = managerOf(project);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies, ...manager.manifest?.(machine) }));
  // The lock for versions; npm's settings for registries, and their passwords: neither belongs to the function.
  const lent = [project.lockFile, '.npmrc'].filter(
    (name) => name !== undefined && existsSync(join(project.folder, name)),
  );
  try {
    for (const name of lent as readonly string[]) copyFileSync(join(project.folder, name), join(folder, name));
    runLine('bundling.nodeModules', manager.command(machine), {
      folder,
      environment: { ...variablesOf(machine), ...environment },
    });
  } finally {
    for (const name of [...(lent as readonly string[]), ...manager.leaves]) rmSync(join(folder, name), { force: true });
  }
}

function machineOf(architecture: Architecture): Machine {
  return { os: 'linux', cpu: architecture.name === Architecture.X86_64.name ? 'x64' : 'arm64', libc: 'glibc' };
}

/** What install scripts read that fetch a built file. */
function variablesOf({ os, cpu }: Machine): Record<string, string> {
  return { npm_config_platform: os, npm_config_arch: cpu, npm_config_target_platform: os, npm_config_target_arch: cpu };
}

interface Manager {
  readonly command: (machine: Machine) => string;
  /** Beside `dependencies`. */
  readonly manifest?: (machine: Machine) => object;
  /** Files that are no use to the function. */
  readonly leaves: readonly string[];
}

const NPM: Manager = {
  command: ({ os, cpu, libc }) => `npm install --omit=dev --no-audit --no-fund --os=${os} --cpu=${cpu} --libc=${libc}`,
  leaves: ['package-lock.json', 'node_modules/.package-lock.json'],
};

const PNPM: Manager = {
  // Hoisted: a zip file has no links.
  command: () =>
    'pnpm install --prod --ignore-workspace --no-frozen-lockfile --config.node-linker=hoisted --config.package-import-method=copy',
  manifest: ({ os, cpu, libc }) => ({
    pnpm: { supportedArchitectures: { os: [os], cpu: [cpu], libc: [libc] } },
  }),
  leaves: [
    'pnpm-lock.yaml',
    'node_modules/.modules.yaml',
    'node_modules/.pnpm/lock.yaml',
    'node_modules/.pnpm-workspace-state-v1.json',
  ],
};

const MANAGERS: Readonly<Record<string, Manager>> = {
  'package-lock.json': NPM,
  'npm-shrinkwrap.json': NPM,
  'pnpm-lock.yaml': PNPM,
};

function managerOf({ lockFile, folder }: Project): Manager {
  if (lockFile === undefined) return NPM;
  const manager = MANAGERS[lockFile];
  if (manager !== undefined) return manager;
  throw new ImproperlyConfigured(
    `bundling.nodeModules: the project in ${folder} is locked by ${lockFile}, and packages for another machine are installed by npm or pnpm only. Name the packages in externalModules instead, and install them into the output by commandHooks.afterBundling.`,
  );
}

/** What a module in the entry's place would import. */
function versionOf(name: string, entry: string): string {
  for (const folder of foldersFrom(dirname(entry))) {
    const path = join(folder, 'node_modules', name, 'package.json');
    if (!existsSync(path)) continue;
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version?: unknown };
    if (typeof version === 'string') return version;
  }
  throw new ImproperlyConfigured(
    `bundling.nodeModules: ${name} is not installed where ${entry} would find it. Add it to the project: npm i ${name}`,
  );
}
