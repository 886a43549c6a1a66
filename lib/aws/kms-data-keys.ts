/** Data keys of KMS, for the library's codec. Asked for hourly, not with each message. */
import type { ToolRequests } from './tool-requests.ts';

type Requests = Pick<ToolRequests, 'json'>;

// In CloudTrail it says what the key was used for, and a policy may ask for it.
const CONTEXT = { celeriac: 'codec' };
// What KMS says of bytes that are none of this key: another key's, or no encrypted key at all.
const NONE = /InvalidCiphertext|IncorrectKey/;

/** A new key of 32 bytes, and the same encrypted with the KMS key. @throws OperationalError */
export async function generateDataKey(
  keyId: string,
  requests: Requests,
): Promise<{ readonly plain: Uint8Array; readonly encrypted: Uint8Array }> {
  const asked = { service: 'kms', prefix: 'TrentService', operation: 'GenerateDataKey', resource: keyId } as const;
  const answer = await requests.json(asked, { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: CONTEXT });
  const { Plaintext: plain, CiphertextBlob: encrypted } = fieldsOf(answer);
  return { plain: bytesOf(plain), encrypted: bytesOf(encrypted) };
}

/** A data key of that KMS key; undefined for what is none. @throws OperationalError */
export async function decryptDataKey(
  keyId: string,
  encrypted: Uint8Array,
  requests: Requests,
): Promise<Uint8Array | undefined> {
  const asked = { service: 'kms', prefix: 'TrentService', operation: 'Decrypt', resource: keyId } as const;
  const blob = Buffer.from(encrypted).toString('base64');
  // The key is named: KMS would take any key that the caller may use, and the bytes are anybody's.
  const answer = await requests.json(asked, { KeyId: keyId, CiphertextBlob: blob, EncryptionContext: CONTEXT }, NONE);
  return answer === undefined ? undefined : bytesOf(fieldsOf(answer).Plaintext);
}

interface Fields {
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
}

function fieldsOf(answer: string | undefined): Fields {
  return JSON.parse(answer ?? '{}') as Fields;
}

function bytesOf(text: string | undefined): Uint8Array {
  return Buffer.from(text ?? '', 'base64');
}
