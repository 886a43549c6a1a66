/** What the monitor answers of tasks whose arguments, results and errors are encrypted. */
import { Celeriac, Reject } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { expect, it } from 'vitest';

import { monitorOfShop } from '../support/monitored-shop.ts';

const SECRET = 'hunter2-Zq';

/** What an app answers of a task that succeeded, one that failed, one that was put aside and one that waits. */
async function answers(codec?: ReturnType<typeof aesGcm>): Promise<ReadonlyMap<string, string>> {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} }, ...(codec === undefined ? {} : { codec }) });
  const charge = app.task('orders.charge', (card: string) => ({ card }));
  const fail = app.task('orders.fail', (card: string): never => {
    throw new RangeError(`no ${card}`);
  });
  const block = app.task('orders.block', (card: string): never => {
    throw new Reject(`blocked ${card}`);
  });
  const { monitor, world } = monitorOfShop({}, app);
  const ids = [
    await charge.delay(SECRET),
    await fail.delay(SECRET),
    await block.delay(SECRET),
    await charge.applyAsync([SECRET], { countdown: '3d' }),
  ].map(({ id }) => id);
  await world.advance('3m');
  const paths = [
    '/api/overview',
    '/api/tasks',
    '/api/dead-letters',
    '/api/audit',
    ...ids.flatMap((id) => ['', '/explain', '/tree'].map((what) => `/api/tasks/${id}${what}`)),
  ];
  const found = new Map<string, string>();
  for (const path of paths) found.set(path, JSON.stringify(await monitor.get(path)));
  return found;
}

it('holds nothing of them', async () => {
  const found = await answers(aesGcm({ keys: () => `k:${Buffer.alloc(32, 1).toString('base64')}` }));
  expect([...found].filter(([, text]) => text.includes(SECRET))).toEqual([]);
  expect([...found.values()].join('\n')).toContain('<encrypted>');
});

it('and without a codec it would: the search finds what is there', async () => {
  const found = await answers();
  const shown = [...found].filter(([, text]) => text.includes(SECRET)).map(([path]) => path);
  expect(shown).toContain('/api/tasks');
  expect(shown).toContain('/api/dead-letters');
  expect(shown.filter((path) => path.startsWith('/api/tasks/')).length).toBeGreaterThan(2);
});
