/** Small messages that unpack to large ones: what a batch of them takes together is not bounded by what SQS takes. */
import { decompress } from '../wire/compression.ts';
import { readOuterEnvelope } from '../wire/envelope.ts';
import { isObject } from '../wire/fields.ts';
import { CELERIAC_HEADER } from '../wire/message.ts';
import { PAYLOAD_FIELD } from '../wire/message.ts';
import { LARGE_UNPACKED_BYTES } from '../base/limits.ts';

/** Whether a message is compressed and unpacks to much, or its body lies elsewhere. What cannot be read is none: its reader tells why. */
export function isLargeUnpacked(body: string): boolean {
  // Nearly all are not compressed: no second parse for them.
  if (!mayBeCompressed(body) && !mayBeCompressed(Buffer.from(body, 'base64'))) return false;
  try {
    const { headers, body: inner } = readOuterEnvelope(body);
    const { compression, [CELERIAC_HEADER]: own } = headers;
    // Elsewhere lies what is too large for a message.
    if (isObject(own) && own[PAYLOAD_FIELD] !== undefined) return true;
    if (typeof compression !== 'string') return false;
    return unpackedBytes(compression, Buffer.from(inner, 'base64')) > LARGE_UNPACKED_BYTES;
  } catch {
    return false;
  }
}

/** Beyond the bound of some apps is within that of others. */
function unpackedBytes(compression: string, bytes: Uint8Array): number {
  try {
    return decompress(compression, bytes, LARGE_UNPACKED_BYTES).byteLength;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown };
    return code === 'ERR_BUFFER_TOO_LARGE' ? Infinity : 0;
  }
}

/** The header's name may be written with escapes. */
function mayBeCompressed(layer: string | Buffer): boolean {
  return layer.includes('compression') || layer.includes('sha256') || layer.includes('\\u');
}

/** Runs what it is given one after another. */
export function oneAtATime(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (run) => {
    const next = last.then(run, run);
    // Whoever comes next waits for the end, not for the outcome.
    last = next.catch(() => {});
    return next;
  };
}
