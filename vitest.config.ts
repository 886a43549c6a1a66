import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';

import { PATIENCE_MS } from './test/support/patience.ts';

// The package imports itself by name: this condition points those imports at the sources. No `import`
// or `module` here: they would reach Node's own require() too, and hand ES modules to CommonJS code.
const conditions = ['@celeriac/source', 'node'];

/** What takes long: the lean client beside the SDK, all changes of all clocks, whole bad days. */
export const LONG_TESTS = 'test/**/*.long.test.ts';

/** What all configurations have. */
export const BASE = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    // Five minutes are for all others; these have a command of their own, which CI calls too.
    exclude: [...configDefaults.exclude, LONG_TESTS],
    typecheck: { enabled: true, checker: 'tsc', include: ['test/types/**/*.test-d.ts'], tsconfig: './tsconfig.json' },
    setupFiles: ['test/support/properties.ts'],
    maxWorkers: 2,
    // Against what hangs, no measure of speed: a busy machine takes ten times as long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: PATIENCE_MS } },
  },
} satisfies ViteUserConfig;

/**
 * Files of these folders share a process and the modules that they load, which takes a fifth off the whole run. What they
 * leave behind others would see: test/support/traces.ts fails a file that leaves a variable or a changed global.
 */
const TOGETHER =
  'test/{base,beat,canvas,ends,flow,infra,model,options,producer,results,schedules,wire,worker}/**/*.test.ts';

// What a project says of `include` and `setupFiles` comes beside what it extends, not in its place.
const { include, ...common } = BASE.test;

export default defineConfig({
  ...BASE,
  test: {
    ...common,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: [TOGETHER],
          isolate: false,
          setupFiles: ['test/support/traces.ts'],
          typecheck: { enabled: false },
        },
      },
      { extends: true, test: { name: 'apart', include, exclude: [TOGETHER] } },
    ],
  },
});
