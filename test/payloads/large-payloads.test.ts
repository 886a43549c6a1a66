/** Arguments and results that are too large for SQS and DynamoDB: compressed, and stored beside them. */
import { Celeriac, chain, chord, type LargePayloadsOptions, Reject, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { MemoryBlobs } from '../../lib/memory/index.ts';

const MEGABYTE = 1_000_000;
const DAY_SECONDS = 86_400;

/** Text that no compression makes much smaller. */
function noise(bytes: number): string {
  let state = 12345;
  const parts: string[] = [];
  for (let length = 0; length < bytes; length += 6) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    parts.push((state % 0xffffff).toString(16).padStart(6, '0'));
  }
  return parts.join('').slice(0, bytes);
}

function newService(largePayloads: LargePayloadsOptions | null = { compression: 'none' }) {
  const app = new Celeriac('large', {
    queues: { default: {} },
    logger: silentLogger,
    ...(largePayloads === null ? {} : { largePayloads }),
  });
  const world = new World(app, { patienceMs: 0 });
  const seen: number[] = [];
  const state = { rejects: false, recovered: [] as string[] };
  const tasks = {
    make: app.task('make', (bytes: number) => noise(bytes)),
    double: app.task('double', (text: string) => (seen.push(text.length), text + text)),
    length: app.task('length', (text: string) => text.length),
    lengths: app.task('lengths', (texts: readonly string[]) => texts.map((text) => text.length)),
    picky: app.task('picky', { bind: true, maxRetries: 2 }, (self, text: string): number => {
      seen.push(text.length);
      if (state.rejects) throw new Reject('closed');
      if (self.request.retries < 2) throw self.retry({ countdown: 10 });
      return text.length;
    }),
    fail: app.task('fail', (text: string): number => {
      throw new Error(`no ${text.length}`);
    }),
    recover: app.task('recover', (id: string) => void state.recovered.push(id)),
  };
  const blobs = world.ports.blobs as MemoryBlobs;
  const kinds = (): Record<string, number> => {
    const all = [...blobs.all.keys()];
    const count = (kind: string): number => all.filter((key) => key.startsWith(`${kind}/`)).length;
    return { messages: count('messages'), results: count('results') };
  };
  return { app, world, seen, blobs, kinds, state, ...tasks };
}

describe('an argument of 20 MB', () => {
  it('reaches its task, and its result of 20 MB the reader', async () => {
    const { world, double, kinds } = newService();
    const result = await double.delay(noise(10 * MEGABYTE));
    await world.drain();
    expect((await result.get({ timeout: 0 })).length).toBe(20 * MEGABYTE);
    expect(kinds()).toEqual({ messages: 1, results: 1 });
    await result.forget();
    // The message's own goes with the store's lifecycle.
    expect(kinds()).toEqual({ messages: 1, results: 0 });
  });

  it('goes on through a chain, a chord and its body', async () => {
    const { world, make, double, length, lengths } = newService();
    const through = await chain(make.s(10 * MEGABYTE), double.s(), length.s()).delay();
    const body = await chord([make.s(10 * MEGABYTE), make.s(10 * MEGABYTE + 1)], lengths.s()).delay();
    await world.drain();
    expect(await through.get({ timeout: 0 })).toBe(20 * MEGABYTE);
    expect(await body.get({ timeout: 0 })).toEqual([10 * MEGABYTE, 10 * MEGABYTE + 1]);
  });
});

