/** How a handler of this package and the user's tasks become the code of a function: one file that a start reads, and chunks. */
import { cpSync, existsSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Architecture, type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { type ICommandHooks, LogLevel } from 'aws-cdk-lib/aws-lambda-nodejs';

import { ImproperlyConfigured } from '../lib/base/errors.ts';
import { entryFiles } from '../lib/options/entry-files.ts';
import type { AppManifest } from '../lib/options/manifest.ts';
import { runLine } from './commands.ts';
import { checkEntry } from './entry-check.ts';
import { type EsbuildOptions, esbuildArguments, runEsbuild } from './esbuild.ts';
import { joinedEntry } from './several-entries.ts';
import { installModules } from './node-modules.ts';
import { projectOf } from './project.ts';

/** What may differ from the defaults: packages with native code in `nodeModules`, say, or a `define`. Names are those of CDK's `NodejsFunction`. */
export interface TaskBundling extends EsbuildOptions {
  /**
   * What the library itself asks AWS with: a client of its own, which knows as much as it needs, or the AWS SDK. What task code
   * imports of the SDK is in the bundle either way. @default 'lean'
   */
  readonly sdk?: 'lean' | 'full';
  /** Variables of esbuild, of the package manager and of the hooks' commands. @default - those of the process */
  readonly environment?: Readonly<Record<string, string>>;
  /** Commands before the bundling, before `nodeModules` are installed, and at the end. @default - none */
  readonly commandHooks?: ICommandHooks;
  /** Stands for the hash of what was made: a deployment changes the function's code where this changes. @default - the hash of what was made */
  readonly assetHash?: string;
}

export interface BundleProps {
  readonly handler: 'worker' | 'sweeper' | 'monitor' | 'status';
  /** The user's module that exports the app. */
  readonly entry: string;
  /** The name of the app that it exports. */
  readonly appName: string;
  /** The tasks that the service knows of. */
  readonly taskNames?: readonly string[];
  readonly bundling?: TaskBundling;
  /** Of the machine that the code is for. @default Architecture.ARM_64 */
  readonly architecture?: Architecture;
}

const HERE = dirname(fileURLToPath(import.meta.url));
// `.ts` in the source tree, `.js` in the built package.
const EXTENSION = extname(fileURLToPath(import.meta.url));
// The monitor's, built when the package is made.
const PAGE = resolve(HERE, '../lib/monitor/page/dist');
// CommonJS dependencies ask for `require`, which ESM does not have.
const REQUIRE_BANNER = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** A file of this package's handlers: beside this one, in the source tree or in the built package. */
function handlerPath(name: string): string {
  return resolve(HERE, '../handlers', `${name}${EXTENSION}`);
}

/**
 * The module that is bundled: the one that the entry names, or one that is made of several.
 *
 * @throws ImproperlyConfigured
 */
export function entryPath(entry: string): string {
  const files = filesOf(entry);
  return isOne(entry, files) ? files[0] : joinedEntry(files, handlerPath('load-app'));
}

/** The entry, and where it is several modules the tasks that they may declare. @throws ImproperlyConfigured */
export function entryOf(
  entry: string,
  { tasks }: Pick<AppManifest, 'tasks'>,
): Pick<BundleProps, 'entry' | 'taskNames'> {
  return isOne(entry, filesOf(entry)) ? { entry } : { entry, taskNames: Object.keys(tasks) };
}

function isOne(entry: string, files: readonly string[]): files is readonly [string] {
  return files[0] === resolve(entry);
}

function filesOf(entry: string): readonly string[] {
  try {
    return entryFiles(entry);
  } catch (error) {
    throw new ImproperlyConfigured(`entry: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The code of a function, bundled when the stack is synthesized; not where CDK leaves bundling out, as in `cdk ls`.
 * Functions of one stack that are bundled alike share one asset.
 *
 * @throws ImproperlyConfigured
 */
export function codeOf(props: BundleProps): AssetCode {
  const { bundling = {}, architecture = Architecture.ARM_64 } = props;
  const entry = entryPath(props.entry);
  const args = bundleArguments(entry, props.handler, bundling);
  const project = projectOf(entry);
  return Code.fromAsset(project.folder, {
    ...(bundling.assetHash === undefined
      ? { assetHashType: AssetHashType.OUTPUT }
      : { assetHashType: AssetHashType.CUSTOM, assetHash: bundling.assetHash }),
    bundling: {
      // Never run: `local` bundles or throws. But CDK tells bundles apart by what stands here.
      image: DockerImage.fromRegistry('unused'),
      command: [...args, ...hookTexts(bundling.commandHooks), props.appName, architecture.name],
      environment: { ...bundling.environment },
      local: {
        tryBundle: (folder) => {
          bundle(folder, args, { ...props, bundling, architecture, path: entry });
          return true;
        },
      },
    },
  });
}

type Bundled = BundleProps & Required<Pick<BundleProps, 'bundling' | 'architecture'>> & { readonly path: string };

function bundle(folder: string, args: readonly string[], props: Bundled): void {
  const { bundling, path: entry } = props;
  const { environment = {}, commandHooks: hooks, nodeModules = [] } = bundling;
  const project = projectOf(entry);
  const place = { folder: project.folder, environment };
  const run = (commands: readonly string[] = []): void => {
    for (const command of commands) runLine('bundling.commandHooks', command, place);
  };
  run(hooks?.beforeBundling(project.folder, folder));
  const output = [
    `--outdir=${folder}`,
    ...(bundling.metafile === true ? [`--metafile=${join(folder, 'index.meta.json')}`] : []),
  ];
  runEsbuild([...args, ...output], place);
  if (props.handler === 'monitor' && existsSync(PAGE)) cpSync(PAGE, join(folder, 'page'), { recursive: true });
  // Before the packages come, which are for the function's machine: what it asks for it finds in the project.
  if (props.handler === 'sweeper') checkEntry(folder, props);
  if (nodeModules.length > 0) {
    run(hooks?.beforeInstall(project.folder, folder));
    installModules({ names: nodeModules, entry, project, folder, architecture: props.architecture, environment });
  }
  run(hooks?.afterBundling(project.folder, folder));
}

/** Functions are told apart by them: what a hook does is not to be seen, but what it says. */
function hookTexts(hooks: ICommandHooks | undefined): string[] {
  if (hooks === undefined) return [];
  const [input, output] = ['<input>', '<output>'];
  return [
    hooks.beforeBundling(input, output),
    hooks.beforeInstall(input, output),
    hooks.afterBundling(input, output),
  ].flat();
}

/**
 * esbuild's command line without the folder that it writes to.
 *
 * @throws ImproperlyConfigured
 */
export function bundleArguments(entry: string, handler: BundleProps['handler'], given: TaskBundling = {}): string[] {
  const { sdk = 'lean', ...options } = given;
  if (sdk !== 'lean' && sdk !== 'full')
    throw new ImproperlyConfigured(`bundling.sdk is '${String(sdk)}'; 'lean' and 'full' are allowed.`);
  const { '--conditions': conditions, ...esbuildArgs } = options.esbuildArgs ?? {};
  return [
    handlerPath(handler),
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--target=node24',
    // What is imported on demand is a file of its own, which a start does not read.
    '--splitting',
    '--entry-names=index',
    '--out-extension:.js=.mjs',
    '--legal-comments=none',
    ...esbuildArguments({
      minify: true,
      // A table of the files for each function is nothing to read at each synth.
      logLevel: LogLevel.WARNING,
      // dist-es instead of dist-cjs: a third of the bytes (measured in npm run bench).
      mainFields: ['module', 'main'],
      ...options,
      banner: options.banner === undefined ? REQUIRE_BANNER : `${REQUIRE_BANNER}${options.banner}`,
      esbuildArgs: {
        '--conditions': [
          // In package.json it puts the lean client in the place of `#aws-sdk`.
          ...(sdk === 'lean' ? ['@celeriac/lean'] : []),
          // What few invocations need is loaded when it is asked for.
          '@celeriac/deployed',
          // The example in the source tree imports `celeriac` by name, from sources.
          ...(EXTENSION === '.ts' ? ['@celeriac/source'] : []),
          conditions ?? 'module',
        ].join(','),
        // The sweeper switches rules; a worker whose task does so finds the SDK's client in Lambda's own runtime.
        ...(sdk === 'full' && handler === 'worker' ? { '--external:@aws-sdk/client-eventbridge': true } : {}),
        ...esbuildArgs,
        // In Lambda credentials come by environment: the SDK's whole chain is left out.
        '--alias:@aws-sdk/credential-provider-node': handlerPath('environment-credentials'),
        '--alias:@celeriac/entry': entry,
      },
    }),
  ];
}
