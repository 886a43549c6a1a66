/** `app.control.rateLimit()`: another limit than the declared one, without a deployment. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { over } from '../simulation/world/refusals.ts';

function newWorld(options: ConstructorParameters<typeof World>[1] = {}) {
  const app = new Celeriac('controlled', {
    queues: { default: { batchSize: 10 }, celery: { external: true } },
    logger: silentLogger,
  });
  const starts: number[] = [];
  const mail = app.task('mail', { rateLimit: '1/s' }, () => {
    starts.push((world.clock.nowMs() - startMs) / 1000);
  });
  const free = app.task('free', () => 1);
  app.remote('proj.tasks.add', { queue: 'celery' });
  const world = new World(app, options);
  const startMs = world.clock.nowMs();
  const send = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await mail.delay();
  };
  return { app, mail, free, world, starts, send };
}

describe('app.control.rateLimit()', () => {
  it("answers in Celery's words", async () => {
    const { app } = newWorld();
    const { control } = app;
    expect(await control.rateLimit('mail', '10/m')).toEqual({ ok: 'new rate limit set successfully' });
    expect(await control.rateLimit('mail', 2)).toEqual({ ok: 'new rate limit set successfully' });
    for (const none of [null, 0, '0'] as const)
      expect(await control.rateLimit('mail', none)).toEqual({ ok: 'rate limit disabled successfully' });
    expect(await control.rateLimit('mail')).toEqual({ ok: 'rate limit as declared' });
    expect(await control.rateLimit('mali', '10/m')).toEqual({ error: 'unknown task' });
    expect(await control.rateLimit('proj.tasks.add', '10/m')).toEqual({ error: 'unknown task' });
    expect(await control.rateLimit('free', '10/m')).toEqual({
      error: expect.stringContaining("task 'free' declares no rateLimit") as string,
    });
    await expect(control.rateLimit('mail', 'often' as '1/s')).rejects.toThrow("rateLimit(): 'often' given");
    await expect(control.rateLimit('mail', '1/w' as '1/s')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  it('holds for what is sent from then on', async () => {
    const { app, world, starts, send } = newWorld();
    await app.control.rateLimit('mail', '6/m');
    await send(3);
    await world.drain();
    expect(starts).toEqual([0, 10, 20]);
  });

  it('is seen within a minute, and what waits moves along', async () => {
    const { app, world, starts, send } = newWorld();
    await send(200);
    await world.advance(30);
    const before = starts.length;
    await app.control.rateLimit('mail', '1/m');
    await world.advance('1m');
    const seen = starts.length;
    expect(seen - before).toBeLessThanOrEqual(61);
    await world.advance('10m');
    // One in a minute, and one whose slot was at hand.
    expect(starts.length - seen).toBeLessThanOrEqual(11);
    await app.control.rateLimit('mail');
    await world.drain();
    expect(starts).toHaveLength(200);
  });

  it('may take the limit away, and gives it back', async () => {
    const { app, world, starts, send } = newWorld();
    await app.control.rateLimit('mail', null);
    await send(20);
    await world.run();
    expect(starts).toHaveLength(20);
    await app.control.rateLimit('mail');
    await world.advance('61s');
    starts.length = 0;
    await send(20);
    await world.run();
    expect(starts.length).toBeLessThanOrEqual(2);
  });

  it('is read once in a minute, by tasks with a rate limit alone', async () => {
    let reads = 0;
    const { world, free, send } = newWorld();
    const { limits } = world.ports.rates as { limits: () => Promise<ReadonlyMap<string, string>> };
    world.ports.rates!.limits = () => {
      reads += 1;
      return limits.call(world.ports.rates);
    };
    await free.delay();
    await world.run();
    expect(reads).toBe(0);
    await send(150);
    await world.advance('2m');
    // At the start, after one minute and after two; batches that begin in the same moment may each ask.
    expect(reads).toBeGreaterThanOrEqual(2);
    expect(reads).toBeLessThanOrEqual(30);
    await world.drain();
  });

  it('that cannot be read is what it was before, and at first has the message come again', async () => {
    let answers = false;
    const { app, world, starts, send } = newWorld({
      wrapPorts: (ports) => ({
        ...ports,
        rates:
          ports.rates &&
          over(ports.rates, {
            limits: () =>
              answers
                ? ports.rates!.limits()
                : Promise.reject(Object.assign(new Error('busy'), { name: 'ThrottlingException' })),
          }),
      }),
    });
    await app.control.rateLimit('mail', '6/m');
    await send(2);
    await world.run();
    expect(starts).toEqual([]);
    answers = true;
    await world.drain();
    const [first = 0, second = 0] = starts;
    expect(second - first).toBeGreaterThanOrEqual(9);
  });
});

describe('app.control.revoke()', () => {
  it('revokes by id, and ends what runs where it is told to', async () => {
    const { app, world } = newWorld();
    const slow = app.task('slow', async () => world.clock.sleep(60_000));
    const [running, waiting] = [await slow.delay(), await slow.applyAsync([], { countdown: 600 })];
    await world.advance(1);
    expect(await app.control.revoke([running.id, waiting.id])).toEqual(['STARTED', 'REVOKED']);
    expect(await app.control.revoke(waiting.id)).toEqual(['REVOKED']);
    expect(await app.control.terminate(running.id)).toEqual(['STARTED']);
    await world.advance(15);
    expect(await running.state()).toBe('REVOKED');
    await expect(app.control.revoke('id', { terminat: true } as object)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });
});
