/** `npm run test:long`: what `npm test` leaves out. */
import { configDefaults, defineConfig } from 'vitest/config';

import base, { LONG_TESTS } from './vitest.config.ts';

export default defineConfig({
  ...base,
  test: { ...base.test, include: [LONG_TESTS], exclude: configDefaults.exclude, typecheck: { enabled: false } },
});
