/** Dead letters that go back to their queues: what runs, what is told, what readers see. */
import { chain, chord, type Celeriac, group, Reject } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

/** Tasks that are rejected until somebody has mended what they need. */
function shop(app: Celeriac) {
  const state = { broken: true, ran: [] as string[] };
  const run = (name: string): void => {
    if (state.broken) throw new Reject(`${name} is closed`);
    state.ran.push(name);
  };
  const charge = app.task('orders.charge', (order: string, amount: number) => {
    run(`charge ${order} ${amount}`);
    return amount;
  });
  const ship = app.task('orders.ship', (amount: number) => {
    state.ran.push(`ship ${amount}`);
    return `shipped ${amount}`;
  });
  const sum = app.task('orders.sum', (amounts: readonly number[]) => {
    state.ran.push(`sum ${amounts.join('+')}`);
    return amounts.reduce((left, right) => left + right, 0);
  });
  const told = app.task('orders.told', (id: string) => void state.ran.push(`told ${id}`));
  return { state, charge, ship, sum, told };
}

describe('a redriven task', () => {
  it('runs once more under its id, as a new attempt, and its letter is gone', async () => {
    const { app, world, tasks } = newWorld(shop);
    const result = await tasks.charge.delay('o-1', 12);
    await world.drain();
    expect(await result.state()).toBe('REJECTED');
    const { groups, complete } = await app.deadLetters.list();
    expect(complete).toBe(true);
    expect(groups).toMatchObject([
      { queue: 'default', task: 'orders.charge', count: 1, reason: 'o-1 is closed'.replace('o-1', 'charge o-1 12') },
    ]);
    tasks.state.broken = false;
    expect(await app.deadLetters.redrive()).toMatchObject({ matched: 1, sent: 1, failed: 0, complete: true });
    // Whoever asks before it runs waits for the new end.
    expect(await app.result(result.id).state()).toBe('RETRY');
    await world.drain();
    expect(tasks.state.ran).toEqual(['charge o-1 12']);
    expect(await app.result(result.id).get()).toBe(12);
    expect((await app.deadLetters.list()).letters).toEqual([]);
    expect(world.backend.all()[0]).toMatchObject({ attempt: 1, committed: 1, status: 'SUCCESS' });
  });

  it('that is rejected again lies there as its new attempt, and can be redriven again', async () => {
    const { app, world, tasks } = newWorld(shop);
    const { id } = await tasks.charge.delay('o-1', 12);
    await world.drain();
    await app.deadLetters.redrive();
    await world.drain();
    expect((await app.deadLetters.list()).letters).toMatchObject([{ id, retries: 1 }]);
    tasks.state.broken = false;
    await app.deadLetters.redrive();
    await world.drain();
    expect(await app.result(id).get()).toBe(12);
  });

  it('that fails again while others are still redriven stays, and is not sent round and round', async () => {
    const { app, world, tasks } = newWorld(shop);
    const { id } = await tasks.charge.delay('o-1', 12);
    await world.drain();
    const { deadLetters, broker } = world.ports;
    // One that nobody can read lies beside it.
    await broker.send([{ queue: 'default', deadLetter: true, body: '{' }]);
    const receive = deadLetters!.receive.bind(deadLetters);
    let receives = 0;
    deadLetters!.receive = async (queue, how) => {
      receives += 1;
      if (receives > 20) throw new Error('it goes round');
      // Workers are quick, and time goes on.
      await world.advance('1s');
      return receive(queue, how);
    };
    expect(await app.deadLetters.redrive()).toMatchObject({ matched: 2, complete: true });
    expect((await app.deadLetters.list()).letters).toContainEqual(expect.objectContaining({ id, retries: 1 }));
  });

  it('runs once, however often its letter is sent', async () => {
    const { app, world, tasks } = newWorld(shop);
    await tasks.charge.delay('o-1', 12);
    await world.drain();
    tasks.state.broken = false;
    const { deadLetters } = world.ports;
    const remove = deadLetters!.remove.bind(deadLetters);
    // A crash between sending and deleting.
    deadLetters!.remove = () => Promise.reject(new Error('gone'));
    await expect(app.deadLetters.redrive()).rejects.toThrow('gone');
    await expect(app.deadLetters.redrive()).rejects.toThrow('gone');
    deadLetters!.remove = remove;
    await world.drain();
    expect(tasks.state.ran).toEqual(['charge o-1 12']);
    expect(await app.deadLetters.redrive()).toMatchObject({ matched: 1, sent: 0, superseded: 1 });
    await world.drain();
    expect(tasks.state.ran).toEqual(['charge o-1 12']);
    expect((await app.deadLetters.list()).letters).toEqual([]);
  });

  it('goes on with its chain, whose steps had failed with it', async () => {
    const { app, world, tasks } = newWorld(shop);
    const result = await chain(tasks.charge.s('o-1', 12), tasks.ship.s(), tasks.told.s()).delay();
    await world.drain();
    expect(await result.state()).toBe('FAILURE');
    tasks.state.broken = false;
    await app.deadLetters.redrive();
    await world.drain();
    expect(tasks.state.ran).toEqual(['charge o-1 12', 'ship 12', 'told shipped 12']);
    expect(await app.result(result.id).state()).toBe('SUCCESS');
  });

  it('of a chord that has failed with it changes nothing of that', async () => {
    const { app, world, tasks } = newWorld(shop);
    const header = [tasks.charge.s('o-1', 1), tasks.charge.s('o-2', 2)];
    const result = await chord(header, tasks.sum.s()).delay();
    await world.drain();
    expect(await result.state()).toBe('FAILURE');
    tasks.state.broken = false;
    expect(await app.deadLetters.redrive()).toMatchObject({ sent: 2 });
    await world.drain();
    expect(tasks.state.ran.toSorted()).toEqual(['charge o-1 1', 'charge o-2 2']);
    expect(await app.result(result.id).state()).toBe('FAILURE');
  });

  it('of a group has its new result among those of the group', async () => {
    const { app, world, tasks } = newWorld(shop);
    const result = await group([tasks.charge.s('o-1', 1), tasks.charge.s('o-2', 2)]).delay();
    await world.drain();
    tasks.state.broken = false;
    await app.deadLetters.redrive();
    await world.drain();
    expect(await result.join()).toEqual([1, 2]);
  });
});

