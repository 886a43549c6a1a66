/** With a codec the name of a stored payload tells nothing of what it is: nobody may confirm a guess by a message or a list of the store. */
import { Celeriac, silentLogger } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { World } from 'celeriac/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { MemoryBlobs } from '../../lib/memory/index.ts';

// What a process keeps to itself.
const processes = vi.hoisted(() => ({ each: false, count: 0 }));
afterEach(() => (processes.each = false));
vi.mock(import('../../lib/wire/payload-salt.ts'), async (original) => {
  const actual = await original();
  return {
    ...actual,
    newSalt: (task) => actual.newSalt(processes.each ? `${(processes.count += 1)} ${task}` : task),
  };
});

const KEYS = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const GUESSED = 'diagnosis: '.padEnd(4000, 'B20 ');

function newService(isSecret: boolean) {
  const app = new Celeriac('ward', {
    logger: silentLogger,
    largePayloads: { compression: 'none', storeAboveBytes: 1024 },
    ...(isSecret ? { codec: aesGcm({ keys: () => KEYS }) } : {}),
  });
  const echo = app.task('echo', (text: string) => text);
  const again = app.task('again', { bind: true, maxRetries: 2 }, (self, text: string) => {
    if (self.request.retries < 2) throw self.retry({ countdown: 10 });
    return text.length;
  });
  const world = new World(app, { patienceMs: 0 });
  const blobs = world.ports.blobs as MemoryBlobs;
  const puts: string[] = [];
  const put = blobs.put.bind(blobs);
  blobs.put = async (key, bytes) => (puts.push(key), put(key, bytes));
  return { app, world, echo, again, blobs, puts };
}

/** Names of what a task with these arguments stores. */
async function namesOf(isSecret: boolean): Promise<string[]> {
  const { world, echo, blobs } = newService(isSecret);
  using _ = world;
  const result = await echo.applyAsync([GUESSED], { taskId: 'patient-1' });
  await world.drain();
  expect(await result.get({ timeout: 0 })).toBe(GUESSED);
  return [...blobs.all.keys()].toSorted();
}

describe('names of what is stored', () => {
  it('are those of the contents without a codec, so that the same is stored once', async () => {
    expect(await namesOf(false)).toEqual(await namesOf(false));
  });

  it('are no hashes of the contents with one', async () => {
    const [message, result] = await namesOf(false);
    const names = await namesOf(true);
    expect(names).toHaveLength(2);
    // Whoever knows the id and guesses the text has these.
    expect(names).not.toContain(message);
    expect(names).not.toContain(result);
  });

  it('stay the same through retries: nothing is stored again', async () => {
    const { world, again, puts } = newService(true);
    using _ = world;
    const result = await again.delay(GUESSED);
    await world.drain();
    expect(await result.get({ timeout: 0 })).toBe(GUESSED.length);
    expect(puts).toHaveLength(1);
  });

  it('stay the same where each attempt runs in another process', async () => {
    processes.each = true;
    const { world, again, puts } = newService(true);
    using _ = world;
    const result = await again.delay(GUESSED);
    await world.drain();
    expect(await result.get({ timeout: 0 })).toBe(GUESSED.length);
    expect(puts).toHaveLength(1);
  });
});
