/** Small messages that unpack to large ones: what a batch of them takes together is not bounded by what SQS takes. */
import { decompress } from '../wire/compression.ts';
import { readOuterEnvelope } from '../wire/envelope.ts';
import { LARGE_UNPACKED_BYTES } from '../base/limits.ts';

/** Whether a message is compressed, and unpacks to much. What cannot be read is none: its reader tells why. */
export function isLargeUnpacked(body: string): boolean {
  // Nearly all are not compressed: no second parse for them.
  if (!mayBeCompressed(body) && !mayBeCompressed(Buffer.from(body, 'base64'))) return false;
  try {
    const { headers, body: inner } = readOuterEnvelope(body);
    const { compression } = headers;
    if (typeof compression !== 'string') return false;
    return decompress(compression, Buffer.from(inner, 'base64')).byteLength > LARGE_UNPACKED_BYTES;
  } catch {
    return false;
  }
}

/** The header's name may be written with escapes. */
function mayBeCompressed(layer: string | Buffer): boolean {
  return layer.includes('compression') || layer.includes('\\u');
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
