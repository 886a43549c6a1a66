/** How tests run over instrumented code: one file at a time, and no types. */
import { configDefaults, defineConfig } from 'vitest/config';

import { BASE } from '../../vitest.config.ts';

export default defineConfig({
  ...BASE,
  test: {
    ...BASE.test,
    // Those that take long too: what they alone notice is noticed.
    include: [...BASE.test.include, 'test/mutation/seeds.ts'],
    exclude: configDefaults.exclude,
    typecheck: { enabled: false },
    maxWorkers: 1,
    // Instrumented code takes several times as long: years of sweeps came to the suite's limit, and killed nothing any more.
    // Who runs the mutants says how long all tests of one may take.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    setupFiles: ['test/support/properties.ts', 'test/mutation/setup.ts'],
  },
});
