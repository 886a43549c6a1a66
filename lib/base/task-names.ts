/** The names of a service's tasks in one environment variable: a sender without their code knows them too. */
import { zlib } from './builtins.ts';

// Lambda takes 4 KB of variables; what unpacks to more than this was not written here.
const MAX_BYTES = 1_048_576;

/** Packed, since names have much in common. They hold no commas. */
export function packTaskNames(names: readonly string[]): string {
  return zlib().deflateRawSync(names.toSorted().join(','), { level: 9 }).toString('base64');
}

/** undefined where that cannot be read: then nothing is known, and nothing is refused. */
export function unpackTaskNames(text: string): readonly string[] | undefined {
  try {
    const names = zlib().inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_BYTES }).toString();
    return names === '' ? undefined : names.split(',');
  } catch {
    return undefined;
  }
}
