/** How the tests of `npm run mutate:every` run: all in one process, which ends where a mutant takes all memory. */
import { defineConfig } from 'vitest/config';

import sandbox from './sandbox.config.ts';

export default defineConfig({
  ...sandbox,
  test: {
    ...sandbox.test,
    setupFiles: ['test/support/properties.ts', 'test/mutation/every-setup.ts'],
    runner: './test/mutation/every-runner.ts',
    execArgv: ['--max-old-space-size=500'],
    dangerouslyIgnoreUnhandledErrors: true,
    // All repeats of a test.
    testTimeout: 600_000,
  },
});
