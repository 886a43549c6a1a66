/** What every store of blobs must do. Cases share one store and keep to keys of their own. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';

import type { Blobs } from '../../ports/blobs.ts';
import type { ConformanceCase } from './case.ts';

const MOST = 1_000_000;
const LARGE_BYTES = 6_000_000;

/** What every store of blobs must do, as cases. They share one store. */
export function blobsConformance(blobs: Blobs): ConformanceCase[] {
  const bytesOf = async (key: string, most = MOST): Promise<number[] | undefined> => {
    const blob = await blobs.get(key, most);
    return blob && [...blob.bytes];
  };
  return [
    {
      name: 'bytes come back as they were put, whatever they are',
      async run() {
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
        await blobs.put('messages/a/all-bytes', bytes);
        deepEqual(await bytesOf('messages/a/all-bytes'), [...bytes]);
        await blobs.put('messages/a/none', new Uint8Array());
        deepEqual(await bytesOf('messages/a/none'), []);
      },
    },
    {
      name: 'what was put last stands there',
      async run() {
        await blobs.put('messages/b/x', Uint8Array.of(1));
        await blobs.put('messages/b/x', Uint8Array.of(2, 3));
        deepEqual(await bytesOf('messages/b/x'), [2, 3]);
      },
    },
    {
      name: 'where nothing was put there is nothing',
      async run() {
        equal(await blobs.get('messages/c/nothing', MOST), undefined);
      },
    },
    {
      name: 'it tells when something was put, to a second, and anew when it is put again',
      async run() {
        await blobs.put('messages/d/x', Uint8Array.of(1));
        const first = (await blobs.get('messages/d/x', MOST))?.storedMs ?? 0;
        ok(first > 1_500_000_000_000 || first > 0, String(first));
        await blobs.put('messages/d/x', Uint8Array.of(1));
        ok(((await blobs.get('messages/d/x', MOST))?.storedMs ?? 0) >= first);
      },
    },
    {
      name: 'more bytes than are asked for are refused',
      async run() {
        await blobs.put('messages/e/x', new Uint8Array(11));
        await rejects(blobs.get('messages/e/x', 10), { name: 'StoreRefused' });
        equal((await bytesOf('messages/e/x', 11))?.length, 11);
      },
    },
    {
      name: 'what is deleted is gone, its neighbours stay, and what is not there is no error',
      async run() {
        for (const key of ['messages/f/1', 'messages/f/2', 'results/f/1']) await blobs.put(key, Uint8Array.of(1));
        await blobs.delete(['messages/f/1', 'results/f/1', 'messages/f/never']);
        await blobs.delete([]);
        deepEqual(
          [await bytesOf('messages/f/1'), await bytesOf('messages/f/2'), await bytesOf('results/f/1')],
          [undefined, [1], undefined],
        );
      },
    },
    {
      name: 'megabytes come back whole',
      async run() {
        const bytes = new Uint8Array(LARGE_BYTES).fill(7);
        bytes[LARGE_BYTES - 1] = 9;
        await blobs.put('results/g/large', bytes);
        const blob = await blobs.get('results/g/large', LARGE_BYTES);
        ok(Buffer.from(bytes).equals(blob?.bytes ?? Buffer.alloc(0)));
      },
    },
  ];
}
