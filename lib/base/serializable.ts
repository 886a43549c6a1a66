/** What the compiler knows of JSON: which types of arguments and results can be sent. */

/** As it is: text of JSON, what kombu has a type for, or not known. */
type Sent = string | number | boolean | null | undefined | void | Date | Uint8Array;
/** Never. Maps, Sets, Promises and instances of classes have methods, which are functions. */
type Unsent = bigint | symbol | ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/**
 * With `never` in the place of whatever cannot be sent: `T extends Serializable<T>` is true of plain data alone.
 * Interfaces, optional properties, `unknown` and types that hold themselves are plain data.
 *
 * A mapped type and no union of what is wrong: the compiler looks into it only as far as it has to, and knows a type
 * that it has met before.
 */
export type Serializable<T> = unknown extends T
  ? T
  : T extends Sent
    ? T
    : T extends Unsent
      ? never
      : // Not as a mapped type, which of an array looks at its elements at once: of JSON's own type it would never end.
        T extends readonly unknown[]
        ? { readonly [index: number]: Serializable<T[number]> }
        : { [K in keyof T]: Serializable<T[K]> };

type IsSent<T> = [T] extends [Serializable<T>] ? true : never;

/**
 * Where a task's arguments and result can be sent, nothing; else what is wrong, in the compiler's error text. Asked for
 * `never`, and not for `true`: what a generic function knows too little of passes so.
 */
export type CheckedTypes<A, R> = [IsSent<A>] extends [never]
  ? { readonly 'the arguments are not plain data': A }
  : [IsSent<Awaited<R>>] extends [never]
    ? { readonly 'the result is not plain data': Awaited<R> }
    : unknown;
