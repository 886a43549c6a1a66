/** What is made when it is first asked for, and kept. */
export function once<R>(make: () => R): () => R {
  let made: { readonly value: R } | undefined;
  return () => (made ??= { value: make() }).value;
}

/**
 * An object whose methods are all asynchronous, and which is loaded when the first of them is called.
 *
 * @param what Its name, for errors.
 * @param known What is there from the beginning.
 */
export function lazy<P extends object>(what: string, load: () => Promise<P>, known: Partial<P> = {}): P {
  return new Proxy(known as P, {
    get: (target, name) =>
      // What is awaited is asked for `then`.
      name in target || name === 'then'
        ? (Reflect.get(target, name) as unknown)
        : async (...args: readonly unknown[]): Promise<unknown> => {
            const whole = await load();
            const method: unknown = Reflect.get(whole, name);
            if (typeof method !== 'function') throw new TypeError(`${what}.${String(name)} is not a function`);
            return Reflect.apply(method, whole, args) as unknown;
          },
  });
}
