/** Passwords as they are kept: scrypt with a salt of its own. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

// 32 MiB and a tenth of a second; a small function has 512 MiB.
const COST = { N: 32_768, r: 8, p: 1 } as const;
const MAX_MEMORY_BYTES = 67_108_864;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const FORM = /^scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2}):([\w-]{16,}):([\w-]{40,})$/;

/** `scrypt:N:r:p:salt:key`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password.normalize('NFC'), salt, KEY_BYTES, { ...COST, maxmem: MAX_MEMORY_BYTES });
  const { N, r, p } = COST;
  return `scrypt:${N}:${r}:${p}:${salt.toString('base64url')}:${key.toString('base64url')}`;
}

export function isPasswordHash(text: unknown): text is string {
  return typeof text === 'string' && FORM.test(text);
}

/** false also for a hash of another form, after as long a time. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, N = COST.N, r = COST.r, p = COST.p, salt = '', kept = ''] = FORM.exec(hash) ?? [];
  const expected = Buffer.from(kept, 'base64url');
  const options = { N: Number(N), r: Number(r), p: Number(p), maxmem: MAX_MEMORY_BYTES };
  try {
    const key = await derive(password.normalize('NFC'), Buffer.from(salt, 'base64url'), KEY_BYTES, options);
    return expected.length === key.length && timingSafeEqual(key, expected);
  } catch {
    // Numbers that take more memory than there is.
    return false;
  }
}
