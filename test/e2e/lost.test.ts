/** Nothing is silently stuck: a task that runs out of time leaves FAILURE, over real HTTP. lost.long.test.ts: workers that are lost. */
import { Celeriac, silentLogger } from 'celeriac';
import { expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';

// Of waits that end as soon as there is something to see. On a busy machine an invocation is a small part of it.
const PATIENCE_SECONDS = 50;

it('a task that outlives its invocation fails before Lambda kills the batch', async () => {
  const app = new Celeriac('slow');
  let signalled = false;
  app.task('slow', { bind: true }, async (self) => {
    self.signal.addEventListener('abort', () => {
      signalled = true;
    });
    await new Promise(() => {});
  });
  app.task('quick', () => 'fine');
  const cloud = await startCloud(app, { invocation: 3, logger: silentLogger });
  try {
    const [slow, quick] = await Promise.all([app.send('slow'), app.send('quick')]);
    expect(await quick.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toBe('fine');
    await expect(slow.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).rejects.toMatchObject({
      name: 'TimeLimitExceeded',
      message: expect.stringContaining('Lambda'),
    });
    expect(signalled).toBe(true);
  } finally {
    await cloud.stop();
  }
});
