/** Bytes that were compressed, or not, as the text that they were: all that a worker needs of packing.ts at its start. */
import { decompress } from './compression.ts';

/** The text again. @throws InvalidMessage for what is not compressed so, is too large or no UTF-8 */
export function unshrunk(bytes: Uint8Array, compression: string | undefined, maxBytes?: number): string {
  const plain = compression === undefined ? bytes : decompress(compression, bytes, maxBytes);
  return new TextDecoder('utf-8', { fatal: true }).decode(plain);
}
