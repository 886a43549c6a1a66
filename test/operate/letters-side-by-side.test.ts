/** Dead letters of many queues: an answer has some twenty seconds, and that one is empty is known only after one. */
import { type Celeriac, Reject } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

const QUEUES = Array.from({ length: 24 }, (_, index) => `q${index}`);

function shop(app: Celeriac) {
  const state = { broken: true, ran: 0 };
  const work = app.task('work', () => {
    if (state.broken) throw new Reject('closed');
    state.ran += 1;
  });
  return { state, work };
}

/** A letter in each queue, and how many are received from at a time. */
async function filled(each = 1) {
  const { app, world, tasks } = newWorld(shop, {
    queues: Object.fromEntries(QUEUES.map((queue) => [queue, {}])),
    defaultQueue: 'q0',
  });
  const ids: string[] = [];
  for (const queue of QUEUES)
    for (let count = 0; count < each; count += 1) ids.push((await tasks.work.applyAsync([], { queue })).id);
  await world.drain();
  tasks.state.broken = false;
  const { deadLetters } = world.ports;
  if (deadLetters === undefined) throw new Error('There are no dead letters.');
  const receive = deadLetters.receive.bind(deadLetters);
  const asked = { now: 0, most: 0, fails: undefined as string | undefined, after: 0 };
  deadLetters.receive = async (queue, how) => {
    if (queue === asked.fails) throw new Error('out of order');
    asked.now += 1;
    asked.after += 1;
    asked.most = Math.max(asked.most, asked.now);
    await world.clock.nextTurn();
    asked.now -= 1;
    return receive(queue, how);
  };
  return { app, world, tasks, ids, asked };
}

describe('ten queues at a time', () => {
  it('are looked at for the letters of a task', async () => {
    const { app, ids, asked } = await filled();
    expect(await app.deadLetters.show(ids[23] ?? '')).toMatchObject([{ id: ids[23], queue: 'q23' }]);
    expect(asked.most).toBe(10);
  });

  it('are sent back', async () => {
    const { app, world, tasks, asked } = await filled();
    expect(await app.deadLetters.redrive()).toMatchObject({ looked: 24, sent: 24, complete: true });
    expect(asked.most).toBe(10);
    await world.drain();
    expect(tasks.state.ran).toBe(24);
  });

  it('are emptied', async () => {
    const { app, asked } = await filled();
    expect(await app.deadLetters.drop()).toMatchObject({ looked: 24, dropped: 24, complete: true });
    expect(asked.most).toBe(10);
  });
});

it('a rate is that of all queues together', async () => {
  const { app, world } = await filled(2);
  const fromMs = world.clock.nowMs();
  const sentAtMs: number[] = [];
  const send = world.ports.broker.send.bind(world.ports.broker);
  world.ports.broker.send = (messages) => {
    sentAtMs.push(...messages.map(() => world.clock.nowMs() - fromMs));
    return send(messages);
  };
  await app.deadLetters.redrive({ rate: '2/s' });
  // One in each half second.
  expect(sentAtMs.toSorted((left, right) => left - right)).toEqual(
    Array.from({ length: 48 }, (_, index) => index * 500),
  );
});

it('where one queue cannot be asked the others end, and nothing goes on behind the error', async () => {
  const { app, world, asked } = await filled();
  asked.fails = 'q2';
  await expect(app.deadLetters.redrive()).rejects.toThrow('out of order');
  const { after } = asked;
  await world.clock.nextTurn();
  await world.drain();
  expect([asked.after, after < 24]).toEqual([after, true]);
});
