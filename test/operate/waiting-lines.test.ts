/** All who wait for slots, listed without a task's name: in virtual time, for hours. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { parkedByQueue, waitingLines, type WaitingLines } from '../../lib/operate/waiting-lines.ts';
import { slotsKey } from '../../lib/ports/slot-keys.ts';
import type { Parked } from '../../lib/ports/slots.ts';
import { MemorySlots } from '../../lib/memory/index.ts';

const NOW = 1_900_000_000_000;

function shop(): { readonly app: Celeriac; readonly look: (world: World) => Promise<WaitingLines> } {
  const app = new Celeriac('shop', {
    queues: { default: {}, mail: {} },
    routes: { 'mail.*': 'mail' },
    logger: silentLogger,
  });
  const look = async (world: World): Promise<WaitingLines> => {
    const { slots } = world.ports;
    if (slots === undefined) throw new Error('there is no store of slots');
    return waitingLines(slots, { nowMs: world.clock.nowMs() });
  };
  return { app, look };
}

describe('waiting lines', () => {
  it('are those of all keys for which somebody waits, with who runs in front of them, and none when all has run', async () => {
    const { app, look } = shop();
    const hold = async (_key: string, seconds: number): Promise<void> => world.clock.sleep(seconds * 1000);
    const key = (text: string): string => text;
    const ship = app.task('orders.ship', { concurrency: { limit: 1, key } }, hold);
    const send = app.task('mail.send', { concurrency: { limit: 2, key } }, hold);
    const once = app.task('orders.sync', { oneInstance: { whenLocked: 'wait' } }, hold);
    using world = new World(app, { start: new Date(NOW) });
    const sent: Record<string, string[]> = { DE: [], FR: [], mail: [], once: [] };
    for (let count = 0; count < 3; count += 1) {
      sent['DE']?.push((await ship.delay('DE', 20)).id);
      sent['mail']?.push((await send.delay('x', 20)).id);
      sent['once']?.push((await once.delay('', 20)).id);
    }
    await ship.delay('FR', 20);
    await world.advance(5);
    const { lines, more } = await look(world);
    expect(more).toBe(false);
    const told = lines.map(({ of, task, key: text, limit, active, parked, waiting }) => ({
      what: [of, task, text, limit, waiting],
      active: active.map(({ id }) => id),
      parked: parked.map(({ id, queue }) => [id, queue]),
    }));
    expect(told).toHaveLength(3);
    expect(told).toContainEqual({
      what: ['concurrency', 'orders.ship', 'DE', 1, 2],
      active: sent['DE']?.slice(0, 1),
      parked: sent['DE']?.slice(1).map((id) => [id, 'default']),
    });
    expect(told).toContainEqual({
      what: ['concurrency', 'mail.send', 'x', 2, 1],
      active: expect.arrayContaining(sent['mail']?.slice(0, 2) ?? []) as unknown,
      parked: sent['mail']?.slice(2).map((id) => [id, 'mail']),
    });
    expect(told).toContainEqual(expect.objectContaining({ what: ['oneInstance', 'orders.sync', '', 1, 2] }));
    expect(parkedByQueue(lines)).toEqual(
      new Map([
        ['default', 4],
        ['mail', 1],
      ]),
    );
    await world.drain('1h');
    expect(await look(world)).toEqual({ lines: [], more: false });
  });

  it('stay listed for as long as somebody waits, be it for hours', async () => {
    const { app, look } = shop();
    const slow = app.task('slow', { concurrency: 1 }, async () => world.clock.sleep(800_000));
    using world = new World(app, { start: new Date(NOW), invocation: '15m' });
    for (let count = 0; count < 16; count += 1) await slow.delay();
    for (let hours = 0; hours < 3; hours += 0.25) {
      await world.advance(900);
      expect((await look(world)).lines, `after ${hours} h`).toMatchObject([{ task: 'slow', key: '' }]);
    }
    await world.drain('2d');
    expect((await look(world)).lines).toEqual([]);
  });

  it('are read within bounds: so many keys, so many of each, the others counted', async () => {
    const slots = new MemorySlots();
    const parked = (name: string, queue: string): Parked => ({
      sinceMs: NOW,
      holder: `${name}#0`,
      token: 'token',
      wake: { kind: 'send', message: { queue, body: '' } },
      grants: 0,
    });
    for (let key = 0; key < 5; key += 1) {
      const waiting = Array.from({ length: 12 }, (_, index) => parked(`t-${index}`, key === 0 ? 'mail' : 'default'));
      await slots.park(slotsKey(`work#${key}`), waiting, NOW);
    }
    const { lines, more } = await waitingLines(slots, { nowMs: NOW, keys: 3, each: 10 });
    expect(lines.map((line) => [line.key, line.parked.length, line.waiting])).toEqual([
      ['0', 10, 12],
      ['1', 10, 12],
      ['2', 10, 12],
    ]);
    expect(more).toBe(true);
    expect(parkedByQueue(lines)).toEqual(
      new Map([
        ['mail', 12],
        ['default', 24],
      ]),
    );
  });
});
