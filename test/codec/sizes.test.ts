/** What is encrypted takes a third more: it is refused by the error of its own kind before the store refuses it. */
import { Celeriac, silentLogger } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

const KEYS = `k:${Buffer.alloc(32, 1).toString('base64')}`;

it.each([
  [290_000, 'SUCCESS'],
  [320_000, 'FAILURE'],
  [390_000, 'FAILURE'],
])('a result of %i bytes, encrypted, is a %s', async (bytes, state) => {
  const app = new Celeriac('vault', { codec: aesGcm({ keys: () => KEYS }), logger: silentLogger });
  const fill = app.task('fill', (length: number) => 'x'.repeat(length));
  using world = new World(app);
  const result = await fill.delay(bytes);
  await world.drain();
  expect(await result.state()).toBe(state);
  if (state === 'SUCCESS') expect((await result.get()).length).toBe(bytes);
  else await expect(result.get()).rejects.toMatchObject({ name: 'ResultTooLarge' });
});
