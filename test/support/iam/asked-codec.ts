/** A codec whose key is one of KMS: each data key that it makes, or has decrypted, is asked of IAM in the name of whoever does it. */
import type { Codec } from 'celeriac/codec';

import { OperationalError } from '../../../lib/base/errors.ts';
import { ACCOUNT, REGION } from './asked.ts';
import type { IamGate } from './gate.ts';

export const KMS_KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/payloads`;
const CONTEXT = { 'kms:EncryptionContext:celeriac': ['codec'] };
const XOR = 0x5a;

export function askedCodec(gate: Pick<IamGate, 'ask'>, actor: string): Codec {
  const ask = (action: string): void => {
    if (gate.ask(actor, { action, resource: KMS_KEY_ARN, context: CONTEXT }).allowed) return;
    throw new OperationalError(`not authorized to perform: ${action}`, { retryable: false });
  };
  const name = Buffer.from(actor.padEnd(32));
  return {
    encrypt(plain) {
      ask('kms:GenerateDataKey');
      return Buffer.concat([name, plain.map((byte) => byte ^ XOR)]);
    },
    decrypt(token) {
      // Its own key it has.
      if (!name.equals(token.subarray(0, name.byteLength))) ask('kms:Decrypt');
      return token.subarray(name.byteLength).map((byte) => byte ^ XOR);
    },
  };
}
