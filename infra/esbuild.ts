/** The esbuild of the user's project, run as CDK runs it: by its command line, in the project's folder. */
import { openSync, readSync, closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { type BundlingOptions, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';

import { ImproperlyConfigured } from '../lib/base/errors.ts';
import { type Place, runProgram } from './commands.ts';

/** CDK's own names, so that what people know of `NodejsFunction` holds here. */
export type EsbuildOptions = Pick<
  BundlingOptions,
  | 'banner'
  | 'charset'
  | 'define'
  | 'esbuildArgs'
  | 'externalModules'
  | 'footer'
  | 'inject'
  | 'keepNames'
  | 'loader'
  | 'logLevel'
  | 'mainFields'
  | 'metafile'
  | 'minify'
  | 'nodeModules'
  | 'sourceMap'
  | 'sourceMapMode'
  | 'sourcesContent'
  | 'tsconfig'
>;

/** All but where the output goes. */
export function esbuildArguments(options: EsbuildOptions): string[] {
  const external = [...(options.externalModules ?? []), ...(options.nodeModules ?? [])];
  return [
    ...(options.minify === true ? ['--minify'] : []),
    ...sourceMapArguments(options),
    ...external.map((name) => `--external:${name}`),
    ...pairs('--loader', options.loader),
    ...pairs('--define', options.define),
    ...(options.inject ?? []).map((path) => `--inject:${path}`),
    ...(options.keepNames === true ? ['--keep-names'] : []),
    ...given('--log-level', options.logLevel),
    ...given('--charset', options.charset),
    ...given('--tsconfig', options.tsconfig),
    ...given('--banner:js', options.banner),
    ...given('--footer:js', options.footer),
    ...given('--main-fields', options.mainFields?.join(',')),
    ...Object.entries(options.esbuildArgs ?? {}).flatMap(([name, value]) => argumentsOf(name, value)),
  ];
}

function sourceMapArguments({ sourceMap, sourceMapMode, sourcesContent }: EsbuildOptions): string[] {
  if (sourceMap === false && sourceMapMode !== undefined)
    throw new ImproperlyConfigured('bundling: sourceMapMode is given, and sourceMap is false. Leave one of them out.');
  const mode = sourceMapMode ?? (sourceMap === true ? SourceMapMode.DEFAULT : undefined);
  return [
    ...(mode === undefined ? [] : [mode === SourceMapMode.DEFAULT ? '--sourcemap' : `--sourcemap=${mode}`]),
    ...(sourcesContent === false ? ['--sources-content=false'] : []),
  ];
}

function given(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}

function pairs(name: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).map(([key, value]) => `${name}:${key}=${value}`);
}

// Whose value follows a colon, as in `--drop:console`.
const WITH_COLON: ReadonlySet<string> = new Set(['--alias', '--drop', '--log-override', '--out-extension', '--pure']);

/** As CDK reads `esbuildArgs`. */
function argumentsOf(name: string, value: string | boolean | readonly string[]): string[] {
  if (Array.isArray(value)) return value.map((each) => `${name}:${each}`);
  if (value === true || value === '') return [name];
  if (value === false) return [];
  return [WITH_COLON.has(name) ? `${name}:${String(value)}` : `${name}=${String(value)}`];
}

/**
 * @param place Its folder is what paths are relative to, and where the project's esbuild is looked for first.
 * @throws ImproperlyConfigured with what esbuild says
 */
export function runEsbuild(args: readonly string[], place: Place): void {
  const program = programIn(place.folder);
  // On Windows, and where its install script did not run, it is a script.
  if (isScript(program)) runProgram('bundling: esbuild failed', process.execPath, [program, ...args], place);
  else runProgram('bundling: esbuild failed', program, args, place);
}

function programIn(folder: string): string {
  // The project's own first, then the one beside this package.
  for (const from of [pathToFileURL(join(folder, 'package.json')).href, import.meta.url]) {
    try {
      return createRequire(from).resolve('esbuild/bin/esbuild');
    } catch {
      continue;
    }
  }
  throw new ImproperlyConfigured(
    `bundling: esbuild is not installed in ${folder}. Add it to the project that synthesizes: npm i -D esbuild`,
  );
}

function isScript(program: string): boolean {
  const start = Buffer.alloc(2);
  const file = openSync(program, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  return start.toString('latin1') === '#!';
}
