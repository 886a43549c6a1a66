/** Tokens and rings: what is encrypted comes back, and nothing else does. */
import { DecryptionFailed, ImproperlyConfigured, InvalidOption, MissingEnvironment } from 'celeriac';
import { aesGcm, type AesGcmOptions } from 'celeriac/codec';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { AesGcm } from '../../lib/codec/aes-gcm.ts';
import { type DataKeys, KmsKeys, SecretRing } from '../../lib/codec/sources.ts';

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const ring = (keys: string) => aesGcm({ keys: () => keys });
const bytes = (text: string): Uint8Array => Buffer.from(text);

afterEach(() => vi.unstubAllEnvs());

describe('a token', () => {
  const codec = ring(`a:${key(1)}`);

  it('holds any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (plain) => {
        expect(Buffer.from(await codec.decrypt(await codec.encrypt(plain)))).toEqual(Buffer.from(plain));
      }),
    );
  });

  it('is refused with any bit turned, and cut anywhere', async () => {
    const token = Buffer.from(await codec.encrypt(bytes('hunter2')));
    for (let bit = 0; bit < token.byteLength * 8; bit += 1) {
      const changed = Buffer.from(token);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(codec.decrypt(changed), `bit ${bit}`).rejects.toThrow(DecryptionFailed);
    }
    for (let length = 0; length < token.byteLength; length += 1)
      await expect(codec.decrypt(token.subarray(0, length)), `${length} bytes`).rejects.toThrow(DecryptionFailed);
  });

  it('is refused where it is anything at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (anything) => {
        await expect(codec.decrypt(anything)).rejects.toThrow(DecryptionFailed);
      }),
    );
  });

  it('is another one each time', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, async () => codec.encrypt(bytes('same'))));
    expect(new Set(tokens.map((token) => Buffer.from(token).toString('hex'))).size).toBe(50);
  });
});

describe('a ring', () => {
  it('encrypts with its first key, and decrypts with all', async () => {
    const old = await ring(`old:${key(1)}`).encrypt(bytes('x'));
    const both = ring(`new:${key(2)}\n  old:${key(1)},`);
    expect(Buffer.from(await both.decrypt(old)).toString()).toBe('x');
    const fresh = await both.encrypt(bytes('y'));
    expect(Buffer.from(await ring(`new:${key(2)}`).decrypt(fresh)).toString()).toBe('y');
    await expect(ring(`old:${key(1)}`).decrypt(fresh)).rejects.toThrow(
      "names key 'new', which this app's keys do not hold",
    );
    await expect(ring(`new:${key(9)}`).decrypt(fresh)).rejects.toThrow('does not fit its key');
  });

  it.each([
    ['', 'holds no keys'],
    ['hunter2', 'key 1 of 1 has no id'],
    [`a:${key(1)},:${key(1)}`, 'key 2 of 2 has no id'],
    [`a:${key(1)},a:${key(2)}`, 'has the id of another one'],
    ['a:aHVudGVyMg==', "('a') has 7 bytes"],
    [`a b:${key(1)}`, 'key 1 of 2 has no id'],
    [Array.from({ length: 101 }, (_, index) => `k${index}:${key(1)}`).join(), 'holds 101 keys; 100 are allowed'],
  ])('%j is refused, and not quoted', async (text, why) => {
    const refused = ring(text).encrypt(bytes('x')) as Promise<Uint8Array>;
    const error = await refused.then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toBeInstanceOf(ImproperlyConfigured);
    expect(error?.message).toContain(why);
    expect(error?.message).not.toMatch(/hunter2|aHVudGVyMg|AQEBAQ/);
  });

  it('stands in a variable, whose name an error tells', async () => {
    vi.stubEnv('VAULT_KEYS', '');
    const codec = aesGcm({ environment: 'VAULT_KEYS' });
    await expect(codec.encrypt(bytes('x'))).rejects.toThrow(MissingEnvironment);
    vi.stubEnv('VAULT_KEYS', `a:${key(1)}`);
    expect(Buffer.from(await codec.decrypt(await codec.encrypt(bytes('x')))).toString()).toBe('x');
  });
});

