/** An old delivery of an attempt that was redriven comes back from the lost queue, before the next attempt has run. */
import { Reject } from 'celeriac';
import { expect, it } from 'vitest';

import { LOST_QUEUE } from '../../lib/ports/delivery.ts';
import { newWorld } from '../support/worlds.ts';

/** As it came, with the note of the lost queue that its task has ended and what follows is left to send. */
function fromLostQueue(body: string): string {
  const text = body.startsWith('{') ? body : Buffer.from(body, 'base64').toString('utf8');
  const envelope = JSON.parse(text) as { headers: { celeriac?: object } };
  envelope.headers.celeriac = { ...envelope.headers.celeriac, lost: 'again' };
  return JSON.stringify(envelope);
}

/** @param status that the record has while the next attempt is on its way; undefined: what the redrive says */
async function redrivenBeside(status?: string): Promise<{ readonly ran: number; readonly state: string }> {
  let [broken, ran] = [true, 0];
  const {
    app,
    world,
    tasks: charge,
  } = newWorld((celeriac) =>
    celeriac.task('charge', () => {
      if (broken) throw new Reject('closed');
      ran += 1;
    }),
  );
  const { broker, backend } = world.ports;
  const send = broker.send.bind(broker);
  const bodies: string[] = [];
  broker.send = (items) => {
    bodies.push(...items.map(({ body }) => body));
    return send(items);
  };
  const { id } = await charge.delay();
  const [body = ''] = bodies;
  await world.drain();
  broken = false;
  if (status !== undefined) {
    const reopen = backend.reopen.bind(backend);
    backend.reopen = (request) => reopen({ ...request, status });
  }
  // Later than the old message is handled.
  broker.send = (items) => send(items.map((item) => ({ ...item, delaySeconds: 120 })));
  expect(await app.deadLetters.redrive()).toMatchObject({ sent: 1 });
  broker.send = send;
  await send([{ queue: LOST_QUEUE, body: fromLostQueue(body), attributes: { lostFrom: 'default' } }]);
  await world.drain();
  return { ran, state: await app.result(id).state() };
}

it('the next attempt runs all the same', async () => {
  expect(await redrivenBeside()).toEqual({ ran: 1, state: 'SUCCESS' });
});

it('which a record that looks as if it waited for a retry would keep from running', async () => {
  expect(await redrivenBeside('RETRY')).toEqual({ ran: 0, state: 'FAILURE' });
});
