/** `celeriac init`: a project that runs at once, new or added to one. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

import { errorMessage } from '../../base/error-text.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { UsageError } from '../failures.ts';
import { DEVELOPMENT, type PlannedFile, projectFiles, type Versions } from '../new-project.ts';
import { notes, type Tools } from '../tools.ts';

/** A line of `celeriac init --json`. */
export const INIT_SCHEMA: JsonSchema = {
  type: 'object',
  properties: { path: { type: 'string' }, action: { enum: ['written', 'changed', 'kept'] } },
  required: ['path', 'action'],
  additionalProperties: false,
};

interface InitOptions {
  readonly json?: boolean;
}

export const init: CommandModule = {
  define(command, tools) {
    command
      .argument('[folder]', 'where the project is, or begins', '.')
      .description(
        'Writes tasks, a stack and a demo, and adds what is missing to package.json. Files that exist stay as they are.',
      )
      .option('--json', 'one JSON object a line')
      .addHelpText('after', notes(['init shop', 'init']))
      .action((folder: string, options: InitOptions) =>
        begin(resolve(tools.terminal.folder, folder), folder, options, tools),
      );
  },
};

async function begin(path: string, given: string, options: InitOptions, tools: Tools): Promise<void> {
  const output = tools.output(options);
  const files = await planned(path);
  for (const { path: file, text, action } of files) {
    if (action === 'kept') continue;
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  }
  output.list(
    files.map(({ path: file, action }) => ({ path: file, action })),
    [
      { head: 'FILE', of: ({ path: file }) => file },
      { head: '', of: ({ action }) => action, style: ({ action }) => (action === 'kept' ? 'dim' : 'green') },
    ],
    '',
  );
  if (files.some(({ path: file, action }) => file === 'tsconfig.json' && action === 'kept'))
    output.say('tsconfig.json needs "module": "nodenext", "strict": true and "allowImportingTsExtensions": true.');
  output.say(`Next:${given === '.' ? '' : ` cd ${given},`} npm install, npm run demo; later npx cdk deploy`);
}

async function planned(path: string): Promise<PlannedFile[]> {
  const manifest = join(path, 'package.json');
  try {
    const packageJson = existsSync(manifest) ? await readFile(manifest, 'utf8') : undefined;
    const exists = (file: string): boolean => existsSync(join(path, file));
    return projectFiles({ folder: basename(path), packageJson, exists }, versions());
  } catch (error) {
    throw new UsageError(`${manifest} cannot be read: ${errorMessage(error)}`);
  }
}

/** As the package itself was tested with them. */
function versions(): Versions {
  const { version, devDependencies, peerDependencies } = createRequire(import.meta.url)('celeriac/package.json') as {
    readonly version: string;
    readonly devDependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const others = DEVELOPMENT.map((name) => [name, peerDependencies[name] ?? pinned(name, devDependencies[name])]);
  return { celeriac: version, others: Object.fromEntries(others) as Record<string, string> };
}

/** CDK's program exactly: its newest major cannot read what CDK writes. */
function pinned(name: string, version = '*'): string {
  return name === 'aws-cdk' || version === '*' ? version : `^${version}`;
}
