/** What becomes of arguments and results that are too large for SQS and DynamoDB. */
import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  DEFAULT_COMPRESS_ABOVE_BYTES,
  DEFAULT_PAYLOAD_KEEP_SECONDS,
  DEFAULT_STORE_ABOVE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_PAYLOAD_JSON_VALUES,
  MAX_STORE_ABOVE_BYTES,
  PAYLOAD_RESERVE_SECONDS,
} from '../base/limits.ts';
import type { Codec } from '../ports/codec.ts';
import type { Packing } from '../wire/packing.ts';

/** How bodies are compressed. Celery reads `'gzip'` anywhere, `'brotli'` and `'zstd'` where their packages are installed. */
export type PayloadCompression = 'gzip' | 'zstd' | 'brotli' | 'none';

/** Large arguments and results: compressed above a size, and in S3 above another. */
export interface LargePayloadsOptions {
  /** Arguments, or a result, of more bytes as JSON are compressed. Default 32,768. */
  readonly compressAboveBytes?: number;
  /**
   * What has more bytes than this as it would be sent or stored goes to S3, and a reference in its place. 1,024 to 90,000; null for
   * nothing: then there is no bucket. Default 65,536, which SQS bills as one request.
   */
  readonly storeAboveBytes?: number | null;
  /** How they are compressed. Default `'gzip'`. */
  readonly compression?: PayloadCompression;
  /**
   * How long S3 keeps what is stored, whatever becomes of its task; 31 days at least. All but 30 days of it is how far ahead an ETA may
   * lie. Default `'60d'`.
   */
  readonly keep?: Duration;
}

/** The option with every default filled in. */
export interface LargePayloads extends Packing {
  /** How long what is stored is kept. */
  readonly keepSeconds: number;
}

const KEYS: ReadonlySet<string> = new Set<keyof LargePayloadsOptions>([
  'compressAboveBytes',
  'storeAboveBytes',
  'compression',
  'keep',
]);
// kombu's names (kombu/compression.py): what it calls gzip is zlib's format.
const NAMES: ReadonlyMap<unknown, string | undefined> = new Map<PayloadCompression, string | undefined>([
  ['gzip', 'application/x-gzip'],
  ['zstd', 'application/zstd'],
  ['brotli', 'application/x-brotli'],
  ['none', undefined],
]);
const MIN_STORE_ABOVE_BYTES = 1024;

/** @throws InvalidOption */
export function resolveLargePayloads(options: LargePayloadsOptions): LargePayloads {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOption(
      `largePayloads: ${shown(options)} given; an object is allowed: {} has every default, and leaving it out means that nothing is compressed or stored.`,
    );
  refuseUnknownKeys(options, KEYS, 'largePayloads');
  const {
    compression = 'gzip',
    compressAboveBytes = DEFAULT_COMPRESS_ABOVE_BYTES,
    storeAboveBytes = DEFAULT_STORE_ABOVE_BYTES,
    keep = DEFAULT_PAYLOAD_KEEP_SECONDS,
  } = options;
  if (!NAMES.has(compression))
    throw new InvalidOption(
      `largePayloads.compression: ${shown(compression)} given; 'gzip', 'zstd', 'brotli' and 'none' are allowed.`,
    );
  return {
    compression: NAMES.get(compression),
    compressAboveBytes: integerIn(compressAboveBytes, 0, MAX_PAYLOAD_BYTES, 'largePayloads.compressAboveBytes'),
    storeAboveBytes:
      storeAboveBytes === null
        ? null
        : integerIn(storeAboveBytes, MIN_STORE_ABOVE_BYTES, MAX_STORE_ABOVE_BYTES, 'largePayloads.storeAboveBytes'),
    maxBytes: MAX_PAYLOAD_BYTES,
    maxValues: MAX_PAYLOAD_JSON_VALUES,
    keepSeconds: durationSeconds(keep, 'largePayloads.keep', PAYLOAD_RESERVE_SECONDS + 86_400),
  };
}

const RESOLVED = new WeakMap<object, LargePayloads>();
const RESOLVED_SECRET = new WeakMap<object, LargePayloads>();

/** Of an app's settings; undefined where it has none. Checked once. @throws InvalidOption */
export function largePayloadsOf({
  largePayloads: options,
  codec,
}: {
  readonly largePayloads?: LargePayloadsOptions | undefined;
  readonly codec?: Codec | undefined;
}): LargePayloads | undefined {
  if (options === undefined) return undefined;
  // Two apps may share the object.
  const resolved = codec === undefined ? RESOLVED : RESOLVED_SECRET;
  const known = resolved.get(options);
  if (known !== undefined) return known;
  const payloads = { ...resolveLargePayloads(options), secret: codec !== undefined };
  resolved.set(options, payloads);
  return payloads;
}
