import type { Codec } from '../ports/codec.ts';
import type { Encryption } from './encrypted-ports.ts';

/** Loaded on demand: most apps have no codec. */
export async function encryptionBy(codec: Codec): Promise<Encryption> {
  return (await import('./encrypted-ports.ts')).encryptionBy(codec);
}
