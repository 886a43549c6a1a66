/** Bodies that a producer has compressed: read, bounded, and sent on as they came. */
import { execFileSync } from 'node:child_process';
import { brotliCompressSync, deflateSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../lib/wire/encode-message.ts';
import { InvalidMessage } from '../../lib/base/errors.ts';
import { MAX_DECOMPRESSED_BYTES } from '../../lib/base/limits.ts';

const CODECS = [
  ['application/x-gzip', deflateSync],
  ['zlib', deflateSync],
  ['application/x-brotli', brotliCompressSync],
  ['application/zstd', zstdCompressSync],
] as const;

function compressed(compression: string, bytes: Uint8Array): string {
  const envelope = {
    body: Buffer.from(bytes).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'proj.add', id: 'one', compression },
    properties: { delivery_info: { exchange: '', routing_key: 'celery' }, body_encoding: 'base64' },
  };
  return Buffer.from(JSON.stringify(envelope)).toString('base64');
}

const bodyOf = (args: readonly unknown[]): string => JSON.stringify([args, { name: 'café' }, null]);

describe.each(CODECS)('%s', (name, pack) => {
  it('is read', () => {
    const message = decodeMessage(compressed(name, pack(bodyOf([1, 'two']))));
    expect(message).toMatchObject({ args: [1, 'two'], kwargs: { name: 'café' }, compression: name });
    expect(message.headers).toEqual({});
  });

  it('is written again when the message is sent on: unpacked it might not fit', () => {
    const text = 'x'.repeat(3_000_000);
    const message = decodeMessage(compressed(name, pack(bodyOf([text]))));
    const again = encodeMessage({ ...message, retries: 1 });
    expect(again.length).toBeLessThan(100_000);
    const read = decodeMessage(again);
    expect(read).toMatchObject({ compression: name, retries: 1 });
    expect(read.args).toEqual([text]);
  });

  it('is refused when it unpacks to more than is allowed', () => {
    const bomb = pack(Buffer.alloc(MAX_DECOMPRESSED_BYTES + 1, ' '));
    expect(bomb.length).toBeLessThan(20_000);
    expect(() => decodeMessage(compressed(name, bomb))).toThrow('it has more than 8388608 bytes when it is unpacked');
  });

  it('is refused when it is cut short, something else, or no text', () => {
    const packed = pack(bodyOf([1]));
    for (const bytes of [packed.subarray(0, packed.length - 4), Buffer.from('hello'), Buffer.alloc(0)])
      expect(() => decodeMessage(compressed(name, bytes))).toThrow(InvalidMessage);
    expect(() => decodeMessage(compressed(name, pack(Buffer.from([0xff, 0xfe]))))).toThrow('no UTF-8');
    expect(() => decodeMessage(compressed(name, pack('{')))).toThrow('The body is no JSON');
  });
});

it('is loaded by a Node that has no zstd, which refuses it', () => {
  const code = `import zlib from 'node:zlib';
delete zlib.zstdCompressSync;
delete zlib.zstdDecompressSync;
const { checkedCompression } = await import(${JSON.stringify(new URL('../../lib/wire/compression.ts', import.meta.url).href)});
console.log(checkedCompression('brotli'));
try { checkedCompression('zstd'); } catch (error) { console.log(error.message); }`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(output).toMatch(/^brotli\ncompression is 'zstd'; .* zstd \(from Node 22\.15\) are read\./);
});
