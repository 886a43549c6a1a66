import { kindOf } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import type { Codec } from '../ports/codec.ts';

/** @throws InvalidOption for what is none: what was to be encrypted would leave as it is. */
export function checkCodec(codec: unknown): asserts codec is Codec {
  const { encrypt, decrypt } = (codec ?? {}) as Partial<Codec>;
  if (typeof encrypt === 'function' && typeof decrypt === 'function') return;
  throw new InvalidOption(
    `codec: ${kindOf(codec)} given. Give aesGcm() of 'celeriac/codec', or an object with encrypt and decrypt, or leave it out.`,
  );
}
