/** The transactional outbox: the item of a call, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { Celeriac, chain, chord, group, InvalidOption, MessageTooLarge } from 'celeriac';
import { World } from 'celeriac/testing';
import { DynamodbTimers } from '../../lib/aws/dynamodb-timers.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import type { DueTimers, Timer } from '../../lib/ports/timers.ts';

function service() {
  const app = new Celeriac('outbox', { queues: { default: {}, orders: { fifo: true } } });
  const runs: string[] = [];
  const ship = app.task('orders.ship', (order: string) => {
    runs.push(order);
    return `${order} shipped`;
  });
  const total = app.task('orders.total', (all: readonly string[]) => all.length);
  const unique = app.task('orders.once', { unique: { key: (order: string) => order } }, (order: string) => order);
  return { app, runs, ship, total, unique, world: new World(app) };
}

/** What DynamoDB does with a committed item: the timer stands in the table. */
async function committed(world: World, item: { readonly Put: { readonly Item: object } }): Promise<void> {
  const put = item.Put.Item as Record<string, { readonly S?: string; readonly N?: string }>;
  await world.timers.put([
    {
      id: String(put['pk']?.S).replace('memory#', ''),
      attempt: 0,
      dueMs: Number(put['due']?.N),
      message: JSON.parse(String(put['message']?.S)) as Timer['message'],
    },
  ]);
}

describe('a call', () => {
  it('committed and flushed: it runs at once, and once', async () => {
    const { ship, runs, world } = service();
    const item = await ship.s('o-1').toTransactItem();
    await committed(world, item);
    expect(runs).toEqual([]);
    await item.flush();
    await world.run();
    expect(await item.result.get()).toBe('o-1 shipped');
    await world.drain();
    expect(runs).toEqual(['o-1']);
  });

  it('committed by a caller that dies: the next sweep sends it, within a minute', async () => {
    const { ship, runs, world } = service();
    await committed(world, await ship.s('o-1').toTransactItem());
    await world.advance('1m');
    expect(runs).toEqual(['o-1']);
  });

  it('flushed by a caller that dies before the timer is gone: it runs once', async () => {
    const { app, ship, runs, world } = service();
    const { ports } = world;
    const { timers } = ports;
    app.use({
      ...ports,
      timers: {
        put: (all) => timers.put(all),
        eachDue: (due: DueTimers, visit) => timers.eachDue(due, visit),
        writeOf: (timer) => timers.writeOf?.(timer) as never,
        remove: () => Promise.reject(new Error('gone')),
      },
    });
    const item = await ship.s('o-1').toTransactItem();
    await committed(world, item);
    await item.flush();
    app.use(ports);
    await world.drain();
    expect(runs).toEqual(['o-1']);
  });

  it('of a transaction that failed: nothing runs', async () => {
    const { ship, runs, world } = service();
    await ship.s('o-1').toTransactItem();
    await world.drain();
    expect(runs).toEqual([]);
  });

  it.each(['1m', '1h'] as const)('that is due in %s runs then, flushed or not', async (countdown) => {
    const { app, ship, runs, world } = service();
    for (const flushes of [true, false]) {
      const item = await ship.s(`o-${flushes}`).toTransactItem([], { countdown });
      await committed(world, item);
      if (flushes) await item.flush();
    }
    const startMs = app.clock.nowMs();
    await world.run();
    expect(runs).toEqual([]);
    await world.drain();
    expect(runs.toSorted()).toEqual(['o-false', 'o-true']);
    expect(app.clock.nowMs() - startMs).toBeGreaterThanOrEqual(60_000);
  });

  it('of a FIFO queue', async () => {
    const { ship, runs, world } = service();
    for (const order of ['o-1', 'o-2', 'o-3']) {
      const item = await ship.s(order).toTransactItem([], { queue: 'orders' });
      await committed(world, item);
      await item.flush();
    }
    await world.drain();
    expect(runs).toEqual(['o-1', 'o-2', 'o-3']);
  });

  it('has its id and options, also for the document client', async () => {
    const { ship } = service();
    const item = await ship.s('o-1').toTransactItem([], { taskId: 'order-1' });
    expect([item.id, item.result.id]).toEqual(['order-1', 'order-1']);
    expect(Object.keys(item)).toEqual(['Put']);
    expect(item.document.Put.Item).toMatchObject({ pk: 'memory#order-1', due: expect.any(Number) });
  });
});

describe('a tree', () => {
  it('a chain, whatever it goes on with, is one item', async () => {
    const { ship, total, runs, world } = service();
    const item = await chain(ship.s('o-1'), group(ship.si('o-2'), ship.si('o-3')), total.s()).toTransactItem();
    await committed(world, item);
    await item.flush();
    await world.drain();
    expect(await item.result.get()).toBe(2);
    expect(runs.toSorted()).toEqual(['o-1', 'o-2', 'o-3']);
  });

  it('many messages are refused', async () => {
    const { ship, total, world } = service();
    const members = [ship.s('o-1'), ship.s('o-2')];
    await expect(group(members).toTransactItem()).rejects.toThrow(InvalidOption);
    await expect(chord(members, total.s()).toTransactItem()).rejects.toThrow(
      /many messages.*Begin it with one task, as in chain\(first\.s\(\), group\(\.\.\.\)\)/,
    );
    await world.drain();
  });
});

describe('refused', () => {
  it('a call that another task may stand for', async () => {
    const { unique } = service();
    await expect(unique.s('o-1').toTransactItem()).rejects.toThrow(/unique of task 'orders\.once'.*unique: false/);
  });
  it('what does not fit an item', async () => {
    const { ship } = service();
    await expect(ship.s('x'.repeat(500_000)).toTransactItem()).rejects.toThrow(MessageTooLarge);
  });
  it('where tasks run in their caller', async () => {
    const eager = new Celeriac('eager', { alwaysEager: true }).task('eager.ship', () => 1);
    await expect(eager.s().toTransactItem()).rejects.toThrow(/alwaysEager/);
  });
  it('an option that is none, as in a call', async () => {
    const { ship } = service();
    await expect(ship.s('o-1').toTransactItem([], { countdwon: 1 } as never)).rejects.toThrow(InvalidOption);
  });
});

it("on DynamoDB it is the timers' own item", async () => {
  const written: unknown[] = [];
  const timers = new DynamodbTimers({
    client: {
      send: (command: { readonly input: unknown }) => Promise.resolve(written.push(command.input) && {}),
    } as never,
    table: 'state',
    shards: 4,
    clock: systemClock,
    random: systemRandom,
  });
  const timer: Timer = { id: 'a', attempt: 0, dueMs: 1_790_000_000_000, message: { queue: 'default', body: 'b' } };
  await timers.put([timer]);
  const { TableName, Item } = await timers.writeOf(timer);
  expect(written).toEqual([{ RequestItems: { [TableName]: [{ PutRequest: { Item } }] } }]);
});
