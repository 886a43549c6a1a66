/** What DynamoDB makes of attribute values: which it takes, how large they are, and how they compare. */
import { type AttributeValue, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

// Amazon's own figures, and not the ones of lib/base/limits.ts: a wrong figure there must not be right here.
const MAX_ITEM_BYTES = 400 * 1024;
const MAX_PARTITION_KEY_BYTES = 2048;
const MAX_SORT_KEY_BYTES = 1024;
const MAX_DIGITS = 38;

export function refused(name: string, message: string): DynamoDBServiceException {
  return new DynamoDBServiceException({
    name,
    message,
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  });
}

export function invalid(message: string): DynamoDBServiceException {
  return refused('ValidationException', message);
}

export function typeOf(value: AttributeValue): string {
  const present = Object.entries(value).filter(([, held]) => held !== undefined);
  const [only] = present;
  if (only === undefined || present.length > 1) throw invalid(`${JSON.stringify(value)} is no value of one type`);
  return only[0];
}

/** Checks a value that comes in, and keeps it as the service would: numbers in one form, and nobody can change it. */
export function taken(value: AttributeValue): AttributeValue {
  switch (typeOf(value)) {
    case 'S':
      return Object.freeze({ S: wellFormed(value.S ?? '') });
    case 'N':
      return Object.freeze({ N: canonicalNumber(value.N ?? '') });
    case 'B':
      return Object.freeze({ B: new Uint8Array(value.B ?? []) });
    case 'BOOL':
      return Object.freeze({ BOOL: value.BOOL === true });
    case 'NULL':
      if (value.NULL !== true) throw invalid('Null attribute value types must have the value of true');
      return Object.freeze({ NULL: true });
    case 'NS': {
      const numbers = (value.NS ?? []).map(canonicalNumber);
      if (numbers.length === 0) throw invalid('An number set  may not be empty');
      if (new Set(numbers).size < numbers.length) throw invalid('Input collection contains duplicates.');
      return Object.freeze({ NS: numbers });
    }
    case 'M':
      return Object.freeze({
        M: Object.freeze(Object.fromEntries(Object.entries(value.M ?? {}).map(([name, held]) => [name, taken(held)]))),
      });
    default:
      throw new Error(`The fake DynamoDB knows no values of type ${typeOf(value)}.`);
  }
}

export function takenItem(item: Item): Item {
  const made = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, taken(value)]));
  if (itemBytes(made) > MAX_ITEM_BYTES) throw invalid('Item size has exceeded the maximum allowed size');
  return Object.freeze(made);
}

// A lone half of a surrogate pair becomes the replacement character on its way through UTF-8.
function wellFormed(text: string): string {
  return text.toWellFormed();
}

function canonicalNumber(text: string): string {
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
    throw invalid(`The parameter cannot be converted to a numeric value: ${text}`);
  const digits = text
    .replace(/e.*$/i, '')
    .replaceAll(/[^0-9]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  if (digits.length > MAX_DIGITS) throw invalid('Attempting to store more than 38 significant digits in a Number');
  // Exact for what is compared here: 17 digits and fewer.
  return digits.length > 17 ? text : String(Number(text));
}

export function keyText(value: AttributeValue | undefined, what: 'partition' | 'sort'): string {
  if (value?.S === undefined) throw invalid('The provided key element does not match the schema');
  const bytes = Buffer.byteLength(value.S);
  const largest = what === 'partition' ? MAX_PARTITION_KEY_BYTES : MAX_SORT_KEY_BYTES;
  if (bytes === 0) throw invalid('One or more parameter values are not valid. The value for a key is empty.');
  if (bytes > largest) throw invalid(`Size of ${what} key has exceeded the maximum size limit of ${largest} bytes`);
  return wellFormed(value.S);
}

export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.NS !== undefined) return value.NS.reduce((sum, each) => sum + numberBytes(each), 0);
  // Three bytes for a map, and one for each of its entries.
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  return 1;
}

function numberBytes(text: string): number {
  return Math.ceil(text.replaceAll(/[^0-9]/g, '').length / 2) + 1;
}

export function equal(left: AttributeValue, right: AttributeValue): boolean {
  return typeOf(left) === typeOf(right) && JSON.stringify(comparable(left)) === JSON.stringify(comparable(right));
}

function comparable(value: AttributeValue): unknown {
  if (value.N !== undefined) return canonicalNumber(value.N);
  if (value.NS !== undefined) return value.NS.map(canonicalNumber).toSorted();
  if (value.M !== undefined)
    return Object.entries(value.M)
      .toSorted(([left], [right]) => byUtf8(left, right))
      .map(([name, held]) => [name, typeOf(held), comparable(held)]);
  return value.S ?? value.BOOL ?? value.NULL ?? Buffer.from(value.B ?? []).toString('base64');
}

/** Below, at or above zero; undefined where the two have no order. */
export function compared(left: AttributeValue, right: AttributeValue): number | undefined {
  if (left.N !== undefined && right.N !== undefined) return Number(left.N) - Number(right.N);
  if (left.S !== undefined && right.S !== undefined) return byUtf8(left.S, right.S);
  return undefined;
}

export function byUtf8(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
