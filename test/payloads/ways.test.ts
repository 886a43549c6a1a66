/** Large arguments by the ways that store messages before they are sent: debounce, the outbox. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import type { MemoryBlobs } from '../../lib/memory/index.ts';
import type { Timer } from '../../lib/ports/timers.ts';

const LARGE = 'x'.repeat(1_000_000);

function service() {
  const app = new Celeriac('large', { logger: silentLogger, largePayloads: { compression: 'none' } });
  const lengths: number[] = [];
  const take = app.task('take', (text: string) => void lengths.push(text.length));
  const last = app.task('last', { debounce: { wait: '10s' } }, (text: string) => void lengths.push(text.length));
  return { lengths, take, last, world: new World(app) };
}

it('debounce: the last of several runs, with its own argument', async () => {
  const { lengths, last, world } = service();
  await last.delay('small');
  await last.delay(LARGE);
  await world.drain();
  expect(lengths).toEqual([LARGE.length]);
  await last.delay(LARGE);
  await last.delay('small');
  await world.drain();
  expect(lengths).toEqual([LARGE.length, 'small'.length]);
});

it.each([true, false])(
  'the outbox: its item is small, and its task runs with all of it; flushed %s',
  async (flushed) => {
    const { lengths, take, world } = service();
    const item = await take.s(LARGE).toTransactItem();
    const put = item.Put.Item as Record<string, { readonly S?: string; readonly N?: string }>;
    expect(JSON.stringify(put).length).toBeLessThan(10_000);
    // The transaction is committed.
    const id = String(put['pk']?.S).replace('memory#', '');
    const message = JSON.parse(String(put['message']?.S)) as Timer['message'];
    await world.timers.put([{ id, attempt: 0, dueMs: Number(put['due']?.N), message }]);
    if (flushed) await item.flush();
    await world.drain();
    expect(lengths).toEqual([LARGE.length]);
  },
);

it('who finds its key taken reads nothing of what the task that stands has stored, which may be gone', async () => {
  const app = new Celeriac('large', { logger: silentLogger, largePayloads: { compression: 'none' } });
  const found: boolean[] = [];
  const once = app.task('once', { bind: true, unique: { key: 'once' } }, async (self): Promise<void> => {
    await self.updateState('HALFWAY', LARGE);
    const { blobs } = await app.ports();
    const { all } = blobs as MemoryBlobs;
    expect([...all.keys()]).toEqual([expect.stringMatching(/^results\//)]);
    await blobs?.delete([...all.keys()]);
    found.push((await once.delay()).id === self.request.id);
  });
  const world = new World(app);
  await once.delay();
  await world.drain();
  expect(found).toEqual([true]);
});
