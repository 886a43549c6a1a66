/** What becomes of the library's values in an answer. */

/** As it is after JSON: instants are ISO 8601 text in UTC, what is undefined is absent. */
export type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Json<T[Key]> }
      : T;
