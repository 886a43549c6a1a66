/**
 * A token of AES-256-GCM: version (1 byte), length of the key's id (2 bytes, big endian), the key's id, nonce (12 bytes), ciphertext, tag (16
 * bytes). Everything before the nonce is authenticated with it.
 *
 * Neither a task's id nor what the bytes are for is authenticated: kombu's serializers are handed a body and nothing else, and Python has to
 * read and write the same tokens. So whoever may write to a queue can send a task with the body of another one, as they can send plain messages:
 * a codec keeps data secret, and says nothing of who sent it.
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

import { DecryptionFailed } from '../base/errors.ts';

const VERSION = 1;
const HEAD_BYTES = 3;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LONGEST_ID_BYTES = 65_535;
const ALGORITHM = 'aes-256-gcm';

/** The nonce is random: two of a thousand million messages under one key are alike with a chance of 1 in 10^11 (NIST SP 800-38D: at most 2^32). */
export function encryptToken(plain: Uint8Array, id: Uint8Array, key: KeyObject): Uint8Array {
  if (id.byteLength > LONGEST_ID_BYTES) throw new RangeError('The id of the key is too long.');
  const head = Buffer.concat([Buffer.of(VERSION, id.byteLength >> 8, id.byteLength & 255), id]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(head);
  const text = cipher.update(plain);
  return Buffer.concat([head, nonce, text, cipher.final(), cipher.getAuthTag()]);
}

export interface ReadToken {
  /** Id of its key. */
  readonly id: Uint8Array;
  readonly decrypt: (key: KeyObject) => Uint8Array;
}

/** @throws DecryptionFailed for what is no token; so does `decrypt`, for another key and for changed bytes. */
export function readToken(token: Uint8Array): ReadToken {
  const bytes = Buffer.from(token.buffer, token.byteOffset, token.byteLength);
  const version = bytes[0];
  if (version !== VERSION)
    throw new DecryptionFailed(
      `Encrypted data begins with ${version === undefined ? 'nothing' : `version ${version}`}; version ${VERSION} is known here. A newer release, or another codec, has written it.`,
    );
  const start = HEAD_BYTES + (bytes.byteLength < HEAD_BYTES ? 0 : bytes.readUInt16BE(1));
  if (bytes.byteLength < start + NONCE_BYTES + TAG_BYTES)
    throw new DecryptionFailed(`Encrypted data has ${bytes.byteLength} bytes: it was cut off.`);
  const id = bytes.subarray(HEAD_BYTES, start);
  return { id, decrypt: (key) => open(bytes, start, key) };
}

function open(bytes: Buffer, start: number, key: KeyObject): Uint8Array {
  const nonce = bytes.subarray(start, start + NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bytes.subarray(0, start));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(start + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new DecryptionFailed(
      'Encrypted data does not fit its key: the key of that id is another one here than where it was encrypted, or the data was changed.',
      { cause: error },
    );
  }
}
