/** Bad options of large payloads, and senders that die on their way. */
import { Celeriac, type LargePayloadsOptions, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { MemoryBlobs } from '../../lib/memory/index.ts';

describe('a bad option', () => {
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [null, /largePayloads: null given; an object is allowed/],
    [
      { compression: 'lzma' },
      /largePayloads\.compression: .*lzma.* given; 'gzip', 'zstd', 'brotli' and 'none' are allowed/,
    ],
    [{ compressAboveBytes: -1 }, /largePayloads\.compressAboveBytes.*-1/],
    [{ compressAboveBytes: 1.5 }, /largePayloads\.compressAboveBytes.*1\.5/],
    [{ storeAboveBytes: 1023 }, /largePayloads\.storeAboveBytes.*1023/],
    [{ storeAboveBytes: 90_001 }, /largePayloads\.storeAboveBytes.*90001/],
    [{ keep: '30d' }, /largePayloads\.keep/],
    [{ storeAbove: 1 }, /largePayloads.*storeAbove/],
  ];
  it.each(bad)('%j is refused, by name and value', (given, text) => {
    const largePayloads = given as LargePayloadsOptions;
    expect(() => new Celeriac('large', { queues: { default: {} }, largePayloads })).toThrow(text);
  });
});

describe('a sender that dies', () => {
  const text = 'x'.repeat(1_000_000);
  // Objects and runs that there are after it, before the caller tries again.
  const table = [
    { when: 'before the upload', objects: 0, runs: 0 },
    { when: 'after the upload', objects: 1, runs: 0 },
    { when: 'before the send', objects: 1, runs: 0 },
    { when: 'after the send', objects: 1, runs: 1 },
  ] as const;

  it.each(table)('$when leaves no message without its object', async ({ when, objects, runs }) => {
    const app = new Celeriac('large', {
      queues: { default: {} },
      logger: silentLogger,
      largePayloads: { compression: 'none' },
    });
    const world = new World(app, { patienceMs: 0 });
    const seen: number[] = [];
    const take = app.task('take', (given: string) => void seen.push(given.length));
    const blobs = world.ports.blobs as MemoryBlobs;
    const { broker } = world;
    const put = blobs.put.bind(blobs);
    const send = broker.send.bind(broker);
    let died = 0;
    const die = (): never => {
      died += 1;
      throw new Error('died');
    };
    blobs.put = async (key, bytes) => {
      if (when === 'before the upload') die();
      await put(key, bytes);
      if (when === 'after the upload') die();
    };
    broker.send = async (messages) => {
      if (when === 'before the send') die();
      const outcomes = await send(messages);
      return when === 'after the send' ? die() : outcomes;
    };
    await expect(take.applyAsync([text], { taskId: 'same' })).rejects.toThrow();
    expect(died).toBeGreaterThan(0);
    blobs.put = put;
    broker.send = send;
    await world.drain();
    expect({ objects: blobs.all.size, runs: seen.length }).toEqual({ objects, runs });
    const again = await take.applyAsync([text], { taskId: 'same' });
    await world.drain();
    expect(await again.state()).toBe('SUCCESS');
    expect(blobs.all.size).toBe(1);
    expect(seen.every((length) => length === text.length)).toBe(true);
  });
});
