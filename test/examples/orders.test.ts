/** examples/orders does what it says: in virtual time, under faults, and on the embedded cloud. */
import { execFileSync } from 'node:child_process';

import { afterEach, expect, it, vi } from 'vitest';
import { World, type WorldOptions } from 'celeriac/testing';

import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { shop, Shop } from '../../examples/orders/shop.ts';
import { app, type Order, place } from '../../examples/orders/tasks.ts';

const TEA = { sku: 'tea', quantity: 2 };
const CUP = { sku: 'cup', quantity: 1 };

/** A new shop and an empty cloud. */
function opened(options: WorldOptions = {}): World {
  Object.assign(shop, new Shop());
  return new World(app, options);
}

afterEach(() => void vi.restoreAllMocks());

const order = (id: string, ...lines: Order['lines']): Order => ({ id, customer: 'ada', lines });

it('an order is reserved, charged after an outage, shipped and confirmed', async () => {
  using world = opened();
  shop.outages = 2;
  const result = await place(order('o-1', TEA, CUP)).delay();
  expect(await result.get()).toBe('sent to ada');
  await world.drain();
  expect(shop.mails).toEqual(['ada: Your order o-1 is on its way.']);
  expect([...shop.payments]).toEqual([['charge-o-1', { customer: 'ada', cents: 2100 }]]);
  expect(await app.result('charge-o-1').retries()).toBe(2);
});

it('its progress can be read', async () => {
  using world = opened();
  const result = await place(order('o-1', TEA, CUP)).delay();
  const shipping = result.parent?.id ?? '';
  const pack = shop.pack.bind(shop);
  const looks: Promise<unknown>[] = [];
  // Asked at each parcel, as somebody with a progress bar would.
  vi.spyOn(shop, 'pack').mockImplementation((...parcel) => {
    looks.push(app.result(shipping).info());
    return pack(...parcel);
  });
  await world.drain();
  expect(await Promise.all(looks)).toContainEqual({ current: 1, total: 2 });
  expect(await app.result(shipping).get()).toEqual({ order: 'o-1', cents: 2100, parcels: ['tea-1', 'cup-2'] });
});

it('placed twice it is charged once', async () => {
  using world = opened();
  await place(order('o-1', TEA)).delay();
  await place(order('o-1', TEA)).delay();
  await world.drain();
  expect([...shop.payments.values()]).toEqual([{ customer: 'ada', cents: 900 }]);
  expect(shop.articles.get('tea')?.stock).toBe(98);
});

it('what is out of stock is not charged, and support is told', async () => {
  using world = opened();
  const result = await place(order('o-1', TEA, { sku: 'cup', quantity: 4 })).delay();
  await expect(result.get()).rejects.toMatchObject({ code: 'CHORD_ERROR' });
  await world.drain();
  expect(shop.payments.size).toBe(0);
  expect(shop.mails.some((mail) => /orders\.reserve of .*: OutOfStock: 3 of cup are left$/.test(mail))).toBe(true);
  expect(shop.mails).toContain('support: orders.place of o-1: was not charged');
});

it('a line that makes no sense is rejected: it lies in the dead-letter queue', async () => {
  using world = opened();
  await place(order('o-1', { sku: 'tea', quantity: 0 })).delay();
  await world.drain();
  expect(world.deadLetters('default').map(({ attributes }) => attributes['reason'])).toEqual(['o-1: 0 of tea']);
});

it('the day is closed at two in Berlin', async () => {
  using world = opened({ start: new Date('2030-03-30T12:00:00Z') });
  const sold = vi.spyOn(shop, 'sold');
  await world.advance('12h'); // It is 01:00 there.
  expect(sold).not.toHaveBeenCalled();
  // The night in which clocks go from 02:00 to 03:00: the tick is at the end of the gap.
  await world.advance('61m');
  expect(sold).toHaveBeenCalledOnce();
});

it.each([1, 2, 3])('every order is charged once, whatever fails (seed %i)', async (seed) => {
  using world = opened({
    seed,
    faults: { duplicate: 0.5, killBeforeCommit: 0.05, error: 0.02, lostResponse: 0.02, crash: 0.005 },
  });
  shop.outages = 2;
  const results = [];
  for (const id of ['o-1', 'o-2', 'o-3']) results.push(await place(order(id, TEA, CUP)).delay());
  await world.drain();
  world.faults.on = false;
  for (const result of results) expect(await result.get()).toBe('sent to ada');
  expect([...shop.payments.values()].map(({ cents }) => cents)).toEqual([2100, 2100, 2100]);
  expect([...shop.articles.values()].map(({ stock }) => stock)).toEqual([94, 0]);
});

it('the same on the embedded cloud', () => {
  const output = execFileSync(process.execPath, ['--conditions=@celeriac/source', 'examples/orders/demo.ts'], {
    encoding: 'utf8',
    env: { ...process.env, ...COMPILE_CACHE },
  });
  expect(output.split('\n').filter((line) => /^(sent|ada)/.test(line))).toEqual([
    'sent to ada',
    'ada: Your order o-1 is on its way.',
  ]);
  expect(output).toMatch(/order: 'o-1', cents: 2100, payment: 'payment 1'/);
});
