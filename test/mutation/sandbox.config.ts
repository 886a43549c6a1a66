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
    setupFiles: ['test/support/properties.ts', 'test/mutation/setup.ts'],
  },
});
