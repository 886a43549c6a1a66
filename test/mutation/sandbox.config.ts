/** How tests run over instrumented code: those that are asked for, in that order, and no types. */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

import base from '../../vitest.config.ts';

const order = (process.env['MUTATION_TESTS'] ?? '').split(',');

/** Quick tests first: most mutants are killed by one of those. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => order.findIndex((path) => moduleId.endsWith(path));
    return files.toSorted((left, right) => place(left) - place(right));
  }
}

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: order,
    typecheck: { enabled: false },
    maxWorkers: 1,
    setupFiles: ['test/support/properties.ts', 'test/mutation/setup.ts'],
    sequence: { sequencer: InOrder },
  },
});
