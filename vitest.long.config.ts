/** `npm run test:long`: what `npm test` leaves out. */
import { configDefaults, defineConfig } from 'vitest/config';

import { BASE, LONG_TESTS } from './vitest.config.ts';

export default defineConfig({
  ...BASE,
  test: {
    ...BASE.test,
    include: [LONG_TESTS],
    exclude: configDefaults.exclude,
    typecheck: { enabled: false },
    // Many of them wait for processes and leases most of their time: one more than CI's cores.
    maxWorkers: 3,
    // The longest takes 42 s on a quiet machine, all of it work.
    testTimeout: 600_000,
  },
});
