/** What a received message can be refused for. `errors.ts` exports them with all others. */
import { CeleriacError } from './celeriac-error.ts';

/** A received message cannot be read. `reason` goes to the dead-letter queue with it. */
export class InvalidMessage extends CeleriacError {
  static readonly errorName: string = 'InvalidMessage';
  static override readonly code: string = 'INVALID_MESSAGE';
}
/** What is encrypted was not decrypted: no codec, no such key, another key, or changed bytes. A later deployment may have the key. */
export class DecryptionFailed extends InvalidMessage {
  static override readonly errorName: string = 'DecryptionFailed';
  static override readonly code: string = 'DECRYPTION_FAILED';
  /** A message comes again until its queue gives it to the lost queue. */
  readonly retryable: boolean = true;
}