describe('options', () => {
  it.each([
    [undefined, 'undefined given'],
    [{}, 'nothing given'],
    [{ environment: 'A', kms: 'B' }, 'environment and kms given'],
    [{ key: 'A' }, "'key'"],
    [{ environment: '' }, 'environment is'],
    [{ secret: 5 }, 'secret is a number'],
    [{ keys: 'a:b' }, 'keys is no function'],
  ])('%j is refused', (options, why) => {
    expect(() => aesGcm(options as AesGcmOptions)).toThrow(InvalidOption);
    expect(() => aesGcm(options as AesGcmOptions)).toThrow(why);
  });
});

/** A clock that stands still until it is told. */
function heldClock() {
  const clock = { ms: 0, nowMs: () => clock.ms };
  return clock;
}

describe('a secret', () => {
  it('is read again after five minutes, and at once for a key that is not known, but not for each', async () => {
    const clock = heldClock();
    let text = `a:${key(1)}`;
    let reads = 0;
    const reader = { secret: async () => ((reads += 1), text) };
    const codec = new AesGcm(new SecretRing('vault/keys', async () => reader, clock));
    const token = await codec.encrypt(bytes('x'));
    await codec.decrypt(token);
    expect(reads).toBe(1);
    text = `b:${key(2)},a:${key(1)}`;
    const added = await ring(`b:${key(2)}`).encrypt(bytes('y'));
    clock.ms = 20_000;
    expect(Buffer.from(await codec.decrypt(added)).toString()).toBe('y');
    expect(reads).toBe(2);
    const forged = await ring(`c:${key(3)}`).encrypt(bytes('z'));
    for (let time = 0; time < 20; time += 1) await expect(codec.decrypt(forged)).rejects.toThrow("key 'c'");
    expect(reads).toBe(2);
    clock.ms = 400_000;
    await codec.encrypt(bytes('x'));
    expect(reads).toBe(3);
  });

  it('that could not be read is asked again', async () => {
    let reads = 0;
    const reader = {
      secret: async () => {
        reads += 1;
        if (reads === 1) throw new Error('throttled');
        return `a:${key(1)}`;
      },
    };
    const codec = new AesGcm(new SecretRing('vault/keys', async () => reader, heldClock()));
    await expect(codec.encrypt(bytes('x'))).rejects.toThrow('throttled');
    await codec.encrypt(bytes('x'));
  });
});

describe('KMS', () => {
  /** Encrypted data keys are numbers; the plain ones are made of them. */
  function kms() {
    const asked = { generated: 0, decrypted: 0 };
    const dataKeys: DataKeys = {
      generateDataKey: async () => {
        asked.generated += 1;
        return {
          plain: Buffer.alloc(32, asked.generated),
          encrypted: Buffer.from(`blob-${asked.generated}`.repeat(20)),
        };
      },
      decryptDataKey: async (_, encrypted) => {
        asked.decrypted += 1;
        const [, number] = /^blob-(\d+)/.exec(Buffer.from(encrypted).toString()) ?? [];
        return number === undefined ? undefined : Buffer.alloc(32, Number(number));
      },
    };
    return { asked, dataKeys };
  }

  it('is asked for a key once an hour, and once for each key that is met', async () => {
    const { asked, dataKeys } = kms();
    const clock = heldClock();
    const writer = new AesGcm(new KmsKeys('arn', async () => dataKeys, clock));
    const reader = new AesGcm(new KmsKeys('arn', async () => dataKeys, clock));
    const tokens = await Promise.all(Array.from({ length: 10 }, async () => writer.encrypt(bytes('x'))));
    for (const token of tokens) expect(Buffer.from(await reader.decrypt(token)).toString()).toBe('x');
    await writer.decrypt(tokens[0] as Uint8Array);
    expect(asked).toEqual({ generated: 1, decrypted: 1 });
    clock.ms = 3_600_000;
    await reader.decrypt(await writer.encrypt(bytes('x')));
    expect(asked).toEqual({ generated: 2, decrypted: 2 });
  });

  it('a data key of another key is told as one that is missing', async () => {
    const { dataKeys } = kms();
    const codec = new AesGcm(new KmsKeys('arn', async () => dataKeys, heldClock()));
    await expect(codec.decrypt(await ring(`k:${key(1)}`).encrypt(bytes('x')))).rejects.toThrow("names key 'k'");
  });
});
