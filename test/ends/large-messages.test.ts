/** Small messages that unpack to large ones: a batch of them must not take the memory of all together. */
import { deflateSync } from 'node:zlib';

import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

function wire(id: string, text: string, compression = '"compression":"zlib"'): string {
  const body = deflateSync(Buffer.from(text)).toString('base64');
  const properties = '"properties":{},"content-type":"application/json","content-encoding":"utf-8"';
  return `{"body":"${body}","headers":{"task":"note","id":"${id}",${compression}},${properties}}`;
}

it('are worked on one at a time, beside the others', async () => {
  const app = new Celeriac('large', { queues: { default: {} }, logger: silentLogger });
  const now: Record<string, number> = { large: 0, small: 0 };
  const most: Record<string, number> = { large: 0, small: 0 };
  app.task('note', { bind: true }, async (_self, items: readonly unknown[]) => {
    const kind = items.length > 1 ? 'large' : 'small';
    now[kind] = (now[kind] ?? 0) + 1;
    most[kind] = Math.max(most[kind] ?? 0, now[kind]);
    await world.clock.sleep(1000);
    now[kind] -= 1;
    return items.length;
  });
  // Unpacking counts as real work that nobody ends.
  const world = new World(app, { patienceMs: 0 });
  const large = `[[[${'{},'.repeat(150_000)}1]],{},{}]`;
  const bodies = [
    wire('large-0', large),
    // An escape in its name is the same header.
    wire('large-1', large, '"compres\\u0073ion":"zlib"'),
    Buffer.from(wire('large-2', large)).toString('base64'),
    ...Array.from({ length: 5 }, (_, index) => wire(`small-${index}`, '[[[1]],{},{}]')),
  ];
  expect(bodies[0]?.length).toBeLessThan(5000);
  await world.broker.send(bodies.map((body) => ({ queue: 'default', body })));
  await world.drain();
  expect(most).toEqual({ large: 1, small: 5 });
  for (const id of ['large-0', 'large-1', 'large-2']) expect(await app.result(id).get({ timeout: 0 })).toBe(150_001);
  for (let index = 0; index < 5; index += 1) expect(await app.result(`small-${index}`).get({ timeout: 0 })).toBe(1);
});
