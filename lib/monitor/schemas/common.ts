/** Parts that answers and questions have in common. */
import * as v from 'valibot';

/** An instant: ISO 8601 in UTC. */
export const TIME: v.GenericSchema<string> = v.pipe(v.string(), v.isoTimestamp());
export const TEXT: v.GenericSchema<string> = v.string();
export const COUNT: v.GenericSchema<number> = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Text of a question, as long as names and ids can be. */
export const NAME: v.GenericSchema<string> = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));

/** A number in the text of an address. */
export function integerText(least: number, most: number): v.GenericSchema<string, number> {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, 'a whole number is allowed'),
    v.transform(Number),
    v.minValue(least),
    v.maxValue(most),
  );
}

/** JSON values. */
export const ARGS: v.GenericSchema<readonly unknown[]> = v.array(v.unknown());
export const KWARGS: v.GenericSchema<Readonly<Record<string, unknown>>> = v.record(v.string(), v.unknown());
/** A change that needs nothing said. */
export const NOTHING: v.GenericSchema<Readonly<Record<string, never>>> = v.strictObject({});
/** How an action ended that has nothing to tell. */
export const DONE: v.GenericSchema<{ readonly done: true }> = v.strictObject({ done: v.literal(true) });
