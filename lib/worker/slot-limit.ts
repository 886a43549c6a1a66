/** How many slots a key has, as this deployment says. */
import { taskOfKey } from '../ports/slot-keys.ts';
import type { App } from '../producer/app.ts';

/** Undefined where it cannot be told from the key: the item has the last that was known. */
export async function limitOf(key: string, { registry }: App): Promise<number | undefined> {
  const definition = registry.find(taskOfKey(key));
  return (await definition?.options.flow?.resolved())?.concurrency?.limit;
}
