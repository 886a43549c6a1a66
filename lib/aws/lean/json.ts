/** Commands and answers as JSON: binary values are base64 on the wire and bytes in memory, as with the SDK. */

/** Members that are null or undefined are left out, which the services refuse otherwise. */
export function encode(input: object): string {
  return JSON.stringify(input, replacer);
}

// A Buffer has been turned into an object of numbers before it comes here: what the holder has is looked at.
function replacer(this: unknown, key: string, given: unknown): unknown {
  const value = (this as Record<string, unknown>)[key];
  if (value instanceof Uint8Array) return base64(value);
  return given === null && !Array.isArray(this) ? undefined : given;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Turns binary values into bytes, in place. Where a text named `B` or `BinaryValue` stands it is a value's, in all answers of the commands in
 * use: an attribute of that name has an object for its value, and a table's or a message attribute's name stands before one.
 */
export function decode<T>(value: T): T {
  if (Array.isArray(value)) {
    for (const each of value) decode(each);
  } else if (typeof value === 'object' && value !== null) {
    const object = value as Record<string, unknown>;
    for (const name in object) {
      const member = object[name];
      if (typeof member === 'string') {
        if (name === 'B' || name === 'BinaryValue') object[name] = bytes(member);
      } else if (name === 'BS' && isTexts(member)) object[name] = member.map(bytes);
      else decode(member);
    }
  }
  return value;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function bytes(text: string): Uint8Array {
  const buffer = Buffer.from(text, 'base64');
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
