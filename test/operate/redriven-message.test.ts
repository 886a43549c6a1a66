/** What goes back to a queue of a letter whose message nobody can read. */
import { expect, it } from 'vitest';

import { readLetter } from '../../lib/operate/letter.ts';
import { redriven } from '../../lib/operate/redriven-message.ts';
import { readOuterEnvelope } from '../../lib/wire/envelope.ts';
import { newWorld } from '../support/worlds.ts';

it('keeps nothing that was counted for the attempt before', () => {
  const { app } = newWorld(() => undefined);
  const celeriac = {
    hops: 9,
    deliveries: 4,
    unknown: 2,
    lost: 'told',
    slot: 1,
    pace: 1,
    lates: 1,
    place: 1,
    grant: 1,
    slots: 'k',
    groupId: 'tenant',
  };
  const headers = { task: 'orders.charge', id: 'a', retries: 1, celeriac };
  const body = JSON.stringify({ body: 'no JSON', headers, properties: {}, 'content-type': 'application/json' });
  const received = { messageId: 'm', receipt: 'r', body, sentMs: 0, attributes: { origin_queue: 'default' } };
  const letter = readLetter(received, 'default', app.settings.queues);
  const sent = redriven({ letter, received }, 2, {}, app.settings);
  const outer = readOuterEnvelope(sent.body);
  expect(outer).toMatchObject({ body: 'no JSON', headers: { retries: 2 } });
  expect(outer.headers['celeriac']).toEqual({ groupId: 'tenant' });
});
