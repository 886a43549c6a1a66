/** How a handler of this package and the user's tasks become one file. */
import { existsSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

import { ImproperlyConfigured } from '../lib/base/errors.ts';

/** What may differ from the defaults: packages with native code in `nodeModules`, say, or a `define`. */
export type TaskBundling = Omit<BundlingOptions, 'format' | 'bundleAwsSDK' | 'target'> & {
  /**
   * What the library itself asks AWS with: a client of its own, which knows as much as it needs, or the AWS SDK. What task code
   * imports of the SDK is in the bundle either way. @default 'lean'
   */
  readonly sdk?: 'lean' | 'full';
};

const HERE = dirname(fileURLToPath(import.meta.url));
// `.ts` in the source tree, `.js` in the built package.
const EXTENSION = extname(fileURLToPath(import.meta.url));
// CommonJS dependencies ask for `require`, which ESM does not have.
const REQUIRE_BANNER = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** A file of this package's handlers: beside this one, in the source tree or in the built package. */
export function handlerPath(name: string): string {
  return resolve(HERE, '../handlers', `${name}${EXTENSION}`);
}

/** @throws ImproperlyConfigured */
export function entryPath(entry: string): string {
  const path = resolve(entry);
  if (existsSync(path)) return path;
  throw new ImproperlyConfigured(
    `entry: there is no file ${entry}. Give the path of the module that exports your app.`,
  );
}

/** @throws ImproperlyConfigured */
export function bundlingOf(entry: string, handler: string, given: TaskBundling = {}): BundlingOptions {
  const { sdk = 'lean', ...overrides } = given;
  if (sdk !== 'lean' && sdk !== 'full')
    throw new ImproperlyConfigured(`bundling.sdk is '${String(sdk)}'; 'lean' and 'full' are allowed.`);
  const { '--conditions': conditions, ...esbuildArgs } = overrides.esbuildArgs ?? {};
  return {
    minify: true,
    // dist-es instead of dist-cjs: a third of the bytes (measured in npm run bench).
    mainFields: ['module', 'main'],
    ...overrides,
    format: OutputFormat.ESM,
    target: 'node24',
    // The SDK that was tested is the one that runs.
    bundleAwsSDK: true,
    banner: overrides.banner === undefined ? REQUIRE_BANNER : `${REQUIRE_BANNER}${overrides.banner}`,
    esbuildArgs: {
      '--legal-comments': 'none',
      '--conditions': [
        // In package.json it puts the lean client in the place of `#aws-sdk`.
        ...(sdk === 'lean' ? ['@celeriac/lean'] : []),
        // Of `#beat`: what a deployed function never does is left out.
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
  };
}

const LOCK_FILES = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

/** CDK looks for a lock file in the working folder and above; a project without one may still have its handlers bundled. */
export function lockFile(): { depsLockFilePath?: string } {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const found = LOCK_FILES.map((name) => resolve(folder, name)).find((path) => existsSync(path));
    if (found !== undefined) return { depsLockFilePath: found };
    if (folder === dirname(folder)) return {};
  }
}