describe('which letters', () => {
  it('are told by task, id, error, time and fingerprint; all others are there again at once', async () => {
    const { app, world, tasks } = newWorld(shop);
    const first = await tasks.charge.delay('o-1', 1);
    await world.drain();
    await world.advance('1h');
    const second = await tasks.charge.delay('o-2', 2);
    await world.drain();
    const { letters } = await app.deadLetters.list();
    expect(letters.map(({ id }) => id)).toEqual([first.id, second.id]);
    const ids = async (query: Parameters<typeof app.deadLetters.list>[0]) =>
      (await app.deadLetters.list(query)).letters.map(({ id }) => id);
    expect(await ids({ since: '30m' })).toEqual([second.id]);
    expect(await ids({ until: '30m' })).toEqual([first.id]);
    expect(await ids({ id: first.id })).toEqual([first.id]);
    expect(await ids({ task: 'orders.ship' })).toEqual([]);
    expect(await ids({ error: 'o-2 2 is' })).toEqual([second.id]);
    expect(await ids({ error: 'Reject' })).toHaveLength(2);
    expect(await ids({ fingerprint: letters[0]!.fingerprint })).toHaveLength(2);
    expect(await app.deadLetters.redrive({ id: second.id, dryRun: true })).toMatchObject({
      matched: 1,
      sent: 1,
      looked: 2,
    });
    expect(await app.deadLetters.drop({ id: second.id })).toMatchObject({ matched: 1, dropped: 1, looked: 2 });
    expect(await ids({})).toEqual([first.id]);
  });

  it('can be changed on their way', async () => {
    const { app, world, tasks } = newWorld(shop, { queues: { default: {}, slow: {} } });
    await tasks.charge.delay('o-1', 1);
    await world.drain();
    tasks.state.broken = false;
    const seen: unknown[] = [];
    await app.deadLetters.redrive({
      edit: ({ args }) => {
        seen.push(args);
        return { args: ['o-1', 99], queue: 'slow' };
      },
    });
    expect(world.broker.depth('slow').visible).toBe(1);
    await world.drain();
    expect(seen).toEqual([['o-1', 1]]);
    expect(tasks.state.ran).toEqual(['charge o-1 99']);
  });

  it('go at a rate', async () => {
    const { app, world, tasks } = newWorld(shop);
    for (let order = 0; order < 6; order += 1) await tasks.charge.delay(`o-${order}`, order);
    await world.drain();
    tasks.state.broken = false;
    const fromMs = world.clock.nowMs();
    const told: number[] = [];
    const { sent } = await app.deadLetters.redrive({ rate: '2/s', onProgress: (progress) => told.push(progress.sent) });
    expect(sent).toBe(6);
    expect(world.clock.nowMs() - fromMs).toBe(2500);
    expect(told.at(-1)).toBe(6);
  });

  it('that have expired stay, until that is taken away', async () => {
    const { app, world, tasks } = newWorld(shop);
    await tasks.charge.applyAsync(['o-1', 1], { expires: '10m' });
    await world.drain();
    await world.advance('1h');
    tasks.state.broken = false;
    expect(await app.deadLetters.redrive()).toMatchObject({ matched: 1, sent: 0, expired: 1 });
    expect(await app.deadLetters.redrive({ edit: { expires: null } })).toMatchObject({ sent: 1 });
    await world.drain();
    expect(tasks.state.ran).toEqual(['charge o-1 1']);
  });
});
