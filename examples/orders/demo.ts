/** `node --conditions=@celeriac/source examples/orders/demo.ts`: an order on the embedded cloud, real SDK calls and queues. */
import { silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';

import { shop } from './shop.ts';
import { app, place } from './tasks.ts';

const cloud = await LocalCloud.start(app, { logger: silentLogger, sweepEvery: '5s' });
try {
  shop.outages = 1;
  const result = await place({
    id: 'o-1',
    customer: 'ada',
    lines: [
      { sku: 'tea', quantity: 2 },
      { sku: 'cup', quantity: 1 },
    ],
  }).delay();
  console.log(await result.get({ timeout: 30 }));
  console.log(await app.result('charge-o-1').get({ timeout: 5 }));
  console.log(shop.mails.join('\n'));
} finally {
  await cloud.stop();
}
