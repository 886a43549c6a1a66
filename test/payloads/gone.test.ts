/** A result whose object is gone: all is told of its task but the result. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { MemoryBlobs } from '../../lib/memory/index.ts';
import { taskStates, taskSummaries } from '../../lib/operate/task-summary.ts';

const LARGE = 'x'.repeat(1_000_000);
const GONE = { name: 'PayloadNotFound' };

/** Two tasks with large results, of which one is gone. */
async function lost() {
  const app = new Celeriac('large', {
    logger: silentLogger,
    resultExtended: true,
    largePayloads: { compression: 'none' },
  });
  const echo = app.task('echo', (text: string) => text);
  const world = new World(app);
  const blobs = world.ports.blobs as MemoryBlobs;
  const { id } = await echo.delay(LARGE);
  await world.drain();
  await blobs.delete([...blobs.all.keys()].filter((key) => key.startsWith('results/')));
  const there = await echo.delay(LARGE);
  await world.drain();
  const gets: string[] = [];
  const get = blobs.get.bind(blobs);
  blobs.get = async (key, most) => (gets.push(key), get(key, most));
  return { app, world, id, result: app.result(id), there, ports: await app.ports(), gets };
}

describe('a result that is gone', () => {
  it('has its state, and when and where it ended, and says of all else that it is gone', async () => {
    const { result, world } = await lost();
    expect([await result.state(), await result.ready(), await result.successful(), await result.failed()]).toEqual([
      'SUCCESS',
      true,
      true,
      false,
    ]);
    expect([await result.name(), await result.queue(), await result.retries()]).toEqual(['echo', 'default', 0]);
    expect((await result.dateDone())?.getTime()).toBe(world.clock.nowMs());
    for (const ask of [
      () => result.get({ timeout: 0 }),
      () => result.info(),
      () => result.children(),
      () => result.args(),
      () => result.worker(),
    ])
      await expect(ask()).rejects.toMatchObject(GONE);
  });

  it('is told by explain() and the history', async () => {
    const { app, id } = await lost();
    expect((await app.explain(id)).state).toBe('SUCCESS');
    expect(await app.history.task(id)).toMatchObject({ id, task: 'echo', state: 'SUCCESS', children: [] });
  });

  it('hides no other task from who looks at many', async () => {
    const { id, there, ports, gets } = await lost();
    const ids = [id, there.id, 'unknown'];
    expect(await taskSummaries(ids, ports)).toMatchObject([
      { id, state: 'SUCCESS', name: 'echo', error: { type: 'PayloadNotFound' } },
      { id: there.id, state: 'SUCCESS', result: LARGE },
      { id: 'unknown', state: 'PENDING' },
    ]);
    gets.length = 0;
    const states = await taskStates(ids, ports);
    expect(states).toMatchObject([{ state: 'SUCCESS', name: 'echo' }, { state: 'SUCCESS' }, { state: 'PENDING' }]);
    expect(states.some((state) => 'result' in state || 'error' in state)).toBe(false);
    expect(gets).toEqual([]);
  });
});
