/** What DynamoDB refuses, told without asking: stores in memory refuse it too, and emulators may be laxer than the service. */
import { StoreRefused } from '../base/errors.ts';
import {
  DYNAMODB_MAX_ITEM_BYTES,
  DYNAMODB_MAX_PARTITION_KEY_BYTES,
  DYNAMODB_MAX_SORT_KEY_BYTES,
} from '../base/limits.ts';
import { quoted } from '../base/quote.ts';

/** A partition key as it is. @throws StoreRefused */
export function partitionKey(key: string): string {
  return checkedKey(key, 'partition key', DYNAMODB_MAX_PARTITION_KEY_BYTES);
}

/** A sort key as it is. @throws StoreRefused */
export function sortKey(key: string): string {
  return checkedKey(key, 'sort key', DYNAMODB_MAX_SORT_KEY_BYTES);
}

function checkedKey(key: string, what: string, largest: number): string {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > largest)
    throw new StoreRefused(`The ${what} ${quoted(key)} has ${bytes} bytes; 1 to ${largest} are allowed.`);
  // In UTF-8 every half of a surrogate pair is the same character: two keys would be one.
  if (!key.isWellFormed()) throw new StoreRefused(`The ${what} ${quoted(key)} has half of a surrogate pair.`);
  return key;
}

/** The first part of a timer's or tick's sort key: thirteen digits reach the year 2286. @throws StoreRefused */
export function timeKey(ms: number): string {
  const digits = String(ms).padStart(13, '0');
  if (digits.length === 13) return digits;
  throw new StoreRefused(`The time ${ms} takes ${digits.length} characters of a sort key; 13 are allowed.`);
}

/**
 * Refuses an item that is too large. Text is UTF-8, names of attributes count, numbers are taken for their digits.
 *
 * @throws StoreRefused
 */
export function checkItem(
  item: Readonly<Record<string, string | number | boolean | Uint8Array | null | undefined>>,
): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    if (value === undefined || value === null) continue;
    const size = value instanceof Uint8Array ? value.byteLength : Buffer.byteLength(String(value));
    bytes += Buffer.byteLength(name) + size;
  }
  if (bytes > DYNAMODB_MAX_ITEM_BYTES)
    throw new StoreRefused(`The item has ${bytes} bytes; ${DYNAMODB_MAX_ITEM_BYTES} are allowed.`);
}
