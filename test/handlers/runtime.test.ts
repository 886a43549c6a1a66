/** Log lines under AWS's own runtime: what its log group would hold of a bundled worker, line by line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Celeriac, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { workerOf } from '../../lib/local/actors.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { bundleWorker, eventOf } from '../support/lambda.ts';
import { LambdaRuntime, reasonToSkipRuntime } from '../support/lambda-runtime.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

describe.skipIf(reasonToSkipRuntime("log lines under Lambda's runtime") !== undefined)("under Lambda's runtime", () => {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-runtime-'));
  const app = new Celeriac('logs');
  let cloud: LocalCloud;
  let runtime: LambdaRuntime;
  const read = (): Record<string, unknown>[] =>
    runtime.lines.map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(async () => {
    const bundle = join(folder, 'worker.mjs');
    bundleWorker('test/support/logging-tasks.ts', bundle);
    cloud = await startCloud(app, {
      logger: silentLogger,
      worker: async (deliveries) => (await runtime.invoke(eventOf(deliveries, 'logs-default'))) as never,
    });
    runtime = await LambdaRuntime.start(bundle, cloud.variables(workerOf('default')));
  });
  afterAll(async () => {
    await cloud.stop();
    await runtime.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('each is one JSON object with its fields at the top', async () => {
    const spoken = await app.send('speak', ['ada']);
    expect(await spoken.get({ timeout: PATIENCE_SECONDS, interval: 0.05 })).toBe(3);
    const broken = await app.send('break');
    await expect(broken.get({ timeout: PATIENCE_SECONDS, interval: 0.05 })).rejects.toThrow('two');
    // A result is there a moment before its line.
    await expect.poll(() => read().length).toBe(5);
    const common = {
      timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/),
      requestId: expect.stringMatching(/^00000000-0000-4000-8000-\d{12}$/),
      attempt: 0,
    };
    const speak = { ...common, level: 'INFO', task: 'speak', taskId: spoken.id };
    const fails = { ...common, task: 'break', taskId: broken.id };
    expect(read()).toEqual([
      expect.objectContaining({ ...speak, message: `Task speak[${spoken.id}] received` }),
      {
        ...speak,
        message: 'hello',
        name: 'ada',
        fields: { level: 'DEBUG', message: 'mine', timestamp: 0, requestId: 'mine' },
      },
      expect.objectContaining({ ...speak, state: 'success' }),
      expect.objectContaining({ ...fails, level: 'INFO', message: `Task break[${broken.id}] received` }),
      expect.objectContaining({
        ...fails,
        level: 'ERROR',
        message: `Task break[${broken.id}] raised unexpected: TypeError: two\nlines`,
        stack: expect.stringContaining('\n'),
      }),
    ]);
  });
});
