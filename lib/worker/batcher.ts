/** Gathers single requests of tasks that run side by side into calls of many, without waiting for more to come. */
import type { Clock } from '../base/time.ts';

interface Waiting<I, O> {
  readonly item: I;
  resolve(output: O): void;
  reject(error: unknown): void;
}

/**
 * Returns a function that takes one item and gives its outcome. Items that are ready in the same moment,
 * and those that come while a call is under way, share one call. Items of one key never share a call:
 * the service refuses two writes to one item in a batch.
 */
export function batched<I, O>(
  clock: Clock,
  limit: number,
  keyOf: (item: I) => string,
  call: (items: readonly I[]) => Promise<readonly O[]>,
): (item: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = [];
  let running = false;

  async function flush(): Promise<void> {
    // Lets every task that ends in this turn of the loop join the same call.
    await clock.nextTurn();
    while (waiting.length > 0) {
      const { taken, left } = take(waiting, limit, keyOf);
      waiting = left;
      try {
        const outputs = await call(taken.map(({ item }) => item));
        for (const [index, entry] of taken.entries()) entry.resolve(outputs[index] as O);
      } catch (error) {
        if (taken.length === 1) taken[0]?.reject(error);
        else await one(taken);
      }
    }
    running = false;
  }

  /** One item's error is not its neighbours': each is asked alone. Asking again is safe, every call here is idempotent. */
  async function one(taken: readonly Waiting<I, O>[]): Promise<void> {
    await Promise.all(
      taken.map(async (entry) => {
        try {
          entry.resolve((await call([entry.item]))[0] as O);
        } catch (error) {
          entry.reject(error);
        }
      }),
    );
  }

  return (item) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running) return;
      running = true;
      void flush();
    });
}

function take<I, O>(
  waiting: readonly Waiting<I, O>[],
  limit: number,
  keyOf: (item: I) => string,
): { taken: Waiting<I, O>[]; left: Waiting<I, O>[] } {
  const taken: Waiting<I, O>[] = [];
  const left: Waiting<I, O>[] = [];
  const keys = new Set<string>();
  for (const entry of waiting) {
    const key = keyOf(entry.item);
    if (taken.length < limit && !keys.has(key)) {
      keys.add(key);
      taken.push(entry);
    } else left.push(entry);
  }
  return { taken, left };
}
