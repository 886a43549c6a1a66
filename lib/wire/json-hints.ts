/** What to send in the place of an object that JSON cannot hold: an expression that gives its data, for error texts. */
import {
  isAnyArrayBuffer,
  isBigInt64Array,
  isBigUint64Array,
  isBoxedPrimitive,
  isDataView,
  isMap,
  isNativeError,
  isPromise,
  isRegExp,
  isSet,
  isTypedArray,
} from 'node:util/types';

interface Hint {
  readonly fits: (value: object) => boolean;
  readonly advice: string;
}

// The first that fits is told. What is a collection by its kind stands before what has a method of some name.
const HINTS: readonly Hint[] = [
  { fits: isMap, advice: 'pass Object.fromEntries(value), or [...value] where its keys are no text' },
  { fits: isSet, advice: 'pass [...value]' },
  { fits: isPromise, advice: 'await it first' },
  { fits: isNativeError, advice: 'pass { name: value.name, message: value.message }' },
  { fits: isRegExp, advice: 'pass value.source' },
  { fits: isBoxedPrimitive, advice: 'pass value.valueOf()' },
  { fits: (value) => isBigInt64Array(value) || isBigUint64Array(value), advice: 'pass Array.from(value, String)' },
  { fits: isTypedArray, advice: 'pass Array.from(value)' },
  { fits: isDataView, advice: 'pass new Uint8Array(value.buffer, value.byteOffset, value.byteLength)' },
  { fits: isAnyArrayBuffer, advice: 'pass new Uint8Array(value)' },
  { fits: (value) => has(value, 'toJSON'), advice: 'pass value.toJSON()' },
  { fits: (value) => has(value, Symbol.iterator), advice: 'pass [...value]' },
  // A spread takes own fields alone: of an object that keeps its data elsewhere it makes {}.
  { fits: (value) => Object.keys(value).length > 0, advice: 'pass its plain data, such as { ...value }' },
];

function has(value: object, method: string | symbol): boolean {
  return typeof (value as Readonly<Record<string | symbol, unknown>>)[method] === 'function';
}

/** Advice for an object that is neither plain data nor of a type which kombu has. */
export function hintFor(value: object): string {
  try {
    const hint = HINTS.find(({ fits }) => fits(value));
    if (hint !== undefined) return hint.advice;
  } catch {
    // A getter or a proxy of the caller's.
  }
  return 'pass its data as a plain object';
}
