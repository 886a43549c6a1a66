/** The same promises over the AWS adapters: a few seeds. wire.long.test.ts: more, and adapters that are wrong in one line. `npm run simulate -- --adapters aws` runs more. */
import { describe, expect, it } from 'vitest';

import { overAws, overCalmAws } from './wire/over-aws.ts';
import { simulate, type SimulationReport } from './world/simulate.ts';

describe('simulation over the AWS adapters', () => {
  it('seed 1, all faults', async () => {
    const report = await simulate({ seed: 1, programs: 40, over: overAws() });
    expect(report.violations).toEqual([]);
    expect(report.tasks).toBeGreaterThan(200);
    expect(report.faults.crash + report.faults.lostResponse + report.faults.partialFailure).toBeGreaterThan(10);
  });

  it('without faults nothing is late, and the same seed is the same run', async () => {
    const run = (): Promise<SimulationReport> => simulate({ seed: 7, programs: 10, over: overAws() });
    const [one, two] = [await run(), await run()];
    expect(two).toEqual(one);
    expect((await simulate({ seed: 8, programs: 15, faults: {}, over: overCalmAws })).violations).toEqual([]);
  });
});
