import { configDefaults, defineConfig } from 'vitest/config';

// The package imports itself by name: this condition points those imports at the sources. No `import`
// or `module` here: they would reach Node's own require() too, and hand ES modules to CommonJS code.
const conditions = ['@celeriac/source', 'node'];

/** What takes long: the lean client beside the SDK, all changes of all clocks, whole bad days. */
export const LONG_TESTS = 'test/**/*.long.test.ts';

export default defineConfig({
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
  },
});
