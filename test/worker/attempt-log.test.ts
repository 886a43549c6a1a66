/** The line that ends an attempt says how long it ran. */
import { Celeriac, type Logger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

it('succeeded in the time that it took', async () => {
  const app = new Celeriac('test', { resultExpires: '1d' });
  const lines: string[] = [];
  const logger: Logger = { log: (_level, message) => void lines.push(message) };
  const slow = app.task('slow', () => world.clock.sleep(2500));
  const world: World = new World(app, { logger });
  const { id } = await slow.delay();
  await world.drain();
  expect(lines.find((line) => line.includes('succeeded'))).toBe(`Task slow[${id}] succeeded in 2.500s`);
});
