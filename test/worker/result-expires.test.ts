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

  it.each([
    ['ended', {}],
    ['expired', { expires: 1, countdown: 30 }],
  ])('does not let a message run that comes again when its task has %s', async (_how, options) => {
    let runs = 0;
    const { app, world, tasks } = newWorld(
      (own) => ({ quick: own.task('quick', () => (runs += 1)), after: own.task('after', () => (runs += 100)) }),
      { resultExpires: 10 },
    );
    const { broker } = await app.ports();
    await tasks.quick.applyAsync([], { ...options, link: tasks.after.si() });
    const ended = 'expires' in options ? 0 : 101;
    const [message] = world.broker.peekAll('default');
    // Its worker died before it could delete it, three times; the longest visibility timeout is a quarter of an hour.
    for (const delaySeconds of [60, 600, 900])
      await broker.send([{ queue: 'default', body: message?.body ?? '', delaySeconds }]);
    await world.advance('1h');
    expect(runs).toBe(ended);
  });

  it('leaves a retry its record until it is due: no earlier attempt runs again, and the state is told', async () => {
    const attempts: number[] = [];
    const { app, world, tasks } = newWorld(
      (own) => ({
        waits: own.task('waits', { bind: true, maxRetries: 3 }, (self) => {
          attempts.push(self.request.retries);
          if (self.request.retries < 2) throw self.retry({ countdown: 7200 });
          return 'done';
        }),
      }),
      { resultExpires: 10 },
    );
    const { broker } = await app.ports();
    const result = await tasks.waits.delay();
    const [message] = world.broker.peekAll('default');
    // SQS may deliver a message twice, hours apart.
    for (const delaySeconds of [60, 600, 900])
      await broker.send([{ queue: 'default', body: message?.body ?? '', delaySeconds }]);
    await world.advance('1h');
    expect(await result.state()).toBe('RETRY');
    expect(attempts).toEqual([0]);
    await world.advance('4h');
    expect(attempts).toEqual([0, 1, 2]);
  });
});
