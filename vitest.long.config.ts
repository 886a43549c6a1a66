/** `npm run test:long`: what `npm test` leaves out. */
import { configDefaults, defineConfig } from 'vitest/config';

import { BASE, LONG_TESTS } from './vitest.config.ts';

export default defineConfig({
  ...BASE,
  test: { ...BASE.test, include: [LONG_TESTS], exclude: configDefaults.exclude, typecheck: { enabled: false } },
});
