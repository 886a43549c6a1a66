/**
 * What follows from one outcome may be thousands of messages: sent window by window, gone on with in the next invocation.
 * windows.long.test.ts: whole wherever a worker stops.
 */
import { chain, chord, group, signature } from 'celeriac';
import { describe, expect, it } from 'vitest';
import { CANVAS_WINDOW_BYTES } from '../../lib/base/limits.ts';
import type { OutgoingMessage } from '../../lib/ports/broker.ts';
import { chunksOf, PORTS, REQUEST } from '../support/canvas-windows.ts';
import { type CanvasWorld, canvasWorld, send } from '../support/canvas-world.ts';
import { tapped } from '../support/port-taps.ts';

interface Windowed extends CanvasWorld {
  /** How many messages of windows each invocation sent. */
  readonly sent: ReadonlyMap<string, number>;
}

/** Windows take most of a minute each: fifty requests of a second. */
function slowWorld(): Windowed {
  const sent = new Map<string, number>();
  const played: CanvasWorld = canvasWorld(
    {},
    {
      wrapPorts: (ports, { requestId }) =>
        tapped(
          ports,
          async (call, go, args) => {
            const items = call === 'broker.send' ? (args[0] as readonly OutgoingMessage[]) : [];
            if (items.length < REQUEST) return go();
            sent.set(requestId, (sent.get(requestId) ?? 0) + items.length);
            await played.world.clock.sleep(1000);
            return go();
          },
          PORTS,
        ),
    },
  );
  return { ...played, sent };
}

describe('a step of many messages', () => {
  it('goes on in the next invocation, and sends nothing twice', async () => {
    const size = 4000;
    const { tasks, world, sent, runs } = slowWorld();
    await send(tasks.echo.s('first').link(chunksOf(tasks, size)));
    await world.drain();
    expect(sent.size).toBeGreaterThan(1);
    expect(sent.size).toBeLessThan(4);
    expect([...sent.values()].reduce((sum, count) => sum + count, 0)).toBe(size);
    const ran = runs.map(({ args }) => args[0]);
    expect(new Set(ran).size).toBe(size + 1);
    expect(ran).toHaveLength(size + 1);
    expect(world.broker.nextVisibleMs()).toBeUndefined();
  });

  it('goes on where it was, though none of them has started: what is sent is noted, not looked for', async () => {
    const size = 4000;
    const { tasks, world, sent } = slowWorld();
    const it = Array.from({ length: size }, (_, index) => [index]);
    const kwargs = { task: tasks.echo.s(), it, n: 1 };
    const late = signature('celery.chunks', { kwargs, options: { countdown: 800 }, subtaskType: 'chunks' }) as never;
    await send(tasks.echo.s('first').link(late));
    await world.advance(700);
    expect(sent.size).toBeGreaterThan(1);
    expect([...sent.values()].reduce((sum, count) => sum + count, 0)).toBe(size);
  });

  it('many links do too', async () => {
    const { tasks, world, of } = slowWorld();
    await send(tasks.echo.s('first').set({ link: Array.from({ length: 1600 }, () => tasks.echo.s()) } as never));
    await world.drain();
    expect(of('echo')).toHaveLength(1601);
  });

  it('of which none can run ends whole, and the chord around it resolves', async () => {
    const { tasks, world, app } = slowWorld();
    const members = Array.from({ length: 1200 }, (_, index) => tasks.echo.si(index));
    const whole = chain(tasks.fail.s(), group(members) as never, tasks.list.s() as never);
    const result = await send(whole);
    await world.drain();
    await expect(result.get({ timeout: 1 })).rejects.toThrow();
    const states = world.backend.all().map(({ status }) => status);
    expect(states.filter((status) => status === 'FAILURE')).toHaveLength(1202);
    expect(app.name).toBeTypeOf('string');
  });

  it('with a large body is sent by bytes', async () => {
    const { tasks, world } = canvasWorld({}, { batchSize: 1 });
    let largest = 0;
    const sendAll = world.broker.send.bind(world.broker);
    world.broker.send = (items) => {
      largest = Math.max(
        largest,
        items.reduce((sum, { body }) => sum + body.length, 0),
      );
      return sendAll(items);
    };
    const header = Array.from({ length: 60 }, (_, index) => tasks.echo.si(index));
    await send(chain(tasks.echo.s(1), chord(header, tasks.list.s('x'.repeat(300_000))) as never));
    await world.drain();
    expect(largest).toBeGreaterThan(1_000_000);
    expect(largest).toBeLessThan(CANVAS_WINDOW_BYTES + 1_048_576);
  });
});
