/** The storm that the limits were made for, in full. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { counting } from './counting.ts';

it('10,000 failures in a minute are two mails', async () => {
  const app = new Celeriac('shop');
  const charge = app.task('orders.charge', { maxRetries: 0 }, (order: string) => {
    throw new TypeError(`no card for ${order}`);
  });
  const { asked, wrapPorts } = counting();
  using world = new World(app, { notify: {}, wrapPorts });
  for (let from = 0; from < 10_000; from += 1000)
    await Promise.all(Array.from({ length: 1000 }, (_, index) => charge.delay(`order ${from + index}`)));
  await world.run();
  expect(asked).toEqual({ mark: 1, send: 1, told: 1 });
  await world.advance('1d');
  expect(world.mails.map(({ subject }) => subject.replace(/ \(.*/, ''))).toEqual([
    '[shop] Error: Task orders.charge',
    '[shop] 10,000 errors in 15 minutes: Task orders.charge',
  ]);
});
