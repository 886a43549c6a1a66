/** Runs what bundles and installs, in the project or in the output, with the variables of this process. */
import { spawnSync } from 'node:child_process';

import { ImproperlyConfigured } from '../lib/base/errors.ts';

export interface Place {
  readonly folder: string;
  /** Beside those of this process, whose programs need them: PATH, proxies, registries. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws ImproperlyConfigured with what the program says on its standard error; its warnings are passed on. */
export function runProgram(option: string, program: string, args: readonly string[], place: Place): void {
  const { status, error, stderr } = spawnSync(program, args, {
    cwd: place.folder,
    env: { ...process.env, ...place.environment },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new ImproperlyConfigured(`${option}: ${error?.message ?? stderr}`);
  process.stderr.write(stderr);
}

/** Runs a line in the shell. @throws ImproperlyConfigured for one that fails; what it wrote stands above. */
export function runLine(option: string, line: string, place: Place): void {
  const { status, error } = spawnSync(line, {
    cwd: place.folder,
    env: { ...process.env, ...place.environment },
    shell: true,
    // The standard output of a CDK app is for programs that read it.
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status !== 0)
    throw new ImproperlyConfigured(
      `${option}: '${line}' ended with ${error?.message ?? `code ${String(status)}`}; what it wrote stands above.`,
    );
}
