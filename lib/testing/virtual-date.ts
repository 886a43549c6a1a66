/** `Date` on a world's clock: everything in the process that asks for the time gets the world's. */

/** Puts it in the place of the global Date, until the returned function is called. */
export function replaceDate(nowMs: () => number): () => void {
  const before = globalThis.Date;
  let active = true;
  const now = (): number => (active ? nowMs() : before.now());
  // A proxy, so that dates made before and after are instances of each other's class.
  const virtual: DateConstructor = new Proxy(before, {
    construct: (target, values: unknown[], newTarget) =>
      Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget) as object,
    apply: () => new before(now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown)),
  });
  globalThis.Date = virtual;
  return () => {
    active = false;
    // What others put in its place meanwhile stays; ours, which they may put back, now tells the time of before.
    if (globalThis.Date === virtual) globalThis.Date = before;
  };
}
