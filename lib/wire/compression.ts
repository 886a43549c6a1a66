/** Compressed bodies, by the names in kombu's header `compression` (kombu/compression.py). */
import { zlib } from '../base/builtins.ts';
import { InvalidMessage } from '../base/errors.ts';
import { MAX_DECOMPRESSED_BYTES } from '../base/limits.ts';
import { wordOrShape } from '../base/shape.ts';

interface Codec {
  compress(bytes: Uint8Array): Uint8Array;
  /** Throws for output of more than `maxOutputLength` bytes, before it is made: a few bytes can unpack to many. */
  decompress(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array;
}

const deflate = (): Codec => ({ compress: zlib().deflateSync, decompress: zlib().inflateSync });
const brotli = (): Codec => ({ compress: zlib().brotliCompressSync, decompress: zlib().brotliDecompressSync });
// Node before 22.15 has none. Stacks are synthesized, and APIs served, by such ones too.
const zstd = (): Codec | undefined =>
  (zlib().zstdDecompressSync as unknown) === undefined
    ? undefined
    : { compress: zlib().zstdCompressSync, decompress: zlib().zstdDecompressSync };

const CODECS: ReadonlyMap<string, () => Codec | undefined> = new Map([
  // What kombu calls gzip is zlib's format.
  ['application/x-gzip', deflate],
  ['gzip', deflate],
  ['zlib', deflate],
  ['application/x-brotli', brotli],
  ['brotli', brotli],
  ['application/zstd', zstd],
  ['zstd', zstd],
  ['zstandard', zstd],
]);

// kombu's (kombu/compression.py), which are not read here or not by every Node.
const OTHERS: ReadonlySet<string> = new Set([
  'application/x-bz2',
  'bzip2',
  'bzip',
  'application/x-lzma',
  'lzma',
  'application/zstd',
  'zstd',
  'zstandard',
]);

/** @throws InvalidMessage for a compression that this Node has not (bzip2, lzma), or that nobody knows. */
function codecOf(name: unknown): Codec {
  const codec = typeof name === 'string' ? CODECS.get(name)?.() : undefined;
  if (codec !== undefined) return codec;
  throw new InvalidMessage(
    `compression is ${wordOrShape(name, OTHERS)}; zlib (which kombu calls gzip), brotli and zstd (from Node 22.15) are read. Set task_compression to one of them in the sender, or unset it.`,
  );
}

/** The name of a compression that can be undone here. @throws InvalidMessage */
export function checkedCompression(name: unknown): string {
  codecOf(name);
  return String(name);
}

/** @param maxBytes what it may have when it is unpacked. @throws InvalidMessage */
export function decompress(name: string, bytes: Uint8Array, maxBytes: number = MAX_DECOMPRESSED_BYTES): Uint8Array {
  const codec = codecOf(name);
  try {
    return codec.decompress(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const tooLong = (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    const reason = tooLong ? `it has more than ${maxBytes} bytes when it is unpacked` : `it is not what ${name} makes`;
    throw new InvalidMessage(`The body is compressed, and ${reason}.`, { cause: error });
  }
}

/** @throws InvalidMessage */
export function compress(name: string, text: string): Uint8Array {
  return codecOf(name).compress(Buffer.from(text, 'utf8'));
}
