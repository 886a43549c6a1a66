/** Messages that cannot be read, and still say whose they are. */
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

function envelope(headers: object, body = '[[], {}, {}]'): string {
  return JSON.stringify({
    body,
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'py', task: 'job', id: 'the-id', ...headers },
    properties: { correlation_id: 'the-id', delivery_info: {} },
  });
}

async function deliver(body: string) {
  const { app, world } = newWorld((own) => own.task('job', () => 'ran'));
  await world.broker.send([{ queue: 'default', body }]);
  await world.drain('1d');
  return { result: app.result('the-id'), deadLetters: world.deadLetters(), world };
}

describe('a message that cannot be read', () => {
  it.each([
    ['a due time beyond all timers', envelope({ eta: '2300-01-01T00:00:00Z' })],
    ['a body that is no JSON', envelope({}, '{')],
    ['a field of the wrong kind', envelope({ retries: 'many' })],
  ])('%s: its sender is told, and the dead letter names the task', async (_what, body) => {
    const { result, deadLetters } = await deliver(body);
    await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
    expect(
      deadLetters.map(({ attributes }) => [attributes['reason'], attributes['task_id'], attributes['task']]),
    ).toEqual([['invalid message', 'the-id', 'job']]);
  });

  it.each([
    ['text', 'hello'],
    ['an id that is none', envelope({ id: 7, eta: 7 })],
  ])('%s: a dead letter, and no state', async (_what, body) => {
    const { result, deadLetters, world } = await deliver(body);
    expect([await result.state(), deadLetters.length, world.backend.all().length]).toEqual(['PENDING', 1, 0]);
  });

  it('changes nothing of a task that has ended', async () => {
    const { app, world } = newWorld((own) => own.task('job', () => 'ran'));
    await world.broker.send([{ queue: 'default', body: envelope({}) }]);
    await world.run();
    await world.broker.send([{ queue: 'default', body: envelope({ eta: 7 }) }]);
    await world.run();
    expect([await app.result('the-id').get(), world.deadLetters().length]).toEqual(['ran', 1]);
  });
});
