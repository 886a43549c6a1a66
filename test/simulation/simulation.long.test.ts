/** The seeds after those of simulation.test.ts. */
import { describe, expect, it } from 'vitest';

import { simulate } from './world/simulate.ts';

describe('simulation', () => {
  it.each(Array.from({ length: 20 }, (_, index) => index + 13))('seed %i, all faults', async (seed) => {
    const report = await simulate({ seed });
    expect(report.violations).toEqual([]);
    expect(report.tasks).toBeGreaterThan(200);
    expect(report.faults.crash + report.faults.duplicate + report.faults.error).toBeGreaterThan(10);
  });
});
