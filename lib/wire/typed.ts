/** Values that Python has types for and JavaScript has not, to be sent: they arrive as Python's own types. */
import { InvalidOption } from '../base/errors.ts';
import { keepTyped, TYPE, VALUE } from './json-typed.ts';

/** A value with its type in kombu's JSON. A worker of ours gets the text. */
export interface TypedValue {
  /** kombu's name of the type, such as `'decimal'`. */
  readonly __type__: string;
  /** The value as JSON, mostly text. */
  readonly __value__: unknown;
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const UUID = /^[\da-f]{8}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{12}$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?$/;

function checked(value: string, pattern: RegExp, what: string, example: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new InvalidOption(
    `typed.${what}(): ${JSON.stringify(value) ?? 'nothing'} given; text such as '${example}' is allowed.`,
  );
}

function valueOf(type: string, value: unknown): TypedValue {
  return Object.freeze(keepTyped({ [TYPE]: type, [VALUE]: value }) as TypedValue);
}

/**
 * Arguments for tasks in Python. A Date is a datetime there, a Uint8Array bytes, without any of these.
 *
 * @example
 * await charge.delay(typed.decimal('12.30'), typed.date('2030-01-31'));
 */
export const typed: {
  /** `decimal.Decimal`. @throws InvalidOption */
  decimal(value: string): TypedValue;
  /** `datetime.date`. @throws InvalidOption */
  date(value: string): TypedValue;
  /** `datetime.time`. @throws InvalidOption */
  time(value: string): TypedValue;
  /** `uuid.UUID`. @throws InvalidOption */
  uuid(value: string): TypedValue;
} = {
  decimal: (value) => valueOf('decimal', checked(value, DECIMAL, 'decimal', '12.30')),
  date: (value) => valueOf('date', checked(value, DATE, 'date', '2030-01-31')),
  time: (value) => valueOf('time', checked(value, TIME, 'time', '07:30:00')),
  uuid: (value) =>
    valueOf('uuid', {
      hex: checked(value, UUID, 'uuid', '9ecb6b1e-3f0a-4a3c-8f5c-0d5a2f6f6f10').replaceAll('-', '').toLowerCase(),
    }),
};
