/** Port of the codec: what encrypts the data of tasks, wherever it leaves the process. */

/** Encrypts and decrypts. What it is given and what it gives are whole values, some bytes to some hundred kilobytes. */
export interface Codec {
  /** A token that holds what `decrypt` needs beside the keys, the key's name among it. Never the same one twice. */
  encrypt(plain: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * The bytes behind a token, which may be anybody's: one that was changed, or made with another key, is refused.
   *
   * @throws whatever tells why; the message comes again, as after any error that passes.
   */
  decrypt(token: Uint8Array): Uint8Array | Promise<Uint8Array>;
}