describe('what a message or record cannot hold', () => {
  it('waits as a timer, and is retried without being stored once more', async () => {
    const { world, picky, seen, blobs } = newService();
    const puts: string[] = [];
    const put = blobs.put.bind(blobs);
    blobs.put = async (key, bytes) => (puts.push(key), put(key, bytes));
    const result = await picky.applyAsync([noise(MEGABYTE)], { countdown: 7200 });
    await world.drain();
    expect(await result.get({ timeout: 0 })).toBe(MEGABYTE);
    expect(seen).toEqual([MEGABYTE, MEGABYTE, MEGABYTE]);
    expect(puts).toHaveLength(1);
  });

  it('has an ETA as far ahead as what is stored is kept', async () => {
    const { picky } = newService({ keep: '40d' });
    const far = picky.applyAsync([noise(MEGABYTE)], { countdown: 11 * DAY_SECONDS });
    await expect(far).rejects.toThrow(/stored for 3456000 s, and it is due in 950400 s; up to 864000 s are allowed/);
    await picky.applyAsync(['small'], { countdown: 11 * DAY_SECONDS });
    await picky.applyAsync([noise(MEGABYTE)], { countdown: 9 * DAY_SECONDS });
  });

  it('fails as it would otherwise, and its error link runs', async () => {
    const { world, fail, recover, state } = newService();
    const result = await fail.applyAsync([noise(MEGABYTE)], { linkError: recover.s() });
    await world.drain();
    await expect(result.get({ timeout: 0 })).rejects.toThrow('no 1000000');
    expect(state.recovered).toEqual([result.id]);
  });

  it('is compressed first, and stays where it is once it is small', async () => {
    const { world, double, blobs } = newService({});
    const result = await double.delay('x'.repeat(10 * MEGABYTE));
    await world.drain();
    expect((await result.get({ timeout: 0 })).length).toBe(20 * MEGABYTE);
    expect(blobs.all.size).toBe(0);
  });

  it('is refused without the option, which the error names', async () => {
    const { double } = newService(null);
    await expect(double.delay(noise(2 * MEGABYTE))).rejects.toThrow("Set the app's option largePayloads");
  });
});

describe('a payload that is not there', () => {
  it('is a dead letter with the bytes of the message, and tells its caller', async () => {
    const { world, length, blobs, app } = newService();
    const result = await length.delay(noise(MEGABYTE));
    const kept = new Map(blobs.all);
    await blobs.delete([...blobs.all.keys()]);
    await world.drain();
    await expect(result.get({ timeout: 0 })).rejects.toMatchObject({ name: 'PayloadNotFound' });
    const [letter] = (await app.deadLetters.list({ queue: 'default' })).letters;
    expect(letter).toMatchObject({ id: result.id, task: 'length', errorType: 'PayloadNotFound' });
    // Found again, it runs.
    for (const [key, { bytes }] of kept) await blobs.put(key, bytes);
    await app.deadLetters.redrive({ queue: 'default' });
    await world.drain();
    expect(await app.result(result.id).get({ timeout: 0 })).toBe(MEGABYTE);
  });

  it('is none of another task: a message can point to its own alone', async () => {
    const { world, length, blobs, app } = newService();
    await length.applyAsync([noise(MEGABYTE)], { taskId: 'victim' });
    await world.drain();
    const [key = ''] = blobs.all.keys();
    const pointer = { sha256: key.split('/')[2], bytes: blobs.all.get(key)?.bytes.length };
    const headers = { task: 'length', id: 'thief', celeriac: { payload: pointer } };
    const outer = { body: 'bnVsbA==', 'content-type': 'application/json', headers, properties: {} };
    await world.broker.send([{ queue: 'default', body: JSON.stringify(outer) }]);
    await world.drain();
    await expect(app.result('thief').get({ timeout: 0 })).rejects.toMatchObject({ name: 'PayloadNotFound' });
  });
});

it('a dead letter of ten days is redriven, and its payload is kept anew from then on', async () => {
  const { world, picky, seen, blobs, app, state } = newService();
  state.rejects = true;
  const result = await picky.delay(noise(MEGABYTE));
  await world.drain();
  const [first] = blobs.all.values();
  await world.advance('10d');
  state.rejects = false;
  const edit = ({ args }: { readonly args?: readonly unknown[] }): object => (seen.push(String(args?.[0]).length), {});
  expect(await app.deadLetters.redrive({ queue: 'default', edit })).toMatchObject({ sent: 1 });
  await world.drain();
  expect(await result.get({ timeout: 0 })).toBe(MEGABYTE);
  // Twice rejected and retried, and once in the editor's hands.
  expect(seen.every((length) => length === MEGABYTE)).toBe(true);
  const [again] = blobs.all.values();
  expect((again?.storedMs ?? 0) - (first?.storedMs ?? 0)).toBeGreaterThanOrEqual(10 * DAY_SECONDS * 1000);
});
