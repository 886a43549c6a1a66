/** How tests run over instrumented code: one file at a time, and no types. */
import { configDefaults, defineConfig } from 'vitest/config';

import base from '../../vitest.config.ts';

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    // Those that take long too: what they alone notice is noticed.
    include: [...(base.test?.include ?? []), 'test/mutation/seeds.ts'],
    exclude: configDefaults.exclude,
    typecheck: { enabled: false },
    maxWorkers: 1,
    setupFiles: ['test/support/properties.ts', 'test/mutation/setup.ts'],
  },
});
