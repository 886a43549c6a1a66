/** `resultExpires` shorter than what goes on meanwhile: it bounds how long results can be read, and no more. */
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

describe('a result that expires sooner than its task ends', () => {
  it('does not let a second delivery run beside the first', async () => {
    let running = 0;
    let most = 0;
    const { app, world, tasks } = newWorld(
      (own) => ({
        slow: own.task('slow', { timeLimit: 250 }, async () => {
          running += 1;
          most = Math.max(most, running);
          await world.clock.sleep(200_000);
          running -= 1;
        }),
      }),
      { resultExpires: 10 },
    );
    const { broker } = await app.ports();
    await tasks.slow.delay();
    const [message] = world.broker.peekAll('default');
    await broker.send([{ queue: 'default', body: message?.body ?? '', delaySeconds: 100 }]);
    await world.advance('1h');
    expect(most).toBe(1);
  });
});
