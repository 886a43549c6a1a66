/** The entry `celeriac/codec`. */
export type { Codec } from '../ports/codec.ts';
export { aesGcm, type AesGcmOptions } from './aes-gcm.ts';
